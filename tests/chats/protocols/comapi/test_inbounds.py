"""Messages of customers that a program brings in."""

from typing import Any

import pytest

from chats.models import Account, Arrival, Chat, Customer, Event, InboundRule
from contactcenter.models import ApplicationTeam, Channel
from tests.cases import cases
from tests.chats.carriers.test_ways import channel_of

pytestmark = pytest.mark.django_db
PATH = "messages/inbounds"
SMS = {"from": "+4915112345678", "channel": "sms", "body": "Hello"}


@pytest.fixture
def sms(acme: Any) -> Channel:
    return channel_of(acme.center, "sms", "twilio", "+15550001", acme.support)


@pytest.fixture
def mail(acme: Any) -> Channel:
    return channel_of(acme.center, "email", "mail", "help@acme.example")


def bring(space: Any, said: dict[str, Any] = SMS, **more: Any) -> str:
    answer = space.post(PATH, {**said, **more})
    assert answer.status_code == 201, answer.content
    assert set(answer.json()) == {"id"}
    return str(answer.json()["id"])


def wrong(space: Any, body: Any) -> list[str]:
    answer = space.post(PATH, body)
    assert answer.status_code == 400, answer.content
    return [one["paramName"] for one in answer.json()["validationFailures"]]


def said(chat: Chat) -> list[tuple[str, str]]:
    return [(event.sender_kind, event.text) for event in chat.events.filter(type="message.posted").order_by("index")]


def test_a_text_message_begins_a_chat_and_the_next_joins_it(space: Any, sms: Channel) -> None:
    first = bring(space, metadata={"order": 7})
    second = bring(space.basic, {**SMS, "from": {"phoneNumber": "4915112345678", "name": "Mia"}, "body": "Anybody?"})
    chat = Chat.objects.get()
    assert said(chat) == [("customer", "Hello"), ("customer", "Anybody?")]
    assert (chat.channel, chat.is_carried, chat.customer.phone) == (sms, True, "+4915112345678")
    messages = space.get(f"chats/{chat.pk}/messages", limit=10).json()["messages"]
    assert [one["id"] for one in messages] == [second, first]
    assert messages[1]["metadata"] == {"order": 7}
    assert messages[1]["context"]["direction"] == "inbound"
    assert messages[1]["context"]["sentBy"] == f"access:{space.application.pk}"
    assert messages[1]["parts"][0]["data"] == "Hello"
    assert space.get(f"chats/{chat.pk}").json()["channelId"] == "sms"


def test_a_correlation_makes_a_repeat_harmless_and_without_one_each_is_new(space: Any, sms: Channel) -> None:
    first = bring(space, correlation="abc")
    assert bring(space, correlation="abc") == first
    assert bring(space, correlation="abd") != first
    assert bring(space) != bring(space)
    assert Event.objects.filter(type="message.posted").count() == 4


def test_a_mail_keeps_its_title_files_and_links(space: Any, mail: Channel) -> None:
    parts = [
        {"type": "text/plain", "data": "See below"},
        {"type": "text/plain", "name": "note.txt", "url": "https://files.example/note.txt"},
        {"type": "application/pdf", "name": "bill.pdf", "data": "JVBERi0xLjQKJSVFT0YK"},
    ]
    bring(space, {"from": "Mia@Example.com", "channel": "email", "title": "My bill", "messageParts": parts})
    chat = Chat.objects.get()
    assert (chat.subject, chat.customer.email, chat.carriage.facts) == (
        "My bill",
        "mia@example.com",
        {"subject": "My bill"},
    )
    event = chat.events.get(type="message.posted")
    assert (event.text, event.data["links"][0]["url"]) == ("See below", "https://files.example/note.txt")
    assert [file["name"] for file in event.data["attachments"]] == ["bill.pdf"]
    bring(space, {"from": "mia@example.com", "channel": "email", "channelData": {"body": "And this"}})
    assert said(chat)[-1] == ("customer", "And this")


def test_our_own_address_says_which_channel(space: Any, sms: Channel, acme: Any) -> None:
    other = channel_of(acme.center, "sms", "twilio", "+15550002", acme.sales)
    assert wrong(space, SMS) == ["to"]
    assert wrong(space, {**SMS, "to": "+15550009"}) == ["to"]
    bring(space, to="15550002")
    assert Chat.objects.get().channel == other


def test_stop_is_heeded_whoever_carries_it(space: Any, sms: Channel) -> None:
    bring(space)
    bring(space, body="STOP")
    account = Account.objects.get()
    assert account.stopped_at
    bring(space, body="start")
    account.refresh_from_db()
    assert account.stopped_at is None
    bring(space, {**SMS, "from": "+4915199999999", "body": "Stop"}, correlation="1")
    assert bring(space, {**SMS, "from": "+4915199999999", "body": "Stop"}, correlation="1")
    assert Chat.objects.count() == 1


def test_rules_hold_for_what_is_brought_in(space: Any, sms: Channel, acme: Any) -> None:
    InboundRule.objects.create(center=acme.center, channel="sms", team=acme.sales)
    bring(space)
    assert Chat.objects.get().team == acme.sales


def test_a_blocked_customer_is_refused(space: Any, sms: Channel) -> None:
    bring(space, body="Stop")
    Customer.objects.update(is_blocked=True)
    assert space.post(PATH, SMS).status_code == 403
    assert Arrival.objects.filter(chat=None).count() == 2


@cases(
    "param, body",
    [
        ("from", {**SMS, "from": None}),
        ("from", {**SMS, "from": {}}),
        ("from", {**SMS, "from": ["+491511"]}),
        ("from", {**SMS, "from": True}),
        ("from", {**SMS, "from": "nobody"}),
        ("from", {**SMS, "from": "x" * 300}),
        ("channel", {**SMS, "channel": "fax"}),
        ("channel", {**SMS, "channel": "fbMessenger"}),
        ("channel", {**SMS, "channel": "whatsApp"}),
        ("channel", {"from": "+491511"}),
        ("messageParts", {**SMS, "body": ""}),
        ("messageParts", {**SMS, "body": None, "channelData": {"body": 7}}),
        ("body", {**SMS, "body": {"a": 1}}),
        ("messageParts", {**SMS, "messageParts": [{"type": "text/html", "url": "javascript:alert(1)"}]}),
        ("messageParts", {**SMS, "messageParts": [{"data": "x" * 10_001}]}),
        ("messageParts", {**SMS, "messageParts": "Hello"}),
        ("body", {**SMS, "metadata": "x" * 70_000}),
        ("correlation", {**SMS, "correlation": {"a": 1}}),
        ("body", []),
    ],
)
def test_what_cannot_be_taken_is_told_by_its_name(space: Any, sms: Channel, param: str, body: Any) -> None:
    assert param in wrong(space, body)
    assert not Chat.objects.exists()


def test_neither_apps_nor_other_centers_bring_anything_in(space: Any, other: Any, sms: Channel, acme: Any) -> None:
    assert space.app().post(PATH, SMS).status_code == 403
    assert wrong(other, {**SMS, "to": "+15550001"}) == ["channel"]
    ApplicationTeam.objects.create(center=space.center, application=space.application, team=acme.sales)
    assert wrong(space, SMS) == ["channel"], "its chats would be another team's"
    assert not Chat.objects.exists()
