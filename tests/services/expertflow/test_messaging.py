"""A messaging network's connector in Node.js against robot agents: in, out, away and back, two for one channel, a server that is killed."""

import threading
from typing import Any

import pytest

from tests.services.expertflow.conftest import Application, Robots
from tests.services.expertflow.programs import Connector
from tests.services.expertflow.test_gadgets import ROBOT, texts_of, together

pytestmark = [pytest.mark.node, pytest.mark.socketio]


def test_a_phone_writes_and_is_answered(application: Application, robots: Robots):
    """Two networks at once, with an old client library and a new one."""
    robots.come()
    together(
        [
            lambda: carry(application, application.connector("sms", "2.5", proof="query").registered(), "+4911"),
            lambda: carry(application, application.connector("whatsapp", "4.8", proof="auth").registered(), "+4922"),
        ]
    )


def carry(application: Application, connector: Connector, phone: str) -> None:
    first = connector.carried(connector.sms(phone, "Where is my parcel? 📦"))
    answer = connector.hand(phone, "echo: Where is my parcel? 📦")
    assert answer["to"] == phone
    second = connector.carried(connector.sms(phone, "Hello?"))
    assert second == first, "a second message goes into the open conversation"
    connector.hand(phone, "echo: Hello?")
    other = connector.carried(connector.sms(f"{phone}0", "I am somebody else"))
    assert other != first
    connector.hand(f"{phone}0", "echo: I am somebody else")
    campaign = {"channel": connector.channel, "account": phone, "client_id": f"campaign-{phone}"}
    sent = application.send_outbound(**campaign, text="Your parcel arrives today")
    assert application.send_outbound(**campaign, text="Your parcel arrives today")["id"] == sent["id"]
    connector.hand(phone, "Your parcel arrives today")
    for number in (phone, f"{phone}0"):
        connector.carried(connector.sms(number, "bye"))
        connector.until(
            lambda: [one for one in connector.told("arrived") if one.get("activityType") == "endOfConversation"]
        )
    assert len({one["id"] for one in connector.told("network")}) == len(connector.told("network"))
    assert connector.texts(f"{phone}0", ROBOT) == ["echo: I am somebody else"]


def test_what_is_said_while_a_connector_is_away_waits_for_it(application: Application, robots: Robots):
    """It goes with a conversation open; a window of the customer writes meanwhile, so that the agent has something to answer."""
    robots.come()
    phone, wanted = "+4933", [f"Question {number}" for number in range(4)]
    connector = application.connector("sms", "2.5", proof="query", wire=True).registered()
    connector.carried(connector.sms(phone, "Hello"))
    connector.hand(phone, "echo: Hello")
    begun = next(line for line in connector.told("wire") if "participant" in line and "messages" not in line)
    connector.stop()
    window = application.window_of(begun, "3.1").joined()
    for text in wanted:
        assert window.send(text)["code"] == 200
    window.hear(f"echo: {wanted[-1]}")
    application.send_outbound(channel="sms", account=phone, text="And an offer", client_id="away")
    returned = application.connector("sms", "4.8", proof="auth").registered()
    returned.hand(phone, "And an offer")
    # What was not confirmed when it went may come once more, as what it is.
    known = [one["id"] for one in connector.told("network")]
    new = [one["text"] for one in returned.handed(phone) if one["id"] not in known]
    assert new == [*(f"echo: {text}" for text in wanted), "And an offer"]
    window.do(end=True)


def test_of_two_connectors_of_a_channel_each_message_goes_to_one(application: Application, robots: Robots):
    robots.come()
    phones = [f"+4944{number}" for number in range(3)]
    elder = application.connector("viber", "2.5", proof="query").registered()
    younger = application.connector("viber", "4.8", proof="auth").registered()
    together([lambda connector=connector: write(connector, phones, "one") for connector in (elder, younger)])
    for phone in phones:
        younger.until(lambda phone=phone: younger.texts(phone).count("echo: one") == 2)
    assert elder.told("network") == []
    younger.stop()
    known = [one["id"] for one in younger.told("network")]
    write(elder, phones, "two")
    for phone in phones:
        elder.hand(phone, "echo: two")
        new = [one["text"] for one in elder.handed(phone, ROBOT) if one["id"] not in known]
        assert new == ["echo: two"]
        elder.sms(phone, "bye")


def write(connector: Connector, phones: list[str], text: str) -> None:
    for own in [connector.sms(phone, text) for phone in phones]:
        connector.carried(own)


def test_a_killed_server_keeps_all_from_and_for_phones(application: Application, robots: Robots, house: Any):
    """In: once and in order. Out: everything; what was told and not confirmed yet may come twice, with the same id."""
    robots.come()
    phones = ["+4955", "+4966"]
    wanted = [f"Message {number}" for number in range(10)]
    connector = application.connector("sms", url=house.urls[-1], proof="auth").registered()
    is_over = threading.Event()

    def write_on() -> None:
        for text in wanted:
            write(connector, phones, text)
            is_over.wait(0.2)

    writing = threading.Thread(target=write_on)
    writing.start()
    connector.hand(phones[0], "echo: Message 2")
    house.crash()
    writing.join(60)
    assert len(connector.told("registered")) > 1
    for phone in phones:
        for text in wanted:
            connector.hand(phone, f"echo: {text}")
        assert texts_of(application, phone, "Customer") == wanted
        ids = [one["id"] for one in connector.handed(phone, ROBOT)]
        assert len(set(ids)) == len(wanted)
        answers = texts_of(application, phone, ROBOT)
        assert list(dict.fromkeys(connector.texts(phone, ROBOT))) == answers, "in the order of the log"
        connector.sms(phone, "bye")
