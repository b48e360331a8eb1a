"""Chats that travel over REST: writing first, going on by another channel, ways to reach somebody, sending again."""

import threading
from uuid import uuid4

import pytest
from django.db import close_old_connections
from django.utils import timezone

from chats.actions.receive import Inbound, receive
from chats.carriers import registry
from chats.carriers.provider import Result
from chats.models import Account, Carrier, Chat, Customer, Dispatch, Event
from tests.chats.api.conftest import Api, as_agent, as_customer
from tests.chats.carried import hold, say
from tests.chats.networks import Network, make_carrier, send_all
from tests.conftest import MARKER, make_agent, make_chat, make_held_chat, online

pytestmark = [pytest.mark.django_db, pytest.mark.both]


@pytest.fixture
def network(monkeypatch):
    fake = Network()
    for provider in ("twilio", "mail", "messenger"):
        monkeypatch.setitem(registry.PROVIDERS, provider, fake)
    return fake


@pytest.fixture
def sms(acme):
    return make_carrier(acme, "twilio", "+15550001").channel


@pytest.fixture
def email(acme):
    return make_carrier(acme, "mail", "help@acme.example").channel


@pytest.fixture
def page(acme):
    return make_carrier(acme, "messenger", "4711").channel


def refused(answer, status, code, *fields):
    said = answer.json()
    return (answer.status_code, said["code"], tuple(said.get("fields", ()))) == (status, code, fields)


def first(by, **changes):
    body = {"channel": str(by.pk), "address": " +49 1511 ", "text": "Your boots are here", "client_id": "w1"}
    return {name: value for name, value in (body | changes).items() if value is not None}


def shown(channel):
    return {"id": str(channel.pk), "kind": str(channel.kind), "name": channel.name}


def test_an_agent_writes_first_once_and_the_text_travels(acme, ann, bob, sms, network, now):
    api = as_agent(online(ann, now))
    answer = api.post("chats/outbound", first(sms))
    chat = answer.json()
    assert answer.status_code == 201
    assert (chat["agent_id"], chat["held"], chat["channel"]) == (str(ann.pk), True, shown(sms))
    assert (chat["delivery"]["carrier"], chat["delivery"]["account"]) == ("twilio", "+491511")
    again = api.post("chats/outbound", first(sms, address="+491511"))
    assert (again.status_code, again.json()["id"]) == (200, chat["id"])
    send_all(timezone.now())
    assert [one.text for one in network.sent if one.sender_name] == ["Your boots are here"]
    assert refused(api.post("chats/outbound", first(sms, client_id="w2")), 409, "conflict")
    # The ids that clients make are their own.
    assert refused(as_agent(online(bob, now)).post("chats/outbound", first(sms)), 409, "conflict")
    Account.objects.update(stopped_at=now)
    assert api.get(f"chats/{chat['id']}").json()["delivery"]["stopped"]
    assert refused(api.post("chats/outbound", first(sms, client_id="w3")), 403, "forbidden")


def test_odd_first_messages_are_refused_and_leave_nothing(acme, globex, ann, sms, email, page, network, now):
    online(ann, now)
    theirs = make_carrier(globex, "twilio", "+1999", name=MARKER).channel
    off = make_carrier(acme, "twilio", "+15550002", is_active=False).channel
    api = as_agent(ann)
    for fields, changes in (
        (("channel",), {"channel": None}),
        (("channel",), {"channel": "sms"}),
        (("channel",), {"channel": str(uuid4())}),
        (("channel",), {"channel": str(acme.channel.pk)}),
        (("channel",), {"channel": str(theirs.pk)}),
        (("channel",), {"channel": str(off.pk)}),
        (("channel",), {"channel": str(page.pk)}),
        (("address",), {"address": None}),
        (("address",), {"address": ""}),
        (("address",), {"address": "wrong"}),
        ((), {"address": "nul\0"}),
        (("text",), {"text": " \n "}),
        (("address",), {"address": "9" * 255}),
        (("address",), {"address": ["+49"]}),
        (("text",), {"text": ""}),
        (("text",), {"text": "x" * 1601}),
        (("text",), {"text": 5}),
        (("subject",), {"subject": "x" * 201}),
        (("client_id",), {"client_id": None}),
        (("client_id",), {"client_id": "x" * 65}),
    ):
        answer = api.post("chats/outbound", first(sms, **changes))
        assert refused(answer, 400, "invalid", *fields), (changes, answer.content)
        assert MARKER not in answer.content.decode()
    assert api.post("chats/outbound", first(email, address="Mia@Example.com", text="x" * 1601)).status_code == 201
    assert (Chat.objects.count(), Customer.objects.count(), Account.objects.get().address) == (1, 1, "mia@example.com")


def test_an_agent_without_a_free_slot_or_a_customer_writes_to_nobody(acme, sms, network, now):
    kim = make_agent(acme, "Kim", capacity=1)
    make_held_chat(acme, kim, now)
    assert refused(as_agent(kim).post("chats/outbound", first(sms)), 409, "full")
    assert Chat.objects.count() == 1
    assert as_customer(acme, now).post("chats/outbound", first(sms)).status_code == 403


def test_channels_to_write_first_are_those_that_send_and_where_customers_need_not_begin(
    acme, globex, ann, sms, email, page, network, now
):
    make_carrier(globex, "mail", "x@globex.example", name=MARKER)
    make_carrier(acme, "twilio", "+15550002", is_active=False)
    api = as_agent(ann)
    assert api.get("channels/outbound").json() == {"results": [shown(email), shown(sms)], "next": None}
    Carrier.objects.update(is_active=False)
    assert api.get("channels/outbound").json()["results"] == []


def test_ways_are_what_the_customer_wrote_from_or_gave_but_never_where_it_said_stop(
    acme, globex, ann, sms, email, page, network, now
):
    make_carrier(globex, "mail", "x@globex.example", name=MARKER)
    chat = make_held_chat(acme, ann, now).chat
    Customer.objects.filter(pk=chat.customer_id).update(email="Mia@Example.com", phone="wrong")
    api, path = as_agent(ann), f"chats/{chat.pk}/ways"
    assert api.get(path).json() == {
        "results": [{"channel": shown(email), "addresses": ["mia@example.com"]}],
        "next": None,
    }
    accounts = [("sms", "+491", None), ("sms", "+492", now), ("sms", "+493", None), ("facebook", "psid", now)]
    for kind, address, wrote_at in accounts:
        Account.objects.create(
            center=acme.center, customer=chat.customer, kind=kind, address=address, last_inbound_at=wrote_at
        )
    Account.objects.filter(address="+493").update(stopped_at=now)
    Customer.objects.filter(pk=chat.customer_id).update(phone="+49 3")
    assert [(way["channel"]["kind"], way["addresses"]) for way in api.get(path).json()["results"]] == [
        ("email", ["mia@example.com"]),
        ("facebook", ["psid"]),
        ("sms", ["+492", "+491"]),
    ]


def test_a_web_chat_goes_on_by_mail_and_only_its_customer_brings_it_home(acme, ann, bob, sms, email, network, now):
    customer = as_customer(acme, now)
    customer.customer.email = "Mia@Example.com"
    customer.customer.save()
    chat = make_held_chat(acme, ann, now, customer=customer.customer).chat
    api, path = as_agent(ann), f"chats/{chat.pk}/channel"
    moved = api.post(path, {"channel": str(email.pk)})
    assert (moved.status_code, moved.json()["channel"]) == (200, shown(email))
    assert moved.json()["delivery"]["account"] == "mia@example.com"
    lines = Event.objects.filter(chat=chat, type="chat.moved")
    assert [line.data["address"] for line in lines] == ["mia@example.com"]
    assert api.post(path, {"channel": str(email.pk)}).status_code == 200
    assert lines.count() == 1
    assert refused(as_agent(bob).post(path, {"channel": str(email.pk)}), 403, "forbidden")
    assert refused(api.post(path, {"channel": str(acme.channel.pk)}), 400, "invalid", "channel")
    assert refused(api.post(path, {"channel": str(sms.pk)}), 400, "invalid", "address")
    assert refused(api.post(path, {"channel": str(sms.pk), "address": "wrong"}), 400, "invalid", "address")
    assert api.post(path, {"channel": str(sms.pk), "address": "+49 15"}).json()["delivery"]["account"] == "+4915"
    customer.post(f"chats/{chat.pk}/messages", {"client_id": "h", "text": "I am back"})
    home = api.get(f"chats/{chat.pk}").json()
    assert (home["channel"], home["delivery"]) == (shown(acme.channel), None)


def test_nobody_goes_on_at_another_customers_address(acme, globex, ann, sms, page, network, now):
    other = receive(sms, Inbound(external_id="1", address="+499", text="Hello"), now=now).chat
    theirs = make_chat(globex, now).chat
    chat = make_held_chat(acme, ann, now).chat
    api = as_agent(ann)
    body = {"channel": str(sms.pk), "address": "+499"}
    assert refused(api.post(f"chats/{chat.pk}/channel", body), 409, "conflict")
    assert refused(
        api.post(f"chats/{chat.pk}/channel", {"channel": str(page.pk), "address": "7"}), 400, "invalid", "address"
    )
    for unseen in (theirs.pk, uuid4()):
        assert refused(api.post(f"chats/{unseen}/channel", body), 404, "not_found")
        assert refused(api.get(f"chats/{unseen}/ways"), 404, "not_found")
        assert refused(api.post(f"chats/{unseen}/messages/1/retry"), 404, "not_found")
    Account.objects.update(stopped_at=now)
    assert refused(api.post(f"chats/{other.pk}/channel", body), 403, "forbidden")


def test_what_did_not_arrive_is_sent_again_by_those_in_the_chat_or_a_supervisor(acme, ann, bob, sue, sms, network, now):
    network.answers = [Result(error="No such number."), Result(error="No such number.")]
    chat = receive(sms, Inbound(external_id="1", address="+491", text="Hello"), now=now).chat
    index = say(hold(chat, ann, now), "One", now).index
    api, path = as_agent(ann), f"chats/{chat.pk}/messages/{index}/retry"
    assert refused(api.post(path), 409, "conflict")
    Dispatch.objects.exclude(index=index).delete()  # the greeting's
    for caller in (ann, sue):
        send_all(timezone.now())
        assert Dispatch.objects.get().state == "failed"
        assert refused(as_agent(bob).post(path), 403, "forbidden")
        assert as_agent(caller).post(path).status_code == 204
    send_all(timezone.now())
    assert [one.text for one in network.sent] == ["One"] * 3
    assert refused(api.post(path), 409, "conflict")
    for unknown in (0, index + 99, 2**31, 10**30):
        assert refused(api.post(f"chats/{chat.pk}/messages/{unknown}/retry"), 404, "not_found"), unknown


@pytest.mark.postgres
def test_the_same_first_message_many_times_at_once_is_one_chat_and_one_text(acme, ann, sms, network, transactional_db):
    api, answers = as_agent(ann), []

    def one():
        try:
            answers.append(Api(**api.headers).post("chats/outbound", first(sms)))
        finally:
            close_old_connections()

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    chat = Chat.objects.get()
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert {answer.json()["id"] for answer in answers} == {str(chat.pk)}
    assert chat.events.filter(type="message.posted", text="Your boots are here").count() == 1
    assert (Account.objects.count(), Customer.objects.count()) == (1, 1)
