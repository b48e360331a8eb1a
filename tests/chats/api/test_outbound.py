"""Texts to accounts of a connector's channel over REST: who may send them, what is refused, what has become of them."""

from datetime import timedelta
from uuid import uuid4

import pytest

from chats.actions.connectors import make_connector
from chats.actions.outbound import note_outbound_given
from chats.models import OutboundMessage
from tests.chats.api.conftest import as_application
from tests.chats.carried import carry, make_sms, register
from tests.conftest import MARKER

BODY = {"channel": "sms", "account": "+4917012345", "text": "Sale\nuntil Friday", "client_id": "summer-1"}


@pytest.fixture
def sms(acme):
    return make_sms(acme)


def send(api, **changes):
    fields = {name: value for name, value in (BODY | changes).items() if value is not None}
    return api.post("outbound-messages", fields)


@pytest.mark.both
def test_a_text_is_sent_once_and_says_what_has_become_of_it(shop, sms, now):
    first = send(shop)
    shown = first.json()
    assert first.status_code == 201
    assert {name: shown[name] for name in ("state", "channel", "account", "client_id", "given_at")} == {
        "state": "waiting",
        "channel": {"id": str(sms.channel_id), "name": "sms"},
        "account": "+4917012345",
        "client_id": "summer-1",
        "given_at": None,
    }
    for changes in ({}, {"channel": str(sms.channel_id)}, {"channel": "SMS"}, {"account": None, "to": BODY["account"]}):
        again = send(shop, **changes)
        assert (again.status_code, again.json()) == (200, shown), changes
    message = OutboundMessage.objects.get()
    assert message.text == BODY["text"]
    assert message.expires_at - message.created_at == timedelta(days=1)
    for text, account in (("Other", None), (None, "+492")):
        other = send(shop, **{name: value for name, value in (("text", text), ("account", account)) if value})
        assert (other.status_code, other.json()["code"]) == (409, "conflict")
    note_outbound_given(sms, [message.number], now)
    shown = shop.get(f"outbound-messages/{shown['id']}").json()
    assert (shown["state"], shown["given_at"] is None) == ("given", False)
    assert send(shop).json()["state"] == "given"


def test_it_is_given_up_after_the_time_that_the_program_names(shop, sms, now):
    message_id = send(shop, expires_in=60).json()["id"]
    message = OutboundMessage.objects.get(id=message_id)
    assert message.expires_at - message.created_at == timedelta(minutes=1)
    OutboundMessage.objects.update(expires_at=now)
    assert shop.get(f"outbound-messages/{message_id}").json()["state"] == "expired"


@pytest.mark.both
def test_odd_requests_are_refused_and_keep_nothing(shop, sms):
    for changes in (
        {"account": None},
        {"account": ""},
        {"account": " "},
        {"account": "+49\n170"},
        {"account": "9" * 201},
        {"account": 49170},
        {"to": "+492"},
        {"to": []},
        {"text": ""},
        {"text": " \n "},
        {"text": None},
        {"text": "nul\0"},
        {"text": "x" * 200_000},
        {"client_id": None},
        {"client_id": "x" * 65},
        {"channel": None},
        {"channel": {}},
        {"channel": "s" * 41},
        {"expires_in": 59},
        {"expires_in": 7 * 86_400 + 1},
        {"expires_in": "soon"},
        {"expires_in": 2**70},
    ):
        answer = send(shop, **changes)
        assert answer.status_code in (400, 413), changes
        assert answer.json()["code"] in ("invalid", "too_large")
    for path in ("outbound-messages/1", f"outbound-messages/{uuid4()}"):
        assert shop.get(path).status_code == 404
    assert not OutboundMessage.objects.exists()


def test_a_channel_that_no_connector_carries_is_not_found(acme, globex, shop):
    foreign = make_sms(globex, name=MARKER)
    off = make_connector(register(acme, name="Off", is_active=False), "sms")
    for channel in (
        "sms",
        "web",
        "ſms",
        str(foreign.channel_id),
        str(acme.channel.pk),
        str(off.channel_id),
        str(uuid4()),
    ):
        answer = send(shop, channel=channel)
        assert answer.status_code == 404, channel
        assert answer.json()["message"] == "No connector carries this channel."
    assert not OutboundMessage.objects.exists()


def test_of_two_connectors_of_one_name_the_channel_s_id_says_which(acme, shop, sms):
    other = make_sms(acme, name="Other")
    answer = send(shop)
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == ["channel"]
    assert send(shop, channel=str(other.channel_id)).status_code == 201
    assert OutboundMessage.objects.get().connector == other


def test_an_application_sees_its_own_alone(acme, globex, shop, sms):
    message_id = send(shop).json()["id"]
    limited = as_application(acme, teams=[acme.sales])
    for api in (limited, as_application(globex)):
        assert api.get(f"outbound-messages/{message_id}").status_code == 404
    mine = send(limited)
    assert mine.status_code == 201, "the ids that programs make are their own"
    assert mine.json()["id"] != message_id


@pytest.mark.both
def test_a_later_chat_of_the_account_begins_with_it(shop, sms, now):
    send(shop)
    note_outbound_given(sms, [OutboundMessage.objects.get().number], now)
    chat = carry(sms, BODY["account"], now)
    events = shop.get(f"chats/{chat.pk}/events").json()["events"]
    (history,) = [event for event in events if event["type"] == "history.imported"]
    assert [(entry["name"], entry["text"]) for entry in history["data"]["entries"]] == [("Shop", BODY["text"])]
