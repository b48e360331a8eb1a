"""What teams say by themselves when a chat begins."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections

from chats.actions.close import close_chat
from chats.actions.hold import assign_chat
from chats.actions.post import Post, post_message
from chats.actions.receive import Inbound, receive
from chats.actions.start import Foreign, Start, start_chat
from chats.actions.steer import say_as_system, transfer_by_application
from chats.actions.welcome import due_welcomes, plan_welcome, say_out_of_hours, say_welcome
from chats.models import Account, Carrier, Chat, Dispatch, Event, FormTemplate, Participant, SpaceChat
from chats.routing.sweeps import sweep
from contactcenter.models import Application, Channel, Registration, RegistrationTeam, Team
from tests.cases import cases
from tests.conftest import make_customer

pytestmark = [pytest.mark.django_db, pytest.mark.both]

LATER = timedelta(seconds=31)


@pytest.fixture
def space(acme: SimpleNamespace) -> Registration:
    """Acme's API space, whose support welcomes after 30 s and says when it is closed."""
    application = Application.objects.create(center=acme.center, name="Apps")
    channel = Channel.objects.create(center=acme.center, kind=Channel.Kind.APP, name="Apps", team=acme.support)
    made = Registration.objects.create(
        center=acme.center, application=application, channel=channel, protocol=Registration.Protocol.COMAPI
    )
    facts = {
        "appMessaging": {"replyAs": "team", "welcomeMessage": {"timeout": 30, "text": "Welcome"}},
        "settings": {
            "outOfHoursMessage": "We are closed",
            "outOfHoursMessageEnabled": True,
            "outOfHoursFormTemplateId": "contact",
        },
    }
    RegistrationTeam.objects.create(
        center=acme.center, registration=made, team=acme.support, foreign_id="Support", facts=facts
    )
    return made


def configure(space: Registration, **facts: Any) -> None:
    row = RegistrationTeam.objects.get(registration=space)
    row.facts = row.facts | facts
    row.save()


def begin(space: Registration, acme: SimpleNamespace, now: datetime, **start: Any) -> SpaceChat:
    """A chat that a customer's app has begun."""
    fields = {"text": "Hello", "has_lease": False, "foreign": Foreign(space), **start}
    started = start_chat(space.channel, make_customer(acme), Start(client_id=str(uuid4()), **fields), now=now)
    known = SpaceChat.objects.create(
        center=acme.center, registration=space, chat=started.chat, original_team=started.chat.team
    )
    plan_welcome(known, now)
    return known


def said(chat_id: Any) -> list[str]:
    """What our side has said, oldest first."""
    messages = Event.objects.filter(chat_id=chat_id, type="message.posted").exclude(sender_kind="customer")
    return list(messages.order_by("position").values_list("text", flat=True))


# Welcome --------------------------------------------------------------------------------------------------------------


def test_who_waits_is_welcomed_once_when_the_time_is_over(space, acme, now):
    known = begin(space, acme, now)
    assert not say_welcome(known.pk, now=now + timedelta(seconds=29))
    assert list(due_welcomes(now + LATER)) == [known.pk]
    assert say_welcome(known.pk, now=now + LATER)
    assert not say_welcome(known.pk, now=now + LATER)
    assert said(known.chat_id) == ["Welcome"]
    assert list(due_welcomes(now + LATER)) == []


def test_the_sweep_finds_what_no_wake_up_reached(space, acme, now):
    known = begin(space, acme, now)
    sweep(now + LATER)
    sweep(now + LATER)
    assert said(known.chat_id) == ["Welcome"]


@pytest.mark.django_db(transaction=True)
def test_of_many_who_welcome_at_the_same_moment_one_does(space, acme, now):
    known = begin(space, acme, now)

    def welcome(_number: int) -> bool:
        try:
            return say_welcome(known.pk, now=now + LATER)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(welcome, range(4))) == [False, False, False, True]
    assert said(known.chat_id) == ["Welcome"]


def test_a_welcome_is_no_answer(space, acme, now):
    known = begin(space, acme, now)
    say_welcome(known.pk, now=now + LATER)
    chat = Chat.objects.get(pk=known.chat_id)
    assert (chat.last_sender_kind, chat.last_agent_at, chat.first_answered_at) == ("customer", None, None)
    assert chat.waiting_since == now


def test_without_a_timeout_it_is_due_at_once(space, acme, now):
    configure(space, appMessaging={"replyAs": "team", "welcomeMessage": {"timeout": 0, "text": "Welcome"}})
    known = begin(space, acme, now)
    assert list(due_welcomes(now)) == [known.pk]


def test_the_teams_own_greeting_does_not_take_its_place(space, acme, now):
    acme.support.greeting = "Greeting"
    acme.support.save()
    known = begin(space, acme, now)
    say_welcome(known.pk, now=now + LATER)
    assert said(known.chat_id) == ["Greeting", "Welcome"]


def answer_as_agent(known: SpaceChat, agent: Any, now: datetime) -> None:
    assign_chat(Chat.objects.all(), known.chat_id, agent, now=now)
    part = Participant.objects.get(chat=known.chat_id, agent=agent)
    post_message(Post(known.chat_id, part.pk, "a", "Yes?"), now=now)


def answer_as_program(known: SpaceChat, _agent: Any, now: datetime) -> None:
    say_as_system(Chat.objects, known.chat_id, "Yes?", client_id="b", now=now)


@cases("answer", [answer_as_agent, answer_as_program])
def test_who_has_an_answer_is_not_welcomed(space, acme, ann, now, answer):
    known = begin(space, acme, now)
    answer(known, ann, now)
    assert not say_welcome(known.pk, now=now + LATER)
    assert said(known.chat_id) == ["Yes?"]
    assert list(due_welcomes(now + LATER)) == []


def test_a_chat_that_has_ended_or_left_the_team_is_not_welcomed(space, acme, now):
    ended, moved = begin(space, acme, now), begin(space, acme, now)
    close_chat(Chat.objects, ended.chat_id, reason=Chat.CloseReason.DONE, now=now)
    transfer_by_application(Chat.objects, moved.chat_id, team=acme.sales, now=now)
    for known in (ended, moved):
        assert not say_welcome(known.pk, now=now + LATER)
        assert said(known.chat_id) == []


def test_a_team_without_a_welcome_owes_none(space, acme, now):
    configure(space, appMessaging={"replyAs": "team"})
    assert begin(space, acme, now).welcome_at is None
    assert begin(space, acme, now, team=acme.sales).welcome_at is None


# Out of hours ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def closed(acme: SimpleNamespace) -> Team:
    acme.support.always_open = False
    acme.support.save()
    team: Team = acme.support
    return team


@pytest.fixture
def number(acme: SimpleNamespace) -> Channel:
    """A telephone number of acme's."""
    channel = Channel.objects.create(center=acme.center, kind=Channel.Kind.SMS, name="SMS", team=acme.support)
    Carrier.objects.create(center=acme.center, channel=channel, provider="twilio")
    return channel


def text_message(number: Channel, now: datetime, words: str = "Hello") -> Chat:
    received = receive(number, Inbound(external_id=str(uuid4()), address="+4915199999", text=words), now=now)
    assert received.chat is not None
    return received.chat


def test_who_writes_by_sms_while_nobody_is_there_is_told_once(space, acme, closed, number, now):
    chat = text_message(number, now)
    text_message(number, now, "Anybody?")
    assert said(chat.pk) == ["We are closed"]
    assert Dispatch.objects.filter(chat=chat).count() == 1
    assert Account.objects.get(customer=chat.customer).kind == Channel.Kind.SMS
    chat.refresh_from_db()
    assert (chat.last_sender_kind, chat.waiting_since) == ("customer", now)


def test_the_form_is_sent_with_it(space, acme, closed, number, now):
    FormTemplate.objects.create(center=acme.center, key="contact", name="Contact", text="Tell us:", fields=[])
    words = said(text_message(number, now).pk)[0]
    assert words.startswith("We are closed\n\nTell us:\nhttp")
    assert "/form/" in words


def test_a_team_that_is_open_says_nothing(space, acme, number, now):
    assert said(text_message(number, now).pk) == []


@cases("settings", [{}, {"outOfHoursMessage": "x"}, {"outOfHoursMessage": "x", "outOfHoursMessageEnabled": False}])
def test_it_is_said_only_where_it_is_switched_on(space, acme, closed, number, now, settings):
    configure(space, settings=settings)
    assert said(text_message(number, now).pk) == []


def test_a_space_that_is_switched_off_says_nothing(space, acme, closed, number, now):
    Registration.objects.update(is_active=False)
    assert said(text_message(number, now).pk) == []


def test_a_chat_of_an_app_is_told_once_and_not_welcomed_as_well(space, acme, now):
    known = begin(space, acme, now)
    Team.objects.update(always_open=False)
    chat = Chat.objects.get(pk=known.chat_id)
    assert say_out_of_hours(chat, now)
    assert not say_out_of_hours(chat, now)
    assert not say_welcome(known.pk, now=now + LATER)
    assert said(chat.pk) == ["We are closed"]
