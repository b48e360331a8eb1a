"""A chat's log in the admin, in plain words."""

import pytest

from chats.actions.history import Entry
from chats.actions.search import begin_search
from chats.admin.lines import lines_of
from chats.events import all_event_types
from chats.models import Event
from chats.routing.search import search_agent
from tests.chats.carried import carry, customer_of, hold, make_sms, say
from tests.conftest import make_chat

pytestmark = [pytest.mark.django_db, pytest.mark.both]


def test_an_imported_history_is_counted_and_told(acme, now):
    talk = [Entry(kind="customer", name="Mia", text="Hello"), Entry(kind="bot", text="I am a bot")]
    line = lines_of(make_chat(acme, now, history=talk).chat)[1]
    assert (line.kind, line.text) == ("event", "Lines of an earlier conversation: 2.")
    assert line.details == ["Mia: Hello", "bot: I am a bot"]


def test_a_search_that_found_nobody_says_why(acme, ann, now):
    chat = make_chat(acme, now, is_steered=True).chat
    begin_search(acme.center.chats, chat.pk, now=now)
    search_agent(chat.pk, now)
    decided, failed = lines_of(chat)[-2:]
    assert (decided.text, failed.text) == ("Looked for an agent.", "Nobody was found.")
    assert "Ann is offline." in decided.details


def test_every_event_has_a_sentence_of_its_own(acme, now):
    chat = make_chat(acme, now).chat
    said = {"message.posted", "note.posted"}
    wanted = [kind.type for kind in all_event_types() if kind.type not in said]
    first = chat.position + 1
    Event.objects.bulk_create(
        Event(center_id=chat.center_id, chat=chat, position=first + number, type=type, data={"entries": []}, at=now)
        for number, type in enumerate(wanted)
    )
    assert [line.text for line in lines_of(chat)[first - 1 :] if line.text in wanted] == []


def test_links_and_notes_of_the_customers_side_are_told_as_such(acme, ann, now):
    chat = carry(make_sms(acme), "+49 1", now)
    link = {"type": "", "name": "Map", "url": "https://maps.example/1"}
    say(hold(chat, ann, now), "Look", now, links=(link,))
    say(customer_of(chat.pk), "VIP", now, is_note=True)
    said, note = lines_of(chat)[-2:]
    assert (said.who, said.details) == ("Ann", ["Link: Map: https://maps.example/1"])
    assert (note.kind, note.who) == ("note", "Mia +49 1 (customer's side)")
