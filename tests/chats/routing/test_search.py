"""One step of a steered search: whom it asks, who advises it, and how it ends."""

from uuid import UUID, uuid4

import pytest

from agents.models import Agent, Membership, Presence
from agents.presence import set_status
from chats.actions.close import close_by_customer
from chats.actions.hold import pick_chat
from chats.actions.offer import accept_invitation, decline_invitation, expire_invitation
from chats.actions.search import HEAD_START, begin_search
from chats.actions.transfer import leave_chat, requeue_chat
from chats.models import Chat, Event, Invitation, Occupation, Queue, Search
from chats.routing import search as searching
from chats.routing import sweeps
from chats.routing.engine import route_team
from chats.routing.estimates import queue_places
from chats.routing.search import LEASE, continue_search, due_searches, search_agent
from tests.cases import cases
from tests.chats.routing.truths import check_all, moved
from tests.conftest import make_agent, make_chat, online

pytestmark = [pytest.mark.django_db, pytest.mark.both]


@pytest.fixture
def advisers(monkeypatch):
    """The list of advisers, empty; the advisers of the product have their own tests."""
    advice = []
    monkeypatch.setattr(searching, "advisers", advice)
    return advice


@pytest.fixture(autouse=True)
def unadvised(advisers):
    return advisers


@pytest.fixture
def cem(acme):
    return make_agent(acme, "Cem", capacity=1)


def steered(acme, now, **start):
    return Chat.objects.get(pk=make_chat(acme, now, is_steered=True, **start).chat.pk)


def seek(acme, chat, now, **wish):
    """What a door does: begin, then ask at once."""
    begin_search(acme.center.chats, chat.pk, now=now, **wish)
    return search_agent(chat.pk, now)


def pending():
    return Invitation.objects.pending().get()


def search_of(chat):
    return Search.objects.get(chat=chat)


def types(chat):
    return list(Event.objects.filter(chat=chat).order_by("position").values_list("type", flat=True))


def decision(chat):
    return Event.objects.filter(chat=chat, type="routing.decided").order_by("position").last().data


def decline(now):
    offer = pending()
    decline_invitation(offer.agent, offer.pk, now=now)
    return offer.agent


# What the team's routing leaves alone ---------------------------------------------------------------


def test_the_teams_routing_leaves_a_steered_chat_alone(acme, ann, now):
    online(ann, now)
    alone, queued = steered(acme, now), make_chat(acme, moved(now, 1)).chat
    assert route_team(acme.support.pk, moved(now, 1)) == 1
    assert pending().chat == queued
    assert [place[0] for place in queue_places(acme.support.pk, now)] == [queued.pk]
    assert not Occupation.objects.filter(chat=alone).exists()


def test_a_free_agent_beside_a_steered_chat_is_no_reason_to_route(acme, ann, now):
    online(ann, now)
    steered(acme, now)
    sweeps.sweep(moved(now, 3))
    assert not Queue.objects.filter(routing_due_at__isnull=False).exists()
    assert not Invitation.objects.exists()


def test_a_chat_whose_search_has_not_begun_finds_nobody_and_is_unchanged(acme, ann, now):
    online(ann, now)
    chat = steered(acme, now)
    before = Chat.objects.filter(pk=chat.pk).values().get()
    assert search_agent(chat.pk, now) is None
    assert Chat.objects.filter(pk=chat.pk).values().get() == before
    assert search_agent(uuid4(), now) is None


# Asking -------------------------------------------------------------------------------------------


def test_the_agent_found_is_the_answer_and_the_log_says_why(acme, ann, bob, now):
    online(ann, now), online(bob, now)
    chat = steered(acme, now)
    assert seek(acme, chat, now) == ann
    assert (pending().agent, pending().reason) == (ann, "most_free_slots")
    assert pending().expires_at == moved(now, acme.support.invitation_seconds)
    assert types(chat)[-2:] == ["routing.decided", "invitation.offered"]
    assert (decision(chat)["chosen"], decision(chat)["strategy"]) == (str(ann.pk), "most_free_slots")
    assert (search_of(chat).is_running, search_of(chat).due_at) == (True, None)
    check_all()


def test_asking_again_while_it_rings_or_is_held_gives_the_same_answer(acme, ann, bob, now):
    online(ann, now), online(bob, now)
    chat = steered(acme, now)
    assert [seek(acme, chat, now) for _ in range(3)] == [ann] * 3
    accept_invitation(ann, pending().pk, now=now)
    assert seek(acme, chat, moved(now, 5)) == ann
    assert Invitation.objects.count() == 1


def test_a_chat_of_a_queue_is_answered_with_whoever_has_it(acme, ann, now):
    online(ann, now)
    chat = make_chat(acme, now).chat
    assert seek(acme, chat, now) is None
    route_team(acme.support.pk, now)
    assert seek(acme, chat, now) == ann


@cases(
    ("strategy", "first"), [("most_free_slots", "Ann"), ("longest_idle", "Bob"), ("round_robin", "Cem"), ("", "Ann")]
)
def test_the_search_follows_its_own_rule(acme, ann, bob, cem, now, strategy, first):
    for agent in (ann, bob, cem):
        online(agent, now)
    Presence.objects.filter(agent__in=[ann, bob]).update(last_assigned_at=moved(now, -60))
    Presence.objects.filter(agent=bob).update(status_at=moved(now, -900), idle_since=moved(now, -900))
    Presence.objects.filter(agent__in=[ann, cem]).update(status_at=moved(now, -30), idle_since=moved(now, -30))
    chat = steered(acme, now)
    assert seek(acme, chat, now, strategy=strategy).name == first
    assert pending().reason == (strategy or "most_free_slots")
    assert decision(chat)["strategy"] == (strategy or "most_free_slots")


def test_the_invitation_lasts_as_long_as_the_search_says(acme, ann, now):
    online(ann, now)
    seek(acme, steered(acme, now), now, invitation_seconds=11)
    assert pending().expires_at == moved(now, 11)


def test_language_skills_and_presence_count_as_in_a_queue(acme, ann, bob, cem, now):
    Agent.objects.filter(pk=bob.pk).update(languages=["de"], skills=["tax"])
    Agent.objects.filter(pk__in=[ann.pk, cem.pk]).update(languages=["en"])
    for agent in (ann, bob, cem):
        online(agent, now)
    assert seek(acme, steered(acme, now, language="de", skills=["tax"]), now) == bob
    set_status(cem, Presence.Status.AWAY, now)
    assert seek(acme, steered(acme, now, language="en"), now) == ann


# Jumping ------------------------------------------------------------------------------------------


def test_who_declines_or_does_not_answer_is_not_asked_twice(acme, ann, bob, cem, now):
    for agent in (ann, bob, cem):
        online(agent, now, seconds=900)
    chat = steered(acme, now)
    seek(acme, chat, now)
    assert decline(moved(now, 3)) == ann
    assert continue_search(search_of(chat).pk, moved(now, 3))
    assert pending().agent == bob
    rang_out = pending().expires_at
    assert expire_invitation(pending().pk, now=rang_out)
    assert continue_search(search_of(chat).pk, rang_out)
    assert pending().agent == cem
    assert {one["name"]: one["why"] for one in decision(chat)["excluded"]} == {"Ann": "asked", "Bob": "asked"}
    decline(moved(rang_out, 1))
    assert search_agent(chat.pk, moved(rang_out, 1)) is None
    assert types(chat)[-2:] == ["routing.decided", "search.failed"]
    check_all()


def test_a_search_asks_at_most_so_many_agents(acme, ann, bob, cem, now):
    for agent in (ann, bob, cem):
        online(agent, now)
    chat = steered(acme, now)
    seek(acme, chat, now, attempts=2)
    decline(now)
    assert search_agent(chat.pk, now) == bob
    decline(now)
    assert search_agent(chat.pk, now) is None
    assert {one["name"]: one["why"] for one in decision(chat)["excluded"]}["Cem"] == "attempts_used"
    assert (decision(chat)["chosen"], decision(chat)["eligible"]) == (None, [])
    assert Invitation.objects.count() == 2


def test_with_nobody_there_the_search_fails_and_the_chat_waits_for_its_program(acme, ann, now):
    chat = steered(acme, now, has_lease=False)
    assert seek(acme, chat, now) is None
    search, found = search_of(chat), Chat.objects.get(pk=chat.pk)
    assert (search.ended_at, search.due_at, found.state) == (now, None, "searching")
    failed = chat.events.get(type="search.failed")
    assert failed.index == found.index
    assert decision(chat)["reasons"] == {"offline": 1}
    assert found.due_at == moved(now, acme.support.away_reminder_seconds)
    # Asked once more without a new beginning, nothing happens.
    assert search_agent(chat.pk, moved(now, 5)) is None
    assert types(chat).count("search.failed") == 1
    sweeps.sweep(moved(now, acme.support.away_close_seconds))
    assert Chat.objects.get(pk=chat.pk).close_reason == "unanswered"


def test_a_search_begun_again_asks_those_who_declined_before(acme, ann, now):
    online(ann, now)
    chat = steered(acme, now)
    seek(acme, chat, now)
    decline(moved(now, 1))
    assert search_agent(chat.pk, moved(now, 1)) is None
    assert seek(acme, chat, moved(now, 2)) == ann
    check_all()


def test_an_agent_who_left_the_chat_is_not_asked_for_it_again(acme, ann, bob, now):
    online(ann, now), online(bob, now)
    chat = steered(acme, now)
    seek(acme, chat, now)
    accept_invitation(ann, pending().pk, now=now)
    leave_chat(ann, chat.pk, now=moved(now, 9))
    assert continue_search(search_of(chat).pk, moved(now, 9))
    assert pending().agent == bob
    assert decision(chat)["excluded"][0]["why"] == "asked"


def test_an_agent_who_vanished_may_be_asked_again_after_coming_back(acme, ann, now):
    online(ann, now)
    chat = steered(acme, now)
    seek(acme, chat, now)
    accept_invitation(ann, pending().pk, now=now)
    requeue_chat(Chat.objects, chat.pk, reason="agent_gone", now=moved(now, 9))
    assert search_agent(chat.pk, moved(now, 9)) == ann


def test_in_a_queue_who_left_a_chat_gets_it_after_everybody_else(acme, ann, bob, now):
    online(ann, now), online(bob, now)
    chat = make_chat(acme, now).chat
    route_team(acme.support.pk, now)
    accept_invitation(ann, pending().pk, now=now)
    leave_chat(ann, chat.pk, now=moved(now, 1))
    route_team(acme.support.pk, moved(now, 1))
    assert pending().agent == bob
    set_status(bob, Presence.Status.AWAY, moved(now, 2))
    sweeps.sweep(moved(now, 2))
    assert not Invitation.objects.pending().exists()  # not at once
    sweeps.sweep(moved(now, 22))
    assert pending().agent == ann


# Advisers -----------------------------------------------------------------------------------------


def test_an_agent_whom_an_adviser_names_wins(acme, ann, bob, now, advisers):
    online(ann, now), online(bob, now)
    Agent.objects.filter(pk=bob.pk).update(languages=["de"])
    asked = []
    advisers.append(lambda chat: asked.append(chat.pk))
    advisers.append(lambda chat: bob.pk)
    chat = steered(acme, now, language="en")
    assert seek(acme, chat, now) == bob
    assert (pending().reason, asked) == ("advised", [chat.pk])
    assert decision(chat)["chosen"] == str(bob.pk)
    assert [one["name"] for one in decision(chat)["eligible"]] == ["Bob", "Ann"]
    assert decision(chat)["excluded"] == []


@cases("who", ["stranger", "other team", "offline", "busy", "unknown"])
def test_an_agent_who_cannot_take_it_is_named_in_vain(acme, ann, bob, gil, cem, now, advisers, who):
    advisers.clear()
    online(ann, now), online(bob, now), online(gil, now), online(cem, now)
    named: dict[str, UUID] = {"stranger": gil.pk, "unknown": uuid4()}
    match who:
        case "other team":
            Membership.objects.filter(agent=bob).update(team=acme.sales)
        case "offline":
            set_status(bob, Presence.Status.OFFLINE, now)
        case "busy":
            named["busy"] = cem.pk
            advisers.append(lambda chat: cem.pk)
            seek(acme, steered(acme, now), now)
            advisers.clear()
    advisers.append(lambda chat: named.get(who, bob.pk))
    assert seek(acme, steered(acme, now), now) == ann


def test_who_declined_is_not_asked_again_because_an_adviser_insists(acme, ann, bob, now, advisers):
    online(ann, now), online(bob, now)
    advisers.append(lambda chat: bob.pk)
    chat = steered(acme, now)
    seek(acme, chat, now)
    assert decline(now) == bob
    assert search_agent(chat.pk, now) == ann
    decline(now)
    assert search_agent(chat.pk, now) is None


def test_an_adviser_that_fails_has_no_opinion(acme, ann, now, advisers):
    def broken(chat):
        raise RuntimeError("the line is dead")

    online(ann, now)
    advisers.append(broken)
    assert seek(acme, steered(acme, now), now) == ann


def test_advisers_are_asked_only_when_somebody_is_to_be_found(acme, ann, now, advisers):
    online(ann, now)
    asked = []
    advisers.append(lambda chat: asked.append(chat.pk))
    chat = steered(acme, now)
    search_agent(chat.pk, now)  # not begun
    search_agent(make_chat(acme, now).chat.pk, now)  # not steered
    assert asked == []
    seek(acme, chat, now)
    seek(acme, chat, now)  # rings
    assert asked == [chat.pk]


def test_what_an_adviser_takes_is_not_taken_from_the_invitation(acme, ann, now, advisers, monkeypatch):
    online(ann, now)
    clock = iter([100.0, 104.9])
    monkeypatch.setattr(searching.time, "monotonic", lambda: next(clock))
    seek(acme, steered(acme, now), now, invitation_seconds=10)
    assert (pending().offered_at, pending().expires_at) == (moved(now, 4), moved(now, 14))


@cases("meanwhile", ["closed", "picked"])
def test_what_happens_while_an_adviser_thinks_counts(acme, ann, bob, now, advisers, meanwhile):
    online(ann, now), online(bob, now)
    chat = steered(acme, now)

    def think(thought_of):
        if meanwhile == "closed":
            close_by_customer(chat.participants.get(kind="customer"), now=now)
        else:
            pick_chat(bob, chat.pk, now=now)

    advisers.append(think)
    assert seek(acme, chat, now) == (bob if meanwhile == "picked" else None)
    assert not Invitation.objects.exists()
    check_all()


# Going on -----------------------------------------------------------------------------------------


def test_a_search_that_is_due_is_claimed_by_one(acme, ann, now):
    online(ann, now)
    chat = steered(acme, now)
    begin_search(acme.center.chats, chat.pk, now=now)
    assert not continue_search(search_of(chat).pk, now)  # whoever began it has a head start
    late = now + HEAD_START
    online(ann, late)
    assert due_searches(late) == [search_of(chat).pk]
    assert continue_search(search_of(chat).pk, late)
    assert not continue_search(search_of(chat).pk, late)
    assert (pending().agent, due_searches(late)) == (ann, [])
    assert not continue_search(uuid4(), now)


def test_a_search_whose_worker_died_is_due_again_when_its_lease_is_over(acme, ann, now, monkeypatch):
    online(ann, now)
    chat = steered(acme, now)
    seek(acme, chat, now)
    decline(now)

    def die(chat_id, at):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(searching, "search_agent", die)
        with pytest.raises(SystemExit):
            continue_search(search_of(chat).pk, now)
    assert due_searches(now) == []
    assert due_searches(now + LEASE) == [search_of(chat).pk]


def test_slow_advisers_do_not_take_all_the_threads_of_a_worker(acme, ann, now, monkeypatch):
    monkeypatch.setattr(searching, "PATIENCE", 0)
    online(ann, now)
    chat = steered(acme, now)
    seek(acme, chat, now)
    decline(now)
    for _ in range(searching.MOST_AT_ONCE):
        assert searching._places.acquire(blocking=False)
    try:
        assert not continue_search(search_of(chat).pk, now)
        assert due_searches(now) == [search_of(chat).pk]  # the next sweep's
    finally:
        for _ in range(searching.MOST_AT_ONCE):
            searching._places.release()
    assert continue_search(search_of(chat).pk, now)


@cases("broken", ["lock_present", "offer_chat"])
def test_a_choice_that_is_outdated_when_it_is_made_is_made_anew(acme, ann, now, monkeypatch, broken):
    online(ann, now)
    chat = steered(acme, now)
    real, tries = getattr(searching, broken), []

    def fail_once(*args, **kwargs):
        tries.append(args)
        if len(tries) == 1:
            raise searching.Outdated if broken == "lock_present" else searching.Full
        return real(*args, **kwargs)

    monkeypatch.setattr(searching, broken, fail_once)
    assert seek(acme, chat, now, attempts=2) == ann
    assert (types(chat).count("routing.decided"), search_of(chat).attempts_left) == (1, 1)
    check_all()


def test_a_search_without_end_gives_up_and_is_tried_again_later(acme, ann, now, monkeypatch):
    def never(agent_id, at):
        raise searching.Outdated

    online(ann, now)
    chat = steered(acme, now)
    monkeypatch.setattr(searching, "lock_present", never)
    assert seek(acme, chat, now) is None
    assert (search_of(chat).is_running, search_of(chat).due_at) == (True, now + HEAD_START)
    check_all()
