"""Connectors: who is given their messages, what they are owed, what programs have sent through them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connections, transaction

from chats import tasks
from chats.actions import connectors, outbound
from chats.actions.connectors import HOLD, MOST_CONNECTORS, give_up, keep_up, make_connector, note_absent, take_up
from chats.actions.outbound import note_outbound_given, owed_outbound, send_outbound
from chats.errors import Conflict, Full, Invalid
from chats.models import Connector, ForeignChat, OutboundMessage
from contactcenter.models import Application, Channel
from tests.chats.carried import carry, customer_of, hold, make_sms, register, say
from tests.conftest import online

SECOND = timedelta(seconds=1)
ONE, TWO, THREE = uuid4(), uuid4(), uuid4()


@pytest.fixture
def sms(acme):
    return make_sms(acme)


@pytest.fixture
def woken():
    """Which connectors were told that something waits."""
    heard = []
    listen = lambda connector_id, **_: heard.append(connector_id)  # noqa: E731
    connectors.owed.connect(listen)
    yield heard
    connectors.owed.disconnect(listen)


def holder(connector):
    return Connector.objects.get(pk=connector.pk).holder


def owed(chat):
    return ForeignChat.objects.get(chat=chat).owed_since


def head(chat):
    chat.refresh_from_db(fields=["index"])
    return chat.index


def send(connector, now, text="Sale", client_id="1", account="+491", **fields):
    fields.setdefault("application", connector.registration.application)
    application = fields.pop("application")
    return send_outbound(
        application, connector, account=account, text=text, client_id=client_id, now=now, **fields
    ).message


# Coming and going -----------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_a_connector_is_made_once_with_a_channel_of_its_own_and_twenty_are_the_most(acme):
    access = register(acme)
    sms = make_connector(access, "sms", "Texts")
    assert make_connector(access, "sms", "Others") == sms
    assert (sms.channel.kind, sms.channel.name, sms.title) == (Channel.Kind.SMS, "Texts", "Texts")
    assert make_connector(access, "viber").channel.kind == Channel.Kind.API
    for number in range(MOST_CONNECTORS - 2):
        make_connector(access, f"channel-{number}")
    with pytest.raises(Full):
        make_connector(access, "one-more")
    assert access.connectors.count() == MOST_CONNECTORS


@pytest.mark.both
def test_the_newest_holds_it_and_says_whether_another_may_be_busy(sms, now):
    assert not take_up(sms, ONE, now=now), "nobody was there"
    assert not take_up(sms, ONE, title="Short messages", now=now), "it was there itself"
    assert take_up(sms, TWO, now=now)
    assert not take_up(sms, ONE, now=now + HOLD + SECOND), "the other has gone"
    sms.refresh_from_db()
    assert (sms.holder, sms.title, sms.away_since) == (ONE, "Short messages", None)
    assert sms.is_there(now + HOLD)


@pytest.mark.both
def test_one_that_waits_takes_over_when_the_holder_goes_or_dies(sms, now):
    take_up(sms, ONE, now=now)
    assert keep_up(sms.pk, ONE, now=now)
    assert not keep_up(sms.pk, TWO, now=now)
    give_up(sms.pk, TWO, now=now)
    assert holder(sms) == ONE, "who does not hold it gives nothing up"
    give_up(sms.pk, ONE, now=now)
    assert Connector.objects.get().away_since == now
    assert keep_up(sms.pk, TWO, now=now)
    assert not keep_up(sms.pk, THREE, now=now + HOLD - SECOND)
    assert keep_up(sms.pk, THREE, now=now + HOLD)
    assert holder(sms) == THREE


@pytest.mark.both
def test_whose_process_died_is_away_since_it_was_seen(sms, now):
    take_up(sms, ONE, now=now - HOLD)
    seen = Connector.objects.get().held_until
    assert note_absent(now - SECOND) == 0
    assert note_absent(now) == 1
    assert note_absent(now) == 0
    sms.refresh_from_db()
    assert (sms.holder, sms.away_since) == (None, seen)
    take_up(sms, ONE, now=now - 2 * HOLD)
    tasks.sweep_connectors()
    assert holder(sms) is None


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_many_that_want_a_free_one_at_once_one_gets_it(sms, now):
    def want(_number):
        try:
            return keep_up(sms.pk, uuid4(), now=now)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(want, range(8))) == [False] * 7 + [True]


# What they are owed ---------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_what_others_say_is_owed_and_what_the_customer_and_staff_alone_say_is_not(
    sms, ann, now, woken, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        chat = carry(sms, "+491", now)
    assert owed(chat) == now, "that the chat waits in the queue"
    assert woken == [sms.pk]
    part = hold(chat, online(ann, now), now)
    connectors.note_given(chat.pk, head(chat))
    assert owed(chat) is None
    woken.clear()
    later = now + SECOND
    with django_capture_on_commit_callbacks(execute=True):
        say(customer_of(chat.pk), "Hello", later)
        say(part, "Careful with this one", later, is_note=True)
    assert (owed(chat), woken) == (None, [])
    with django_capture_on_commit_callbacks(execute=True):
        say(part, "Good day", later)
        say(part, "What is it?", later + SECOND)
    assert (owed(chat), set(woken)) == (later, {sms.pk})


@pytest.mark.both
def test_it_is_owed_since_the_first_that_is_left(sms, ann, now):
    chat = carry(sms, "+491", now)
    part = hold(chat, online(ann, now), now)
    first = say(part, "one", now + SECOND).index
    say(part, "two", now + 2 * SECOND)
    connectors.note_given(chat.pk, first)
    assert owed(chat) == now + 2 * SECOND
    connectors.note_given(chat.pk, head(chat))
    connectors.note_given(chat.pk, first)
    assert owed(chat) is None, "one that was replaced says late what it has given"
    assert customer_of(chat.pk).delivered_index == head(chat)
    connectors.note_given(uuid4(), 7)  # of a chat that was deleted meanwhile


@pytest.mark.both
def test_what_is_undone_is_not_owed(sms, ann, now):
    chat = carry(sms, "+491", now)
    part = hold(chat, online(ann, now), now)
    connectors.note_given(chat.pk, head(chat))
    with transaction.atomic():
        say(part, "never", now)
        transaction.set_rollback(True)
    assert owed(chat) is None


# Texts outside of chats -----------------------------------------------------------------------------------------------


@pytest.mark.both
def test_a_text_waits_until_it_is_given_or_given_up(sms, now, woken, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        first = send(sms, now)
        brief = send(sms, now, client_id="2", lives=timedelta(minutes=1))
    assert set(woken) == {sms.pk}
    assert [one.pk for one in owed_outbound(sms.pk, now, 10)] == [first.pk, brief.pk]
    assert [one.pk for one in owed_outbound(sms.pk, now, 1)] == [first.pk]
    later = now + timedelta(minutes=2)
    assert owed_outbound(sms.pk, later, 10) == [first]
    note_outbound_given(sms, [first.number], later)
    note_outbound_given(sms, [first.number], later + SECOND)
    assert owed_outbound(sms.pk, later, 10) == []
    first.refresh_from_db()
    assert (first.given_at, first.state(later), brief.state(now), brief.state(later)) == (
        later,
        "given",
        "waiting",
        "expired",
    )


@pytest.mark.both
def test_a_repeat_is_the_same_text_and_another_under_its_id_is_refused(acme, sms, now):
    first = send(sms, now)
    other = Application.objects.create(center=acme.center, name="Other")
    again = send_outbound(
        sms.registration.application, sms, account="+491", text="Sale", client_id="1", now=now + SECOND
    )
    assert (again.message, again.replayed) == (first, True)
    assert send(sms, now, application=other) != first
    viber = make_connector(sms.registration, "viber")
    for connector, fields in ((sms, {"text": "Sale!"}), (sms, {"account": "+492"}), (viber, {})):
        with pytest.raises(Conflict):
            send(connector, now, **fields)
    with pytest.raises(Invalid):
        send(sms, now, text=" \n", client_id="3")
    assert OutboundMessage.objects.count() == 2


def test_no_more_wait_than_a_connector_could_ever_send(sms, now, monkeypatch):
    monkeypatch.setattr(outbound, "MOST_WAITING", 2)
    send(sms, now - timedelta(days=2), client_id="0")
    send(sms, now, client_id="1")
    send(sms, now, client_id="2")
    with pytest.raises(Full):
        send(sms, now, client_id="3")
    assert send(sms, now, client_id="2"), "a repeat makes nothing"


@pytest.mark.both
def test_a_chat_begins_with_what_was_lately_sent_to_its_account(acme, sms, now):
    day = timedelta(days=1)
    for number in range(7):
        one = send(sms, now - day, text=f"Sale {number}", client_id=str(number), lives=7 * day)
        note_outbound_given(sms, [one.number], now - day + number * SECOND)
    old = send(sms, now - 9 * day, text="Old", client_id="old")
    note_outbound_given(sms, [old.number], now - 8 * day)
    send(sms, now, text="Not yet", client_id="waiting")
    other = send(sms, now, text="To another", client_id="other", account="+492")
    note_outbound_given(sms, [other.number], now)
    chat = carry(sms, "+491", now)
    shown = chat.events.get(type="history.imported").data["entries"]
    assert [entry["text"] for entry in shown] == [f"Sale {number}" for number in range(2, 7)]
    assert {(entry["kind"], entry["name"]) for entry in shown} == {("bot", "Messaging")}
    assert customer_of(chat.pk).chat.events.filter(index__isnull=False, type="history.imported").count() == 0


@pytest.mark.both
def test_an_account_is_one_customer_and_its_open_chat_is_found_again(acme, sms, now):
    chat = carry(sms, "+491", now)
    assert carry(sms, "+491", now) == chat
    assert carry(sms, "+492", now) != chat
    assert chat.channel == sms.channel
    assert ForeignChat.objects.get(chat=chat).connector == sms
