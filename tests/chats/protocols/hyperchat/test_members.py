"""Who is in a chat over HyperChat: users, join, leave."""

from uuid import uuid4

import pytest
from django.db import transaction

from chats.actions.guests import invite_guest, join_as_guest
from chats.actions.offer import offer_chat
from chats.models import Chat, Invitation, Occupation
from tests.cases import cases
from tests.chats.protocols.hyperchat.conftest import is_error
from tests.conftest import online

pytestmark = pytest.mark.django_db


def offered(place, agent, now):
    chat = Chat.objects.get(pk=place.chat().pk)
    with transaction.atomic():
        offer_chat(chat, agent, reason="test", now=now)
    return chat


def test_the_users_are_the_creator_and_the_agents(direct, ann, bob, now):
    user = direct.user("Mia")
    chat = direct.held_chat(online(ann, now), user.foreign)
    mia, agent = direct.server.get(f"chats/{chat.pk}/users").json()["users"]
    assert (mia["id"], mia["name"], mia["providerId"], mia["chats"]) == (
        str(chat.customer_id),
        "Mia",
        "",
        [str(chat.pk)],
    )
    assert (agent["id"], agent["nickname"], agent["chats"]) == (str(ann.pk), "Ann", [str(chat.pk)])
    assert agent["providerId"]
    assert ann.user.email not in direct.server.get(f"chats/{chat.pk}/users").content.decode()


def test_a_guest_whom_the_agent_invited_is_in_the_chat_and_leaves_it_to_the_agent(direct, ann, bob, now):
    chat = direct.held_chat(online(ann, now))
    invite_guest(ann, chat.pk, bob, now=now)
    join_as_guest(bob, chat.pk, now=now)
    users = direct.server.get(f"chats/{chat.pk}/users").json()["users"]
    assert {one["name"] for one in users[1:]} == {"Ann", "Bob"}
    assert direct.server.put(f"chats/{chat.pk}/leave", {"userId": str(bob.pk)}).json() == {"success": True}
    chat.refresh_from_db()
    assert chat.agent == ann


def test_while_a_chat_waits_its_creator_is_alone_in_it(direct):
    chat = direct.chat()
    assert len(direct.server.get(f"chats/{chat.pk}/users").json()["users"]) == 1


def test_after_the_end_all_who_were_there_are_told(direct, ann, bob, now):
    chat = direct.held_chat(online(ann, now))
    direct.server.put(f"chats/{chat.pk}/leave", {"userId": str(ann.pk)})
    direct.server.post(f"chats/{chat.pk}/join", {"userId": str(online(bob, now).pk)})

    def names():
        return [one["name"] for one in direct.server.get(f"chats/{chat.pk}/users").json()["users"][1:]]

    assert names() == ["Bob"]
    direct.server.delete(f"chats/{chat.pk}")
    assert names() == ["Ann", "Bob"]


@pytest.mark.both
def test_an_agent_joins_by_accepting_what_is_on_offer(direct, ann, now):
    chat = offered(direct, online(ann, now), now)
    assert direct.server.post(f"chats/{chat.pk}/join", {"userId": str(ann.pk)}).json() == {"success": True}
    chat.refresh_from_db()
    assert (chat.state, chat.agent) == (Chat.State.ACTIVE, ann)
    assert chat.invitations.get().state == Invitation.State.ACCEPTED


def test_an_agent_joins_by_taking_what_waits(direct, ann, now):
    chat = direct.chat()
    assert direct.as_agent(ann).post(f"chats/{chat.pk}/join").json() == {"success": True}
    assert chat.events.get(type="agent.joined").data["reason"] == "picked"


@pytest.mark.both
def test_joining_twice_is_harmless(direct, ann, now):
    chat = direct.held_chat(online(ann, now))
    assert direct.server.post(f"chats/{chat.pk}/join", {"userId": str(ann.pk)}).json() == {"success": True}
    assert chat.events.filter(type="agent.joined").count() == 1
    assert Occupation.objects.count() == 1


def test_a_chat_that_somebody_has_is_not_joined(direct, ann, bob, now):
    chat = direct.held_chat(online(ann, now))
    assert is_error(direct.server.post(f"chats/{chat.pk}/join", {"userId": str(online(bob, now).pk)}), 409)
    assert Chat.objects.get().agent == ann


def test_an_agent_with_no_free_slot_does_not_join(direct, bob, now):
    for _ in range(2):
        direct.held_chat(online(bob, now))
    chat = direct.chat()
    assert is_error(direct.server.post(f"chats/{chat.pk}/join", {"userId": str(bob.pk)}), 409)
    assert Chat.objects.get(pk=chat.pk).is_waiting


def test_an_agent_of_another_team_does_not_join(direct, bob, now):
    chat = direct.chat(room="2")
    assert is_error(direct.server.post(f"chats/{chat.pk}/join", {"userId": str(online(bob, now).pk)}), 403)


def test_the_customer_is_in_its_chat_anyway_and_in_no_other(direct):
    chat, other = direct.chat(), direct.chat()
    path = f"chats/{chat.pk}/join"
    assert direct.server.post(path, {"userId": str(chat.customer_id)}).json() == {"success": True}
    assert is_error(direct.server.post(path, {"userId": str(other.customer_id)}), 403)


@cases(("body", "status"), [({}, 400), ({"userId": ""}, 400), ({"userId": str(uuid4())}, 404), ({"userId": 5}, 404)])
def test_a_server_names_who_joins_and_who_leaves(direct, body, status):
    chat = direct.chat()
    assert is_error(direct.server.post(f"chats/{chat.pk}/join", body), status)
    assert is_error(direct.server.put(f"chats/{chat.pk}/leave", body), status)


def test_a_closed_chat_is_not_joined(direct, ann, now):
    chat = direct.chat()
    direct.server.delete(f"chats/{chat.pk}")
    assert is_error(direct.server.post(f"chats/{chat.pk}/join", {"userId": str(ann.pk)}), 409)


@pytest.mark.both
def test_an_agent_leaves_and_the_chat_waits_again(direct, ann, now):
    chat = direct.held_chat(online(ann, now))
    assert direct.server.put(f"chats/{chat.pk}/leave", {"userId": str(ann.pk)}).json() == {"success": True}
    chat.refresh_from_db()
    assert (chat.is_waiting, chat.agent) == (True, None)
    assert chat.events.get(type="agent.left").data["reason"] == "left"


def test_leaving_twice_is_harmless(direct, ann, now):
    chat = direct.held_chat(online(ann, now))
    for _ in range(2):
        assert direct.server.put(f"chats/{chat.pk}/leave", {"userId": str(ann.pk)}).json() == {"success": True}
    assert chat.events.filter(type="agent.left").count() == 1


def test_who_is_not_in_the_chat_does_not_leave_it(direct, ann, bob, now):
    chat = direct.held_chat(online(ann, now))
    assert is_error(direct.server.put(f"chats/{chat.pk}/leave", {"userId": str(bob.pk)}), 403)
    assert Chat.objects.get().agent == ann


@pytest.mark.both
def test_when_the_customer_leaves_the_chat_ends(direct):
    user = direct.user()
    chat = direct.chat(user.foreign)
    caller = direct.as_user(user.token)
    for _ in range(2):
        assert caller.put(f"chats/{chat.pk}/leave", {"userId": str(user.foreign.customer_id)}).json() == {
            "success": True
        }
    assert chat.events.get(type="chat.closed").data["by"] == "customer"


def test_a_token_moves_its_own_user_alone(direct, ann, bob, now):
    chat = direct.held_chat(online(ann, now))
    assert is_error(direct.as_agent(ann).put(f"chats/{chat.pk}/leave", {"userId": str(bob.pk)}), 403)
    waiting = direct.chat()
    assert is_error(direct.as_agent(ann).post(f"chats/{waiting.pk}/join", {"userId": str(bob.pk)}), 403)
