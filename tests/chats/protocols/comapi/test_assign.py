"""Whose a chat is: a team's, which finds somebody, or at once one agent's of it."""

import pytest
from django.utils import timezone

from chats.actions.offer import offer_chat
from chats.models import Chat, Event, Occupation
from tests.cases import cases
from tests.conftest import make_agent, online

from .conftest import TEAM

pytestmark = pytest.mark.django_db

ANN, BOB = "PLATFORMUSER\\ann@example.com", "PLATFORMUSER\\bob@example.com"


def log(chat_id):
    return list(Event.objects.filter(chat=chat_id).order_by("position").values_list("type", flat=True))


def test_a_team_takes_over_and_the_first_one_is_remembered(space, acme, ann):
    chat_id = space.chat()["id"]
    space.held(chat_id, ann)
    answer = space.put(f"chats/{chat_id}/assign", {"teamId": "sales"})
    shown = answer.json()
    assert (answer.status_code, shown["teamId"], shown["originalTeamId"]) == (200, "sales", TEAM)
    assert shown["participants"] == [{"id": "mia", "role": "participant"}]
    assert shown["_updatedBy"] == f"access:{space.application.pk}"
    assert space.row_of(chat_id).state == Chat.State.QUEUED
    assert Occupation.objects.count() == 0
    assert space.get(f"chats/{chat_id}")["ETag"] == answer["ETag"]


def test_a_chat_that_waits_there_keeps_its_place(space):
    answer = space.post(
        "chats", {"name": "x", "teamId": TEAM, "channelId": "appMessaging", "participants": [{"id": "mia"}]}
    )
    chat_id = answer.json()["id"]
    before = log(chat_id)
    again = space.basic.put(f"chats/{chat_id}/assign", {"teamId": "support"})  # its own key is another name of it
    assert failures(again) == ["teamId"]
    again = space.basic.put(f"chats/{chat_id}/assign", {"teamId": TEAM, "agentId": None})
    assert (again.status_code, again["ETag"], log(chat_id)) == (200, answer["ETag"], before)


def test_an_agent_gets_it_at_once_and_swaps_with_the_present_one(space, ann, bob, now):
    chat_id = space.chat()["id"]
    shown = space.put(f"chats/{chat_id}/assign", {"teamId": TEAM, "agentId": ANN}).json()
    assert shown["participants"] == [{"id": "mia", "role": "participant"}, {"id": ANN, "role": "agent"}]
    swapped = space.put(f"chats/{chat_id}/assign", {"teamId": TEAM, "agentId": BOB})
    assert space.get(f"chats/{chat_id}/participants").json() == [
        {"id": "mia", "role": "participant"},
        {"id": BOB, "role": "agent"},
    ]
    assert (space.row_of(chat_id).agent, Occupation.objects.get().agent) == (bob, bob)
    before = log(chat_id)
    same = space.put(f"chats/{chat_id}/assign", {"teamId": TEAM, "agentId": "bob@example.com"})
    assert (same.status_code, same["ETag"], log(chat_id)) == (200, swapped["ETag"], before)
    assert space.row_of(chat_id).participants.joined().count() == 2


def test_an_agent_takes_a_chat_along_into_another_team(space, acme, ann):
    chat_id = space.chat()["id"]
    space.held(chat_id, ann)
    shown = space.put(f"chats/{chat_id}/assign", {"teamId": "sales", "agentId": ANN}).json()
    assert (shown["teamId"], shown["participants"][1]["id"]) == ("sales", ANN)
    chat = space.row_of(chat_id)
    assert (chat.team, chat.agent, chat.state) == (acme.sales, ann, Chat.State.ACTIVE)
    assert log(chat_id)[-3:] == ["agent.left", "chat.transferred", "agent.joined"]
    moved = chat.events.get(type="chat.transferred").data
    assert moved == {"team": str(acme.sales.pk), "team_name": "Sales", "agent": str(ann.pk)}


def test_who_is_full_gets_nothing_and_who_has_it_keeps_it(space, acme, ann):
    fay = make_agent(acme, "Fay", capacity=1)
    space.held(space.chat("leo")["id"], fay)
    chat_id = space.chat()["id"]
    space.held(chat_id, ann)
    answer = space.put(f"chats/{chat_id}/assign", {"teamId": TEAM, "agentId": "fay@example.com"})
    assert (answer.status_code, set(answer.json())) == (409, {"message"})
    assert space.row_of(chat_id).agent == ann
    assert log(chat_id)[-1] == "agent.joined"


def test_an_offer_to_another_is_withdrawn(space, ann, bob, now):
    chat_id = space.chat()["id"]
    offer_chat(space.row_of(chat_id), online(bob, now), reason="test", now=timezone.now())
    assert space.put(f"chats/{chat_id}/assign", {"teamId": TEAM, "agentId": ANN}).status_code == 200
    assert space.row_of(chat_id).invitations.get().state == "withdrawn"
    assert Occupation.objects.get().agent == ann


@cases(
    "body, wrong",
    [
        ({}, ["teamId"]),
        ({"agentId": ANN}, ["teamId"]),
        ({"teamId": None}, ["teamId"]),
        ({"teamId": ["x"]}, ["teamId"]),
        ({"teamId": "Nobody"}, ["teamId"]),
        ({"teamId": TEAM, "agentId": "nobody@example.com"}, ["agentId"]),
        ({"teamId": TEAM, "agentId": {"id": 1}}, ["agentId"]),
        ({"teamId": TEAM, "agentId": "x" * 251}, ["agentId"]),
        ({"teamId": "sales", "agentId": BOB}, ["agentId"]),
        ({"teamId": TEAM, "agentId": "mia"}, ["agentId"]),
    ],
)
def test_odd_wishes_change_nothing(space, ann, bob, body, wrong):
    chat_id = space.chat()["id"]
    space.held(chat_id, ann)
    before = log(chat_id)
    assert failures(space.put(f"chats/{chat_id}/assign", body)) == wrong
    assert log(chat_id) == before


def test_a_chat_that_has_ended_is_nobodys_to_give(space, ann):
    chat_id = space.chat()["id"]
    space.put(f"chats/{chat_id}/close")
    for body in ({"teamId": TEAM}, {"teamId": TEAM, "agentId": ANN}):
        assert space.put(f"chats/{chat_id}/assign", body).status_code == 409


def failures(answer):
    assert answer.status_code == 400, answer.content
    return [one["paramName"] for one in answer.json()["validationFailures"]]
