"""The table: every event that customers see has its row, and what their clients hear of it."""

from typing import Any

import pytest

from chats.events import all_event_types
from chats.protocols.expertflow.people import Conversation
from chats.protocols.expertflow.words import TABLE, words_for

pytestmark = pytest.mark.both

AT = "2026-03-01T10:00:00.000Z"
ANN = {"id": "a1", "name": "Ann", "type": "Agent", "firstName": "Ann"}
MIA = {"id": "m1", "name": "Mia", "type": "Customer", "firstName": "Mia"}
HOUSE = {"id": "system", "name": "Acme", "type": "Bot", "firstName": "Acme"}


def conversation() -> Conversation:
    return Conversation("c1", "+491", "m1", "Mia", "Acme", {"part": "a1"})


def event(type: str, kind: str = "agent", data: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """As customers see it (chats.shapes.event_for_customer)."""
    sender = {"customer": {"name": "Mia", "id": "p0"}, "system": {"name": ""}}.get(kind, {"name": "Ann", "id": "part"})
    shown = {"index": 5, "type": type, "at": AT, "sender": {"kind": kind, **sender}, "text": "", "attachments": []}
    return shown | {"data": data or {}} | fields


def heard(of: dict[str, Any], known: Conversation | None = None) -> list[tuple[str, dict[str, Any]]]:
    """(activity type, from) of each message."""
    return [(said.get("activityType", "message"), said["from"]) for said in words_for(known or conversation(), of)]


def test_every_public_event_has_its_row() -> None:
    assert set(TABLE) == {kind.type for kind in all_event_types() if kind.is_public}


def test_a_message_tells_who_to_whom_and_what_lies_elsewhere() -> None:
    link = {"type": "text/html", "name": "Map", "url": "https://maps.example/1"}
    data = {"links": [link], "to": [{"id": "part", "name": "Ann"}, {"id": "p0", "name": "Mia"}]}
    assert words_for(conversation(), event("message.posted", text="Hello", data=data)) == [
        {
            "id": "c1-5",
            "conversationId": "c1",
            "type": "ChatMessage",
            "from": ANN,
            "to": [{"id": "a1", "name": "Ann"}, {"id": "m1", "name": "Mia"}],
            "text": "Hello",
            "refId": "+491",
            "tag": "",
            "attachments": [
                {"type": "text/html", "name": "Map", "contentUrl": "https://maps.example/1", "thumbnailUrl": ""}
            ],
            "timestamp": AT,
        }
    ]
    for kind, sender in (("customer", MIA), ("agent", ANN), ("bot", {**ANN, "type": "Bot"}), ("system", HOUSE)):
        assert heard(event("message.posted", kind)) == [("message", sender)], kind
    assert heard(event("customer.reminded", "system")) == [("message", HOUSE)]


def test_an_activity_tells_about_whom_it_is() -> None:
    [said] = words_for(conversation(), event("chat.closed", "customer", {"by": "customer", "reason": "done"}))
    assert said == {
        "id": "c1-5",
        "conversationId": "c1",
        "type": "ActivityMessage",
        "from": MIA,
        "to": [],
        "activityType": "endOfConversation",
        "info": {"by": "customer", "reason": "done"},
        "refId": "+491",
        "timestamp": AT,
    }
    assert heard(event("chat.closed", "system", {"by": "system", "reason": "idle"})) == [("endOfConversation", HOUSE)]
    assert heard(event("chat.queued", "system")) == [("handOff", HOUSE)]
    assert heard(event("search.failed", "system")) == [("noAgentAvailable", HOUSE)]
    for silent in ("chat.started", "chat.transferred", "chat.reopened"):
        assert heard(event(silent, "system")) == [], silent


def test_what_the_house_does_and_what_agents_do_are_told_apart() -> None:
    added, joined, left, removed = (f"participant{word}" for word in ("Added", "Joined", "Left", "Removed"))
    for type, reasons, expected in (
        ("agent.joined", ("accepted", "picked", "reopened", "guest"), [added, joined]),
        ("agent.joined", ("assigned", ""), [added]),
        ("agent.left", ("left", "returned", "guest"), [left, removed]),
        ("agent.left", ("transferred", "gone", "closed"), [removed]),
    ):
        for reason in reasons:
            known = conversation()
            known.agents.clear()
            data = {"agent": "a1", "name": "Ann", "reason": reason}
            assert heard(event(type, data=data), known) == [(kind, ANN) for kind in expected], (type, reason)
    known = conversation()
    words_for(known, event("agent.joined", data={"agent": "b2", "name": "Bob", "reason": "accepted"}))
    assert known.agents["part"] == "b2", "who joins tells who its participant is"
