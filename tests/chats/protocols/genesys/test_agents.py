"""The agent's side over REST: who calls, which chats, what is done in them, and what the customer's page sees of it."""

import base64
import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from agents.models import Agent, Disposition, Presence
from chats.actions.close import close_by_agent, close_by_customer
from chats.actions.offer import offer_chat
from chats.models import Chat, Participant
from contactcenter import longpoll
from contactcenter.models import ApplicationPassword
from tests.cases import cases
from tests.chats.protocols.genesys.conftest import BASE, ORIGIN, Page, is_error
from tests.conftest import MARKER, make_agent, make_chat, make_held_chat

pytestmark = [pytest.mark.django_db, pytest.mark.both]

OWNING = {
    "SendMessage", "SendStartTypingNotification", "SendStopTypingNotification", "SendToAgents", "Transfer", "Invite",
    "Leave", "LeaveAndComplete", "Complete", "SetInFocus", "SetDisposition", "AttachUserData", "UpdateUserData",
    "DeleteUserData",
}  # fmt: skip


def basic(name, secret):
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


class Program(Page):
    """An integrator's program that signs in for one agent."""

    def __init__(self, agent):
        secret = ApplicationPassword.issue(agent.user, "tests")[1]
        super().__init__(Authorization=basic(agent.user.username, secret))
        self.agent = agent

    def chats(self, query=""):
        answer = self.get(f"me/chats?{query}").json()
        assert answer.pop("statusCode") == 0
        return answer["chats"]

    def chat(self, chat):
        return self.get(f"me/chats/{chat.pk}").json()["chat"]

    def do(self, chat, operation, **parameters):
        return self.post(f"me/chats/{chat.pk}", {"operationName": operation, **parameters})

    def does(self, chat, operation, **parameters):
        answer = self.do(chat, operation, **parameters)
        assert (answer.status_code, answer.json()) == (200, {"statusCode": 0}), answer.content

    def messages(self, chat, query=""):
        answer = self.get(f"me/chats/{chat.pk}/messages?{query}")
        assert answer.status_code == 200, answer.content
        return answer.json()["messages"]

    def texts(self, chat):
        return [one["text"] for one in self.messages(chat) if one["type"] == "Text"]


@pytest.fixture
def desk(ann):
    return Program(ann)


@pytest.fixture
def held(shop, ann):
    return shop.request(userData={"order": 7}).held_by(ann)


def fresh(chat):
    return Chat.objects.get(pk=chat.pk)


def uri(agent):
    return f"http://testserver/api/v2/users/{agent.pk}"


def test_who_does_not_sign_in_is_told_so(shop, held):
    path = f"me/chats/{held.row.pk}"
    stranger = Page(ContactCenterId=shop.registration.foreign_id)
    answers = [
        stranger.get("me"),
        stranger.get("me/chats"),
        stranger.post("me", {"operationName": "StartContactCenterSession"}),
        stranger.post(path, {"operationName": "SendMessage", "text": "x"}),
        Page(Authorization="Basic !!!").get("me"),
        Page(Authorization=basic("ann", "correct horse")).get("me"),  # the person's password opens nothing here
        Page(Authorization="Bearer token").get("me/chats"),
    ]
    assert all(is_error(answer, 401, 20) for answer in answers)


def test_without_a_seat_there_is_nothing_here(shop, eve):
    secret = ApplicationPassword.issue(eve, "tests")[1]
    assert is_error(Page(Authorization=basic("eve", secret)).get("me"), 403, 3)


def test_the_center_may_be_named_and_then_must_fit(shop, other, desk):
    assert desk.get("me", ContactCenterId=shop.registration.foreign_id).status_code == 200
    assert desk.get("me", apikey=shop.registration.public_key).status_code == 200
    assert is_error(desk.get("me", ContactCenterId=other.registration.foreign_id), 403, 3)


def test_the_agent_reads_who_it_is_and_goes_to_work_and_home(shop, ann, desk):
    user = desk.get("me").json()["user"]
    assert (user["id"], user["userName"], user["firstName"]) == (str(ann.pk), "ann", "Ann")
    assert user["uri"].endswith(f"/api/v2/users/{ann.pk}")
    assert "channels" not in user
    start = {"operationName": "StartContactCenterSession", "channels": ["chat"]}
    assert desk.post("me", start).json() == {"statusCode": 0}
    assert Presence.objects.get(agent=ann).is_available(timezone.now())
    channel = {"channel": "chat", "state": "Ready", "capacity": 3, "used": 0}
    assert desk.get("me?subresources=*").json()["user"]["channels"] == [channel]
    assert desk.post("me", {"operationName": "EndContactCenterSession"}).json() == {"statusCode": 0}
    assert not Presence.objects.get(agent=ann).is_available(timezone.now())
    assert desk.get("me?subresources=*").json()["user"]["channels"][0]["state"] == "LoggedOut"


def test_each_call_renews_the_lease_and_changes_no_status(shop, ann, desk):
    gone = timezone.now() - timedelta(minutes=5)
    Presence.objects.filter(agent=ann).update(status="online", lease_until=gone)
    desk.get("me/chats")
    assert Presence.objects.get(agent=ann).is_available(timezone.now())
    Presence.objects.filter(agent=ann).update(status="offline", lease_until=gone)
    desk.get("me/chats")
    assert Presence.objects.get(agent=ann).status == "offline"


def test_an_offer_is_accepted_and_the_customer_sees_who_comes(shop, ann, desk, now):
    talk = shop.request(userData={"order": 7})
    chat = talk.row
    offer_chat(chat, ann, reason="test", now=now)
    shown = desk.chats()
    assert [(one["id"], one["state"], one["capabilities"]) for one in shown] == [
        (str(chat.pk), "Invited", ["Accept", "Reject"])
    ]
    assert (shown[0]["userData"], shown[0]["subject"], shown[0]["chatType"]) == ({"order": 7}, "Parcel", "Inbound")
    assert is_error(desk.do(chat, "SendMessage", text="Too early"), 404, 6)
    desk.does(chat, "Accept", nickname="Annie")
    desk.does(chat, "Accept", nickname="Annie")
    assert fresh(chat).agent == ann
    assert set(desk.chat(chat)["capabilities"]) == OWNING
    assert talk.state()["state"] == "Chatting"
    assert talk.told()[-1][1:] == ("ParticipantJoined", "Ann")


def test_an_offer_is_rejected_and_gone(shop, ann, desk, now):
    chat = shop.request().row
    invitation = offer_chat(chat, ann, reason="test", now=now)
    desk.does(chat, "Reject")
    invitation.refresh_from_db()
    assert invitation.state == "declined"
    assert desk.chats() == []
    assert is_error(desk.do(chat, "Accept"), 404, 6)


def test_both_sides_talk_and_type(held, desk):
    held.say("Where is it?")
    desk.does(held.row, "SendStartTypingNotification")
    desk.does(held.row, "SendMessage", text="On its way.")
    desk.does(held.row, "SendStopTypingNotification")
    desk.does(held.row, "SetInFocus")
    said = [(kind, *rest) for _, kind, _, *rest in held.told()]
    asked = said.index(("Text", "Where is it?"))
    assert said[asked:] == [
        ("Text", "Where is it?"),
        ("TypingStarted",),
        ("TypingStopped",),  # who has said it types no more
        ("Text", "On its way."),
    ]
    assert desk.texts(held.row) == ["Where is it?", "On its way."]


def test_messages_are_numbered_with_notes_and_without_holes(held, desk, ann):
    held.say("One")
    desk.does(held.row, "SendToAgents", text="He is a friend")
    desk.does(held.row, "SendMessage", text="Two")
    found = desk.messages(held.row)
    assert [one["index"] for one in found] == list(range(1, len(found) + 1))
    note = next(one for one in found if one.get("text") == "He is a friend")
    assert (note["visibility"], note["from"]["type"]) == ("Agents", "Agent")
    assert {one["visibility"] for one in found if one is not note} == {"All"}
    assert found[0]["from"] == {"id": "1", "nickname": "Mia", "participantId": "1", "type": "Customer"}
    assert found[-1]["from"]["path"] == f"/users/{ann.pk}"
    assert isinstance(found[0]["timestampSeconds"], int)
    assert "He is a friend" not in json.dumps(held.messages("index=0"))
    # The same people under the same numbers as for the customer.
    mine = {one["participantId"]: one["nickname"] for one in desk.chat(held.row)["participants"]}
    assert mine == {one["participantId"]: one["nickname"] for one in held.state()["participants"]}


def test_messages_are_read_from_a_number_on(held, desk):
    for text in ("a", "b", "c"):
        held.say(text)
    everything = desk.messages(held.row)
    assert desk.messages(held.row, "startIndex=0") == everything
    assert desk.messages(held.row, f"startIndex={len(everything)}") == everything[-1:]
    assert desk.messages(held.row, "startIndex=2&count=2") == everything[1:3]
    assert desk.messages(held.row, f"startIndex={len(everything) + 1}") == []
    assert desk.messages(held.row, "count=0") == []
    for odd in ("startIndex=-1", "count=x", "startIndex=99999999999999999999"):
        assert is_error(desk.get(f"me/chats/{held.row.pk}/messages?{odd}"), 400, 10)


def test_an_empty_answer_may_be_held_back(held, desk):
    path = f"me/chats/{held.row.pk}/messages"
    waiting = desk.get(f"{path}?startIndex=99&wait=5")
    assert waiting[longpoll.HEADER] == f"staff:{held.row.pk};5"
    assert longpoll.HEADER not in desk.get(f"{path}?wait=5")


def test_the_list_is_the_agents_own_in_pages(acme, globex, shop, ann, bob, gil, desk, now):
    mine = [make_held_chat(acme, ann, now + timedelta(seconds=number)).chat for number in range(2)]
    make_held_chat(acme, bob, now)
    make_chat(acme, now)
    make_held_chat(globex, gil, now)
    assert [one["id"] for one in desk.chats()] == [str(chat.pk) for chat in mine]
    assert [one["id"] for one in desk.chats("startIndex=1&count=5&fields=*")] == [str(mine[1].pk)]
    assert desk.chats("startIndex=7") == []
    assert is_error(desk.get("me/chats?startIndex=-2"), 400, 10)


def test_chats_of_every_door_are_there_with_their_messages(acme, shop, ann, desk, now):
    chat = make_held_chat(acme, ann, now, text="From the website").chat
    desk.does(chat, "SendMessage", text="Good day")
    assert desk.texts(chat) == ["From the website", "Good day"]


def test_other_peoples_chats_and_the_customers_id_are_unknown(acme, shop, held, bob, gil, desk, other, now):
    for stranger in (Program(bob), Program(gil)):
        assert stranger.chats() == []
        assert is_error(stranger.get(f"me/chats/{held.row.pk}"), 404, 6)
        assert is_error(stranger.get(f"me/chats/{held.row.pk}/messages"), 404, 6)
        assert is_error(stranger.do(held.row, "Accept"), 404, 6)
    assert is_error(desk.get(f"me/chats/{held.id}"), 404, 6)
    for odd in ("x", "constructor", "0" * 36, "é", "%00", "9" * 200):
        assert is_error(desk.get(f"me/chats/{odd}"), 404, 6), odd


def test_the_id_that_proves_a_customer_is_told_to_no_agent(held, desk):
    said = [desk.get("me/chats"), desk.get(f"me/chats/{held.row.pk}"), desk.get(f"me/chats/{held.row.pk}/messages")]
    assert not any(held.id in answer.content.decode() for answer in said)


def test_the_same_addresses_without_credentials_are_the_customers(shop, held):
    page = shop.page
    assert page.get(f"me/chats/{held.id}").json()["chat"]["id"] == held.id
    assert page.get(f"me/chats/{held.id}/messages?index=1").json()["messages"]
    assert is_error(page.get(f"me/chats/{held.row.pk}"), 404, 6)  # our own id proves nothing


def test_a_chat_goes_to_a_team_after_a_last_word(acme, held, bob, desk):
    desk.does(held.row, "Transfer", queueName="SalesQueue", text="I pass you on.")
    assert (fresh(held.row).team, fresh(held.row).agent) == (acme.sales, None)
    assert "I pass you on." in [rest[-1] for rest in held.told()]
    assert is_error(desk.get(f"me/chats/{held.row.pk}"), 404, 6)


@cases("name", ["sales", "Sales", "SALES", "SalesQueue"])
def test_a_queue_has_several_names(acme, held, desk, name):
    desk.does(held.row, "Transfer", queueName=name)
    assert fresh(held.row).team == acme.sales


def test_a_chat_goes_to_a_colleague_who_accepts(held, ann, bob, desk):
    desk.does(held.row, "Transfer", targetUri=uri(bob))
    theirs = Program(bob)
    assert theirs.chats()[0]["state"] == "Invited"
    theirs.does(held.row, "Accept")
    assert fresh(held.row).agent == bob
    assert desk.chats() == []


@cases("name", ["bob", "BOB@example.com", "/users/bob/", "http://x.example/api/v2/users/bob"])
def test_a_colleague_is_named_in_several_ways(held, bob, desk, name):
    desk.does(held.row, "Invite", targetUri=name)
    assert Participant.objects.get(chat=held.row, agent=bob).is_asked


def test_what_cannot_be_transferred_stays_and_nothing_was_said(held, globex, gil, desk):
    before = fresh(held.row).position
    cases = [
        ({}, 1),
        ({"targetUri": "a", "queueName": "b"}, 1),
        ({"queueName": "nowhere", "text": "Bye"}, 10),
        ({"queueName": globex.support.name, "text": "Bye"}, 10),
        ({"targetUri": uri(gil), "text": "Bye"}, 10),
        ({"targetUri": "/"}, 10),
        ({"targetUri": 7}, 10),
        ({"queueName": ["sales"]}, 10),
        ({"queueName": "sales", "text": {"a": 1}}, 10),
    ]
    for parameters, code in cases:
        answer = desk.do(held.row, "Transfer", **parameters)
        assert is_error(answer, 400, code), (parameters, answer.content)
        assert MARKER not in answer.content.decode()
    assert fresh(held.row).position == before


def test_a_conference_invited_joined_spoken_in_and_left(held, ann, bob, desk):
    desk.does(held.row, "Invite", targetUri=uri(bob))
    guest = Program(bob)
    assert guest.chats()[0]["capabilities"] == ["Accept", "Reject"]
    guest.does(held.row, "Accept")
    shown = guest.chat(held.row)
    assert shown["state"] == "Chatting"
    assert {"SendMessage", "Leave"} <= set(shown["capabilities"])
    assert not {"Transfer", "Invite", "Complete"} & set(shown["capabilities"])
    guest.does(held.row, "SendMessage", text="I know this parcel.")
    assert held.told()[-1][1:] == ("Text", "Bob", "I know this parcel.")
    for refused in ("Transfer", "Invite", "Complete"):
        parameters = {"targetUri": uri(ann), "queueName": "" if refused == "Invite" else None}
        assert is_error(guest.do(held.row, refused, **parameters), 403, 3)
    guest.does(held.row, "Leave", text="Bye from Bob")
    assert [line[1:] for line in held.told()[-2:]] == [("Text", "Bob", "Bye from Bob"), ("ParticipantLeft", "Bob")]
    assert (guest.chats(), fresh(held.row).agent) == ([], ann)


def test_an_invitation_to_join_is_rejected(held, bob, desk):
    desk.does(held.row, "Invite", targetUri=uri(bob))
    guest = Program(bob)
    guest.does(held.row, "Reject")
    assert guest.chats() == []
    assert is_error(desk.do(held.row, "Reject"), 400, 2)


def test_an_owner_who_leaves_a_conference_hands_it_over(held, ann, bob, desk):
    desk.does(held.row, "Invite", targetUri=uri(bob))
    guest = Program(bob)
    guest.does(held.row, "Accept")
    desk.does(held.row, "Leave")
    assert (fresh(held.row).agent, fresh(held.row).state) == (bob, "active")
    assert set(guest.chat(held.row)["capabilities"]) == OWNING
    assert held.state()["state"] == "Chatting"


@cases("operation", ["Leave", "LeaveAndComplete", "Complete"])
def test_an_owner_alone_ends_the_chat(held, ann, desk, operation):
    desk.does(held.row, operation, text="Good-bye")
    assert (fresh(held.row).state, fresh(held.row).close_reason) == ("closed", "done")
    assert held.state()["state"] == "Idle"
    assert "Good-bye" in [rest[-1] for rest in held.told()]
    assert desk.chats() == []
    shown = desk.chat(held.row)
    assert (shown["state"], "Complete" in shown["capabilities"]) == ("Completed", True)
    desk.does(held.row, "Complete")  # the usual second step changes nothing


def test_after_the_end_it_is_read_and_filed_and_nothing_is_said(acme, held, desk):
    Disposition.objects.create(center=acme.center, name="Sold")
    close_by_customer(held.row.participants.get(kind="customer"), now=timezone.now())
    for refused in ("SendMessage", "Transfer", "Invite", "Accept", "SendStartTypingNotification"):
        assert is_error(desk.do(held.row, refused, text="x", targetUri="bob"), 400, 2), refused
    desk.does(held.row, "SetDisposition", disposition="Sold")
    desk.does(held.row, "AttachUserData", userData={"ticket": 12})
    shown = desk.chat(held.row)
    assert (shown["disposition"], shown["userData"]) == ("Sold", {"order": 7, "ticket": 12})
    assert desk.texts(held.row) == []
    assert desk.messages(held.row)[-1]["type"] == "ParticipantLeft"


def test_who_was_gone_before_the_end_reads_nothing_of_it(held, ann, bob, desk):
    desk.does(held.row, "Transfer", targetUri=uri(bob))
    Program(bob).does(held.row, "Accept")
    close_by_agent(bob, held.row.pk, now=timezone.now())
    assert is_error(desk.get(f"me/chats/{held.row.pk}"), 404, 6)


def test_user_data_is_put_changed_and_taken_out(held, desk):
    desk.does(held.row, "AttachUserData", userData={"plan": "gold"})
    desk.does(held.row, "UpdateUserData", userData={"order": 8})
    assert fresh(held.row).data == {"order": 8, "plan": "gold"}
    desk.does(held.row, "DeleteUserData", keys=["plan", "nothing"])
    desk.does(held.row, "DeleteUserData", userData={"order": None})
    assert fresh(held.row).data == {}
    for wrong in ({}, {"userData": []}, {"userData": "x"}, {"userData": {"a": "x" * 20_000}}):
        code = 1 if not wrong else 10
        assert is_error(desk.do(held.row, "AttachUserData", **wrong), 400, code), wrong
    assert is_error(desk.do(held.row, "DeleteUserData", keys="plan"), 400, 10)


def test_a_disposition_is_one_of_the_list(acme, globex, held, desk):
    Disposition.objects.create(center=globex.center, name="Theirs")
    assert is_error(desk.do(held.row, "SetDisposition", disposition="Theirs"), 400, 10)
    assert is_error(desk.do(held.row, "SetDisposition"), 400, 1)
    own = Disposition.objects.create(center=acme.center, name="Done")
    desk.does(held.row, "SetDisposition", dispositionCode=str(own.pk))
    assert fresh(held.row).disposition == own


@cases("name", ["Consult", "SendUrl", "SendCustomNotice", "SendNicknameUpdatedNotice"])
def test_operations_that_the_product_knows_are_refused_with_a_word(held, desk, name):
    answer = desk.do(held.row, name, targetUri="bob")
    assert is_error(answer, 405, 10)
    assert answer.json()["statusMessage"] != "There is no such operation here."


ODD_BODIES = [
    (b"", 400), (b"null", 400), (b"[]", 400), (b"7", 400), (b"{", 400), (b"\xff", 400), (b"{}", 400),
    (b'{"operationName": null}', 400), (b'{"operationName": ""}', 400), (b'{"operationName": 7}', 405),
    (b'{"operationName": ["Accept"]}', 405), (b'{"operationName": "accept"}', 405),
    (b'{"operationName": "__class__"}', 405), (b'{"operationName": "SendMessage"}', 400),
    (b'{"operationName": "SendMessage", "text": ""}', 400), (b'{"operationName": "SendMessage", "text": null}', 400),
    (b'{"operationName": "SendMessage", "text": 7}', 400), (b'{"operationName": "SendMessage", "text": "\\u0000"}', 400),
    (b'{"operationName": "SendMessage", "text": "\\ud800"}', 400),
    (b'{"operationName": "Invite"}', 400), (b'{"operationName": "Invite", "targetUri": {}}', 400),
    (b'{"operationName": "Invite", "targetUri": "\\u0000"}', 400),
    (b'{"operationName": "SetDisposition", "disposition": []}', 400),
    (b'{"operationName": "AttachUserData", "userData": {"a": 1e999}}', 400),
]  # fmt: skip


@cases(("body", "status"), ODD_BODIES)
def test_odd_bodies_are_refused_and_change_nothing(held, desk, body, status):
    before = fresh(held.row).position
    answer = desk.call("POST", f"me/chats/{held.row.pk}", body)
    assert answer.status_code == status, answer.content
    assert set(answer.json()) == {"statusCode", "statusMessage"}
    assert fresh(held.row).position == before


def test_unknown_operations_of_the_agent_and_odd_methods(shop, desk):
    assert is_error(desk.post("me", {"operationName": "Dance"}), 405, 10)
    assert is_error(desk.call("DELETE", "me"), 405, 10)
    assert is_error(desk.call("PUT", "me/chats", {}), 405, 10)
    assert is_error(desk.get("me/devices"), 404, 6)


def test_browsers_of_allowed_pages_may_call(shop, desk):
    answer = desk.get("me", Origin=ORIGIN)
    assert (answer["Access-Control-Allow-Origin"], answer["Access-Control-Allow-Credentials"]) == (ORIGIN, "true")
    refused = desk.get("me", Origin="https://evil.example")
    assert is_error(refused, 403, 3)
    assert "Access-Control-Allow-Origin" not in refused
    preflight = Client().options(f"{BASE}me/chats", headers={"Origin": ORIGIN})
    assert preflight.status_code == 204
    assert "Authorization" in preflight["Access-Control-Allow-Headers"]


def test_a_full_agent_and_a_late_one_are_told_that_the_state_does_not_fit(acme, shop, ann, desk, now):
    chat = shop.request().row
    offer_chat(chat, ann, reason="test", now=now - timedelta(hours=1))
    assert is_error(desk.do(chat, "Accept"), 400, 2)
    cid = make_agent(acme, "Cid", capacity=1)
    make_held_chat(acme, cid, now)
    mine = make_held_chat(acme, ann, now).chat
    assert is_error(desk.do(mine, "Transfer", targetUri="cid"), 400, 2)
    assert fresh(mine).agent == ann


def test_slashes_at_the_end_are_welcome(held, desk):
    for path in ("me/", "me/chats/", f"me/chats/{held.row.pk}/", f"me/chats/{held.row.pk}/messages/"):
        assert desk.get(path).status_code == 200, path


def test_a_seat_that_was_taken_away_opens_nothing(held, ann, desk):
    Agent.objects.filter(pk=ann.pk).update(is_active=False)
    assert is_error(desk.get("me/chats"), 403, 3)
