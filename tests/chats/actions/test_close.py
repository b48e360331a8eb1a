"""Ending a chat: the closing words of its team."""

from datetime import timedelta

import pytest

from chats.actions.close import close_by_agent, close_by_customer, close_chat
from chats.models import Chat, Occupation
from contactcenter.models import Team
from tests.cases import cases
from tests.conftest import make_chat, make_held_chat

pytestmark = [pytest.mark.django_db, pytest.mark.both]


@pytest.fixture(autouse=True)
def polite(acme):
    Team.objects.filter(pk=acme.support.pk).update(closing="Goodbye")


def last_events(chat, count=2):
    return [(event.type, event.text) for event in chat.events.order_by("-position")[:count]][::-1]


@cases("by", ["agent", "customer", "rule"])
def test_a_team_says_goodbye_before_a_held_chat_ends(acme, ann, now, by):
    held = make_held_chat(acme, ann, now)
    later = now + timedelta(minutes=1)
    match by:
        case "agent":
            close_by_agent(ann, held.chat.pk, now=later)
        case "customer":
            close_by_customer(held.customer, now=later)
        case "rule":
            close_chat(Chat.objects, held.chat.pk, reason=Chat.CloseReason.IDLE, now=later)
    chat = Chat.objects.get(pk=held.chat.pk)
    assert last_events(chat) == [("message.posted", "Goodbye"), ("chat.closed", "")]
    assert (chat.state, chat.agent, chat.closed_at) == ("closed", ann, later)
    assert not Occupation.objects.filter(chat=chat).exists()


def test_a_team_says_goodbye_before_a_waiting_chat_ends(acme, now):
    chat = make_chat(acme, now).chat
    close_chat(Chat.objects, chat.pk, reason=Chat.CloseReason.UNANSWERED, now=now)
    assert last_events(chat) == [("message.posted", "Goodbye"), ("chat.closed", "")]
    assert Chat.objects.get(pk=chat.pk).agent is None


def test_words_of_a_rule_stand_instead_of_the_team_s(acme, ann, now):
    held = make_held_chat(acme, ann, now)
    close_chat(Chat.objects, held.chat.pk, reason=Chat.CloseReason.OPERATOR, words="We close now.", now=now)
    assert last_events(held.chat)[0] == ("message.posted", "We close now.")
