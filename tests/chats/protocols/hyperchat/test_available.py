"""agents/available and agents/online: asked before a chat begins."""

import json
from datetime import timedelta

import pytest

from agents.models import Presence
from agents.seats import set_capacity
from contactcenter.models import RegistrationTeam, Team
from tests.cases import cases
from tests.chats.protocols.hyperchat.conftest import Hyper, is_error
from tests.conftest import online


@pytest.fixture
def there(ann, bob, now):
    """Ann answers rooms 1 and 2, Bob room 1; both are online."""
    return online(ann, now), online(bob, now)


def close(team: Team) -> None:
    Team.objects.filter(pk=team.pk).update(always_open=False)


def available(caller: Hyper, query: str = "roomIds=1") -> object:
    return caller.get(f"agents/available?{query}").json()["agents"]


def is_online(caller: Hyper, query: str = "roomId=1") -> object:
    return caller.get(f"agents/online?{query}").json()["agentsOnline"]


@pytest.mark.both
def test_who_could_take_a_chat_is_counted_by_room(direct, there):
    assert available(direct.page, "roomIds=1,2") == {"1": 2, "2": 1}
    assert is_online(direct.page) is True


@cases("who", ["page", "keyed", "server"])
def test_every_proof_suffices(direct, there, who):
    caller = getattr(direct, who)
    assert available(caller) == {"1": 2}
    assert is_online(caller) is True


def test_a_users_client_may_keep_sending_its_token(direct, there):
    assert available(direct.as_user(direct.user().token)) == {"1": 2}


def test_all_rooms_are_counted_when_none_is_named(direct, there):
    assert available(direct.page, "") == {"1": 2, "2": 1}
    assert available(direct.page, "roomIds=") == {"1": 2, "2": 1}


def test_trap_no_rooms_are_an_empty_object_and_no_list(direct):
    RegistrationTeam.objects.all().delete()
    answer = direct.page.get("agents/available")
    assert answer.content == b'{"agents":{}}'
    assert is_online(direct.page, "") is False


def test_an_unknown_room_has_nobody(direct, foreign, there):
    assert available(direct.page, "roomIds=9,1, ,x") == {"9": 0, "1": 2, "x": 0}
    assert is_online(direct.page, "roomId=9") is False


def test_another_centers_room_of_the_same_id_is_its_own(direct, foreign, there):
    assert available(foreign.page) == {"1": 0}
    assert is_online(foreign.page) is False


def test_nobody_is_there(direct, ann):
    assert available(direct.page) == {"1": 0}
    assert is_online(direct.page) is False


@pytest.mark.both
def test_who_has_no_free_slot_is_online_but_not_available(direct, there, ann, bob):
    set_capacity(ann, 1)
    set_capacity(bob, 1)
    direct.held_chat(ann)
    assert available(direct.page) == {"1": 1}
    direct.held_chat(bob)
    assert available(direct.page) == {"1": 0}
    assert is_online(direct.page) is True


def test_an_agent_of_capacity_zero_is_not_there_for_chats(direct, ann, now):
    online(ann, now)
    set_capacity(ann, 0)
    assert is_online(direct.page) is False


def test_who_is_away_takes_no_chats(direct, there):
    Presence.objects.update(status=Presence.Status.AWAY)
    assert available(direct.page) == {"1": 0}
    assert is_online(direct.page) is False


def test_whose_client_is_gone_is_not_there(direct, there, now):
    Presence.objects.update(lease_until=now - timedelta(seconds=1))
    assert available(direct.page) == {"1": 0}
    assert is_online(direct.page) is False


@pytest.mark.both
def test_outside_opening_hours_nobody_is_there(direct, there, acme):
    close(acme.support)
    assert available(direct.page, "roomIds=1,2") == {"1": 0, "2": 1}
    assert is_online(direct.page) is False
    assert is_online(direct.page, "roomId=2") is True
    assert is_online(direct.page, "") is True


def test_a_language_counts_those_who_speak_it(direct, ann, bob, now):
    for agent, languages in ((ann, ["de"]), (bob, ["en", "fr"])):
        agent.languages = languages
        agent.save()
        online(agent, now)
    assert available(direct.page, "roomIds=1&langs=de") == {"1": 1}
    assert available(direct.page, "roomIds=1&langs=de-AT") == {"1": 1}
    assert available(direct.page, "roomIds=1&langs=de,fr") == {"1": 2}
    assert available(direct.page, "roomIds=1&lang=fr") == {"1": 1}
    Presence.objects.filter(agent=bob).update(status=Presence.Status.OFFLINE)
    assert is_online(direct.page, "roomId=1&langs=fr") is False


def test_a_language_that_nobody_of_the_team_speaks_is_none(direct, ann, now):
    """As routing has it: the chat would wait for ever."""
    ann.languages = ["de"]
    ann.save()
    online(ann, now)
    assert available(direct.page, "roomIds=1&langs=sw") == {"1": 1}


@cases("path", ["agents/available", "agents/available/", "agents/online", "agents/online/"])
def test_both_ways_of_writing_the_address(direct, path):
    assert direct.page.get(path).status_code == 200


@cases("query", ["roomIds=" + ",".join(map(str, range(101))), "roomIds=" + "x" * 101, "langs=" + "y" * 101])
def test_lists_without_end_are_refused(direct, query):
    assert is_error(direct.page.get(f"agents/available?{query}"), 400)


def test_a_body_on_a_read_is_left_alone(direct, there):
    answer = direct.page.call("GET", "agents/available?roomIds=1", b"{broken")
    assert answer.json() == {"agents": {"1": 2}}


def test_writing_is_refused(direct):
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert is_error(direct.server.call(method, "agents/available", {}), 405)


def test_a_page_of_an_allowed_origin_may_read_it(direct, there):
    answer = direct.keyed.get("agents/available?roomIds=1")
    assert answer["Access-Control-Allow-Origin"] == "https://shop.example"


def test_a_page_of_another_origin_is_refused(direct):
    answer = direct.page.get("agents/available", Origin="https://evil.example")
    assert is_error(answer, 403)
    assert "Access-Control-Allow-Origin" not in answer


def test_unknown_applications_are_refused(direct):
    assert is_error(Hyper("nobody").get("agents/available"), 401)
    assert is_error(Hyper().get("agents/available"), 401)
    assert is_error(Hyper(direct.app_id, secret="wrong").get("agents/available"), 401)
    assert is_error(Hyper(direct.app_id, key="wrong").get("agents/online"), 401)


def test_ids_may_stand_in_the_query(direct, there):
    found = Hyper().get(f"agents/available?appId={direct.app_id}&roomIds=1")
    assert json.loads(found.content) == {"agents": {"1": 2}}


def test_an_inactive_team_has_nobody(direct, there, acme):
    Team.objects.filter(pk=acme.support.pk).update(is_active=False)
    assert available(direct.page) == {"1": 0}
