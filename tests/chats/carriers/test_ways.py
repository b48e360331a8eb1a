"""Chats that travel: in, out, and from one channel to another; with a carrier that only remembers."""

import threading
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import close_old_connections
from django.utils import timezone

from chats.actions.hold import assign_chat
from chats.actions.post import Post, post_message
from chats.actions.reach_out import go_on_by, write_first
from chats.actions.receive import Inbound, receive
from chats.carriers import dispatches, registry
from chats.carriers.fates import note_fate
from chats.carriers.provider import Parcel, Result
from chats.errors import Conflict, Forbidden
from chats.models import Account, Carriage, Carrier, Chat, Dispatch
from contactcenter.models import Channel
from tests.chats.carried import carry, make_sms
from tests.conftest import make_chat, online


@dataclass
class Fake:
    """Stands for a network outside of this machine."""

    kind: Any = Channel.Kind.SMS
    settings: tuple[Any, ...] = ()
    tells_delivery: bool = True
    most_text: int = 1600
    sent: list[Parcel] = field(default_factory=list)
    answers: list[Result] = field(default_factory=list)

    def send(self, parcel: Parcel, sender: Any, seconds: float) -> Result:
        self.sent.append(parcel)
        return self.answers.pop(0) if self.answers else Result(external_id=f"N{len(self.sent)}")


@pytest.fixture
def network(monkeypatch) -> Fake:
    fake = Fake()
    monkeypatch.setitem(registry.PROVIDERS, "twilio", fake)
    monkeypatch.setitem(registry.PROVIDERS, "mail", fake)
    return fake


def channel_of(center: Any, kind: str, provider: str, address: str, team: Any = None) -> Channel:
    channel = Channel.objects.create(center=center, kind=kind, name=f"Our {kind}", address=address, team=team)
    Carrier.objects.create(center=center, channel=channel, provider=provider)
    return channel


@pytest.fixture
def sms(acme) -> Channel:
    return channel_of(acme.center, "sms", "twilio", "+15550001", acme.support)


@pytest.fixture
def email(acme) -> Channel:
    return channel_of(acme.center, "email", "mail", "help@acme.example")


def send_all() -> None:
    """As the outbox does, one after the other, without its threads."""
    now = timezone.now()
    book = dispatches.Dispatches()
    while numbers := [n for channel in book.lanes.due_targets(now) for n in book.lanes.scan(channel, now)]:
        claimed = book.lanes.claim(numbers, now)
        book.prepare(claimed)
        book.note([book.do(row, None, 5) for row in claimed], now)


def said(chat: Chat) -> list[str]:
    return [event.text for event in chat.events.filter(type="message.posted", sender_kind="customer").order_by("index")]


def test_an_sms_begins_a_chat_the_next_one_joins_it_and_the_answer_travels(acme, ann, sms, network, now):
    acme.support.greeting = "Welcome"
    acme.support.save()
    first = receive(sms, Inbound(external_id="SM1", address="+4915112345", text="Hello", name="Mia"), now=now)
    again = receive(sms, Inbound(external_id="SM1", address="+4915112345", text="Hello"), now=now)
    second = receive(sms, Inbound(external_id="SM2", address="+4915112345", text="Anybody?"), now=now)
    assert (first.replayed, again.replayed, second.replayed) == (False, True, False)
    assert first.chat == again.chat == second.chat
    chat = Chat.objects.get()
    assert said(chat) == ["Hello", "Anybody?"]
    assert (chat.channel, chat.team, chat.is_carried, chat.customer.phone) == (sms, acme.support, True, "+4915112345")
    chat = accept(chat, online(ann, now), now)
    say(chat, ann, "Hi Mia", now)
    send_all()
    assert [(one.own, one.address, one.text) for one in network.sent] == [
        ("+15550001", "+4915112345", "Welcome"),
        ("+15550001", "+4915112345", "Hi Mia"),
    ]
    me = chat.participants.get(kind="customer")
    assert me.delivered_index == 0
    row = Dispatch.objects.get(external_id="N2")
    note_fate(sms, "N2", Dispatch.Fate.DELIVERED, now=now)
    note_fate(sms, "N2", Dispatch.Fate.LOST, error="late", now=now)  # out of order
    me.refresh_from_db()
    row.refresh_from_db()
    assert (me.delivered_index, row.fate, row.failed_at) == (row.index, "delivered", None)


def accept(chat: Chat, agent: Any, now: Any) -> Chat:
    return assign_chat(agent.center.chats, chat.pk, agent, now=now)


def say(chat: Chat, agent: Any, text: str, now: Any) -> None:
    part = chat.participants.get(agent=agent)
    post_message(Post(chat.pk, part.pk, f"c-{text}"[:64], text), now=now)


def test_an_answer_leaves_by_the_chats_channel_even_from_a_team_without_it_and_moves_with_the_customer(
    acme, ann, sms, email, network, now
):
    chat = receive(sms, Inbound(external_id="SM1", address="+491511", text="Hello"), now=now).chat
    chat = accept(chat, online(ann, now), now)
    chat.team = acme.sales
    chat.save(update_fields=["team"])
    say(chat, ann, "By SMS", now)
    chat = go_on_by(ann, chat.pk, email, "mia@example.com", now=now)
    say(chat, ann, "By mail", now)
    send_all()
    assert [(one.address, one.text) for one in network.sent][-2:] == [
        ("+491511", "By SMS"),
        ("mia@example.com", "By mail"),
    ]
    receive(email, Inbound(external_id="<1@x>", address="mia@example.com", text="From mail"), now=now)
    receive(sms, Inbound(external_id="SM2", address="+491511", text="From phone"), now=now)
    chat.refresh_from_db()
    assert (chat.channel, said(chat)) == (sms, ["Hello", "From mail", "From phone"])
    moved = chat.events.filter(type="chat.moved").order_by("position")
    assert [event.data["channel"] for event in moved] == ["email", "sms"]
    other = receive(sms, Inbound(external_id="SM3", address="+49999", text="Other"), now=now).chat
    with pytest.raises(Conflict):
        go_on_by(ann, chat.pk, sms, "+49999", now=now)
    assert other != chat


def test_a_web_chat_goes_on_by_mail_and_home_again(acme, ann, email, network, now):
    chat = make_chat(acme, now).chat
    chat = accept(chat, online(ann, now), now)
    home = chat.channel
    go_on_by(ann, chat.pk, email, "mia@example.com", now=now)
    me = chat.participants.get(kind="customer")
    assert me.lease_until is None
    post_message(Post(chat.pk, me.pk, "home-1", "I am back"), now=now)
    chat.refresh_from_db()
    me.refresh_from_db()
    assert (chat.channel, chat.is_carried, Carriage.objects.exists()) == (home, False, False)
    assert me.lease_until is not None
    assert said(chat)[-1] == "I am back"


def test_what_cannot_be_sent_is_told_and_tried_again_on_demand(acme, ann, sms, network, now):
    chat = receive(sms, Inbound(external_id="SM1", address="+491511", text="Hello"), now=now).chat
    chat = accept(chat, online(ann, now), now)
    network.answers = [Result(error="No such number.")]
    say(chat, ann, "One", now)
    say(chat, ann, "Two", now)
    send_all()
    assert [one.text for one in network.sent] == ["One", "Two"]  # in order, and one that fails for good holds nobody up
    failed = chat.events.get(type="message.failed")
    row = Dispatch.objects.exclude(failed_at=None).get()
    assert (failed.data["index"], failed.data["error"], failed.index) == (row.index, "No such number.", None)
    assert dispatches.send_again(acme.center.chats, chat.pk, row.index, timezone.now()) == row
    send_all()
    assert [one.text for one in network.sent] == ["One", "Two", "One"]


def test_an_agent_writes_first_and_never_to_who_said_stop(acme, ann, sms, network, now):
    chat = write_first(ann, sms, "+491511", "Your boots are here", client_id="w1", now=now)
    assert write_first(ann, sms, "+491511", "Your boots are here", client_id="w1", now=now) == chat
    assert (chat.agent, chat.state) == (ann, "active")
    send_all()
    assert [one.text for one in network.sent][-1] == "Your boots are here"
    with pytest.raises(Conflict):
        write_first(ann, sms, "+491511", "Again", client_id="w2", now=now)
    Account.objects.update(stopped_at=now)
    say(chat, ann, "More", now)
    send_all()
    assert network.sent[-1].text != "More"
    assert chat.events.get(type="message.failed").data["code"] == "stopped"
    with pytest.raises(Forbidden):
        write_first(ann, sms, "+491511", "Again", client_id="w3", now=now)


@pytest.mark.postgres
def test_many_first_messages_at_once_begin_one_chat(acme, sms, network, transactional_db):
    def one(number: int) -> None:
        try:
            inbound = Inbound(external_id=f"SM{number % 8}", address="+491511", text=f"Text {number % 8}")
            receive(sms, inbound, now=timezone.now())
        finally:
            close_old_connections()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    chat = Chat.objects.get()
    assert sorted(said(chat)) == [f"Text {number}" for number in range(8)]


def test_a_connectors_chat_stays_with_its_connector(acme, ann, email, network, now):
    chat = carry(make_sms(acme), "+4915100", now)
    chat = accept(chat, online(ann, now), now)
    with pytest.raises(Conflict):
        go_on_by(ann, chat.pk, email, "mia@example.com", now=now)
    Account.objects.create(center=acme.center, kind="email", address="mia@example.com", customer=chat.customer)
    received = receive(email, Inbound(external_id="<1@x>", address="mia@example.com", text="By mail"), now=now)
    chat.refresh_from_db()
    assert received.chat == chat
    assert chat.channel.kind == "sms"
    say(chat, ann, "Hi", now)
    send_all()
    assert network.sent == []
