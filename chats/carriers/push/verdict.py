"""What is told, and what became of telling it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from chats.outbox.sending import Answer


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One notice with all that sending it needs. push: as AppSession keeps it; alert: the message's own wish; id: the same over all tries."""

    id: str
    push: Mapping[str, Any]
    title: str
    body: str
    chat_id: str
    conversation_id: str
    alert: Mapping[str, Any]
    settings: Mapping[str, Any]
    secrets: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One try, or why there was none.

    external_id: the service's; again: another try may help, after `wait` where the service says so; is_gone: nobody is behind the device's token any more;
    is_account: the service does not take our credentials; is_skipped: an app had shown the message; look_again: nothing was tried, and will not be before then.
    """

    external_id: str = ""
    error: str = ""
    again: bool = False
    wait: timedelta | None = None
    is_gone: bool = False
    is_account: bool = False
    is_skipped: bool = False
    look_again: timedelta | None = None
    was_answered: bool = True

    @property
    def is_sent(self) -> bool:
        return not self.error and not self.is_skipped and self.look_again is None


class NotSetUp(Exception):
    """What an administrator has entered cannot be used: the sentence says why."""


def told(answer: Answer) -> dict[str, Any]:
    """The answer's JSON; empty for anything but an object."""
    try:
        return fields_of(json.loads(answer.body))
    except (ValueError, RecursionError):
        return {}


def fields_of(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def plain(value: Any) -> str:
    """A text of somebody else's as the database and JSON can keep it; empty for anything else."""
    if not isinstance(value, str):
        return ""
    return value.encode(errors="replace").decode().replace("\0", "\ufffd")


def no_answer(answer: Answer) -> Verdict:
    return Verdict(error=answer.error[:300], again=True, was_answered=False)


def wait_of(answer: Answer) -> timedelta | None:
    """Retry-After in seconds, as far as we wait at all."""
    said = answer.headers.get("retry-after", "")
    return timedelta(seconds=min(int(said), 3600)) if said.isascii() and said.isdigit() and len(said) < 9 else None
