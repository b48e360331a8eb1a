"""Agents' clients log in and out."""

from datetime import timedelta

import pytest
from django.core import signing

from agents.models import Agent, Membership, Presence
from chats.models import Queue
from chats.protocols.hyperchat.callers import AGENT_SIGNER, AGENT_TOKEN_SECONDS, agent_token
from contactcenter.accounts import end_sessions
from contactcenter.models import ApplicationPassword
from tests.cases import cases
from tests.chats.protocols.hyperchat.conftest import Place, is_error
from tests.conftest import make_agent, online


def login(place: Place, agent: Agent, **change: object):
    secret = ApplicationPassword.issue(agent.user, "desk")[1]
    return place.page.post("agents/login", {"username": agent.user.username, "password": secret, **change})


def presence(agent: Agent) -> Presence:
    return Presence.objects.get(agent=agent)


@pytest.mark.both
def test_who_logs_in_is_online_with_a_lease_and_a_token(direct, ann, now):
    answer = login(direct, ann)
    said = answer.json()
    assert set(said) == {"user", "session"}
    assert (said["user"]["id"], said["user"]["providerId"], said["user"]["chats"]) == (str(ann.pk), "contactcenter", [])
    assert presence(ann).is_available(now + timedelta(seconds=20))
    own = direct.as_user(said["session"]["token"]).get(f"users/{ann.pk}")
    assert own.json()["user"] == said["user"]


@cases("proof", ["keyed", "server"])
def test_domain_key_and_secret_log_agents_in_too(direct, ann, proof):
    secret = ApplicationPassword.issue(ann.user, "desk")[1]
    body = {"username": "ann", "password": secret}
    assert getattr(direct, proof).post("agents/login/", body).status_code == 200


@cases("name", ["email", "contact"])
def test_the_address_will_do_for_the_name(direct, ann, name):
    assert login(direct, ann, username=None, **{name: "Ann@Example.com"}).status_code == 200


@pytest.mark.both
def test_the_persons_own_password_is_never_taken(direct, ann):
    assert is_error(login(direct, ann, password="correct horse"), 401)
    assert presence(ann).status == Presence.Status.OFFLINE


@cases(
    "change",
    [{"username": "bob"}, {"username": "ANN"}, {"password": "ap_wrong"}, {"username": None, "email": "x@example.com"}],
)
def test_wrong_credentials_change_nothing(direct, ann, bob, change):
    assert is_error(login(direct, ann, **change), 401)
    assert presence(ann).status == Presence.Status.OFFLINE


@cases(
    "change",
    [
        {"username": None},
        {"username": []},
        {"password": ""},
        {"password": None},
        {"password": {}},
        {"password": "x" * 501},
    ],
)
def test_odd_credentials_are_refused(direct, ann, change):
    assert is_error(login(direct, ann, **change), 400)


def test_who_guesses_is_slowed_down_but_who_knows_is_not(direct, ann):
    answers = [login(direct, ann, password=f"ap_{number}").status_code for number in range(25)]
    assert answers[0] == 401
    assert answers[-1] == 429
    assert login(direct, ann).status_code == 200


def test_who_answers_no_room_of_the_application_is_refused(direct, acme, gil):
    stranger = make_agent(acme, "Stranger")
    Membership.objects.filter(agent=stranger).delete()
    for agent in (stranger, gil):
        assert is_error(login(direct, agent), 403)
        assert presence(agent).status == Presence.Status.OFFLINE


def test_a_person_without_a_seat_is_refused(direct, eve):
    secret = ApplicationPassword.issue(eve, "desk")[1]
    assert is_error(direct.page.post("agents/login", {"username": "eve", "password": secret}), 403)


def test_a_seat_that_is_switched_off_is_refused(direct, ann):
    Agent.objects.update(is_active=False)
    assert is_error(login(direct, ann), 403)


@pytest.mark.both
def test_who_logs_out_is_offline_and_the_token_is_worth_nothing(direct, ann):
    token = login(direct, ann).json()["session"]["token"]
    assert direct.as_user(token).post("agents/logout").json() == {"success": True}
    assert presence(ann).status == Presence.Status.OFFLINE
    assert is_error(direct.as_user(token).get(f"users/{ann.pk}"), 401)


@cases("name", ["agentId", "userId", "id"])
def test_the_server_logs_an_agent_out(direct, ann, now, name):
    online(ann, now)
    answer = direct.server.post("agents/logout", {name: str(ann.pk), "roomIds": ["1"]})
    assert answer.json() == {"success": True}
    assert presence(ann).status == Presence.Status.OFFLINE
    assert direct.server.put("agents/logout/", {name: str(ann.pk)}).status_code == 200


def test_nobody_logs_out_another_agent(direct, ann, bob, gil, now):
    online(bob, now)
    online(gil, now)
    assert is_error(direct.as_agent(ann).post("agents/logout", {"agentId": str(bob.pk)}), 403)
    assert is_error(direct.server.post("agents/logout", {"agentId": str(gil.pk)}), 404)
    assert is_error(direct.server.post("agents/logout"), 400)
    assert is_error(direct.page.post("agents/logout", {"agentId": str(bob.pk)}), 403)
    assert {presence(agent).status for agent in (bob, gil)} == {Presence.Status.ONLINE}


def test_customers_do_not_log_out(direct):
    user = direct.user()
    assert is_error(direct.as_user(user.token).post("agents/logout"), 404)
    assert is_error(direct.server.post("agents/logout", {"userId": str(user.foreign.customer_id)}), 404)


@pytest.mark.both
def test_an_agents_client_that_asks_is_there(direct, ann, now):
    token = agent_token(direct.registration, online(ann, now, seconds=1))
    direct.as_user(token).get(f"users/{ann.pk}")
    assert presence(ann).is_available(now + timedelta(seconds=20))


def test_who_was_thought_to_be_gone_is_offered_chats_again(direct, ann, now):
    token = agent_token(direct.registration, online(ann, now, seconds=-60))
    Queue.objects.update(routing_due_at=None)
    direct.as_user(token).get(f"users/{ann.pk}")
    assert presence(ann).is_available(now)
    assert set(Queue.objects.exclude(routing_due_at=None).values_list("team__key", flat=True)) == {"support", "sales"}


def test_who_is_away_stays_away_and_there(direct, ann, now):
    token = agent_token(direct.registration, online(ann, now, seconds=1))
    Presence.objects.update(status=Presence.Status.AWAY)
    assert direct.as_user(token).get(f"users/{ann.pk}").status_code == 200
    assert presence(ann).status == Presence.Status.AWAY
    assert presence(ann).is_leased(now + timedelta(seconds=20))


@cases("end", ["sessions", "seat", "person", "time"])
def test_a_token_ends_with_the_persons_sessions_the_seat_and_time(direct, ann, now, end, monkeypatch):
    token = agent_token(direct.registration, online(ann, now))
    match end:
        case "sessions":
            end_sessions(ann.user)
        case "seat":
            Agent.objects.update(is_active=False)
        case "person":
            ann.user.is_active = False
            ann.user.save()
        case "time":
            monkeypatch.setattr("chats.protocols.hyperchat.callers.AGENT_TOKEN_SECONDS", -1)
    assert AGENT_TOKEN_SECONDS > 0
    assert is_error(direct.as_user(token).get(f"users/{ann.pk}"), 401)


def test_a_token_of_another_application_or_key_proves_nothing(direct, queued, ann, now):
    online(ann, now)
    said = [str(direct.registration.pk), str(ann.pk), ann.user.session_version]
    for token in (
        agent_token(queued.registration, ann),
        signing.dumps(said, salt="another"),
        signing.dumps(said, key="another key of at least some length", salt=AGENT_SIGNER),
        "a:b:c",
        ":",
        "x" * 600,
    ):
        assert is_error(direct.as_user(token).get(f"users/{ann.pk}"), 401)


@pytest.mark.both
def test_a_token_ends_when_its_agent_answers_no_room_any_more(direct, ann, now):
    client = direct.as_agent(ann)
    assert client.get(f"users/{ann.pk}").status_code == 200
    Membership.objects.filter(agent=ann, team__in=[direct.team, direct.second]).delete()
    assert is_error(client.get(f"users/{ann.pk}"), 401)


def test_a_token_ends_when_the_agents_rooms_are_taken_from_the_application(direct, ann):
    client = direct.as_agent(ann)
    direct.registration.rooms.all().delete()
    assert is_error(client.get(f"users/{ann.pk}"), 401)
