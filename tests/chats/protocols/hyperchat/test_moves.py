"""Finding an agent over HyperChat: assign and toinbox."""

from datetime import timedelta

import pytest

from agents.models import Presence
from chats.actions.offer import decline_invitation, expire_invitation
from chats.models import Chat, Invitation, Occupation, Search
from chats.protocols.hyperchat.moves import ALGORITHMS
from chats.routing.search import continue_search
from contactcenter.models import Team
from tests.cases import cases
from tests.chats.protocols.hyperchat.conftest import is_error
from tests.conftest import make_agent, online

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(ann, bob, now):
    """Ann has three free slots, Bob two."""
    return online(ann, now), online(bob, now)


@pytest.mark.both
def test_assign_answers_with_the_agent_that_has_the_most_free_slots(direct, team):
    chat = direct.chat()
    ann = team[0]
    assert direct.server.get(f"chats/{chat.pk}/assign").json() == {
        "agent": {"id": str(ann.pk), "name": "Ann", "nickname": "Ann", "providerId": "contactcenter"}
    }
    offer = chat.invitations.get()
    assert (offer.agent, offer.state) == (ann, Invitation.State.PENDING)


def test_assign_once_more_answers_with_the_same_agent(direct, team):
    chat = direct.chat()
    first = direct.server.get(f"chats/{chat.pk}/assign").json()
    assert direct.server.get(f"chats/{chat.pk}/assign/").json() == first
    assert chat.invitations.count() == 1


@pytest.mark.both
def test_with_nobody_there_the_agent_is_null_and_the_search_has_failed(direct, ann):
    chat = direct.chat()
    assert direct.server.get(f"chats/{chat.pk}/assign").json() == {"agent": None}
    assert chat.events.filter(type="search.failed").count() == 1
    assert direct.server.get(f"chats/{chat.pk}").json()["chat"]["status"] == "waiting"


def test_after_nobody_was_found_the_search_may_begin_again(direct, ann, now):
    chat = direct.chat()
    direct.server.get(f"chats/{chat.pk}/assign")
    online(ann, now)
    assert direct.server.get(f"chats/{chat.pk}/assign").json()["agent"]["id"] == str(ann.pk)


def test_who_declines_is_followed_by_the_next(direct, team, now):
    ann, bob = team
    chat = direct.chat()
    direct.server.get(f"chats/{chat.pk}/assign")
    decline_invitation(ann, chat.invitations.get().pk, now=now)
    assert direct.server.get(f"chats/{chat.pk}/assign").json()["agent"]["id"] == str(bob.pk)


def test_the_interval_and_the_attempts_are_taken_from_the_query(direct, team, now):
    chat = direct.chat()
    direct.server.get(f"chats/{chat.pk}/assign?interval=12&maxAttempts=1")
    offer = chat.invitations.get()
    assert offer.expires_at - offer.offered_at == timedelta(seconds=12)
    expire_invitation(offer.pk, now=offer.expires_at + timedelta(seconds=1))
    later = offer.expires_at + timedelta(seconds=2)
    continue_search(Search.objects.get().pk, later)
    assert chat.invitations.count() == 1
    assert chat.events.filter(type="search.failed").exists()


@cases(("interval", "lasts"), [(1, 5), (9999, 600)])
def test_an_interval_beyond_our_limits_is_moved_to_them(direct, team, interval, lasts):
    chat = direct.chat()
    direct.server.get(f"chats/{chat.pk}/assign?interval={interval}&maxAttempts=99999999")
    offer = chat.invitations.get()
    assert offer.expires_at - offer.offered_at == timedelta(seconds=lasts)


@cases("query", ["interval=x", "interval=-1", "maxAttempts=0", "maxAttempts=1.5", "interval=%00"])
def test_what_is_no_number_is_refused(direct, team, query):
    chat = direct.chat()
    assert is_error(direct.server.get(f"chats/{chat.pk}/assign?{query}"), 400)
    assert not chat.invitations.exists()


@cases(
    ("algorithm", "strategy"),
    [
        ("capacity", Team.Strategy.MOST_FREE),
        ("most_free_slots", Team.Strategy.MOST_FREE),
        ("default", Team.Strategy.MOST_FREE),
        ("idle-time", Team.Strategy.LONGEST_IDLE),
        ("longestIdle", Team.Strategy.LONGEST_IDLE),
        ("Round Robin", Team.Strategy.ROUND_ROBIN),
        ("something-else", ""),
        ("", ""),
        ("%F0%9F%98%80", ""),
    ],
)
def test_the_algorithm_is_one_of_ours_or_the_teams(direct, team, algorithm, strategy):
    chat = direct.chat()
    assert direct.server.get(f"chats/{chat.pk}/assign?algorithm={algorithm}").json()["agent"]
    assert Search.objects.get(chat=chat).strategy == strategy


def test_every_algorithm_leads_to_a_strategy_and_is_written_as_it_is_looked_up():
    for name, strategy in ALGORITHMS.items():
        assert name.isalpha()
        assert name == name.lower()
        assert strategy in Team.Strategy.values


def test_the_algorithm_decides(direct, ann, bob, now):
    online(ann, now)
    online(bob, now)
    Presence.objects.filter(agent=ann).update(idle_since=now)
    Presence.objects.filter(agent=bob).update(idle_since=now - timedelta(hours=1))
    chat = direct.chat()
    assert direct.server.get(f"chats/{chat.pk}/assign?algorithm=idle").json()["agent"]["id"] == str(bob.pk)


def test_an_active_chat_answers_with_its_agent(direct, team):
    ann = team[0]
    chat = direct.held_chat(ann)
    assert direct.server.get(f"chats/{chat.pk}/assign").json()["agent"]["id"] == str(ann.pk)


def test_in_queue_mode_assign_searches_for_nobody(queued, ann, now):
    chat = queued.chat()
    online(ann, now)
    assert queued.server.get(f"chats/{chat.pk}/assign").json() == {"agent": None}
    assert not chat.invitations.exists()
    assert chat.events.filter(type="search.failed").count() == 0


def test_in_queue_mode_assign_answers_with_the_agent_that_has_it(queued, ann, now):
    chat = queued.held_chat(online(ann, now))
    assert queued.server.get(f"chats/{chat.pk}/assign").json()["agent"]["name"] == "Ann"


def test_a_closed_chat_is_not_assigned(direct, team):
    chat = direct.chat()
    direct.server.delete(f"chats/{chat.pk}")
    assert is_error(direct.server.get(f"chats/{chat.pk}/assign"), 409)


def test_a_customer_has_its_own_chat_assigned(direct, team):
    user = direct.user()
    chat = direct.chat(user.foreign)
    assert direct.as_user(user.token).get(f"chats/{chat.pk}/assign").json()["agent"]["name"] == "Ann"
    assert is_error(direct.page.get(f"chats/{chat.pk}/assign"), 403)


def test_a_customer_does_not_ask_without_end(direct, team):
    user = direct.user()
    chat = direct.chat(user.foreign)
    caller = direct.as_user(user.token)
    answers = [caller.get(f"chats/{chat.pk}/assign").status_code for _ in range(22)]
    assert (answers[0], answers[-1]) == (200, 429)


# Back -----------------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_back_in_the_inbox_a_direct_chat_is_searched_for_anew(direct, team, now):
    ann = team[0]
    chat = direct.held_chat(ann)
    answer = direct.server.post(f"chats/{chat.pk}/toinbox").json()["chat"]
    assert (answer["status"], answer["id"]) == ("waiting", str(chat.pk))
    search = Search.objects.get()
    assert search.is_running
    assert search.due_at is not None
    assert not Occupation.objects.exists()
    assert chat.events.get(type="agent.left").data["reason"] == "returned"


def test_back_in_the_inbox_a_queued_chat_waits_for_its_team(queued, team, now):
    chat = queued.held_chat(team[0])
    answer = queued.server.post(f"chats/{chat.pk}/toinbox/").json()["chat"]
    assert (answer["status"], answer["inQueue"]) == ("waiting", True)
    assert queued.team.queue.routing_due_at is not None


def test_a_closed_chat_does_not_go_back(queued):
    chat = queued.chat()
    queued.server.delete(f"chats/{chat.pk}")
    assert is_error(queued.server.post(f"chats/{chat.pk}/toinbox"), 409)
    assert Chat.objects.get().state == Chat.State.CLOSED


def test_a_user_sends_no_chat_back(queued):
    user = queued.user()
    chat = queued.chat(user.foreign)
    assert is_error(queued.as_user(user.token).post(f"chats/{chat.pk}/toinbox"), 403)


def test_an_agent_of_another_team_is_not_found(direct, acme, now):
    online(make_agent(acme, "Sam", teams=[acme.sales]), now)
    chat = direct.chat()
    assert direct.server.get(f"chats/{chat.pk}/assign").json() == {"agent": None}
    sales = direct.chat(room="2")
    assert direct.server.get(f"chats/{sales.pk}/assign").json()["agent"]["name"] == "Sam"
