"""Chats and messages as HyperChat's clients read them."""

from uuid import uuid4

import pytest

from chats.models import Event, Participant
from chats.protocols.hyperchat.shapes import message_id, message_shapes, parse_message_id, readers_of
from tests.conftest import online

CHAT = uuid4()
FILE = {"id": "f", "name": "a.pdf", "size": 3, "content_type": "application/pdf", "width": None, "height": None}


@pytest.mark.parametrize("index", [1, 42, 10**8])
def test_a_messages_id_names_its_chat_and_index(index):
    assert parse_message_id(message_id(CHAT, index)) == (CHAT, index)
    assert parse_message_id(f"{message_id(CHAT, index)}.2") == (CHAT, index)


@pytest.mark.parametrize(
    "odd", [None, 5, "", "x", "-", "x-1", f"{CHAT}", f"{CHAT.hex}", f"{CHAT.hex}-", f"{CHAT.hex}-x", f"{CHAT.hex}-٣", f"{CHAT.hex}--1",
            f"{CHAT.hex}-1e2", f"{CHAT.hex}-{'9' * 10}", f"{'g' * 32}-1", f"{CHAT.hex}-.1", [], {}],
)  # fmt: skip
def test_what_is_no_messages_id_is_none(odd):
    assert parse_message_id(odd) is None


@pytest.fixture
def talk(direct, ann, now):
    return direct.held_chat(online(ann, now))


def event(chat, text, files, sender=None):
    return Event(
        chat=chat,
        index=4,
        type="message.posted",
        sender=sender,
        text=text,
        data={"attachments": files},
        at=chat.started_at,
    )


@pytest.mark.django_db
def test_a_text_and_its_files_are_messages_of_their_own(talk):
    own = message_id(talk.pk, 4)
    found = [(one["id"], one["type"]) for one in message_shapes(event(talk, "see", [FILE, FILE]), talk)]
    assert found == [(own, "text"), (f"{own}.0", "media"), (f"{own}.1", "media")]
    assert [one["id"] for one in message_shapes(event(talk, "", [FILE, FILE]), talk)] == [own, f"{own}.1"]
    assert message_shapes(event(talk, "", [FILE]), talk)[0]["message"] == {
        "url": "/media/f",
        "type": "application/pdf",
        "name": "a.pdf",
        "size": 3,
    }


@pytest.mark.django_db
def test_links_are_texts_after_the_files(talk):
    said = event(talk, "", [FILE])
    said.data["links"] = [
        {"type": "", "name": "Map", "url": "https://maps.example/1"},
        {"type": "", "name": "", "url": "https://b.example/"},
    ]
    own = message_id(talk.pk, 4)
    found = [(one["id"], one["type"], one["message"]) for one in message_shapes(said, talk)[1:]]
    assert found == [(f"{own}.1", "text", "Map https://maps.example/1"), (f"{own}.2", "text", "https://b.example/")]


@pytest.mark.django_db
def test_the_marks_name_who_has_read_it_but_not_who_said_it(talk, ann):
    customer = talk.participants.get(kind=Participant.Kind.CUSTOMER)
    talk.participants.filter(agent=ann).update(read_index=3)
    talk.participants.filter(pk=customer.pk).update(read_index=9)
    readers = readers_of(talk)
    assert sorted(readers) == sorted([(str(talk.customer_id), 9), (str(ann.pk), 3)])
    agent = talk.participants.get(agent=ann)
    assert message_shapes(event(talk, "x", [], agent), talk, readers)[0]["read"] == [str(talk.customer_id)]
    assert message_shapes(event(talk, "x", [], customer), talk, readers)[0]["read"] == []
    assert message_shapes(event(talk, "x", []), talk, readers)[0]["sender"] == "system"
