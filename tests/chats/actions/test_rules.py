"""Inbound rules: which fit a message that comes in, and what they do with it."""

import threading
from typing import Any

import pytest
from django.db import close_old_connections
from django.utils import timezone

from chats.actions.hold import assign_chat
from chats.actions.receive import Inbound, receive
from chats.actions.rules import MOST_REPLIES, is_named, rules_for
from chats.models import Account, Chat, Customer, ForeignCustomer, InboundRule
from contactcenter.models import Application, Channel, Registration
from tests.cases import cases
from tests.chats.carriers.test_ways import channel_of
from tests.conftest import online

pytestmark = [pytest.mark.django_db, pytest.mark.both]
REPLY = {"messageParts": [{"type": "text/plain", "data": "We are on it."}]}


@pytest.fixture
def sms(acme: Any) -> Channel:
    return channel_of(acme.center, "sms", "twilio", "+15550001", acme.support)


def rule(place: Any, **fields: Any) -> InboundRule:
    first = {"channel": "sms", "action": "startChat"}
    return InboundRule.objects.create(center=place.center, **{**first, **fields})


def comes(channel: Channel, number: int, text: str, address: str = "+4915112345", **more: Any) -> Chat:
    found = receive(channel, Inbound(external_id=f"SM{number}", address=address, text=text, **more), now=timezone.now())
    assert found.chat
    return Chat.objects.get(pk=found.chat.pk)


def said(chat: Chat) -> list[tuple[str, str]]:
    rows = chat.events.filter(type="message.posted").order_by("index")
    return [(event.sender_kind, event.text) for event in rows]


@cases(
    "keywords, text, fits",
    [
        ("", "Anything", True),
        (" , ", "Anything", True),
        ("refund", "I want a REFUND!", True),
        ("refund", "No refunds here", False),
        ("stop it, money back", "Give me my money\nback, please", True),
        ("STRASSE", "In welcher Straße?", True),
        ("c++", "Do you know C++?", True),
        ("10%", "Is it 10% off?", True),
        ("退款", "我要退款谢谢", True),
        ("ref", "a_ref", False),
        (".*", "Anything", False),
        ("x", "", False),
    ],
)
def test_a_keyword_is_found_as_a_word_in_any_case(keywords: str, text: str, fits: bool) -> None:
    assert is_named(keywords, text) is fits


@cases(
    "inbound, fits",
    [("*", True), ("+15550001", True), ("15550001", True), ("+1 555 00-01", True), ("+15550002", False), ("", False)],
)
def test_a_rule_is_for_one_of_our_addresses_or_for_any(acme: Any, sms: Channel, inbound: str, fits: bool) -> None:
    made = rule(acme, inbound=inbound, team=acme.sales)
    assert rules_for(sms, "Hello") == ([made] if fits else [])


def test_the_oldest_rule_that_fits_gives_a_new_chat_to_its_team(acme: Any, sms: Channel) -> None:
    rule(acme, keyword="order", team=acme.sales)
    rule(acme, keyword="order", team=acme.support)
    rule(acme, channel="email", team=acme.sales)
    assert comes(sms, 1, "My order, please").team == acme.sales
    assert comes(sms, 2, "No, my ordeal").team == acme.sales, "the chat is open already"
    assert comes(sms, 3, "Something else", "+4999").team == acme.support
    assert Chat.objects.count() == 2


def test_rules_of_a_switched_off_team_or_access_or_of_another_center_rest(acme: Any, globex: Any, sms: Channel) -> None:
    acme.sales.is_active = False
    acme.sales.save()
    rule(acme, team=acme.sales)
    rule(globex, team=globex.sales)
    rule(globex, action="replyMessage", action_data=REPLY)
    application = Application.objects.create(center=acme.center, name="Old")
    old = Registration.objects.create(
        center=acme.center, application=application, channel=sms, protocol="comapi", is_active=False
    )
    rule(acme, registration=old, action="replyMessage", action_data=REPLY)
    assert rules_for(sms, "Hello") == []
    chat = comes(sms, 1, "Hello")
    assert (chat.team, said(chat)) == (acme.support, [("customer", "Hello")])


def test_a_reply_stands_below_each_message_once_and_the_customer_goes_on_waiting(
    acme: Any, ann: Any, sms: Channel
) -> None:
    rule(acme, keyword="help", action="replyMessage", action_data=REPLY)
    chat = comes(sms, 1, "Help!")
    assert comes(sms, 1, "Help!") == chat
    assert said(chat) == [("customer", "Help!"), ("system", "We are on it.")]
    assert (chat.last_text, chat.last_sender_kind, bool(chat.waiting_since)) == ("Help!", "customer", True)
    assert chat.events.get(sender=None, type="message.posted").data["facts"] == {"isAutomatedSend": True}
    assign_chat(acme.center.chats, chat.pk, online(ann, timezone.now()), now=timezone.now())
    assert [text for _kind, text in said(comes(sms, 2, "Help, again"))][2:] == ["Help, again", "We are on it."]
    assert Chat.objects.get().dispatches.count() == 2, "both replies travel"


def test_two_programs_that_answer_each_other_come_to_an_end(acme: Any, sms: Channel) -> None:
    rule(acme, action="replyMessage", action_data=REPLY)
    for number in range(MOST_REPLIES + 5):
        chat = comes(sms, number, "I am out of office")
    assert [kind for kind, _text in said(chat)].count("system") == MOST_REPLIES


def test_an_automatic_message_and_who_wants_no_more_messages_get_no_reply(acme: Any, sms: Channel) -> None:
    rule(acme, action="replyMessage", action_data=REPLY)
    assert said(comes(sms, 1, "Out of office", is_automatic=True)) == [("customer", "Out of office")]
    Account.objects.update(stopped_at=timezone.now())
    assert [kind for kind, _text in said(comes(sms, 2, "STOP"))] == ["customer", "customer"]


def test_what_a_rule_notes_stands_with_the_customer_and_own_fields_are_checked(acme: Any, sms: Channel) -> None:
    data = [("name", "Mia"), ("email", "no email"), ("phoneNumber", "+4930"), ("plan", "gold"), ("visits", 3)]
    noted = [{"propertyName": name, "propertyValue": value} for name, value in data]
    rule(acme, keyword="gold", action="profileUpdate", action_data={"profileUpdate": noted})
    rule(acme, keyword="gold", action="replyMessage", action_data=REPLY)
    chat = comes(sms, 1, "Gold please")
    customer = Customer.objects.get()
    assert (customer.name, customer.email, customer.phone) == ("Mia", "", "+4930")
    assert customer.data == {"email": "no email", "plan": "gold", "visits": 3}
    positions = list(chat.events.order_by("position").values_list("position", flat=True))
    assert positions == list(range(1, chat.position + 1)), "the log has no holes"
    assert said(chat)[-1] == ("system", "We are on it.")


def test_a_profile_of_the_rules_own_space_is_changed(acme: Any, sms: Channel) -> None:
    application = Application.objects.create(center=acme.center, name="Apps")
    space = Registration.objects.create(center=acme.center, application=application, channel=sms, protocol="comapi")
    chat = comes(sms, 1, "Hello")
    ForeignCustomer.objects.create(
        center=acme.center, registration=space, customer=chat.customer, external_id="mia", facts={"profile": {"a": 1}}
    )
    noted = [{"propertyName": "plan", "propertyValue": "gold"}]
    rule(acme, registration=space, action="profileUpdate", action_data={"profileUpdate": noted})
    comes(sms, 2, "Hello again")
    assert ForeignCustomer.objects.get().facts["profile"] == {"a": 1, "plan": "gold"}


def test_the_subject_counts_for_a_new_chat_alone(acme: Any) -> None:
    mail = channel_of(acme.center, "email", "mail", "help@acme.example")
    rule(acme, channel="email", keyword="invoice", action="replyMessage", action_data=REPLY)
    rule(acme, channel="email", inbound="HELP@acme.example", keyword="invoice", team=acme.sales)
    chat = comes(mail, 1, "See below", "mia@example.com", subject="Your invoice")
    chat = comes(mail, 2, "And another thing", "mia@example.com", subject="Re: Your invoice")
    assert chat.team == acme.sales
    assert [kind for kind, _text in said(chat)] == ["customer", "system", "customer"]


@pytest.mark.django_db(transaction=True)
def test_of_simultaneous_first_messages_one_begins_the_chat_with_the_rules_team(acme: Any, sms: Channel) -> None:
    rule(acme, team=acme.sales)
    rule(acme, action="replyMessage", action_data=REPLY)
    start = threading.Barrier(4)

    def write(number: int) -> None:
        start.wait(10)
        comes(sms, number, f"Hello {number}")
        close_old_connections()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    chat = Chat.objects.get()
    assert chat.team == acme.sales
    assert sorted(kind for kind, _text in said(chat)) == ["customer"] * 4 + ["system"] * 4
