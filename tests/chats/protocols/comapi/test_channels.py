"""By which channel a chat goes: one at a time, of those that are configured and on which its customer is known."""

from datetime import timedelta

import pytest
from django.utils import timezone

from chats.actions.post import Post, post_message
from chats.actions.receive import Inbound, receive
from chats.actions.ways import account_of
from chats.carriers import registry
from chats.models import Account, Carriage, Chat, Customer, Participant
from tests.cases import cases
from tests.chats.networks import Network, make_carrier, send_all
from tests.conftest import make_chat, make_customer

from .conftest import TEAM

pytestmark = pytest.mark.django_db


@pytest.fixture
def network(monkeypatch):
    fake = Network()
    for provider in ("twilio", "mail", "messenger"):
        monkeypatch.setitem(registry.PROVIDERS, provider, fake)
    return fake


@pytest.fixture
def sms(acme, network):
    return make_carrier(acme, "twilio", "+15550001").channel


@pytest.fixture
def email(acme, network):
    return make_carrier(acme, "mail", "help@acme.example").channel


@pytest.fixture
def page(acme, network):
    return make_carrier(acme, "messenger", "4711").channel


def failures(answer):
    assert answer.status_code == 400, answer.content
    return [one["paramName"] for one in answer.json()["validationFailures"]]


def move(space, chat_id, channel, status=200):
    answer = space.put(f"chats/{chat_id}/channel", {"channelId": channel})
    assert answer.status_code == status, answer.content
    return answer


def test_a_chat_moves_to_sms_and_mail_and_home_again(space, ann, sms, email, network, now):
    space.profile("mia", phone="+49 1511", email="Mia@Example.com")
    chat_id = space.chat()["id"]
    seat = space.held(chat_id, ann).participants.get(agent=ann)
    first = move(space, chat_id, "sms")
    assert first.json()["channelId"] == "sms"
    again = move(space, chat_id, "sms")
    assert again["ETag"] == first["ETag"]
    post_message(Post(seat.chat_id, seat.pk, "1", "Over SMS"), now=now)
    move(space.basic, chat_id, "email")
    post_message(Post(seat.chat_id, seat.pk, "2", "Over mail"), now=now)
    assert move(space, chat_id, "appMessaging").json()["channelId"] == "appMessaging"
    assert move(space, chat_id, "appMessaging").json()["channelId"] == "appMessaging"
    post_message(Post(seat.chat_id, seat.pk, "3", "In the app"), now=now)
    send_all(timezone.now() + timedelta(seconds=1))
    assert [(one.text, one.address) for one in network.sent] == [
        ("Over SMS", "+491511"),
        ("Over mail", "mia@example.com"),
    ]
    chat = space.row_of(chat_id)
    assert (chat.channel, chat.is_carried) == (space.registration.channel, False)
    assert chat.events.filter(type="chat.moved").count() == 3
    assert chat.participants.get(kind="customer").lease_until is None


def test_who_writes_in_the_app_brings_the_chat_home_and_is_asked_for_no_signs_of_life(space, sms, now):
    space.profile("mia", phone="+491511")
    chat_id = space.chat()["id"]
    move(space, chat_id, "sms")
    me = Participant.objects.get(chat=chat_id, kind="customer")
    post_message(Post(me.chat_id, me.pk, "1", "Here again"), now=now)
    me.refresh_from_db()
    assert (space.get(f"chats/{chat_id}").json()["channelId"], me.lease_until) == ("appMessaging", None)


def test_a_chat_that_came_by_sms_goes_on_in_the_app(space, sms, now):
    chat = receive(sms, Inbound(external_id="1", address="+491511", text="hi"), now=now).chat
    assert space.get(f"chats/{chat.pk}").json()["channelId"] == "sms"
    move(space, chat.pk, "appMessaging")
    chat.refresh_from_db()
    assert (chat.channel, chat.is_carried) == (space.registration.channel, False)
    receive(sms, Inbound(external_id="2", address="+491511", text="and back"), now=now)
    assert Carriage.objects.get().home == space.registration.channel
    assert Chat.objects.count() == 1


@cases(
    "channel, wrong",
    [
        ("pigeon", "channelId"),
        ("fbMessenger", "channelId"),  # configured, but she never wrote there
        ("email", "channelId"),  # not configured
        ("", "channelId"),
        (None, "channelId"),
        (["sms"], "channelId"),
        ("SMS", "channelId"),
        ("web", "channelId"),
    ],
)
def test_where_nobody_sends_or_she_is_not_known_the_chat_does_not_go(space, sms, page, channel, wrong):
    space.profile("mia", phone="+491511")
    chat_id = space.chat()["id"]
    assert failures(space.put(f"chats/{chat_id}/channel", {"channelId": channel})) == [wrong]
    assert space.row_of(chat_id).channel == space.registration.channel


def test_stop_anothers_address_and_a_switched_off_channel_are_refused(space, acme, sms, now):
    space.profile("mia", phone="+491511")
    chat_id = space.chat()["id"]
    account = account_of(sms, "+491511", customer=make_customer(acme, "Leo"), now=now)
    assert failures(space.put(f"chats/{chat_id}/channel", {"channelId": "sms"})) == ["channelId"]
    Account.objects.filter(pk=account.pk).update(customer=space.row_of(chat_id).customer_id, stopped_at=now)
    assert failures(space.put(f"chats/{chat_id}/channel", {"channelId": "sms"})) == ["channelId"]
    Account.objects.update(stopped_at=None)
    sms.is_active = False
    sms.save()
    assert failures(space.put(f"chats/{chat_id}/channel", {"channelId": "sms"})) == ["channelId"]
    sms.is_active = True
    sms.save()
    move(space, chat_id, "sms")
    space.put(f"chats/{chat_id}/close")
    assert move(space, chat_id, "appMessaging", 409).json()["message"]


def test_a_program_begins_a_chat_by_sms_with_a_known_address_alone(space, acme, sms, network, ann, now):
    acme.support.greeting = "Welcome"
    acme.support.save()
    body = {"name": "Parcel", "teamId": TEAM, "channelId": "sms", "participants": [{"id": "mia"}]}
    assert failures(space.post("chats", body)) == ["channelId"]
    assert Customer.objects.count() == 0
    space.profile("mia", phone="+49 1511")
    people = [{"id": "mia"}, {"id": "PLATFORMUSER\\ann@example.com"}]
    shown = space.post("chats", {**body, "participants": people}).json()
    chat = space.row_of(shown["id"])
    seat = chat.participants.get(agent=ann)
    post_message(Post(chat.pk, seat.pk, "1", "Your parcel is here"), now=now)
    send_all(timezone.now() + timedelta(seconds=1))
    assert [(one.text, one.address) for one in network.sent] == [("Your parcel is here", "+491511")]
    assert (shown["channelId"], chat.is_carried, chat.is_foreign) == ("sms", True, True)
    answer = receive(sms, Inbound(external_id="1", address="+491511", text="Thanks"), now=now)
    assert answer.chat == chat
    assert move(space, shown["id"], "appMessaging").json()["channelId"] == "appMessaging"


def test_another_centers_channels_are_none_of_ours(space, other, globex, network, now):
    make_carrier(globex, "twilio", "+15550009")
    space.profile("mia", phone="+491511")
    chat_id = space.chat()["id"]
    assert failures(space.put(f"chats/{chat_id}/channel", {"channelId": "sms"})) == ["channelId"]


def test_a_chat_of_the_website_goes_home_to_the_website(space, acme, sms, now):
    customer = make_customer(acme, "Web")
    Customer.objects.filter(pk=customer.pk).update(phone="+491512")
    chat = make_chat(acme, now, customer).chat
    move(space, chat.pk, "sms")
    move(space, chat.pk, "appMessaging")
    chat.refresh_from_db()
    assert (chat.channel, chat.is_carried) == (acme.channel, False)
