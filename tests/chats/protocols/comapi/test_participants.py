"""Two take part at most, whoever looks on; and each side sees the other type."""

from types import SimpleNamespace

import pytest

from chats import events
from chats.actions.guests import invite_guest
from chats.actions.locking import seat_in_chat
from chats.actions.post import Post, post_message
from chats.errors import Conflict
from tests.conftest import make_chat, make_held_chat

pytestmark = pytest.mark.django_db

MIA, ANN = {"id": "mia", "role": "participant"}, {"id": "PLATFORMUSER\\ann@example.com", "role": "agent"}


@pytest.fixture
def whispers():
    heard = []

    def hear(chat_id, whisper, **_):
        heard.append(SimpleNamespace(chat=str(chat_id), by=whisper.data["sender"], active=whisper.data["active"]))

    events.whispered.connect(hear)
    yield heard
    events.whispered.disconnect(hear)


def test_the_customer_and_the_agent_take_part_and_nobody_is_let_in(space, ann, bob, sue, now):
    chat_id = space.chat()["id"]
    path = f"chats/{chat_id}/participants"
    assert space.get(path).json() == [MIA]
    chat = space.held(chat_id, ann)
    for by in (ann, sue):
        with pytest.raises(Conflict):
            invite_guest(by, chat.pk, bob, now=now)
    assert space.get(path).json() == space.basic.get(path).json() == space.app("mia").get(path).json() == [MIA, ANN]
    assert space.app("leo").get(path).status_code == 404
    assert chat.participants.guests().count() == 0


def test_a_supervisor_who_looks_on_and_whispers_is_no_participant(space, ann, sue, now):
    chat_id = space.chat()["id"]
    chat = space.held(chat_id, ann)
    seat = seat_in_chat(chat, sue)
    post_message(Post(chat.pk, seat.pk, "w1", "Be kind", is_note=True), now=now)
    assert space.get(f"chats/{chat_id}/participants").json() == [MIA, ANN]
    assert space.get(f"chats/{chat_id}").json()["participants"] == [MIA, ANN]
    post_message(Post(chat.pk, chat.participants.get(agent=ann).pk, "w2", "Hello"), now=now)
    assert chat.events.filter(type="note.posted").count() == 1


def test_chats_of_the_website_have_guests_as_before(space, acme, ann, bob, now):
    held = make_held_chat(acme, ann, now)
    invite_guest(ann, held.chat.pk, bob, now=now)
    assert len(space.get(f"chats/{held.chat.pk}/participants").json()) == 2


def test_each_side_sees_the_other_type(space, acme, ann, whispers):
    chat_id = space.chat()["id"]
    path = f"chats/{chat_id}/typing"
    assert space.post(path).status_code == 204
    assert (whispers[-1].by["name"], whispers[-1].by["kind"], whispers[-1].active) == (acme.support.name, "bot", True)
    space.held(chat_id, ann)
    assert space.basic.delete(path).status_code == 204
    assert (whispers[-1].by["name"], whispers[-1].by["kind"], whispers[-1].active) == ("Ann", "agent", False)
    assert space.app("mia").post(path, {"anything": [1]}).status_code == 204
    assert (whispers[-1].by["name"], whispers[-1].by["kind"], whispers[-1].chat) == ("", "customer", chat_id)
    assert space.app("leo").post(path).status_code == 404
    space.put(f"chats/{chat_id}/close")
    assert space.post(path).status_code == 204
    assert len(whispers) == 3


def test_typing_in_a_chat_of_the_website_is_heard_too(space, acme, now, whispers):
    chat = make_chat(acme, now).chat
    assert space.post(f"chats/{chat.pk}/typing").status_code == 204
    assert whispers[-1].chat == str(chat.pk)
