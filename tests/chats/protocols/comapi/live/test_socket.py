"""An app's socket: who may open it, what it hears and in which order, what is lost on the way, and who does not read."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from chats.actions.app_sessions import end_session
from chats.actions.post import Post, post_message
from chats.actions.read import mark_read
from chats.actions.show import show_typing
from chats.live import hub
from chats.models import AppSession, Chat, Participant
from chats.protocols.comapi.live import socket as socket_module
from chats.protocols.comapi.live import watch
from chats.sockets import base, service
from tests.chats.protocols.comapi.conftest import ORIGIN, TEAM
from tests.chats.sockets.conftest import SECONDS, Wire

ID = f"{TEAM}_mia"


class AppWire(Wire):
    def __init__(self, path: str, query: str, headers: list[tuple[bytes, bytes]]) -> None:
        super().__init__(path, headers)
        # Before its task has run for the first time.
        self.scope |= {"query_string": query.encode(), "scheme": "ws"}
        self.incoming.put_nowait({"type": "websocket.connect"})


class Listener:
    """What an app hears."""

    def __init__(self, prefix: str, query: str, **headers: str) -> None:
        encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        self.wire = AppWire(f"{prefix}/socket", query, encoded)
        self.seen: list[dict[str, Any]] = []

    async def first(self) -> str:
        """websocket.accept or .close"""
        return str((await self.wire.receive(SECONDS))["type"])

    async def opened(self) -> "Listener":
        assert await self.first() == "websocket.accept"
        info = await self.next()
        assert info["name"] == "socket.info"
        assert info["socketId"]
        return self

    async def next(self) -> dict[str, Any]:
        message = await self.wire.receive(SECONDS)
        if message["type"] == "websocket.close":
            return {"name": "closed", "code": message["code"]}
        frame: dict[str, Any] = json.loads(message["text"])
        self.seen.append(frame)
        return frame

    async def until(self, wanted: str | Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first frame of this name, or of which this is true."""
        while True:
            frame = await self.next()
            if frame["name"] == wanted if isinstance(wanted, str) else wanted(frame):
                return frame
            assert frame["name"] != "closed", self.seen

    def numbers(self) -> list[int]:
        return [one["conversationEventId"] for one in self.seen if "conversationEventId" in one]

    async def close(self) -> None:
        self.wire.incoming.put_nowait({"type": "websocket.disconnect", "code": 1005})
        async with asyncio.timeout(SECONDS):
            await self.wire.task


@pytest.fixture
async def live(transactional_db: None):
    async with service.running(), watch.running():
        yield hub
        hub.loses = None


@pytest.fixture
async def listen(live: Any, space: Any):
    """await listen(app): its socket, open."""
    opened: list[Listener] = []

    async def of(app: Any, **headers: str) -> Listener:
        opened.append(await Listener(space.prefix, f"token={app.token}", **headers).opened())
        return opened[-1]

    yield of
    for one in opened:
        await one.close()


def text(said: str) -> dict[str, Any]:
    return {"parts": [{"type": "text/plain", "data": said}]}


def is_said(said: str) -> Callable[[dict[str, Any]], bool]:
    return lambda frame: frame["name"] == "conversationMessage.sent" and frame["payload"]["parts"][0]["data"] == said


def post_as(agent: Any, chat: Chat, said: str) -> None:
    part = Participant.objects.get(chat=chat, agent=agent)
    post_message(Post(chat.pk, part.pk, said, said), now=timezone.now())


@pytest.fixture
async def app(transactional_db: None, space: Any) -> Any:
    return await sync_to_async(space.app)("mia")


say = sync_to_async(lambda app, said: app.post(f"conversations/{ID}/messages", text(said)).json())
held = sync_to_async(lambda space, agent: space.held(Chat.objects.open().get().pk, agent))
answered = sync_to_async(post_as)


async def test_an_app_hears_its_conversation_from_the_first_message_to_the_last(space, app, listen, ann):
    socket = await listen(app)
    first = await say(app, "Hello")
    made = await socket.until("conversation.create")
    assert made["conversationId"] == ID
    joined = await socket.until("conversation.participantAdded")
    assert joined["payload"] == {"conversationId": ID, "profileId": "mia", "role": "owner"}
    sent = await socket.until("conversationMessage.sent")
    assert (sent["payload"]["messageId"], sent["conversationEventId"]) == (first["id"], first["eventId"])
    assert (sent["apiSpaceId"], sent["accountId"]) == (space.registration.foreign_id, 1)
    context = sent["payload"]["context"]
    assert (context["conversationId"], context["from"]["id"], sent["context"]["createdBy"]) == (
        ID,
        "mia",
        "session:mia",
    )

    chat = await held(space, ann)
    part = await Participant.objects.aget(chat=chat, agent=ann)
    await sync_to_async(mark_read)(part, 99)
    read = await socket.until("conversationMessage.read")
    assert read["payload"]["profileId"] == f"PLATFORMUSER\\{ann.user.email}"
    assert (read["payload"]["messageId"], read["payload"]["conversationId"]) == (first["id"], ID)
    await sync_to_async(show_typing)(part, active=True)
    typing = await socket.until("conversation.participantTyping")
    assert (typing["payload"]["profileId"], typing["conversationId"]) == (f"PLATFORMUSER\\{ann.user.email}", ID)
    await sync_to_async(show_typing)(part, active=False)
    await socket.until("conversation.participantTypingOff")
    await answered(ann, chat, "We are here")
    reply = await socket.until(is_said("We are here"))
    assert reply["payload"]["context"]["from"]["name"] == "Support"  # as its team
    assert socket.numbers() == list(range(len(socket.numbers())))
    asked = await sync_to_async(app.get)(f"conversations/{ID}/events", **{"from": 0, "limit": 100})
    assert [one["eventId"] for one in asked.json()] == [
        one["eventId"] for one in socket.seen if "conversationEventId" in one
    ]


async def test_what_was_before_is_not_told_again_and_nothing_is_missed(space, app, listen, ann):
    await say(app, "Hello")
    socket = await listen(app)
    chat = await held(space, ann)
    for number in range(12):
        await answered(ann, chat, f"m{number}")
    await socket.until(is_said("m11"))
    assert socket.numbers() == list(range(1, 13))


async def test_announcements_that_are_lost_lose_nothing(space, app, listen, live, ann):
    await say(app, "Hello")
    chat = await held(space, ann)
    socket = await listen(app)
    live.loses = lambda topic, payload: True
    await answered(ann, chat, "lost?")
    frame = await socket.until(is_said("lost?"))
    assert frame["conversationEventId"] == 1


async def test_two_windows_hear_the_same(space, app, listen):
    one, two = await listen(app), await listen(app)
    for number in range(3):
        await say(app, f"m{number}")
    for socket in (one, two):
        await socket.until(is_said("m2"))
        assert socket.numbers() == [0, 1, 2]
    session = await AppSession.objects.aget()
    assert session.facts["seen_at"]
    await two.close()
    assert (await AppSession.objects.aget()).facts["seen_at"]
    await one.close()
    assert (await AppSession.objects.aget()).facts["seen_at"] is None
    two.close = one.close = _nothing


async def _nothing() -> None:
    """It is closed already."""


async def test_a_chat_that_a_program_begins_is_heard(space, app, listen):
    socket = await listen(app)
    chat = await sync_to_async(space.chat)("mia")
    await socket.until("conversation.create")
    await sync_to_async(space.post)(f"chats/{chat['id']}/messages", text("From a bot"))
    frame = await socket.until("conversationMessage.sent")
    assert (frame["conversationId"], frame["chatId"]) == (ID, chat["id"])


async def test_changes_of_the_profile_and_of_conversations_are_heard(space, app, listen):
    socket = await listen(app)
    await sync_to_async(space.put)("profiles/mia", {"name": "Mia Berger"})
    frame = await socket.until("profile.update")
    assert (frame["payload"]["name"], frame["eTag"]) == ("Mia Berger", frame["etag"])
    await sync_to_async(app.post)("conversations", {"id": "talk", "name": "One"})
    await socket.until("conversation.create")  # what happens between two looks is told as one
    await sync_to_async(app.put)("conversations/talk", {"name": "Two"})
    frame = await socket.until("conversation.update")
    assert (frame["payload"]["name"], frame["conversationId"]) == ("Two", "talk")
    await sync_to_async(app.delete)("conversations/talk")
    assert (await socket.until("conversation.delete"))["conversationId"] == "talk"
    await sync_to_async(app.post)("conversations", {"id": "talk"})
    await socket.until("conversation.undelete")


async def test_nobody_else_hears_it(space, app, listen):
    tom = await sync_to_async(space.app)("tom")
    theirs, own = await listen(tom), await listen(app)
    await say(app, "secret")
    await own.until(is_said("secret"))
    await sync_to_async(space.put)("profiles/tom", {"name": "Tom"})
    await theirs.until("profile.update")
    assert [one["name"] for one in theirs.seen] == ["socket.info", "profile.update"]


async def test_an_ended_session_is_closed(space, app, listen):
    socket = await listen(app)
    await sync_to_async(end_session)(app.session, now=timezone.now())
    while (frame := await socket.next())["name"] != "closed":
        pass
    assert frame["code"] == 4401


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "%00", "%F0%9F%98%80", "x" * 5000])
async def test_who_proves_nothing_is_refused_before_the_handshake(live, space, token):
    socket = Listener(space.prefix, f"token={token}")
    assert await socket.first() == "websocket.close"


async def test_other_spaces_and_programs_are_refused(live, space, other, app):
    assert await Listener(other.prefix, f"token={app.token}").first() == "websocket.close"
    assert await Listener("/apispaces/unknown", f"token={app.token}").first() == "websocket.close"
    assert await Listener(space.prefix, "token=an-access-token-of-acme").first() == "websocket.close"
    assert await Listener(space.prefix, "").first() == "websocket.close"
    evil = Listener(space.prefix, f"token={app.token}", Origin="https://evil.example")
    assert await evil.first() == "websocket.close"


async def test_echoes_and_nonsense_are_left_alone(space, app, listen):
    socket = await listen(app, Origin=ORIGIN)
    echo = {"name": "echo", "payload": {}, "publishedOn": "2026-01-01T00:00:00Z"}
    for frame in (json.dumps(echo), "x", "[", "5", "\x00"):
        socket.wire.incoming.put_nowait({"type": "websocket.receive", "text": frame})
    socket.wire.incoming.put_nowait({"type": "websocket.receive", "bytes": b"\xff"})
    await say(app, "Hello")
    await socket.until(is_said("Hello"))
    socket.wire.incoming.put_nowait({"type": "websocket.receive", "text": "x" * 70_000})
    while (frame := await socket.next()).get("name") != "closed":
        assert frame.get("type") != "error"
    assert frame["code"] == base.TOO_BIG


async def test_who_does_not_read_is_cut(space, app, listen, ann, monkeypatch):
    monkeypatch.setattr(socket_module, "STALLED_SECONDS", 0.2)
    monkeypatch.setattr(base, "BYE_SECONDS", 0.1)
    await say(app, "Hello")
    socket = await listen(app)
    socket.wire.reads.clear()
    chat = await held(space, ann)
    for number in range(40):
        await answered(ann, chat, f"m{number}")
    async with asyncio.timeout(SECONDS):
        await socket.wire.task
    socket.close = _nothing
