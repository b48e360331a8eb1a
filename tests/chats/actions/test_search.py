"""Steered searches as rows: begun, moved on, over; and what the rest of a chat's life does to them."""

import pytest
from django.db import transaction

from chats.actions.close import close_by_agent, close_by_customer
from chats.actions.hold import assign_chat, pick_chat, reopen_chat
from chats.actions.offer import accept_invitation, decline_invitation, expire_invitation, offer_chat
from chats.actions.search import HEAD_START, begin_search
from chats.actions.steer import transfer_by_application
from chats.actions.tend import Step, search_again, tend_chat
from chats.actions.transfer import leave_chat, requeue_chat, transfer_to_agent, transfer_to_team
from chats.errors import Closed, Forbidden, Invalid, NotFound
from chats.models import Chat, Event, Invitation, Queue, Search
from contactcenter.models import Team
from tests.cases import cases
from tests.chats.routing.truths import check_all, moved
from tests.conftest import make_chat, make_customer, online

pytestmark = [pytest.mark.django_db, pytest.mark.both]


def steered(acme, now, **start):
    return Chat.objects.get(pk=make_chat(acme, now, is_steered=True, **start).chat.pk)


def begin(acme, chat, now, **wish):
    return begin_search(acme.center.chats, chat.pk, now=now, **wish)


def ring(chat, agent, now, **how):
    with transaction.atomic():
        locked = Chat.objects.locked().get(pk=chat.pk)
        return offer_chat(locked, agent, reason="test", now=now, **how)


def held(acme, agent, now):
    chat = steered(acme, now)
    return accept_invitation(agent, ring(chat, agent, now).pk, now=now)


def search_of(chat):
    return Search.objects.get(chat=chat)


def types(chat):
    return list(Event.objects.filter(chat=chat).order_by("position").values_list("type", flat=True))


@cases("mode", ["queue", "direct"])
def test_a_steered_chat_waits_for_its_program_and_asks_for_no_routing(acme, now, mode):
    Team.objects.filter(pk=acme.support.pk).update(mode=mode)
    chat = steered(acme, now, team=Team.objects.get(pk=acme.support.pk))
    search = search_of(chat)
    assert (search.started_at, search.ended_at, search.due_at, search.is_running) == (None, None, None, False)
    assert (chat.state, chat.search_until, search.unsought_since(chat)) == ("searching", None, now)
    assert not Queue.objects.filter(routing_due_at__isnull=False).exists()


def test_a_repeated_start_makes_one_search(acme, now):
    customer = make_customer(acme)
    for _ in range(2):
        make_chat(acme, now, customer, client_id="s", is_steered=True)
    assert Search.objects.count() == 1


def test_beginning_keeps_the_wish_and_leaves_its_caller_time_to_ask_the_first(acme, now):
    chat = steered(acme, now)
    begin(acme, chat, now, strategy="round_robin", invitation_seconds=12, attempts=3)
    search = search_of(chat)
    assert (search.strategy, search.invitation_seconds, search.attempts_left) == ("round_robin", 12, 3)
    assert (search.started_at, search.is_running, search.due_at) == (now, True, now + HEAD_START)


@cases(
    "wish",
    [
        {"strategy": "loudest"},
        {"invitation_seconds": 4},
        {"invitation_seconds": 601},
        {"attempts": 0},
        {"attempts": -1},
        {"attempts": 10**9},
    ],
)
def test_a_wish_that_cannot_be_is_refused_and_changes_nothing(acme, now, wish):
    chat = steered(acme, now)
    with pytest.raises(Invalid):
        begin(acme, chat, now, **wish)
    assert not search_of(chat).is_running


def test_a_search_that_runs_goes_on_as_it_is(acme, now):
    chat = steered(acme, now)
    begin(acme, chat, now, attempts=3)
    begin(acme, chat, moved(now, 5), attempts=9, strategy="round_robin")
    search = search_of(chat)
    assert (search.started_at, search.attempts_left, search.strategy) == (now, 3, "")


def test_other_centers_chats_and_closed_ones_are_not_searched_for(acme, globex, now):
    chat = steered(acme, now)
    with pytest.raises(NotFound):
        begin(globex, chat, now)
    close_by_customer(chat.participants.get(), now=now)
    with pytest.raises(Closed):
        begin(acme, chat, now)
    assert not search_of(chat).is_running


def test_a_chat_of_a_queue_is_left_to_its_queue(acme, now):
    chat = make_chat(acme, now).chat
    begin(acme, chat, now)
    assert not Search.objects.exists()
    assert Chat.objects.get(pk=chat.pk).state == "queued"


def test_a_chat_that_is_held_or_rings_is_left_as_it_is(acme, ann, now):
    ringing, owned = steered(acme, now), held(acme, ann, now)
    ring(ringing, ann, now)
    for chat in (ringing, owned):
        before = Search.objects.filter(chat=chat).values().get()
        begin(acme, chat, moved(now, 5))
        assert Search.objects.filter(chat=chat).values().get() == before
    check_all()


def test_an_offer_is_part_of_a_search_whoever_made_it(acme, ann, now):
    chat = steered(acme, now)
    invitation = ring(chat, ann, now, seconds=7)
    assert invitation.expires_at == moved(now, 7)
    assert (search_of(chat).is_running, search_of(chat).due_at) == (True, None)
    check_all()


@cases("ending", ["declined", "expired"])
def test_an_offer_that_ends_makes_the_next_agent_due(acme, ann, now, ending, django_capture_on_commit_callbacks):
    chat = steered(acme, now)
    invitation = ring(chat, ann, now)
    later = invitation.expires_at
    with django_capture_on_commit_callbacks() as woken:
        if ending == "declined":
            decline_invitation(ann, invitation.pk, now=later)
        else:
            expire_invitation(invitation.pk, now=later)
    assert (search_of(chat).due_at, search_of(chat).is_running) == (later, True)
    assert len(woken) >= 2  # the log's readers, and the worker that goes on
    check_all()


@cases("how", ["accepted", "picked", "assigned", "closed"])
def test_a_search_is_over_when_the_chat_has_an_agent_or_an_end(acme, ann, bob, now, how):
    chat = steered(acme, now)
    invitation = ring(chat, ann, now)
    later = moved(now, 3)
    match how:
        case "accepted":
            accept_invitation(ann, invitation.pk, now=later)
        case "picked":
            pick_chat(bob, chat.pk, now=later)
        case "assigned":
            assign_chat(acme.center.chats, chat.pk, bob, now=later)
        case "closed":
            close_by_customer(chat.participants.get(), now=later)
    search = search_of(chat)
    assert (search.is_running, search.ended_at, search.due_at) == (False, later, None)
    assert search.unsought_since(Chat.objects.get(pk=chat.pk)) is None
    check_all()


def test_a_chat_that_nobody_searched_for_can_still_be_picked(acme, ann, now):
    chat = steered(acme, now)
    pick_chat(ann, chat.pk, now=now)
    assert (Chat.objects.get(pk=chat.pk).agent, search_of(chat).ended_at) == (ann, now)


@cases("back", ["agent_gone", "returned", "left", "team", "application"])
def test_a_chat_that_comes_back_to_waiting_is_searched_for_by_itself(acme, ann, now, back):
    chat = held(acme, ann, now)
    Search.objects.update(strategy="longest_idle", invitation_seconds=9, attempts_left=0)
    later = moved(now, 20)
    match back:
        case "left":
            leave_chat(ann, chat.pk, now=later)
        case "team":
            transfer_to_team(ann, chat.pk, acme.sales, now=later)
        case "application":
            transfer_by_application(acme.center.chats, chat.pk, team=acme.sales, now=later)
        case reason:
            requeue_chat(acme.center.chats, chat.pk, reason=reason, now=later)
    search = search_of(chat)
    assert (search.started_at, search.ended_at, search.due_at) == (later, None, later)
    assert (search.strategy, search.invitation_seconds, search.attempts_left) == ("longest_idle", 9, None)
    assert Chat.objects.get(pk=chat.pk).state == "searching"
    check_all()


def test_a_transfer_to_an_agent_goes_on_with_others_if_that_one_declines(acme, ann, bob, now):
    chat = held(acme, ann, now)
    transfer_to_agent(ann, chat.pk, bob, now=moved(now, 1))
    assert (search_of(chat).is_running, search_of(chat).due_at) == (True, None)
    decline_invitation(bob, Invitation.objects.pending().get().pk, now=moved(now, 2))
    assert search_of(chat).due_at == moved(now, 2)
    check_all()


def test_a_chat_opened_again_has_an_agent_and_no_search(acme, ann, now):
    chat = held(acme, ann, now)
    close_by_agent(ann, chat.pk, now=now)
    reopen_chat(ann, chat.pk, now=moved(now, 5))
    assert not search_of(chat).is_running
    requeue_chat(acme.center.chats, chat.pk, reason="returned", now=moved(now, 9))
    assert search_of(chat).is_running


def test_only_its_agent_leaves_a_chat_and_the_log_says_so(acme, globex, ann, bob, gil, now):
    chat = held(acme, ann, now)
    with pytest.raises(Forbidden):
        leave_chat(bob, chat.pk, now=now)
    with pytest.raises(NotFound):
        leave_chat(gil, chat.pk, now=now)
    leave_chat(ann, chat.pk, now=moved(now, 5))
    left, queued = Event.objects.filter(chat=chat).order_by("position")[chat.position :][:2]
    assert (left.type, left.data["agent"], left.data["reason"]) == ("agent.left", str(ann.pk), "left")
    assert (queued.type, queued.data["reason"]) == ("chat.queued", "left")
    with pytest.raises(Forbidden):
        leave_chat(ann, chat.pk, now=moved(now, 6))
    assert not ann.occupations.exists()


def test_a_chat_of_a_queue_that_its_agent_leaves_waits_in_front(acme, ann, now):
    online(ann, now)
    chat = make_chat(acme, now).chat
    accept_invitation(ann, ring(chat, ann, now).pk, now=now)
    later = make_chat(acme, moved(now, 1)).chat
    leave_chat(ann, chat.pk, now=moved(now, 5))
    assert list(Chat.objects.waiting()) == [chat, later]
    assert Queue.objects.get(team=acme.support).routing_due_at == moved(now, 5)


# What the team's rules do -------------------------------------------------------------------------


def test_a_steered_chat_that_nobody_searches_for_is_closed_as_unanswered(acme, now):
    chat = steered(acme, now, has_lease=False)
    ends = moved(now, acme.support.away_close_seconds)
    Chat.objects.update(due_at=now)
    assert tend_chat(chat.pk, now=moved(ends, -1)) is Step.NOTHING
    assert Chat.objects.get().due_at == ends
    assert tend_chat(chat.pk, now=ends) is Step.CLOSE_UNSOUGHT
    assert (Chat.objects.get().state, Chat.objects.get().close_reason) == ("closed", "unanswered")


def test_a_search_that_runs_keeps_its_chat_open_and_its_state(acme, now):
    chat = steered(acme, now, has_lease=False)
    begin(acme, chat, now)
    Chat.objects.update(due_at=now)
    assert tend_chat(chat.pk, now=moved(now, 9999)) is Step.NOTHING
    assert types(chat) == ["chat.started", "chat.queued"]


def test_a_customer_who_wants_to_go_on_starts_the_search_anew_only_after_its_end(acme, now):
    started = make_chat(acme, now, is_steered=True)
    search_again(started.participant, now=now)
    assert search_of(started.chat).started_at == now
    search_again(started.participant, now=moved(now, 5))
    assert search_of(started.chat).started_at == now
    Search.objects.update(ended_at=moved(now, 6), due_at=None)
    search_again(started.participant, now=moved(now, 7))
    assert search_of(started.chat).started_at == moved(now, 7)
    assert Chat.objects.get().search_until is None
