"""Agents in a chat beside its owner: invited, joined, gone; and what becomes of them when the chat moves or ends."""

import uuid

import pytest

from agents.models import Agent
from chats.actions.close import close_by_agent, close_by_customer
from chats.actions.guests import (
    MOST_GUESTS,
    decline_guest,
    invite_guest,
    join_as_guest,
    leave_as_guest,
    leave_to_guests,
)
from chats.actions.hold import assign_chat
from chats.actions.offer import accept_invitation
from chats.actions.post import Post, post_message
from chats.actions.read import mark_read
from chats.actions.transfer import requeue_chat, transfer_to_agent, transfer_to_team
from chats.errors import Closed, Conflict, Forbidden, Full, Gone, Invalid, NotFound
from chats.models import Chat, Occupation, Participant
from tests.chats.routing.truths import check_all
from tests.conftest import make_agent, make_chat, make_held_chat

pytestmark = [pytest.mark.django_db, pytest.mark.both]


def events(chat):
    return list(chat.events.order_by("position").values_list("type", "data__reason", "index"))


def fresh(chat):
    return Chat.objects.get(pk=chat.pk)


def part(chat, agent):
    return Participant.objects.get(chat=chat, agent=agent)


def say(chat, agent, text, now, **more):
    return post_message(Post(chat.pk, part(chat, agent).pk, str(uuid.uuid4()), text, **more), now=now)


@pytest.fixture
def visited(acme, ann, bob, now):
    """Ann's chat, and Bob as a guest in it."""
    held = make_held_chat(acme, ann, now)
    invite_guest(ann, held.chat.pk, bob, now=now)
    join_as_guest(bob, held.chat.pk, now=now)
    return held


def test_a_guest_is_invited_joins_writes_and_leaves_without_a_slot(acme, ann, bob, now):
    chat = make_held_chat(acme, ann, now).chat
    invite_guest(ann, chat.pk, bob, now=now)
    assert part(chat, bob).is_asked
    join_as_guest(bob, chat.pk, now=now)
    assert part(chat, bob).is_guest
    assert say(chat, bob, "I can help", now).index
    check_all()
    leave_as_guest(bob, chat.pk, now=now)
    assert not part(chat, bob).is_guest
    assert (fresh(chat).agent, Occupation.objects.get().agent) == (ann, ann)
    assert [(kind, reason) for kind, reason, _ in events(chat)[-4:]] == [
        ("guest.invited", None),
        ("agent.joined", "guest"),
        ("message.posted", None),
        ("agent.left", "guest"),
    ]
    check_all()


def test_the_customer_sees_who_comes_and_goes_and_not_who_was_asked(acme, ann, bob, now):
    chat = make_held_chat(acme, ann, now).chat
    head = fresh(chat).index
    invite_guest(ann, chat.pk, bob, now=now)
    decline_guest(bob, chat.pk, now=now)
    assert fresh(chat).index == head
    assert chat.events.get(type="guest.declined").data == {"agent": str(bob.pk), "name": "Bob"}
    invite_guest(ann, chat.pk, bob, now=now)
    join_as_guest(bob, chat.pk, now=now)
    assert fresh(chat).index == head + 1


def test_what_is_done_twice_is_done_once(acme, ann, bob, visited, now):
    before = fresh(visited.chat).position
    invite_guest(ann, visited.chat.pk, bob, now=now)
    join_as_guest(bob, visited.chat.pk, now=now)
    assert fresh(visited.chat).position == before


def test_who_was_not_asked_cannot_come_in(acme, ann, bob, sue, visited, now):
    for action in (join_as_guest, decline_guest, leave_as_guest):
        with pytest.raises(Gone):
            action(sue, visited.chat.pk, now=now)
    with pytest.raises(Conflict):
        decline_guest(bob, visited.chat.pk, now=now)
    invite_guest(ann, visited.chat.pk, sue, now=now)
    with pytest.raises(Gone):
        leave_as_guest(sue, visited.chat.pk, now=now)
    with pytest.raises(Forbidden):
        say(visited.chat, sue, "Not yet", now)


def test_only_the_owner_or_a_supervisor_invites(acme, ann, bob, sue, visited, now):
    cid = make_agent(acme, "Cid")
    with pytest.raises(Forbidden):
        invite_guest(bob, visited.chat.pk, cid, now=now)
    invite_guest(sue, visited.chat.pk, cid, now=now)
    assert part(visited.chat, cid).is_asked


def test_nobody_is_invited_who_cannot_come(acme, globex, ann, bob, gil, now):
    chat = make_held_chat(acme, ann, now).chat
    with pytest.raises(Invalid):
        invite_guest(ann, chat.pk, gil, now=now)
    with pytest.raises(Invalid):
        invite_guest(ann, chat.pk, ann, now=now)
    with pytest.raises(NotFound):
        invite_guest(gil, chat.pk, gil, now=now)
    Agent.objects.filter(pk=bob.pk).update(is_active=False)
    bob.refresh_from_db()
    with pytest.raises(Invalid):
        invite_guest(ann, chat.pk, bob, now=now)
    assert not chat.participants.guests().exists()


def test_a_chat_that_waits_or_has_ended_takes_no_guests(acme, ann, bob, sue, now):
    waiting = make_chat(acme, now).chat
    with pytest.raises(Conflict):
        invite_guest(sue, waiting.pk, bob, now=now)
    ended = make_held_chat(acme, ann, now).chat
    close_by_agent(ann, ended.pk, now=now)
    with pytest.raises(Closed):
        invite_guest(ann, ended.pk, bob, now=now)


def test_there_are_ten_guests_at_most(acme, ann, now):
    chat = make_held_chat(acme, ann, now).chat
    for number in range(MOST_GUESTS):
        invite_guest(ann, chat.pk, make_agent(acme, f"Guest {number}"), now=now)
    with pytest.raises(Full):
        invite_guest(ann, chat.pk, make_agent(acme, "One more"), now=now)


def test_the_end_of_the_chat_ends_every_guests_part(acme, ann, bob, sue, visited, now):
    invite_guest(ann, visited.chat.pk, sue, now=now)
    close_by_customer(visited.customer, now=now)
    assert not visited.chat.participants.guests().exists()
    assert part(visited.chat, bob).left_at == now
    with pytest.raises(Closed):
        say(visited.chat, bob, "Too late", now)
    with pytest.raises(Closed):
        join_as_guest(sue, visited.chat.pk, now=now)
    check_all()


def test_guests_stay_when_the_chat_changes_hands_and_write_again_once_somebody_has_it(
    acme, ann, bob, sue, visited, now
):
    transfer_to_team(ann, visited.chat.pk, acme.sales, now=now)
    assert part(visited.chat, bob).is_guest
    with pytest.raises(Forbidden):
        say(visited.chat, bob, "Nobody has it", now)
    say(visited.chat, bob, "He wants a refund", now, is_note=True)
    assign_chat(acme.center.chats, visited.chat.pk, sue, now=now)
    assert say(visited.chat, bob, "Hello again", now).index
    check_all()


def test_a_guest_who_takes_the_chat_is_no_guest_any_more(acme, ann, bob, visited, now):
    transfer_to_agent(ann, visited.chat.pk, bob, now=now)
    accept_invitation(bob, visited.chat.invitations.get(state="pending").pk, now=now)
    assert (fresh(visited.chat).agent, part(visited.chat, bob).invited_at) == (bob, None)
    with pytest.raises(Gone):
        leave_as_guest(bob, visited.chat.pk, now=now)
    check_all()


def test_a_former_owner_comes_back_as_a_guest(acme, ann, bob, visited, now):
    assign_chat(acme.center.chats, visited.chat.pk, bob, now=now)
    invite_guest(bob, visited.chat.pk, ann, now=now)
    assert part(visited.chat, ann).is_asked
    with pytest.raises(Forbidden):
        say(visited.chat, ann, "I am out", now)
    join_as_guest(ann, visited.chat.pk, now=now)
    assert say(visited.chat, ann, "I am back", now).index
    check_all()


def test_an_owner_who_leaves_hands_the_chat_to_the_first_guest_with_a_free_slot(acme, ann, bob, visited, now):
    cid = make_agent(acme, "Cid", capacity=1)
    for _ in range(2):
        make_held_chat(acme, bob, now)
    invite_guest(ann, visited.chat.pk, cid, now=now)
    join_as_guest(cid, visited.chat.pk, now=now)
    leave_to_guests(ann, visited.chat.pk, now=now)
    assert (fresh(visited.chat).agent, fresh(visited.chat).state) == (cid, "active")
    assert part(visited.chat, bob).is_guest
    check_all()


def test_without_a_guest_who_has_room_the_chat_waits_for_another_agent(acme, ann, bob, visited, now):
    for _ in range(2):
        make_held_chat(acme, bob, now)
    leave_to_guests(ann, visited.chat.pk, now=now)
    assert (fresh(visited.chat).agent, fresh(visited.chat).state) == (None, "queued")
    assert part(visited.chat, bob).is_guest
    with pytest.raises(Forbidden):
        leave_to_guests(bob, visited.chat.pk, now=now)
    check_all()


def test_a_guests_reading_does_not_count_as_the_owners(acme, ann, bob, visited, now):
    post_message(Post(visited.chat.pk, visited.customer.pk, "m1", "Hello?"), now=now)
    mark_read(part(visited.chat, bob), fresh(visited.chat).index)
    assert (fresh(visited.chat).unread, part(visited.chat, bob).read_index) == (1, 0)


def test_a_requeued_chat_keeps_those_who_were_asked(acme, ann, bob, now):
    chat = make_held_chat(acme, ann, now).chat
    invite_guest(ann, chat.pk, bob, now=now)
    requeue_chat(acme.center.chats, chat.pk, reason="agent_gone", now=now)
    join_as_guest(bob, chat.pk, now=now)
    assert part(chat, bob).is_guest
    check_all()
