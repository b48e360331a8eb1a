"""Becoming the owner by hand: picking, assigning, reopening. And moving a chat: transfers, back into the queue."""

import uuid

import pytest

from chats.actions.close import close_by_agent
from chats.actions.hold import assign_chat, pick_chat, reopen_chat
from chats.actions.offer import offer_chat
from chats.actions.transfer import requeue_chat, transfer_to_agent, transfer_to_team
from chats.errors import Closed, Conflict, Forbidden, Full, Gone, Invalid, NotFound
from chats.models import Chat, Invitation, Occupation, Queue
from contactcenter.models import Team
from tests.chats.routing.truths import check_all, moved
from tests.conftest import make_chat, make_held_chat

pytestmark = [pytest.mark.django_db, pytest.mark.both]


def types(chat):
    return list(chat.events.order_by("position").values_list("type", flat=True))


def fresh(chat):
    return Chat.objects.get(pk=chat.pk)


def test_a_waiting_chat_is_picked_also_from_under_an_offer(acme, ann, bob, now):
    chat = fresh(make_chat(acme, now).chat)
    offer_chat(chat, ann, reason="test", now=now)
    picked = pick_chat(bob, chat.pk, now=now)
    assert (picked.agent, picked.state) == (bob, "active")
    assert types(chat)[-2:] == ["invitation.withdrawn", "agent.joined"]
    assert Invitation.objects.get().state == "withdrawn"
    assert pick_chat(bob, chat.pk, now=now).position == picked.position  # twice is harmless
    check_all()


def test_who_is_too_late_full_or_of_another_team_picks_nothing(acme, globex, ann, bob, gil, sue, now):
    taken = make_held_chat(acme, ann, now).chat
    with pytest.raises(Gone):
        pick_chat(bob, taken.pk, now=now)
    of_sales = make_chat(acme, now, team=acme.sales).chat
    with pytest.raises(Forbidden):
        pick_chat(bob, of_sales.pk, now=now)
    with pytest.raises(NotFound):
        pick_chat(gil, of_sales.pk, now=now)
    assert pick_chat(sue, of_sales.pk, now=now).agent == sue  # supervisors may
    for _ in range(2):
        make_held_chat(acme, bob, now)
    waiting = make_chat(acme, now).chat
    with pytest.raises(Full):
        pick_chat(bob, waiting.pk, now=now)
    assert fresh(waiting).state == "queued"
    check_all()


def test_assigning_takes_the_chat_from_whoever_has_it(acme, ann, bob, now):
    chat = make_held_chat(acme, ann, now).chat
    assign_chat(acme.center.chats, chat.pk, bob, now=now)
    assert fresh(chat).agent == bob
    left = chat.events.get(type="agent.left")
    assert left.data == {"agent": str(ann.pk), "name": "Ann", "reason": "transferred"}
    assert Occupation.objects.get().agent == bob
    check_all()


def test_an_assignment_that_does_not_fit_changes_nothing(acme, ann, bob, gil, now):
    for _ in range(2):
        make_held_chat(acme, bob, now)
    chat = make_held_chat(acme, ann, now).chat
    before = types(chat)
    with pytest.raises(Full):
        assign_chat(acme.center.chats, chat.pk, bob, now=now)
    with pytest.raises(NotFound):
        assign_chat(gil.center.chats, chat.pk, gil, now=now)
    assert (fresh(chat).agent, types(chat)) == (ann, before)
    check_all()


def test_a_closed_chat_goes_on_with_who_reopens_it(acme, ann, bob, now):
    chat = make_held_chat(acme, ann, now).chat
    close_by_agent(ann, chat.pk, now=now)
    reopened = reopen_chat(bob, chat.pk, now=moved(now, 60))
    assert (reopened.agent, reopened.state, reopened.closed_at, reopened.close_reason) == (bob, "active", None, "")
    assert types(chat)[-2:] == ["chat.reopened", "agent.joined"]
    assert reopen_chat(bob, chat.pk, now=now).position == reopened.position
    check_all()


def test_what_cannot_be_reopened(acme, globex, ann, bob, gil, now):
    held = make_held_chat(acme, ann, now)
    with pytest.raises(Conflict):
        reopen_chat(bob, held.chat.pk, now=now)
    close_by_agent(ann, held.chat.pk, now=now)
    with pytest.raises(NotFound):
        reopen_chat(gil, held.chat.pk, now=now)
    with pytest.raises(NotFound):
        reopen_chat(ann, uuid.uuid4(), now=now)
    make_chat(acme, now, customer=held.chat.customer)
    with pytest.raises(Conflict):
        reopen_chat(ann, held.chat.pk, now=now)
    assert fresh(held.chat).state == "closed"


def test_a_transfer_to_a_team_queues_the_chat_there(acme, ann, now):
    chat = make_held_chat(acme, ann, now).chat
    Queue.objects.update(routing_due_at=None)
    transfer_to_team(ann, chat.pk, acme.sales, note="Knows about tax", now=moved(now, 5))
    chat = fresh(chat)
    assert (chat.team, chat.state, chat.agent, chat.queued_at) == (acme.sales, "queued", None, moved(now, 5))
    assert types(chat)[-4:] == ["note.posted", "agent.left", "chat.transferred", "chat.queued"]
    assert chat.events.get(type="note.posted").index is None
    due = Queue.objects.filter(routing_due_at=moved(now, 5)).values_list("team__key", flat=True)
    assert set(due) == {"support", "sales"}  # the slot that was freed may serve the old team
    check_all()


def test_a_transfer_to_a_team_that_searches_begins_a_search(acme, ann, now):
    Team.objects.filter(pk=acme.sales.pk).update(mode=Team.Mode.DIRECT, search_seconds=25)
    acme.sales.refresh_from_db()
    chat = make_held_chat(acme, ann, now).chat
    transfer_to_team(ann, chat.pk, acme.sales, now=now)
    assert (fresh(chat).state, fresh(chat).search_until) == ("searching", moved(now, 25))


def test_a_transfer_to_an_agent_is_an_offer(acme, ann, bob, now):
    chat = make_held_chat(acme, ann, now).chat
    transfer_to_agent(ann, chat.pk, bob, now=now)
    offer = Invitation.objects.pending().get()
    assert (offer.agent, offer.reason, fresh(chat).agent) == (bob, "transfer", None)
    check_all()


def test_a_transfer_that_is_not_allowed_changes_nothing(acme, globex, ann, bob, gil, now):
    chat = make_held_chat(acme, ann, now).chat
    before = types(chat)
    with pytest.raises(Forbidden):
        transfer_to_team(bob, chat.pk, acme.sales, note="mine!", now=now)
    with pytest.raises(Invalid):
        transfer_to_team(ann, chat.pk, globex.support, now=now)
    with pytest.raises(Invalid):
        transfer_to_agent(ann, chat.pk, gil, now=now)
    with pytest.raises(Invalid):
        transfer_to_agent(ann, chat.pk, ann, now=now)
    for _ in range(2):
        make_held_chat(acme, bob, now)
    with pytest.raises(Full):
        transfer_to_agent(ann, chat.pk, bob, note="for you", now=now)
    assert (types(chat), fresh(chat).agent) == (before, ann)
    close_by_agent(ann, chat.pk, now=now)
    with pytest.raises(Closed):
        transfer_to_team(ann, chat.pk, acme.sales, now=now)


def test_a_chat_of_a_lost_agent_waits_in_front_of_those_who_came_later(acme, ann, now):
    held = make_held_chat(acme, ann, now).chat
    later = make_chat(acme, moved(now, 10)).chat
    requeue_chat(Chat.objects, held.pk, reason="agent_gone", now=moved(now, 60))
    assert [chat.pk for chat in Chat.objects.waiting()] == [held.pk, later.pk]
    assert held.events.last().data == {"team": "Support", "reason": "agent_gone"}
    check_all()
