"""Chats offered to agents by hand, accepted and rejected."""

from datetime import timedelta

import pytest

from agents.models import Agent
from agents.seats import set_capacity
from chats.models import Chat, Event, Invitation, Occupation
from tests.cases import cases
from tests.chats.protocols.hyperchat.conftest import Place, is_error
from tests.conftest import make_chat, online


@pytest.fixture
def there(ann, bob, now):
    return online(ann, now), online(bob, now)


def invite(place: Place, chat: Chat, agent: Agent):
    return place.server.post("invitations/", {"chatId": str(chat.pk), "userId": str(agent.pk)})


def state(chat: Chat) -> str:
    return str(Chat.objects.get(pk=chat.pk).state)


@pytest.mark.both
def test_a_waiting_chat_is_offered_to_the_agent_named(direct, there, ann):
    chat = direct.chat()
    shown = invite(direct, chat, ann).json()["invitation"]
    invitation = Invitation.objects.get()
    assert shown == {
        "id": str(invitation.pk),
        "chatId": str(chat.pk),
        "userId": str(ann.pk),
        "status": "pending",
        "expires": int(invitation.expires_at.timestamp()),
    }
    assert Occupation.objects.get(chat=chat).agent_id == ann.pk
    assert invitation.reason == "invited"


def test_inviting_twice_is_harmless(direct, there, ann):
    chat = direct.chat()
    assert invite(direct, chat, ann).json() == invite(direct, chat, ann).json()
    assert Invitation.objects.count() == 1


def test_another_invitation_takes_the_offer_along(direct, there, ann, bob):
    chat = direct.chat()
    invite(direct, chat, ann)
    invite(direct, chat, bob)
    assert dict(Invitation.objects.values_list("agent__name", "state")) == {"Ann": "withdrawn", "Bob": "pending"}
    assert Occupation.objects.get(chat=chat).agent_id == bob.pk
    types = list(chat.events.order_by("position").values_list("type", flat=True))
    assert types[-3:] == ["invitation.offered", "invitation.withdrawn", "invitation.offered"]


@pytest.mark.both
def test_a_full_agent_is_409_and_nothing_changes(direct, there, bob):
    set_capacity(bob, 1)
    direct.held_chat(bob)
    chat = direct.chat()
    assert is_error(invite(direct, chat, bob), 409)
    assert not chat.invitations.exists()
    assert state(chat) == Chat.State.SEARCHING


def test_who_is_not_there_is_not_invited(direct, ann):
    assert is_error(invite(direct, direct.chat(), ann), 409)
    assert not Invitation.objects.exists()


def test_a_chat_that_has_an_agent_or_ended_is_offered_to_nobody(direct, there, ann, bob):
    chat = direct.held_chat(ann)
    assert is_error(invite(direct, chat, bob), 409)
    direct.server.delete(f"chats/{chat.pk}")
    assert is_error(invite(direct, chat, bob), 409)


@pytest.mark.both
def test_the_agent_accepts_with_its_token(direct, there, ann):
    chat = direct.chat()
    invite(direct, chat, ann)
    answer = direct.as_agent(ann).post("invitations/accept", {"chatId": str(chat.pk)})
    assert answer.json()["invitation"]["status"] == "accepted"
    assert (state(chat), Chat.objects.get(pk=chat.pk).agent_id) == (Chat.State.ACTIVE, ann.pk)


@cases("method", ["POST", "PUT"])
def test_the_server_accepts_in_the_agents_name(direct, there, ann, method):
    chat = direct.chat()
    invite(direct, chat, ann)
    body = {"chatId": str(chat.pk), "userId": str(ann.pk)}
    assert direct.server.call(method, "invitations/accept/", body).json()["invitation"]["status"] == "accepted"
    again = direct.server.call(method, "invitations/accept", body)
    assert again.json()["invitation"]["status"] == "accepted"
    assert Event.objects.filter(chat=chat, type="invitation.accepted").count() == 1


def test_an_invitation_is_found_by_its_own_id(direct, there, ann):
    chat = direct.chat()
    invitation = invite(direct, chat, ann).json()["invitation"]
    answer = direct.server.post("invitations/reject", {"invitationId": invitation["id"]})
    assert answer.json()["invitation"] == invitation | {"status": "rejected"}


@pytest.mark.both
def test_a_rejected_chat_waits_again(direct, there, ann):
    chat = direct.chat()
    invite(direct, chat, ann)
    answer = direct.as_agent(ann).post("invitations/reject", {"chatId": str(chat.pk), "userId": str(ann.pk)})
    assert answer.json()["invitation"]["status"] == "rejected"
    assert not Occupation.objects.filter(chat=chat).exists()
    assert state(chat) == Chat.State.SEARCHING
    repeated = direct.as_agent(ann).post("invitations/reject", {"chatId": str(chat.pk)})
    assert repeated.status_code == 200


def test_who_comes_too_late_is_told(direct, there, ann, now):
    chat = direct.chat()
    invite(direct, chat, ann)
    Invitation.objects.update(expires_at=now - timedelta(seconds=1))
    assert is_error(direct.as_agent(ann).post("invitations/accept", {"chatId": str(chat.pk)}), 409)
    Invitation.objects.update(state=Invitation.State.EXPIRED)
    assert is_error(direct.as_agent(ann).post("invitations/reject", {"chatId": str(chat.pk)}), 409)


def test_agents_answer_their_own_invitations_alone(direct, there, ann, bob):
    chat = direct.chat()
    invitation = invite(direct, chat, ann).json()["invitation"]
    caller = direct.as_agent(bob)
    assert is_error(caller.post("invitations/accept", {"chatId": str(chat.pk)}), 404)
    assert is_error(caller.post("invitations/accept", {"invitationId": invitation["id"]}), 404)
    assert is_error(caller.post("invitations/accept", {"chatId": str(chat.pk), "userId": str(ann.pk)}), 403)
    assert Invitation.objects.get().state == Invitation.State.PENDING


def test_customers_answer_none(direct, there, ann):
    user = direct.user()
    chat = direct.chat(user.foreign)
    invitation = invite(direct, chat, ann).json()["invitation"]
    for body in ({"chatId": str(chat.pk)}, {"invitationId": invitation["id"]}):
        assert is_error(direct.as_user(user.token).post("invitations/accept", body), 403)
    assert is_error(
        direct.server.post("invitations/accept", {"chatId": str(chat.pk), "userId": str(user.foreign.customer_id)}), 403
    )
    assert Invitation.objects.get().state == Invitation.State.PENDING


def test_only_the_server_invites(direct, there, ann):
    user = direct.user()
    chat = direct.chat(user.foreign)
    body = {"chatId": str(chat.pk), "userId": str(ann.pk)}
    for caller in (direct.page, direct.keyed, direct.as_user(user.token), direct.as_agent(ann)):
        assert is_error(caller.post("invitations", body), 403)
    assert not Invitation.objects.exists()


def test_chats_and_agents_of_others_are_not_found(direct, queued, foreign, acme, there, ann, gil, now):
    online(gil, now)
    web = make_chat(acme, now).chat
    for chat in (queued.chat(), foreign.chat(), web):
        assert is_error(invite(direct, chat, ann), 404)
        assert is_error(direct.server.post("invitations/accept", {"chatId": str(chat.pk), "userId": str(ann.pk)}), 404)
    assert is_error(invite(direct, direct.chat(), gil), 404)
    other = invite(queued, queued.chat(), ann).json()["invitation"]
    for word in ("accept", "reject"):
        assert is_error(direct.server.post(f"invitations/{word}", {"id": other["id"]}), 404)
    assert Invitation.objects.get().state == Invitation.State.PENDING


@cases(
    ("body", "status"),
    [
        ({}, 400),
        ({"chatId": ""}, 400),
        ({"chatId": "1"}, 400),
        ({"chatId": "1", "userId": "2"}, 404),
        ({"chatId": [], "userId": "2"}, 400),
        ({"chatId": {"a": 1}}, 400),
        ({"invitationId": "x"}, 404),
        ({"invitationId": "x" * 101}, 400),
        ({"invitationId": None, "chatId": None}, 400),
        ([], 400),
        ("accept", 400),
        (3, 400),
    ],
)
@cases("word", ["accept", "reject"])
def test_odd_answers_are_refused(direct, body, status, word):
    assert is_error(direct.server.post(f"invitations/{word}", body), status)


@cases("body", [{}, {"chatId": "x"}, {"userId": None, "chatId": 7}])
def test_odd_invitations_are_not_found(direct, body):
    assert is_error(direct.server.post("invitations", body), 404)
