"""Starting a chat: exactly one, whoever repeats; refused for reasons."""

from datetime import timedelta

import pytest

from chats.actions.customers import block_customer
from chats.actions.start import Start, start_chat
from chats.errors import Blocked, Conflict, Invalid, OutsideHours
from chats.models import Chat, Event
from contactcenter.models import Team
from tests.conftest import make_chat, make_customer

pytestmark = [pytest.mark.django_db, pytest.mark.both]


def types(chat):
    return list(Event.objects.filter(chat=chat).order_by("position").values_list("type", flat=True))


def test_a_chat_starts_in_its_teams_queue_with_its_first_text(acme, now):
    started = make_chat(acme, now, text="Hello", subject="Boots")
    chat = Chat.objects.get(pk=started.chat.pk)
    assert (chat.state, chat.team, chat.queued_at, chat.waiting_since) == ("queued", acme.support, now, now)
    assert types(chat) == ["chat.started", "chat.queued", "message.posted"]
    assert (chat.position, chat.index, chat.unread, chat.last_text) == (3, 3, 1, "Hello")
    assert acme.support.queue.routing_due_at == now


def test_a_direct_team_searches_for_a_limited_time(acme, now):
    Team.objects.filter(pk=acme.sales.pk).update(mode="direct", search_seconds=40)
    acme.sales.refresh_from_db()
    started = make_chat(acme, now, team=acme.sales)
    assert (started.chat.state, started.chat.search_until) == ("searching", now + timedelta(seconds=40))


def test_a_repeat_returns_the_same_chat(acme, now):
    customer = make_customer(acme)
    first = make_chat(acme, now, customer, client_id="s", text="Hello")
    again = make_chat(acme, now, customer, client_id="s", text="Hello")
    assert (again.chat.pk, again.replayed) == (first.chat.pk, True)
    assert types(first.chat) == ["chat.started", "chat.queued", "message.posted"]
    with pytest.raises(Conflict):
        make_chat(acme, now, customer, client_id="s", text="Other")


def test_a_second_start_joins_the_open_chat_and_keeps_its_text(acme, now):
    customer = make_customer(acme)
    first = make_chat(acme, now, customer, client_id="s1", text="Hello")
    second = make_chat(acme, now, customer, client_id="s2", text="Still there?")
    assert second.chat.pk == first.chat.pk
    assert list(Event.objects.filter(chat=first.chat, type="message.posted").values_list("text", flat=True)) == [
        "Hello",
        "Still there?",
    ]


def test_a_blocked_customer_is_refused_until_the_block_ends(acme, now):
    customer = make_customer(acme)
    block_customer(customer, until=now + timedelta(hours=1), reason="rude", now=now)
    with pytest.raises(Blocked):
        make_chat(acme, now, customer)
    assert make_chat(acme, now + timedelta(hours=2), customer).chat.is_open


def test_outside_hours_nothing_is_made(acme, now):
    Team.objects.filter(pk=acme.support.pk).update(always_open=False)
    with pytest.raises(OutsideHours):
        make_chat(acme, now)
    assert not Chat.objects.exists()


def test_another_centers_team_is_refused(acme, globex, now):
    with pytest.raises(Invalid):
        start_chat(acme.channel, make_customer(acme), Start(client_id="x", team=globex.support), now=now)
