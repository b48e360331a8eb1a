"""Inbound rules as a program keeps them."""

from typing import Any

import pytest

from chats.actions.receive import Inbound, receive
from chats.models import InboundRule
from contactcenter.models import ApplicationTeam
from tests.cases import cases
from tests.chats.carriers.test_ways import channel_of

from .conftest import TEAM

pytestmark = pytest.mark.django_db
PATH = "automation/inboundrules"
START: dict[str, Any] = {"channel": "sms", "inbound": "*", "keyword": "help, Hilfe", "action": "startChat"}
START |= {"actionData": {"chatTeamId": TEAM}}
REPLY = {"channel": "email", "action": "replyMessage", "actionData": {"messageParts": [{"data": "Thank you."}]}}
NOTE: dict[str, Any] = {"channel": "whatsApp", "action": "profileUpdate"}
NOTE |= {"actionData": {"profileUpdate": [{"propertyName": "plan", "propertyValue": "gold"}]}}


def test_a_rule_is_made_read_replaced_and_deleted(space: Any) -> None:
    made = space.post(PATH, {**START, "id": "ignored", "unknown": [1]})
    assert made.status_code == 200, made.content
    shown = made.json()
    assert {name: shown[name] for name in START} == START
    assert shown["_createdBy"] == shown["_updatedBy"] == f"access:{space.application.pk}"
    assert made["ETag"]
    assert made["Last-Modified"] == shown["_updatedOn"]
    one = f"{PATH}/{shown['id']}"
    assert space.get(one).json() == shown == space.basic.get(one).json()
    assert space.get(one)["ETag"] == made["ETag"]
    changed = space.put(one, REPLY)
    assert changed.status_code == 200, changed.content
    assert changed.json()["actionData"] == REPLY["actionData"]
    assert (changed.json()["inbound"], changed.json()["keyword"]) == ("*", "")
    assert changed["ETag"] != made["ETag"]
    assert space.delete(one).status_code == 204
    assert [space.get(one).status_code, space.put(one, REPLY).status_code, space.delete(one).status_code] == [404] * 3


def test_rules_are_listed_the_oldest_first(space: Any) -> None:
    ids = [space.post(PATH, body).json()["id"] for body in (START, REPLY, NOTE)]
    assert [rule["id"] for rule in space.get(PATH).json()] == ids


def test_who_has_read_another_state_is_refused(space: Any) -> None:
    made = space.post(PATH, START)
    one = f"{PATH}/{made.json()['id']}"
    assert space.put(one, REPLY, headers={"If-Match": made["ETag"]}).status_code == 200
    assert space.put(one, START, headers={"If-Match": made["ETag"]}).status_code == 412
    assert space.delete(one, headers={"If-Match": made["ETag"]}).status_code == 412
    assert space.delete(one, headers={"If-Match": space.get(one)["ETag"]}).status_code == 204


@cases(
    "param, body",
    [
        ("channel", {**START, "channel": "fax"}),
        ("channel", {"action": "startChat"}),
        ("action", {**START, "action": "dance"}),
        ("actionData.chatTeamId", {**START, "actionData": {}}),
        ("actionData.chatTeamId", {**START, "actionData": None}),
        ("actionData.chatTeamId", {**START, "actionData": {"chatTeamId": "nobody"}}),
        ("actionData.messageParts", {**REPLY, "actionData": {"messageParts": [{"type": "image/png", "data": "AA"}]}}),
        ("actionData.messageParts.0.data", {**REPLY, "actionData": {"messageParts": [{"data": {"a": 1}}]}}),
        ("actionData.messageParts.0.data", {**REPLY, "actionData": {"messageParts": [{"data": "x" * 10_001}]}}),
        ("actionData.profileUpdate", {**NOTE, "actionData": {"profileUpdate": []}}),
        (
            "actionData.profileUpdate.0.propertyValue",
            {**NOTE, "actionData": {"profileUpdate": [{"propertyName": "a", "propertyValue": [1]}]}},
        ),
        ("keyword", {**START, "keyword": "x" * 501}),
        ("inbound", {**START, "inbound": ["*"]}),
        ("actionData", {**START, "actionData": "startChat"}),
        ("body", []),
    ],
)
def test_what_no_rule_can_be_is_told_by_its_name(space: Any, param: str, body: Any) -> None:
    made = space.post(PATH, START).json()
    for answer in (space.post(PATH, body), space.put(f"{PATH}/{made['id']}", body)):
        assert answer.status_code == 400, answer.content
        assert param in [one["paramName"] for one in answer.json()["validationFailures"]], answer.content
    assert InboundRule.objects.count() == 1


@cases("body", [b"{", b'{"channel": "sms\\u0000"}', b'{"keyword": "\\ud800"}', b"[" * 100_000])
def test_what_is_no_json_is_refused(space: Any, body: bytes) -> None:
    assert space.post(PATH, body).status_code == 400


def test_another_spaces_rules_are_not_there_and_those_made_by_hand_are(space: Any, other: Any) -> None:
    theirs = other.post(PATH, START).json()["id"]
    InboundRule.objects.create(center=other.center, channel="sms", action="startChat")
    by_hand = InboundRule.objects.create(center=space.center, channel="sms", action="startChat")
    assert [rule["id"] for rule in space.get(PATH).json()] == [str(by_hand.pk)]
    for call in (space.get, space.delete, lambda path: space.put(path, START)):
        assert call(f"{PATH}/{theirs}").status_code == 404
    assert space.get(f"{PATH}/nonsense").status_code == 404
    assert (
        space.post(PATH, {**START, "actionData": {"chatTeamId": str(other.center.teams.first().pk)}}).status_code == 400
    )


def test_apps_and_applications_of_some_teams_make_none(space: Any, acme: Any) -> None:
    made = space.post(PATH, START).json()["id"]
    app = space.app()
    assert [app.get(PATH).status_code, app.post(PATH, START).status_code] == [403, 403]
    ApplicationTeam.objects.create(center=space.center, application=space.application, team=acme.support)
    assert space.get(PATH).status_code == 200
    one = f"{PATH}/{made}"
    refused = [space.post(PATH, START), space.put(one, START), space.delete(one)]
    assert [answer.status_code for answer in refused] == [403] * 3


def test_a_message_that_comes_in_follows_them(space: Any, acme: Any, now: Any) -> None:
    sms = channel_of(acme.center, "sms", "twilio", "+15550001", acme.sales)
    space.post(PATH, START)
    space.post(PATH, {**REPLY, "channel": "sms"})
    chat = receive(sms, Inbound(external_id="1", address="+491511", text="Bitte Hilfe"), now=now).chat
    assert chat is not None
    assert chat.team == acme.support
    assert chat.events.filter(text="Thank you.").exists()
