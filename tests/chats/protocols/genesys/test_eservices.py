"""The other transport: its own ids, a key as proof, its own words for the same chat."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone

from agents.models import Agent
from chats.actions.offer import accept_invitation, offer_chat
from chats.actions.post import Post, post_message
from chats.actions.show import show_typing
from chats.models import Chat, Event, ForeignChat, ForeignLine, Participant
from contactcenter.models import Registration, Team
from tests.cases import cases
from tests.chats.protocols.genesys.conftest import ORIGIN, Page, Place, is_error
from tests.conftest import MARKER, online

pytestmark = pytest.mark.django_db
CHATS = "/eservices/api/v2/chats"
PROOF = ("userId", "secureKey", "alias", "tenantName")
FINAL = 2


@dataclass(frozen=True)
class Talk:
    """A chat as its page knows it: what it was answered with."""

    page: Page
    begun: dict[str, Any]

    @property
    def path(self) -> str:
        return f"{CHATS}/{self.begun['chatId']}"

    @property
    def proof(self) -> dict[str, Any]:
        return {name: self.begun[name] for name in PROOF}

    @property
    def foreign(self) -> ForeignChat:
        return ForeignChat.objects.select_related("chat__customer").get(external_id=self.begun["chatId"])

    def do(self, operation: str, **parameters: Any) -> Any:
        return self.page.post(self.path, {"operationName": operation, **self.proof, **parameters})

    def poll(self, **parameters: Any) -> dict[str, Any]:
        answer = self.page.post(f"{self.path}/messages", {**self.proof, **parameters})
        assert answer.status_code == 200, answer.content
        said: dict[str, Any] = answer.json()
        return said

    def told(self, **parameters: Any) -> list[tuple[Any, ...]]:
        """(index, type, from.type, text?)."""
        return [
            (one["index"], one["type"], one["from"]["type"], *([one["text"]] if "text" in one else []))
            for one in self.poll(**parameters)["messages"]
        ]

    def held_by(self, agent: Agent) -> Participant:
        now = timezone.now()
        online(agent, now)
        chat = Chat.objects.get(pk=self.foreign.chat_id)
        accept_invitation(agent, offer_chat(chat, agent, reason="test", now=now).pk, now=now)
        return Participant.objects.get(chat=chat, agent=agent)


def begin(page: Page | None = None, **parameters: Any) -> Any:
    """The answer to a new chat."""
    body = {"tenantName": "acme", "nickname": "Mia", "firstName": "Mia", "lastName": "Berger", "subject": "Parcel"}
    body |= parameters
    return (page or Page()).post(CHATS, {name: value for name, value in body.items() if value is not None})


@pytest.fixture
def talk(shop: Place) -> Talk:
    page = Page()
    return Talk(page, begin(page).json())


# Beginning ------------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_a_chat_begins_without_an_operation_and_is_answered_with_its_keys(shop: Place):
    answer = begin(userData={"order": "A100"}, emailAddress="mia@example.com")
    assert answer.status_code == 200
    said = answer.json()
    assert set(said) == {"chatId", "path", "messages", "statusCode", *PROOF}
    assert said["path"] == f"{CHATS}/{said['chatId']}"
    assert (said["statusCode"], said["tenantName"], said["alias"]) == (0, "acme", "1")
    assert len(said["secureKey"]) == 64
    assert [(one["index"], one["type"]) for one in said["messages"]] == [
        (1, "ParticipantJoined"),
        (2, "ParticipantJoined"),
    ]
    assert said["messages"][0]["from"] == {"nickname": "Mia", "participantId": 1, "type": "Client"}
    assert said["messages"][1]["from"] == {"nickname": "system", "participantId": 2, "type": "External"}
    chat = ForeignChat.objects.get(external_id=said["chatId"]).chat
    assert (chat.subject, chat.customer.name, chat.customer.email) == ("Parcel", "Mia Berger", "mia@example.com")
    assert chat.data["order"] == "A100"


def test_the_key_is_kept_as_a_fingerprint_alone(talk: Talk):
    kept = json.dumps(talk.foreign.facts)
    assert talk.begun["secureKey"] not in kept
    assert talk.begun["userId"] in kept


def test_a_subject_and_a_nickname_may_be_missing_where_there_is_a_name(shop: Place):
    said = begin(nickname=None, subject=None).json()
    assert said["messages"][0]["from"]["nickname"] == "Mia Berger"


def test_nobody_without_a_name_begins(shop: Place):
    answer = begin(nickname=None, firstName=None, lastName=None)
    assert is_error(answer, 400, FINAL)
    assert not Chat.objects.exists()


def test_an_endpoint_is_a_team(shop: Place, acme: Any):
    said = begin(endpoint="SalesQueue").json()
    assert ForeignChat.objects.get(external_id=said["chatId"]).chat.team == acme.sales


@cases("name", ["tenantName", "tenantId"])
def test_a_tenant_is_a_contact_center_id_or_a_short_name(shop: Place, other: Place, name: str):
    for tenant in (shop.registration.foreign_id, "acme"):
        said = begin(**{"tenantName": None, name: tenant}).json()
        assert said["tenantName"] == tenant
        assert ForeignChat.objects.get(external_id=said["chatId"]).center.slug == "acme"


def test_without_a_tenant_the_only_center_is_meant(shop: Place):
    assert begin(tenantName=None).json()["tenantName"] == "acme"


def test_without_a_tenant_the_default_center_is_meant_of_several(shop: Place, other: Place, settings: Any):
    settings.DEFAULT_CONTACT_CENTER = "globex"
    said = begin(tenantName=None).json()
    assert ForeignChat.objects.get(external_id=said["chatId"]).center.slug == "globex"
    settings.DEFAULT_CONTACT_CENTER = ""
    assert is_error(begin(tenantName=None), 403, FINAL)


def test_of_several_centers_with_the_published_key_the_tenant_says_which(shop: Place, other: Place):
    said = begin(other.keyed, tenantName="globex").json()
    assert ForeignChat.objects.get(external_id=said["chatId"]).center.slug == "globex"


def test_an_unknown_tenant_is_refused(shop: Place):
    assert is_error(begin(tenantName="initech"), 403, FINAL)
    assert is_error(begin(tenantName="acme\u0130"), 403, FINAL)


def test_an_access_that_is_switched_off_is_unknown(shop: Place):
    Registration.objects.update(is_active=False)
    assert is_error(begin(), 403, FINAL)


def test_outside_opening_hours_nobody_begins(shop: Place, acme: Any):
    Team.objects.filter(pk=acme.support.pk).update(is_active=False)
    Team.objects.filter(pk=acme.sales.pk).update(is_active=False)
    answer = begin()
    assert answer.status_code == 400
    assert answer.json()["statusCode"] == FINAL


# Talking --------------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_both_sides_talk_in_its_words(talk: Talk, ann: Agent):
    seat = talk.held_by(ann)
    said = talk.do("SendMessage", text="Hello", messageType="text").json()
    assert said == talk.proof | {"statusCode": 0}
    post_message(Post(talk.foreign.chat_id, seat.pk, "a-1", "Good morning"), now=timezone.now())
    assert talk.told(transcriptPosition=3) == [
        (3, "ParticipantJoined", "Agent"),
        (4, "Message", "Client", "Hello"),
        (5, "Message", "Agent", "Good morning"),
    ]


def test_typing_goes_both_ways(talk: Talk, ann: Agent):
    seat = talk.held_by(ann)
    assert talk.do("SendStartTypingNotification", text="Hel").json()["statusCode"] == 0
    assert talk.do("SendStopTypingNotification").json()["statusCode"] == 0
    show_typing(seat, active=True)
    assert talk.told(transcriptPosition="4") == [
        (4, "TypingStarted", "Client"),
        (5, "TypingStopped", "Client"),
        (6, "TypingStarted", "Agent"),
    ]


def test_a_line_tells_its_time_in_milliseconds_and_its_speaker_by_a_number(talk: Talk):
    line = talk.poll()["messages"][0]
    stored = ForeignLine.objects.get(foreign_chat=talk.foreign, number=1)
    assert line["utcTime"] == int(stored.at.timestamp() * 1000)
    assert type(line["from"]["participantId"]) is int


def test_a_position_is_the_first_line_wanted_and_none_means_all(talk: Talk):
    for text in ("one", "two", "three"):
        talk.do("SendMessage", text=text)
    assert [line[0] for line in talk.told()] == [1, 2, 3, 4, 5]
    assert [line[0] for line in talk.told(transcriptPosition=1)] == [1, 2, 3, 4, 5]
    assert [line[0] for line in talk.told(transcriptPosition=4)] == [4, 5]
    assert [line[0] for line in talk.told(transcriptPosition="4")] == [4, 5]


@cases("position", [0, -1, 99, 10**30, "x", [1], {"a": 1}, True])
def test_odd_positions_give_nothing(talk: Talk, position: Any):
    answer = talk.page.post(f"{talk.path}/messages", {**talk.proof, "transcriptPosition": position})
    assert (answer.status_code, answer.json().get("messages", [])) in ((200, []), (400, []))


def test_two_pollers_get_the_same(talk: Talk):
    talk.do("SendMessage", text="Hello")
    assert talk.poll() == talk.poll()


def test_another_nickname_is_everybody_s_from_then_on(talk: Talk, ann: Agent):
    talk.held_by(ann)
    assert talk.do("UpdateUserNickname", nickname=" Miriam ").json()["statusCode"] == 0
    assert {one["from"]["nickname"] for one in talk.poll()["messages"] if one["from"]["type"] == "Client"} == {"Miriam"}
    chat = Chat.objects.get(pk=talk.foreign.chat_id)
    assert chat.customer.name == "Miriam"
    assert chat.participants.get(kind=Participant.Kind.CUSTOMER).name == "Miriam"
    assert Event.objects.filter(chat=chat, type="customer.updated").exists()
    talk.do("SendMessage", text="Still me")
    assert talk.poll(transcriptPosition=4)["messages"][0]["from"]["nickname"] == "Miriam"


@cases("nickname", ["", "  ", None, 5, ["Mia"], "x" * 101])
def test_a_nickname_is_a_short_text(talk: Talk, nickname: Any):
    assert is_error(talk.do("UpdateUserNickname", nickname=nickname), 400, FINAL)


def test_complete_ends_it_and_polls_tell(talk: Talk):
    assert talk.poll()["chatEnded"] is False
    assert talk.do("Complete").json() == {"statusCode": 0}
    said = talk.poll(transcriptPosition=3)
    assert (said["statusCode"], said["chatEnded"]) == (0, True)
    assert said["messages"][-1]["type"] == "ParticipantLeft"


@cases("operation", ["SendMessage", "SendStartTypingNotification", "UpdateUserNickname", "Complete"])
def test_after_the_end_nothing_can_be_done(talk: Talk, operation: str):
    talk.do("Complete")
    before = talk.poll()
    assert is_error(talk.do(operation, text="Hello", nickname="Ann"), 400, FINAL)
    assert talk.poll() == before


# Proof ----------------------------------------------------------------------------------------------------------------

WRONG = [
    *({name: value} for name in ("userId", "secureKey", "alias") for value in ("", "x", None, 5, ["1"], {"a": 1})),
    {"tenantName": "globex"},
    {"tenantName": "x" * 101},
    {"tenantName": ["acme"]},
    {"secureKey": "é" * 64},
    {"secureKey": True},
    {"userId": "0" * 16},
]


@cases("wrong", WRONG)
def test_whoever_proves_nothing_reads_and_writes_nothing(talk: Talk, wrong: dict[str, Any]):
    for path, body in (
        (talk.path, {"operationName": "SendMessage", "text": "I am Eve"}),
        (talk.path, {"operationName": "Complete"}),
        (f"{talk.path}/messages", {}),
    ):
        answer = talk.page.post(path, {**body, **talk.proof, **wrong})
        assert answer.status_code in (400, 403)
        assert set(answer.json()) == {"statusCode", "statusMessage"}
        assert answer.json()["statusCode"] == FINAL
    assert len(talk.poll()["messages"]) == 2
    assert talk.foreign.chat.is_open


def test_the_key_of_another_chat_opens_nothing(talk: Talk):
    another = Talk(talk.page, begin(talk.page, nickname="Ben").json())
    answer = talk.page.post(f"{talk.path}/messages", another.proof)
    assert is_error(answer, 403, FINAL)


def test_a_tenant_may_be_left_out(talk: Talk):
    proof = {name: value for name, value in talk.proof.items() if name != "tenantName"}
    assert talk.page.post(f"{talk.path}/messages", proof).status_code == 200


def test_an_alias_may_come_as_a_number(talk: Talk):
    assert talk.page.post(f"{talk.path}/messages", talk.proof | {"alias": 1}).status_code == 200


def test_the_customer_api_knows_no_chat_of_this_transport(talk: Talk, shop: Place):
    """There the id alone would be the proof."""
    for path in (f"chats/{talk.begun['chatId']}", f"chats/{talk.begun['chatId']}/messages"):
        assert is_error(shop.page.get(path), 404, 6)


def test_this_transport_knows_no_chat_of_the_customer_api(shop: Place):
    talk = shop.request()
    proof = {"userId": "x", "secureKey": "x", "alias": "1", "tenantName": "acme"}
    assert is_error(Page().post(f"{CHATS}/{talk.id}/messages", proof), 404, FINAL)
    assert is_error(Page().get(f"{CHATS}/{talk.id}"), 404, FINAL)


def test_headers_of_another_center_do_not_fit(talk: Talk, other: Place):
    answer = other.page.post(f"{talk.path}/messages", talk.proof)
    assert is_error(answer, 404, FINAL)
    assert MARKER not in answer.content.decode()


def test_a_look_without_a_key_tells_the_state_and_no_names(talk: Talk, ann: Agent):
    talk.held_by(ann)
    said = talk.page.get(talk.path).json()
    assert (said["chatId"], said["statusCode"]) == (talk.begun["chatId"], 0)
    assert set(said["chat"]) == {"id", "state", "capabilities"}
    assert said["chat"]["state"] == "Chatting"
    assert "UpdateUserNickname" in said["chat"]["capabilities"]
    assert "Mia" not in json.dumps(said)
    talk.do("Complete")
    assert talk.page.get(talk.path).json()["chat"] == {
        "id": talk.begun["chatId"],
        "state": "Idle",
        "capabilities": [],
    }


def test_polling_is_a_sign_of_life_and_guessing_is_none(talk: Talk):
    rows = Participant.objects.filter(chat=talk.foreign.chat_id)
    rows.update(lease_until=None)
    talk.page.post(f"{talk.path}/messages", talk.proof | {"secureKey": "x"})
    talk.page.get(talk.path)
    assert rows.get(kind="customer").lease_until is None
    talk.poll()
    assert rows.get(kind="customer").lease_until > timezone.now()


# Odd requests ---------------------------------------------------------------------------------------------------------

BODIES = [
    b"",
    b"{",
    b"null",
    b"[]",
    b'"text"',
    b"1",
    b"{}",
    b"\xff\xfe",
    b'{"nickname": "\\u0000"}',
    b'{"nickname": "\\ud800"}',
    b'{"nickname": NaN}',
    b"[" * 5000,
    json.dumps({"nickname": None}).encode(),
    json.dumps({"nickname": ["Mia"]}).encode(),
    json.dumps({"nickname": {"a": 1}}).encode(),
    json.dumps({"nickname": "x" * 101}).encode(),
    json.dumps({"nickname": "Mia", "subject": 5}).encode(),
    json.dumps({"nickname": "Mia", "subject": "x" * 201}).encode(),
    json.dumps({"nickname": "Mia", "userData": "text"}).encode(),
    json.dumps({"nickname": "Mia", "userData": {"a": "x" * 20_000}}).encode(),
    json.dumps({"nickname": "Mia", "firstName": ["Mia"]}).encode(),
    json.dumps({"nickname": "Mia", "endpoint": 5}).encode(),
    json.dumps({"nickname": "Mia", "tenantName": 5}).encode(),
    json.dumps({"nickname": "Mia", "operationName": "SendMessage"}).encode(),
    json.dumps({"nickname": "Mia", "operationName": ["RequestChat"]}).encode(),
]


@cases("body", BODIES)
def test_odd_bodies_begin_nothing(shop: Place, body: bytes):
    answer = Page().call("POST", CHATS, body)
    assert answer.status_code in (400, 405)
    assert set(answer.json()) == {"statusCode", "statusMessage"}
    assert answer.json()["statusCode"] == FINAL
    assert not Chat.objects.exists()


@cases("body", BODIES)
@cases("path", ["", "/messages"])
def test_odd_bodies_do_nothing_in_a_chat(talk: Talk, path: str, body: bytes):
    answer = talk.page.call("POST", talk.path + path, body)
    assert answer.status_code in (400, 403, 405)
    assert answer.json()["statusCode"] == FINAL
    assert len(talk.poll()["messages"]) == 2


@cases("operation", [None, "", "sendmessage", "RequestChat", "PushUrl", 5, ["Complete"], "__proto__"])
def test_other_operations_are_none(talk: Talk, operation: Any):
    answer = talk.page.post(talk.path, {**talk.proof, "operationName": operation})
    assert answer.status_code in (400, 405)
    assert answer.json()["statusCode"] == FINAL


@cases(
    "chat_id",
    ["1", "constructor", "__proto__", "%00", "x" * 24, "0" * 24, "é" * 24, "00000000-0000-4000-8000-000000000000"],
)
def test_odd_ids_are_not_found(shop: Place, chat_id: str):
    proof = {"userId": "x", "secureKey": "x", "alias": "1", "tenantName": "acme"}
    for path in (f"{CHATS}/{chat_id}", f"{CHATS}/{chat_id}/messages"):
        assert is_error(Page().post(path, {**proof, "operationName": "Complete"}), 404, FINAL)


@cases(
    ("method", "path", "status"),
    [
        ("GET", CHATS, 405),
        ("PUT", CHATS, 405),
        ("DELETE", f"{CHATS}/x", 405),
        ("GET", f"{CHATS}/x/messages", 405),
        ("GET", "/eservices/api/v2/", 404),
        ("POST", "/eservices/api/v2/nowhere", 404),
        ("GET", f"{CHATS}/1/2/3", 404),
    ],
)
def test_other_methods_and_addresses_are_none(shop: Place, method: str, path: str, status: int):
    assert is_error(Page().call(method, path), status, FINAL)


def test_a_slash_at_the_end_makes_no_difference(talk: Talk):
    assert talk.page.post(f"{CHATS}/", {"tenantName": "acme", "nickname": "Ben"}).status_code == 200
    assert talk.page.post(f"{talk.path}/messages/", talk.proof).status_code == 200
    assert talk.page.get(f"{talk.path}/").status_code == 200


def test_credentials_belong_to_another_api(shop: Place):
    assert is_error(begin(Page(Authorization="Basic eDp5")), 403, FINAL)


# Browsers -------------------------------------------------------------------------------------------------------------


def test_pages_of_allowed_origins_may_call_with_credentials(talk: Talk):
    for answer in (
        begin(Page(Origin=ORIGIN)),
        talk.page.post(f"{talk.path}/messages", talk.proof, Origin=ORIGIN),
        talk.page.call("OPTIONS", f"{CHATS}/unknown/messages", Origin=ORIGIN),
    ):
        assert answer.status_code in (200, 204)
        assert answer["Access-Control-Allow-Origin"] == ORIGIN
        assert answer["Access-Control-Allow-Credentials"] == "true"


def test_other_pages_may_not(talk: Talk):
    elsewhere = "https://elsewhere.example"
    for answer in (
        begin(Page(Origin=elsewhere)),
        talk.page.post(f"{talk.path}/messages", talk.proof, Origin=elsewhere),
    ):
        assert is_error(answer, 403, FINAL)
        assert "Access-Control-Allow-Origin" not in answer
