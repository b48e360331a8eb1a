"""Routing a team: offers and decisions as rows and events."""

from datetime import timedelta

import pytest

from agents.models import Membership, Presence
from agents.presence import set_status
from chats.actions.close import close_by_agent
from chats.actions.hold import pick_chat
from chats.actions.offer import accept_invitation, decline_invitation, expire_invitation
from chats.actions.start import Start, start_chat
from chats.models import Chat, Event, Invitation, Occupation, Queue
from chats.routing import engine, explain
from chats.routing.candidates import load_candidates
from chats.routing.choose import ASK_AGAIN_AFTER
from chats.routing.engine import LEASE, route_team
from contactcenter.models import Team
from tests.cases import cases
from tests.chats.routing.truths import check_all, moved
from tests.conftest import make_agent, make_chat, make_customer, make_held_chat, online

pytestmark = [pytest.mark.django_db, pytest.mark.both]


def offers(chat=None):
    found = Invitation.objects.pending().order_by("offered_at", "pk")
    return [one.agent.name for one in (found.filter(chat=chat) if chat else found)]


def decisions(chat):
    return [event.data for event in Event.objects.filter(chat=chat, type="routing.decided").order_by("position")]


def due_at(team):
    return Queue.objects.get(team=team).routing_due_at


def test_a_waiting_chat_is_offered_and_the_log_says_why(acme, ann, bob, now):
    online(ann, now), online(bob, now)
    chat = make_chat(acme, now).chat
    assert route_team(acme.support.pk, now) == 1
    invitation = Invitation.objects.get()
    assert (invitation.agent, invitation.state, invitation.reason) == (ann, "pending", "most_free_slots")
    assert invitation.expires_at == moved(now, acme.support.invitation_seconds)
    assert Occupation.objects.get().invitation == invitation
    types = list(chat.events.order_by("position").values_list("type", flat=True))
    assert types[-2:] == ["routing.decided", "invitation.offered"]
    (decision,) = decisions(chat)
    assert decision["chosen"] == str(ann.pk)
    assert [one["name"] for one in decision["eligible"]] == ["Ann", "Bob"]
    assert decision["eligible"][0]["free"] == 3
    assert chat.events.get(type="routing.decided").index is None
    assert due_at(acme.support) is None
    check_all()


def test_a_seat_with_fewer_slots_than_its_capacity_keeps_nobody_waiting(acme, ann, bob, now):
    online(ann, now), online(bob, now)
    ann.slots.all().delete()
    chat = make_chat(acme, now).chat
    assert route_team(acme.support.pk, now) == 1
    assert offers(chat) == ["Bob"]
    assert due_at(acme.support) is None


def test_a_queue_that_is_not_due_is_left_alone(acme, ann, now, django_assert_num_queries):
    online(ann, now)
    make_chat(acme, now)
    Queue.objects.update(routing_due_at=None)
    with django_assert_num_queries(1):
        assert route_team(acme.support.pk, now) == 0


def test_a_claimed_queue_is_nobody_elses_until_the_lease_is_over(acme, ann, now):
    online(ann, now)
    make_chat(acme, now)
    assert engine._claim(acme.support.pk, now) == now + LEASE
    assert route_team(acme.support.pk, now) == 0
    assert route_team(acme.support.pk, now + LEASE) == 1


def test_who_asks_during_a_run_is_not_forgotten(acme, ann, now, monkeypatch):
    online(ann, now)
    make_chat(acme, now)
    walk = engine.Run._walk
    asked_at = moved(now, 1)

    def walk_and_be_asked(run, waiting):
        found = walk(run, waiting)
        Queue.objects.update(routing_due_at=asked_at)
        return found

    monkeypatch.setattr(engine.Run, "_walk", walk_and_be_asked)
    route_team(acme.support.pk, now)
    assert due_at(acme.support) == asked_at


def test_priority_goes_first_then_who_came_first(acme, ann, now):
    online(ann, now)
    chats = [
        make_chat(acme, moved(now, second), priority=priority).chat for second, priority in enumerate([0, 0, 5, 5])
    ]
    assert route_team(acme.support.pk, moved(now, 9)) == 3
    assert [bool(offers(chat)) for chat in chats] == [True, False, True, True]


def test_a_chat_that_nobody_fits_does_not_block_those_behind_it(acme, ann, now):
    online(ann, now)
    first = make_chat(acme, now, skills=["law"]).chat
    second = make_chat(acme, moved(now, 1)).chat
    route_team(acme.support.pk, moved(now, 2))
    assert (offers(first), offers(second)) == ([], ["Ann"])
    assert decisions(first)[-1]["chosen"] is None
    assert decisions(first)[-1]["reasons"] == {"skill": 1}


@cases(
    ("change", "why"),
    [
        ({"status": "away"}, "away"),
        ({"status": "offline"}, "offline"),
        ({"lease_until": None}, "client_not_seen"),
    ],
)
def test_who_is_not_there_gets_nothing(acme, ann, now, change, why):
    online(ann, now)
    Presence.objects.filter(agent=ann).update(**change)
    chat = make_chat(acme, now).chat
    assert route_team(acme.support.pk, now) == 0
    assert decisions(chat)[-1]["excluded"] == [{"agent": str(ann.pk), "name": "Ann", "why": why}]


def test_only_members_of_the_team_and_of_the_center_are_asked(acme, globex, bob, gil, now):
    online(bob, now), online(gil, now)
    chat = make_chat(acme, now, team=acme.sales).chat
    assert route_team(acme.sales.pk, now) == 0
    assert decisions(chat)[-1]["excluded"] == []
    Membership.objects.create(center=acme.center, agent=bob, team=acme.sales)
    Queue.objects.update(routing_due_at=now)
    assert route_team(acme.sales.pk, now) == 1
    assert offers() == ["Bob"]


def test_inactive_people_are_no_candidates(acme, ann, bob, sue, now):
    ann.user.is_active = False
    ann.user.save()
    bob.is_active = False
    bob.save()
    assert [one.name for one in load_candidates(acme.support, now).values()] == ["Sue"]


def test_that_nobody_can_is_recorded_once_for_each_set_of_reasons(acme, ann, now):
    chat = make_chat(acme, now).chat
    for second in range(3):
        Queue.objects.update(routing_due_at=now)
        route_team(acme.support.pk, moved(now, second))
    assert [one["reasons"] for one in decisions(chat)] == [{"offline": 1}]
    set_status(ann, "away", now)
    Queue.objects.update(routing_due_at=now)
    route_team(acme.support.pk, moved(now, 5))
    assert [one["reasons"] for one in decisions(chat)] == [{"offline": 1}, {"away": 1}]


def test_many_who_nobody_can_take_are_told_together(acme, ann, now, django_assert_max_num_queries):
    chats = [make_chat(acme, now).chat for _ in range(30)]
    with django_assert_max_num_queries(20):
        route_team(acme.support.pk, now)
    assert [len(decisions(chat)) for chat in chats] == [1] * 30
    check_all()


def test_a_record_names_twenty_agents_and_counts_all(acme, now):
    for number in range(25):
        make_agent(acme, f"A{number}")
    chat = make_chat(acme, now).chat
    route_team(acme.support.pk, now)
    (decision,) = decisions(chat)
    assert len(decision["excluded"]) == explain.MOST_AGENTS
    assert decision["reasons"] == {"offline": 25}


def test_declined_it_goes_to_the_next_agent_at_once(acme, ann, bob, now):
    online(ann, now), online(bob, now)
    chat = make_chat(acme, now).chat
    route_team(acme.support.pk, now)
    decline_invitation(ann, Invitation.objects.get().pk, now=moved(now, 1))
    assert route_team(acme.support.pk, moved(now, 1)) == 1
    assert offers(chat) == ["Bob"]
    assert decisions(chat)[-1]["reasons"] == {"declined": 1}
    check_all()


def test_a_lone_agent_is_asked_again_after_a_pause_and_the_queue_knows_when(acme, ann, now):
    online(ann, now, seconds=300)
    chat = make_chat(acme, now).chat
    route_team(acme.support.pk, now)
    ended = moved(now, 30)
    assert expire_invitation(Invitation.objects.get().pk, now=ended)
    assert route_team(acme.support.pk, ended) == 0
    again = ended + ASK_AGAIN_AFTER
    assert due_at(acme.support) == again
    assert route_team(acme.support.pk, again - timedelta(seconds=1)) == 0
    assert route_team(acme.support.pk, again) == 1
    assert offers(chat) == ["Ann"]
    assert [one["chosen"] for one in decisions(chat)] == [str(ann.pk), None, str(ann.pk)]


def test_round_robin_counts_offers_that_are_not_answered_yet(acme, ann, bob, now):
    Team.objects.filter(pk=acme.support.pk).update(strategy=Team.Strategy.ROUND_ROBIN)
    online(ann, now), online(bob, now)
    for second in range(4):
        make_chat(acme, moved(now, second))
        route_team(acme.support.pk, moved(now, second))
    assert offers() in (["Ann", "Bob"] * 2, ["Bob", "Ann"] * 2)


def test_longest_idle_is_counted_from_when_the_agent_came_online(acme, ann, bob, now):
    Team.objects.filter(pk=acme.support.pk).update(strategy=Team.Strategy.LONGEST_IDLE)
    online(ann, now), online(bob, now)
    Presence.objects.filter(agent=ann).update(idle_since=moved(now, -900), status_at=moved(now, -1))
    Presence.objects.filter(agent=bob).update(idle_since=moved(now, -60), status_at=moved(now, -900))
    make_chat(acme, now)
    route_team(acme.support.pk, now)
    assert offers() == ["Bob"]


def test_an_offer_that_ends_does_not_make_idle_anew(acme, ann, now):
    online(ann, moved(now, -500), seconds=900)
    make_chat(acme, now)
    route_team(acme.support.pk, now)
    decline_invitation(ann, Invitation.objects.get().pk, now=now)
    assert Presence.objects.get(agent=ann).idle_since == moved(now, -500)


def test_a_freed_slot_makes_all_teams_of_the_agent_due(acme, ann, now):
    online(ann, now)
    held = make_held_chat(acme, ann, now)
    make_chat(acme, now, team=acme.sales)
    Queue.objects.update(routing_due_at=None)
    close_by_agent(ann, held.chat.pk, now=moved(now, 3))
    assert (due_at(acme.support), due_at(acme.sales)) == (moved(now, 3), moved(now, 3))


def test_no_offer_goes_to_a_search_whose_time_is_over(acme, ann, now):
    Team.objects.filter(pk=acme.sales.pk).update(mode=Team.Mode.DIRECT, search_seconds=20)
    acme.sales.refresh_from_db()
    chat = make_chat(acme, now, team=acme.sales).chat
    online(ann, now, seconds=60)
    assert route_team(acme.sales.pk, moved(now, 20)) == 0
    assert Chat.objects.get(pk=chat.pk).state == "searching"


@cases("event", ["her last slots are taken", "she goes away", "her seat is taken away"])
def test_an_outdated_picture_is_taken_anew(acme, ann, bob, now, monkeypatch, event):
    """Ann would get the chat, but something happens between the picture and the offer."""
    online(ann, now), online(bob, now)
    chat = make_chat(acme, now).chat
    happened = []
    real = engine.load_waiting

    def load_while_the_world_goes_on(team, at):
        waiting = real(team, at)
        if not happened:
            happened.append(event)
            if event == "she goes away":
                Presence.objects.filter(agent=ann).update(status="away")
            elif event == "her seat is taken away":
                type(ann).objects.filter(pk=ann.pk).update(is_active=False)
            else:
                for _ in range(3):
                    make_held_chat(acme, ann, now)
        return waiting

    monkeypatch.setattr(engine, "load_waiting", load_while_the_world_goes_on)
    assert route_team(acme.support.pk, now) == 1
    assert offers(chat) == ["Bob"]
    assert len(decisions(chat)) == 1  # what could not be done was not recorded
    check_all()


def test_a_chat_that_was_taken_meanwhile_is_passed_over(acme, ann, bob, now, monkeypatch):
    online(ann, now), online(bob, now)
    chat = make_chat(acme, now).chat
    behind = make_chat(acme, moved(now, 1)).chat
    real = engine.load_waiting

    def load_while_bob_picks(team, at):
        waiting = real(team, at)
        pick_chat(bob, chat.pk, now=now)
        return waiting

    monkeypatch.setattr(engine, "load_waiting", load_while_bob_picks)
    assert route_team(acme.support.pk, moved(now, 1)) == 1
    assert (offers(chat), offers(behind)) == ([], ["Ann"])


def test_a_door_may_route_at_once_and_learn_who_was_asked(acme, ann, now):
    online(ann, now)
    started = start_chat(acme.channel, make_customer(acme), Start(client_id="x"), now=now)
    route_team(acme.support.pk, now)
    accept_invitation(ann, Invitation.objects.get(chat=started.chat).pk, now=now)
    assert Chat.objects.get(pk=started.chat.pk).agent == ann


def test_a_chat_at_which_something_is_broken_does_not_stop_those_behind_it(acme, ann, now, monkeypatch):
    online(ann, now)
    broken = make_chat(acme, now, skills=[{"no": "word"}, 7]).chat
    worse = make_chat(acme, moved(now, 1)).chat
    behind = make_chat(acme, moved(now, 2)).chat
    real = engine.offer_chat

    def offer_or_fail(chat, agent, **rest):
        if chat.pk == worse.pk:
            raise ValueError("a bug")
        return real(chat, agent, **rest)

    monkeypatch.setattr(engine, "offer_chat", offer_or_fail)
    assert route_team(acme.support.pk, moved(now, 3)) == 1
    assert [offers(chat) for chat in (broken, worse, behind)] == [[], [], ["Ann"]]
    check_all()


@pytest.mark.slow
def test_many_chats_and_agents_take_a_fixed_number_of_queries_each(acme, ann, now, django_assert_max_num_queries):
    for number in range(20):
        online(make_agent(acme, f"A{number}", capacity=10), now)
    for number in range(100):
        make_chat(acme, moved(now, number / 1000), client_id=f"c{number}")
    with django_assert_max_num_queries(100 * 20 + 20):
        assert route_team(acme.support.pk, moved(now, 1)) == 100
    for number in range(150):
        make_chat(acme, moved(now, 1 + number / 1000), client_id=f"d{number}")
    route_team(acme.support.pk, moved(now, 2))
    # Nothing is free and everybody has been told: looking again costs the same for one chat and for fifty.
    Queue.objects.update(routing_due_at=now)
    with django_assert_max_num_queries(10):
        assert route_team(acme.support.pk, moved(now, 3)) == 0
