"""The table: each event that customers see has words of theirs, or is silent on purpose."""

from typing import Any
from uuid import UUID

import pytest

from chats.events import all_event_types
from chats.models import Chat
from chats.protocols.hyperchat.live.words import SILENT, WORDS, Told, words_for

pytestmark = pytest.mark.both

CHAT = Chat(pk=UUID(int=1), customer_id=UUID(int=2))
ANN, BOB = str(UUID(int=3)), str(UUID(int=4))
AT = "2026-03-01T10:00:00.000Z"


def told(type: str, kind: str = "system", agent: str = "", left: tuple[Any, ...] = (), **event: Any) -> Told:
    shown = {"index": 5, "type": type, "at": AT, "sender": {"kind": kind, "name": "x"}, "text": "", "attachments": []}
    return Told(chat=CHAT, event=shown | {"data": {}} | event, agent=agent, left=left)


def user(user_id: str, name: str) -> dict[str, str]:
    return {"id": user_id, "name": name, "nickname": name, "providerId": "contactcenter"}


def joined(agent: str, name: str, reason: str) -> dict[str, Any]:
    return {"agent": agent, "name": name, "reason": reason}


def test_every_public_event_has_words_or_is_silent_on_purpose() -> None:
    public = {event.type for event in all_event_types() if event.is_public}
    assert set(WORDS) | SILENT == public
    assert not set(WORDS) & SILENT
    assert [words_for(told(name)) for name in SILENT] == [[]] * len(SILENT)


def test_a_text_and_its_files_are_messages_of_their_own() -> None:
    file = {"id": "f1", "name": "a.png", "content_type": "image/png", "size": 7}
    said = words_for(told("message.posted", "customer", text="Hello", attachments=[file]))
    base = {"chat": str(CHAT.pk), "sender": str(CHAT.customer_id), "created": 1772359200, "read": []}
    media = {"url": "/media/f1", "type": "image/png", "name": "a.png", "size": 7}
    assert said == [
        ("message:received", {"message": {"id": f"{CHAT.pk.hex}-5", "type": "text", "message": "Hello", **base}}),
        ("message:received", {"message": {"id": f"{CHAT.pk.hex}-5.0", "type": "media", "message": media, **base}}),
    ]


def test_a_link_is_a_text() -> None:
    link = {"type": "text/html", "name": "Map", "url": "https://maps.example/1"}
    [(_, said)] = words_for(told("message.posted", "customer", data={"links": [link]}))
    assert (said["message"]["type"], said["message"]["message"]) == ("text", "Map https://maps.example/1")


@pytest.mark.parametrize(
    ("kind", "agent", "sender"),
    [("customer", "", str(CHAT.customer_id)), ("agent", ANN, ANN), ("bot", BOB, BOB), ("system", "", "system")],
)
def test_a_messages_sender_is_a_user(kind: str, agent: str, sender: str) -> None:
    [(_, said)] = words_for(told("message.posted", kind, agent, text="x"))
    assert said["message"]["sender"] == sender


def test_agents_come_and_go() -> None:
    assert words_for(told("agent.joined", "agent", ANN, data=joined(ANN, "Ann", "accepted"))) == [
        ("user:joined", {"user": user(ANN, "Ann")})
    ]
    assert words_for(told("agent.left", "system", data=joined(ANN, "Ann", "gone"))) == [
        ("user:left", {"user": user(ANN, "Ann")})
    ]


def test_who_is_put_in_anothers_place_has_intervened() -> None:
    before = (user(ANN, "Ann"),)
    said = words_for(told("agent.joined", "agent", BOB, before, data=joined(BOB, "Bob", "assigned")))
    assert [name for name, _ in said] == ["user:joined", "chat:intervened"]
    assert said[1][1] == {"intervenedUsers": [user(ANN, "Ann")], "interventor": user(BOB, "Bob")}
    accepted = words_for(told("agent.joined", "agent", BOB, before, data=joined(BOB, "Bob", "accepted")))
    assert [name for name, _ in accepted] == ["user:joined"], "an ordinary transfer is none"


@pytest.mark.parametrize(
    ("by", "kind", "agent", "reason", "closed"),
    [
        ("customer", "customer", "", "customer_left", {"userId": str(CHAT.customer_id)}),
        ("agent", "agent", ANN, "done", {"userId": ANN}),
        ("system", "system", "", "unanswered", {"userId": "system"}),
        ("system", "system", "", "idle", {"userId": "system", "extraData": {"reason": "inactivity"}}),
    ],
)
def test_the_ticket_is_told_before_the_end(by: str, kind: str, agent: str, reason: str, closed: Any) -> None:
    assert words_for(told("chat.closed", kind, agent, data={"by": by, "reason": reason})) == [
        ("system:info", {"data": {"ticketId": str(CHAT.pk)}}),
        ("chat:closed", closed),
    ]


def test_nobody_found_is_said_in_their_word() -> None:
    assert words_for(told("search.failed")) == [("forever:alone", {})]
