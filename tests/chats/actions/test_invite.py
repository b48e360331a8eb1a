"""A chat offered to an agent whom a program names."""

from datetime import timedelta

import pytest

from agents.models import Presence
from agents.seats import set_capacity
from chats.actions.steer import invite_agent
from chats.errors import Closed, Conflict, Full, NotFound
from chats.models import Chat, Invitation, Occupation, Queue, Search
from tests.conftest import make_agent, make_chat, make_held_chat, online


@pytest.mark.both
def test_the_agent_rings_and_the_slot_is_taken(acme, ann, now):
    chat = make_chat(acme, now).chat
    invitation = invite_agent(acme.center.chats, chat.pk, online(ann, now), now=now)
    assert (invitation.agent_id, invitation.reason, invitation.state) == (ann.pk, "invited", "pending")
    assert Occupation.objects.get(chat=chat).invitation_id == invitation.pk


@pytest.mark.both
def test_whoever_had_it_on_offer_is_free_again_and_routed(acme, ann, bob, now):
    chat = make_chat(acme, now).chat
    invite_agent(acme.center.chats, chat.pk, online(ann, now), now=now)
    Queue.objects.update(routing_due_at=None)
    invite_agent(acme.center.chats, chat.pk, online(bob, now), now=now)
    assert list(Occupation.objects.values_list("agent__name", flat=True)) == ["Bob"]
    assert set(Queue.objects.exclude(routing_due_at=None).values_list("team__key", flat=True)) >= {"support", "sales"}


def test_an_offer_that_has_run_out_is_made_anew(acme, ann, now):
    chat = make_chat(acme, now).chat
    first = invite_agent(acme.center.chats, chat.pk, online(ann, now, 600), now=now)
    later = now + timedelta(minutes=5)
    second = invite_agent(acme.center.chats, chat.pk, ann, now=later)
    first.refresh_from_db()
    assert (first.state, second.state) == (Invitation.State.WITHDRAWN, Invitation.State.PENDING)


def test_a_steered_search_goes_on_from_it(acme, ann, now):
    chat = make_chat(acme, now, is_steered=True).chat
    invite_agent(acme.center.chats, chat.pk, online(ann, now), now=now)
    search = Search.objects.get(chat=chat)
    assert search.is_running
    assert search.due_at is None


def test_who_cannot_take_it_is_not_asked(acme, ann, bob, now):
    chat = make_chat(acme, now).chat
    with pytest.raises(Conflict):
        invite_agent(acme.center.chats, chat.pk, ann, now=now)
    online(ann, now)
    Presence.objects.filter(agent=ann).update(status=Presence.Status.AWAY)
    with pytest.raises(Conflict):
        invite_agent(acme.center.chats, chat.pk, ann, now=now)
    set_capacity(online(bob, now), 0)
    with pytest.raises(Full):
        invite_agent(acme.center.chats, chat.pk, bob, now=now)
    assert not Invitation.objects.exists()
    assert Chat.objects.get().is_waiting


def test_a_full_agent_leaves_the_offer_where_it_is(acme, ann, bob, now):
    chat = make_chat(acme, now).chat
    first = invite_agent(acme.center.chats, chat.pk, online(ann, now), now=now)
    set_capacity(online(bob, now), 0)
    with pytest.raises(Full):
        invite_agent(acme.center.chats, chat.pk, bob, now=now)
    first.refresh_from_db()
    assert first.state == Invitation.State.PENDING


def test_a_held_or_closed_chat_and_another_centers_are_refused(acme, globex, ann, bob, now):
    held = make_held_chat(acme, online(ann, now), now).chat
    with pytest.raises(Conflict):
        invite_agent(acme.center.chats, held.pk, online(bob, now), now=now)
    other = make_chat(globex, now).chat
    with pytest.raises(NotFound):
        invite_agent(acme.center.chats, other.pk, bob, now=now)
    Chat.objects.filter(pk=other.pk).update(state="closed", closed_at=now)
    with pytest.raises(Closed):
        invite_agent(globex.center.chats, other.pk, make_agent(globex, "Zoe"), now=now)
