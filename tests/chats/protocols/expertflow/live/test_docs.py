"""docs/protocols/expertflow.md, "Live", leaves nothing out, and names nothing that is not there."""

import re
from pathlib import Path

import pytest

from chats.protocols.expertflow import shapes
from chats.protocols.expertflow.live.service import CALLS

pytestmark = pytest.mark.both

PAGE = Path(__file__).parents[5] / "docs/protocols/expertflow.md"
LIVE = PAGE.read_text().split("\n## Live\n")[1].split("\n## ")[0]
KINDS = ("GREETINGS", "TYPING", "HAND_OFF", "NOBODY", "ADDED", "REMOVED", "JOINED", "LEFT", "END")


def told(head: str) -> set[str]:
    """What the first cells of a table name."""
    lines = LIVE.split(head)[1].split("\n\n")[0].splitlines()
    return {name for line in lines if line.startswith("| `") for name in re.findall(r"`(\w+)`", line.split(" | ")[0])}


def test_every_event_and_activity_is_told_and_every_told_one_is_there():
    assert told("| client → server |") == set(CALLS)
    assert told("| server → client |") == {"conversationInfo", "messageArrived"}
    assert told("| `activityType` |") == {getattr(shapes, kind) for kind in KINDS}
