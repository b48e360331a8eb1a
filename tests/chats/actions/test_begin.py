"""Many chats that begin at the same moment."""

import pytest

from chats.actions.begin import Begin, Wish, begin_chats
from chats.events import committed
from chats.models import Chat, Delivery, Queue, Webhook
from contactcenter import wire
from contactcenter.models import Application, FormField
from tests.conftest import make_customer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both]


def begins(place, count, **wish):
    return [
        Begin(place.channel, make_customer(place).pk, Wish(**{"client_id": f"c{number}", "text": "Hello", **wish}))
        for number in range(count)
    ]


def round_trips(monkeypatch, wanted, now):
    """How often the database is asked for all of them."""
    asked = []
    results = wire._Wire._results
    monkeypatch.setattr(wire._Wire, "_results", lambda *given: (asked.append(given[-1]), results(*given))[1])
    assert None not in begin_chats(wanted, now=now)
    monkeypatch.undo()
    return len(asked)


@pytest.mark.postgres
def test_however_many_there_are_it_takes_two_round_trips(acme, now, monkeypatch):
    begin_chats(begins(acme, 1), now=now)
    for count in (1, 20):
        assert round_trips(monkeypatch, begins(acme, count, client_id=f"of {count}"), now) == 2
    assert Chat.objects.count() == 22


def test_chats_of_several_centers_keep_to_themselves(acme, globex, now):
    asked = [one for pair in zip(begins(acme, 3), begins(globex, 3), strict=True) for one in pair]
    for begin, started in zip(asked, begin_chats(asked, now=now), strict=True):
        chat = Chat.objects.get(pk=started.chat.pk)
        assert (chat.customer_id, chat.channel_id) == (begin.customer_id, begin.channel.pk)
        assert chat.center_id == chat.team.center_id == begin.channel.center_id
        assert {event.center_id for event in chat.events.all()} == {begin.channel.center_id}
    assert Queue.objects.filter(routing_due_at=now).count() == 2


def test_what_one_channel_asks_for_is_not_asked_on_another(acme, globex, now):
    FormField.objects.create(center=globex.center, channel=globex.channel, key="size", label="Size", is_required=True)
    started = begin_chats(begins(acme, 1) + begins(globex, 1) + begins(globex, 1, form={"size": "XL"}), now=now)
    assert [bool(one) for one in started] == [True, False, True]
    assert started[2].chat.data == {"size": "XL"}


def test_each_goes_to_the_team_that_it_names_or_to_its_channels(acme, now):
    acme.channel.team = acme.sales
    acme.channel.save()
    [named] = begins(acme, 1, team=acme.support.key)
    [silent] = begins(acme, 1)
    started = begin_chats([named, silent], now=now)
    assert [one.chat.team for one in started] == [acme.support, acme.sales]


def test_a_customer_who_asks_twice_at_the_same_moment_gets_one_chat(acme, now):
    [one] = begins(acme, 1)
    other = Begin(one.channel, one.customer_id, Wish(client_id="other", text="Hello?"))
    first, second = begin_chats([one, other], now=now)
    assert (first.chat.client_id, second) == ("c0", None)
    assert begin_chats([one, other], now=now) == [None, None]


@pytest.mark.postgres  # SQLite keeps whatever it is given
def test_a_value_that_the_database_refuses_spoils_nothing(acme, now):
    asked = begins(acme, 3)
    asked[1] = Begin(acme.channel, asked[1].customer_id, Wish(client_id="x" * 200, text="Hello"))
    assert begin_chats(asked, now=now) == [None, None, None]
    assert not Chat.objects.exists()
    assert None not in begin_chats([asked[0], asked[2]], now=now)


def test_web_hooks_of_a_center_hear_of_its_chats_alone(acme, globex, now):
    shop = Application.objects.create(center=acme.center, name="Shop")
    Webhook.objects.create(center=acme.center, application=shop, url="https://shop.example/", events=["chat.started"])
    begin_chats(begins(acme, 2) + begins(globex, 2), now=now)
    assert sorted(Delivery.objects.values_list("chat__center", flat=True)) == [acme.center.pk] * 2


def test_each_is_announced_once(acme, now):
    heard = []
    listener = lambda records, **_: heard.extend(record.event.type for record in records)  # noqa: E731
    committed.connect(listener)
    try:
        begin_chats(begins(acme, 3), now=now)
    finally:
        committed.disconnect(listener)
    assert heard == ["chat.started", "chat.queued", "message.posted"] * 3
