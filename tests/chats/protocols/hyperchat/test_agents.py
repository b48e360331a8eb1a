"""Agents as the application's server lists, makes and changes them."""

import pytest
from django.core import mail

from agents.models import Agent, Membership
from chats.protocols.hyperchat.callers import agent_token
from contactcenter.models import Application, AuditEntry, User
from tests.cases import cases
from tests.chats.protocols.hyperchat.conftest import is_error
from tests.conftest import make_agent, online


@pytest.fixture
def configuring(direct):
    """The application may change seats."""
    Application.objects.filter(pk=direct.registration.application_id).update(may_configure=True)
    return direct


def test_agents_of_the_rooms_are_listed_by_name(direct, ann, bob, gil, acme):
    make_agent(acme, "Zed", teams=[acme.sales])
    found = direct.server.get("agents/").json()["agents"]
    assert [agent["name"] for agent in found] == ["Ann", "Bob", "Zed"]
    one = direct.server.get("agents?roomId=2").json()["agents"]
    assert [agent["name"] for agent in one] == ["Ann", "Zed"]
    assert direct.server.get("agents?roomId=9").json() == {"agents": []}


@pytest.mark.both
def test_an_agent_is_shown_as_a_user_and_as_a_seat(direct, ann, now):
    online(ann, now)
    chat = direct.held_chat(ann)
    shown = direct.server.get(f"agents/{ann.pk}").json()["agent"]
    assert shown == {
        "id": str(ann.pk),
        "name": "Ann",
        "nickname": "Ann",
        "providerId": "contactcenter",
        "contact": "",
        "externalId": "",
        "extraInfo": {},
        "chats": [str(chat.pk)],
        "rooms": ["1", "2"],
        "languages": [],
        "capacity": 3,
        "used": 1,
        "status": "online",
        "active": True,
    }


def test_many_agents_are_listed_in_few_queries(direct, acme, django_assert_max_num_queries):
    for number in range(10):
        make_agent(acme, f"A{number}")
    with django_assert_max_num_queries(9):
        assert len(direct.server.get("agents").json()["agents"]) == 10


def test_neither_log_in_nor_address_is_shown(direct, ann):
    said = direct.server.get(f"agents/{ann.pk}").content.decode() + direct.server.get("agents").content.decode()
    assert "example.com" not in said


def test_agents_of_no_room_and_of_other_centers_are_not_found(direct, gil, acme):
    loner = make_agent(acme, "Loner", teams=[])
    Membership.objects.filter(agent=loner).delete()
    for agent in (gil, loner):
        assert is_error(direct.server.get(f"agents/{agent.pk}"), 404)


def test_only_the_server_sees_them(direct, ann):
    user = direct.user()
    for caller in (direct.page, direct.keyed, direct.as_user(user.token), direct.as_agent(ann)):
        assert is_error(caller.get("agents"), 403)
        assert is_error(caller.get(f"agents/{ann.pk}"), 403)
        assert is_error(caller.post("agents", {}), 403)


NEW = {"nickname": "Kim", "contact": "kim@example.com", "rooms": ["1", 2], "languages": "de, en", "slots": 4}


@pytest.mark.both
def test_a_seat_is_opened_and_its_person_gets_a_mail(configuring, acme, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        answer = configuring.server.post("agents/", NEW)
    shown = answer.json()["agent"]
    agent = Agent.objects.get(pk=shown["id"])
    assert (agent.center_id, agent.name, agent.capacity, agent.languages) == (acme.center.pk, "Kim", 4, ["de", "en"])
    assert agent.user.email == "kim@example.com"
    assert agent.role == Agent.Role.AGENT
    assert (shown["rooms"], shown["capacity"], shown["used"], shown["status"]) == (["1", "2"], 4, 0, "offline")
    assert [message.to for message in mail.outbox] == [["kim@example.com"]]
    entry = AuditEntry.objects.get(action="seat opened")
    assert entry.actor == "application direct"


def test_the_other_names_of_the_members_work_as_well(configuring):
    body = {"name": "Kim", "email": "kim@example.com", "roomIds": "1", "langs": ["fr"], "capacity": 0}
    shown = configuring.server.post("agents", body).json()["agent"]
    assert (shown["name"], shown["rooms"], shown["languages"], shown["capacity"]) == ("Kim", ["1"], ["fr"], 0)


def test_without_the_right_nothing_is_made_or_changed(direct, ann):
    assert is_error(direct.server.post("agents", NEW), 403)
    assert is_error(direct.server.put(f"agents/{ann.pk}", {"name": "Eve"}), 403)
    ann.refresh_from_db()
    assert ann.name == "Ann"
    assert not User.objects.filter(email="kim@example.com").exists()


def test_a_person_with_a_seat_gets_no_second_one(configuring, ann):
    assert is_error(configuring.server.post("agents", NEW | {"contact": "ann@example.com"}), 409)
    assert Agent.objects.count() == 1


@cases(
    "change",
    [
        {"nickname": None},
        {"nickname": "", "name": ""},
        {"contact": None},
        {"contact": "no address"},
        {"rooms": []},
        {"rooms": None},
        {"rooms": ["9"]},
        {"rooms": [{}]},
        {"rooms": [True]},
        {"rooms": {"a": 1}},
        {"slots": -1},
        {"slots": 51},
        {"slots": "many"},
        {"languages": ["??"]},
        {"languages": ["x" * 50]},
        {"active": "perhaps"},
    ],
)
def test_odd_seats_are_refused_and_nothing_is_made(configuring, change):
    assert is_error(configuring.server.post("agents", NEW | change), 400)
    assert not Agent.objects.exists()
    assert not User.objects.exists()


def test_what_is_named_changes_and_the_rest_stays(configuring, ann):
    shown = configuring.server.put(f"agents/{ann.pk}", {"name": "Ann B", "slots": 5}).json()["agent"]
    assert (shown["name"], shown["capacity"], shown["rooms"]) == ("Ann B", 5, ["1", "2"])
    assert configuring.server.put(f"agents/{ann.pk}", {"rooms": "2"}).json()["agent"]["rooms"] == ["2"]
    assert ann.slots.count() == 5


def test_memberships_of_teams_that_are_no_rooms_stay(configuring, ann, acme):
    configuring.registration.rooms.filter(foreign_id="2").delete()
    configuring.server.put(f"agents/{ann.pk}", {"rooms": []})
    assert set(ann.memberships.values_list("team__key", flat=True)) == {"sales"}


def test_a_seat_is_switched_off_and_on_and_its_tokens_end(configuring, ann, now):
    token = agent_token(configuring.registration, online(ann, now))
    assert configuring.as_user(token).get(f"users/{ann.pk}").status_code == 200
    assert configuring.server.put(f"agents/{ann.pk}", {"active": False}).json()["agent"]["active"] is False
    assert is_error(configuring.as_user(token).get(f"users/{ann.pk}"), 401)
    assert configuring.server.get("agents").json()["agents"] == []
    assert configuring.server.put(f"agents/{ann.pk}", {"active": True}).json()["agent"]["active"] is True
    assert is_error(configuring.as_user(token).get(f"users/{ann.pk}"), 401)


def test_administrators_seats_and_others_are_out_of_reach(configuring, acme, gil):
    boss = make_agent(acme, "Boss", role=Agent.Role.ADMIN)
    assert is_error(configuring.server.put(f"agents/{boss.pk}", {"name": "Eve"}), 403)
    assert is_error(configuring.server.put(f"agents/{gil.pk}", {"name": "Eve"}), 404)
    for agent in (boss, gil):
        agent.refresh_from_db()
        assert agent.name != "Eve"


@cases("body", [b"[]", b"null", b"{", b'"x"', b"\xff", b'{"name": "\\u0000"}'])
def test_odd_bodies_change_nothing(configuring, ann, body):
    assert is_error(configuring.server.call("PUT", f"agents/{ann.pk}", body), 400)
    ann.refresh_from_db()
    assert ann.name == "Ann"


def test_the_role_of_a_seat_is_not_the_applications_to_give(configuring, ann):
    configuring.server.put(f"agents/{ann.pk}", {"role": "admin", "name": "Ann"})
    ann.refresh_from_db()
    assert ann.role == Agent.Role.AGENT
