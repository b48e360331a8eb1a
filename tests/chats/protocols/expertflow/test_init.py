"""Init: who begins a conversation, on which channel, for which team, and which conversation it gets."""

import json
import threading
from datetime import UTC, datetime, time, timedelta
from urllib.parse import urlencode
from uuid import UUID

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from chats.models import Chat, Connector, Customer, ForeignChat
from contactcenter.models import Channel, OpeningHours, Team
from tests.chats.protocols.expertflow.conftest import INIT, ORIGIN, SECRET, Page, is_error

pytestmark = pytest.mark.django_db
EVERYTHING = {
    "firstName": "Mia",
    "lastName": "Meyer",
    "email": "mia@example.com",
    "phone": 4917012345,
    "channel": "WEB",
    "language": "de",
    "refId": 4917012345,
    "url": "https://shop.example/cart",
    "comment": "Where is it?",
    "subject": "My parcel",
    "reqestId": "a2c4-17",
    "timestamp": "2021-05-01T10:00:00Z",
    "orderNo": 17,
    "cart": {"items": ["tea"]},
}


# What is said and kept ------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_the_answer_names_the_conversation_and_its_customer_in_both_spellings(desk, now):
    said = desk.page.call("POST", INIT, EVERYTHING).json()
    participant = {"id": said["participant"]["id"], "name": "Mia Meyer", "type": "Customer", "firstName": "Mia Meyer"}
    assert said == {
        "conversationId": said["conversationId"],
        "participant": participant,
        "Participant": participant,
        "requestId": "a2c4-17",
        "reqestId": "a2c4-17",
        "timestamp": said["timestamp"],
        "Timestamp": said["timestamp"],
    }
    assert UUID(said["conversationId"]).version == UUID(participant["id"]).version == 4
    assert abs(datetime.fromisoformat(said["timestamp"]) - now) < timedelta(minutes=1)
    assert said["timestamp"].endswith("Z")


@pytest.mark.both
def test_what_is_said_is_kept_where_staff_see_it(desk, acme):
    talk = desk.init(**EVERYTHING)
    chat, customer = talk.row, talk.row.customer
    assert (customer.name, customer.email, customer.phone) == ("Mia Meyer", "mia@example.com", "4917012345")
    assert (chat.language, chat.page_url, chat.subject) == ("de", "https://shop.example/cart", "My parcel")
    assert (chat.team, chat.state, chat.channel) == (acme.support, "queued", desk.registration.channel)
    assert chat.data == {
        "comment": "Where is it?",
        "timestamp": "2021-05-01T10:00:00Z",
        "orderNo": 17,
        "cart": {"items": ["tea"]},
    }
    assert (talk.foreign.account, talk.foreign.connector) == ("4917012345", None)
    assert talk.foreign.facts == {"participant": talk.me, "channel": "web"}


def test_names_are_taken_in_any_case_and_bodies_as_forms(desk):
    """The documentation prints Email, Phone, Channel, Url."""
    titled = json.dumps({name[0].upper() + name[1:]: value for name, value in EVERYTHING.items()}).encode()
    texts = {name: value for name, value in EVERYTHING.items() if name != "cart"}
    for body, kind in [
        (titled, "application/json"),
        (titled, "text/plain"),
        (titled, "application/x-www-form-urlencoded"),
        (titled, ""),
        (urlencode(texts).encode(), "application/x-www-form-urlencoded; charset=UTF-8"),
        (_multipart(texts), "multipart/form-data; boundary=x"),
    ]:
        answer = desk.page.call("POST", INIT, body, kind=kind)
        assert answer.status_code == 200, (kind, answer.content)
        foreign = ForeignChat.objects.select_related("chat__customer").get(external_id=answer.json()["conversationId"])
        customer = foreign.chat.customer
        assert (customer.name, customer.email, customer.phone) == ("Mia Meyer", "mia@example.com", "4917012345")
        assert (foreign.facts["channel"], foreign.account) == ("web", "4917012345")
        assert foreign.chat.page_url == "https://shop.example/cart"
        assert foreign.chat.data["comment"] == "Where is it?"
        assert {name.lower(): str(value) for name, value in foreign.chat.data.items()}["orderno"] == "17"


def test_of_two_spellings_the_documentations_own_goes_first_then_the_one_that_came_first(desk):
    answer = desk.page.call(
        "POST", INIT, {"CHANNEL": "sms", "channel": "web", "Channel": "fb", "FIRSTNAME": "A", "Firstname": "B"}
    )
    foreign = ForeignChat.objects.get(external_id=answer.json()["conversationId"])
    assert (foreign.facts["channel"], foreign.chat.customer.name, foreign.chat.data) == ("web", "A", {})


def test_what_fits_no_field_of_the_customer_stays_with_the_chat(desk):
    for said, own, data in [
        ({"email": "no address"}, {}, {"email": "no address"}),
        ({"phone": "1" * 33}, {}, {"phone": "1" * 33}),
        ({"language": "English please"}, {}, {"language": "English please"}),
        ({"language": "zh-Hant-TW"}, {"language": "zh-Hant-TW"}, {}),
        ({"phone": True, "email": None}, None, None),
        ({"lastName": "x" * 150}, {"name": "Mia " + "x" * 96}, {}),
        ({"firstName": " ", "lastName": " Meyer\n"}, {"name": "Meyer"}, {}),
        ({"firstName": None}, {"name": ""}, {}),
        ({"comment": "", "note": None, "x": 0}, {}, {"x": 0}),
        ({"channel": "sms", "refId": "+49 170 1"}, {"phone": "+49 170 1"}, {}),
        ({"channel": "sms", "refId": "mia"}, {"phone": ""}, {}),
        ({"channel": "fb", "refId": "1234567890123"}, {"phone": ""}, {}),
        ({"channel": "sms", "refId": "+491", "phone": "+492"}, {"phone": "+492"}, {}),
    ]:
        answer = desk.page.init(**said)
        if own is None:
            assert is_error(answer, 400)
            continue
        chat = Chat.objects.get(foreign__external_id=answer.json()["conversationId"])
        assert {field: getattr(chat.customer, field) for field in own} == own, said
        assert chat.data == data, said


def test_secrets_and_ids_are_kept_nowhere(desk):
    known = desk.init()
    told = {
        "secret": SECRET, "Secret": SECRET, "APPLICATIONSECRET": SECRET, "contactcenterid": "acme-chat",
        "ContactCenterID": "acme-chat", "participantId": known.me, "ID": known.me, "conversationid": known.id,
        "Participant": {"id": known.me}, "plan": "gold",
    }  # fmt: skip
    answer = Page().call("POST", INIT, {"channel": "sms", "refId": "+491", **told})
    foreign = ForeignChat.objects.get(external_id=answer.json()["conversationId"])
    assert foreign.connector.name == "sms"  # so the secret was read
    assert foreign.chat.data == {"plan": "gold"}
    rows = json.dumps(
        [*Chat.objects.values("data", "subject"), *ForeignChat.objects.exclude(pk=known.foreign.pk).values("facts")]
    )
    assert not [one for one in (SECRET, known.me, known.id) if one in rows]


def test_a_request_id_is_given_back_as_it_was_sent(desk):
    for said, given in [
        ({"requestId": "a"}, "a"), ({"reqestId": "b"}, "b"), ({"RequestID": 7}, 7), ({}, None), ({"requestId": None, "reqestId": ""}, ""),
    ]:  # fmt: skip
        answer = desk.page.init(**said).json()
        assert (answer["requestId"], answer["reqestId"]) == (given, given)


def test_a_subject_names_the_team(desk, acme, globex):
    Team.objects.create(center=globex.center, key="repairs", name="Repairs")
    Team.objects.create(center=acme.center, key="gone", name="Gone", is_active=False)
    for subject, team, shown in [
        ("gold-queue", acme.sales, ""),
        ("sales", acme.sales, ""),
        ("SALES", acme.sales, ""),
        (" Support ", acme.support, ""),
        ("repairs", acme.support, "repairs"),
        ("gone", acme.support, "gone"),
        ("", acme.support, ""),
        (None, acme.support, ""),
    ]:
        chat = desk.init(subject=subject).row
        assert (chat.team, chat.subject) == (team, shown)
    assert desk.carried(subject="Sales").row.team == acme.sales


# Which conversation ---------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_a_connector_gets_an_accounts_open_conversation_again(desk, ann):
    first = desk.carried("+491")
    again = desk.carried("+491", firstName="Somebody else")
    assert (again.id, again.me) == (first.id, first.me)
    assert Chat.objects.count() == Customer.objects.count() == 1
    assert (first.row.channel.kind, first.foreign.connector.name) == ("sms", "sms")
    assert first.foreign.connector.registration == desk.registration
    others = {desk.carried("+492").id, desk.carried("+491", channel="whatsapp").id}
    assert len(others | {first.id}) == 3
    first.held_by(ann).closed_by(ann)
    next_one = desk.carried("+491")
    assert next_one.id != first.id
    assert next_one.me != first.me
    assert next_one.row.customer == first.row.customer


def test_a_connector_of_the_web_is_none(desk):
    for channel in ("web", "WEB "):
        one, two = (desk.init(desk.program, channel=channel, refId="7") for _ in range(2))
        assert one.id != two.id
        assert one.foreign.connector is None
    assert not Connector.objects.exists()


def test_without_the_secret_an_account_is_only_what_somebody_says(desk):
    mine = desk.carried("+491")
    his = desk.init(channel="sms", refId="+491")
    assert his.id != mine.id
    assert (his.foreign.connector, his.foreign.account) == (None, "+491")
    assert his.row.customer != mine.row.customer
    # Where connectors need no secret, what comes over their channel is carried, and each time somebody else.
    desk.registration.demands_secret = False
    desk.registration.save()
    two, three = desk.init(channel="sms", refId="+491"), desk.init(channel="sms", refId="+491")
    assert len({mine.id, his.id, two.id, three.id}) == 4
    assert two.foreign.connector == three.foreign.connector == mine.foreign.connector
    assert len({mine.row.customer, two.row.customer, three.row.customer}) == 3
    assert desk.init(channel="viber", refId="+491").foreign.connector is None
    assert Connector.objects.count() == 1


@pytest.mark.both
def test_a_gadget_that_names_its_participant_finds_its_open_conversation(desk, other, ann):
    first = desk.init(refId="7")
    for proof in ({"participantId": first.me}, {"participant": {"id": first.me}}, {"Id": first.me}):
        assert desk.init(refId="7", **proof).id == first.id
    made = Chat.objects.count()
    for odd in (
        {"refId": "8", "id": first.me},
        {"refId": "7", "channel": "fb", "id": first.me},
        {"refId": None, "id": first.me},
        {"refId": "7", "id": first.id},
        {"refId": "7", "id": first.me.upper()},
        {"refId": "7", "id": [first.me]},
        {"refId": "7", "participant": first.me},
    ):
        answer = desk.page.init(**odd)
        assert (answer.status_code, answer.json()["conversationId"] != first.id) == (200, True), odd
    assert other.init(refId="7", id=first.me).id != first.id
    assert Chat.objects.count() == made + 8
    first.held_by(ann).closed_by(ann)
    assert desk.init(refId="7", id=first.me).id != first.id


@pytest.mark.both
@pytest.mark.django_db(transaction=True)
def test_two_first_messages_at_once_begin_one_conversation(desk):
    answers, gate = [], threading.Barrier(6)

    def begin():
        try:
            page = desk.program
            gate.wait()
            answers.append(page.init(channel="sms", refId="+491"))
        finally:
            connection.close()

    threads = [threading.Thread(target=begin) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [200] * 6
    assert len({(one.json()["conversationId"], one.json()["participant"]["id"]) for one in answers}) == 1
    assert (Chat.objects.count(), Customer.objects.count(), Connector.objects.count()) == (1, 1, 1)
    assert Channel.objects.filter(kind=Channel.Kind.SMS).count() == 1


# When it cannot be --------------------------------------------------------------------------------------------------


def test_while_the_center_is_closed_a_client_learns_when_to_come_back(desk, acme):
    Team.objects.filter(pk=acme.support.pk).update(always_open=False, time_zone="UTC")
    answers = [desk.page.init(), desk.program.init(channel="sms", refId="+491")]
    for answer in answers:
        assert is_error(answer, 503)
        assert answer["Retry-After"] == "3600"
    tomorrow = timezone.now().astimezone(UTC) + timedelta(days=1)
    OpeningHours.objects.create(
        center=acme.center, team=acme.support, weekday=tomorrow.weekday(), opens=time(0), closes=time(1)
    )
    waits = int(desk.page.init()["Retry-After"])
    assert 0 < waits <= 24 * 3600
    assert not Chat.objects.exists()
    assert not Customer.objects.exists()


def test_without_a_team_and_without_a_database_it_is_unavailable(desk, acme, monkeypatch):
    Team.objects.filter(center=acme.center).update(is_active=False)
    for answer in (desk.page.init(), desk.program.init(channel="sms", refId="+491", subject="gold-queue")):
        assert is_error(answer, 503)
        assert int(answer["Retry-After"]) >= 1
    Team.objects.filter(center=acme.center).update(is_active=True)

    def away(*_args, **_options):
        raise OperationalError("server closed the connection")

    for step in ("callers.live_registrations", "customer.begin_request"):
        with monkeypatch.context() as patch:
            patch.setattr(f"chats.protocols.expertflow.{step}", away)
            answer = desk.page.init()
            assert is_error(answer, 503)
            assert int(answer["Retry-After"]) >= 1
    assert not Chat.objects.exists()


def test_an_open_conversation_is_given_also_while_the_center_is_closed(desk, acme):
    carried, own = desk.carried("+491"), desk.init(refId="7")
    for closed in ({"always_open": False}, {"is_active": False}):
        Team.objects.filter(center=acme.center).update(**closed)
        assert desk.carried("+491").id == carried.id
        assert desk.init(refId="7", participantId=own.me).id == own.id
        assert is_error(desk.program.init(channel="sms", refId="+492"), 503)


def test_a_channel_that_is_switched_off_takes_none(desk):
    talk = desk.carried("+491")
    Channel.objects.filter(pk=talk.row.channel_id).update(is_active=False)
    assert is_error(desk.program.init(channel="sms", refId="+492"), 403)
    assert desk.page.init().status_code == 200


def test_calls_are_counted_by_address(desk, settings):
    settings.ANONYMOUS_RATE = 2
    page = desk.page
    assert [page.init().status_code for _ in range(2)] == [200, 200]
    answer = page.init()
    assert is_error(answer, 429)
    assert int(answer["Retry-After"]) >= 1


def test_pages_of_allowed_origins_may_read_the_answer(desk):
    answer = desk.page.call("POST", INIT, {"channel": "web"}, Origin=ORIGIN)
    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (200, ORIGIN)
    answer = desk.page.call("POST", INIT, {"channel": "web"}, Origin="https://evil.example")
    assert is_error(answer, 403)
    assert "Access-Control-Allow-Origin" not in answer
    asked = Page().call("OPTIONS", INIT, Origin=ORIGIN, Access_Control_Request_Method="POST")
    assert (asked.status_code, asked["Access-Control-Allow-Origin"]) == (204, ORIGIN)
    assert "POST" in asked["Access-Control-Allow-Methods"]


def test_it_answers_at_every_address_that_a_client_may_have(desk):
    for path in (INIT, f"{INIT}/", f"/legacy{INIT}", f"/legacy{INIT}/"):
        assert desk.page.call("POST", path, {"channel": "web"}).status_code == 200


def _multipart(texts):
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in texts.items()
    ]
    return ("".join(parts) + "--x--\r\n").encode()
