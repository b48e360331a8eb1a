"""What our side says where no agent speaks."""

from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from chats.actions.close import close_chat
from chats.actions.house import HouseWords, say_for_house
from chats.actions.post import Post, post_message
from chats.errors import Closed, Invalid, NotFound, TooLarge
from chats.files.store import store_attachment
from chats.models import Attachment, Chat, Event
from chats.shapes import event_for_customer
from tests.conftest import make_chat

pytestmark = [pytest.mark.django_db, pytest.mark.both]


@pytest.fixture
def talk(acme, now):
    started = make_chat(acme, now)
    post_message(Post(started.chat.pk, started.participant.pk, "c", "hello?"), now=now)
    return started


def say(talk, now, chats=None, **words):
    words = {"text": "hi", "client_id": uuid4().hex, **words}
    return say_for_house(chats or Chat.objects, talk.chat.pk, HouseWords(**words), now=now)


def test_a_bots_words_are_an_answer(talk, now):
    posted = say(talk, now, name="Robby", facts={"own": 1})
    event = Event.objects.get(chat=talk.chat, position=posted.position)
    assert (event.sender_kind, event.sender_name, event.index) == ("bot", "Robby", posted.index)
    shown = event_for_customer(event)
    assert (shown["sender"], shown["data"]) == ({"kind": "bot", "name": "Robby"}, {})
    chat = Chat.objects.get(pk=talk.chat.pk)
    assert (chat.last_text, chat.last_sender_kind, chat.waiting_since) == ("hi", "bot", None)
    assert chat.last_agent_at == chat.first_answered_at == now
    assert chat.is_waiting  # for an agent, still


def test_what_is_sent_automatically_answers_nothing(talk, now):
    before = Chat.objects.get(pk=talk.chat.pk)
    say(talk, now, name="Robby", is_automatic=True)
    chat = Chat.objects.get(pk=talk.chat.pk)
    for name in ("last_text", "last_sender_kind", "waiting_since", "last_agent_at", "first_answered_at"):
        assert getattr(chat, name) == getattr(before, name)
    assert chat.index == before.index + 1
    assert Event.objects.filter(chat=chat).latest("position").sender_kind == "system"


def test_files_and_links_go_along(talk, now):
    file = store_attachment(talk.chat, talk.participant, SimpleUploadedFile("a.txt", b"plan"), now)
    link = {"type": "", "name": "Film", "url": "https://films.example/1"}
    posted = say(talk, now, text="", attachment_ids=(file.pk,), links=(link,))
    assert Attachment.objects.get().position == posted.position
    assert Chat.objects.get(pk=talk.chat.pk).last_text == "a.txt, Film"
    with pytest.raises(Invalid):
        say(talk, now, attachment_ids=(file.pk,))  # it was sent before


def test_what_cannot_be_said_is_refused(talk, globex, now):
    for words, error in (
        ({"text": " "}, Invalid),
        ({"text": "x" * 10_001}, TooLarge),
        ({"text": "\0"}, Invalid),
        ({"links": ({"type": "", "name": "", "url": "javascript:x"},)}, Invalid),
        ({"chats": globex.center.chats}, NotFound),
    ):
        with pytest.raises(error):
            say(talk, now, **words)
    close_chat(Chat.objects, talk.chat.pk, reason=Chat.CloseReason.DONE, now=now)
    with pytest.raises(Closed):
        say(talk, now)
