"""Offers: made, accepted, declined, expired, withdrawn. Rows and events."""

import pytest

from agents.models import Presence
from chats.actions.close import close_by_customer
from chats.actions.offer import (
    accept_invitation,
    decline_invitation,
    expire_invitation,
    offer_chat,
    withdraw_invitation,
)
from chats.actions.transfer import transfer_to_team
from chats.errors import Full, Gone, NotFound
from chats.models import Chat, Invitation, Occupation, Queue
from tests.cases import cases
from tests.chats.routing.truths import check_all, moved
from tests.conftest import make_chat, make_held_chat, online

pytestmark = [pytest.mark.django_db, pytest.mark.both]


@pytest.fixture
def offer(acme, ann, now):
    online(ann, now, seconds=900)
    chat = Chat.objects.get(pk=make_chat(acme, now).chat.pk)
    invitation = offer_chat(chat, ann, reason="most_free_slots", now=now)
    Queue.objects.update(routing_due_at=None)
    return invitation


def types(chat):
    return list(chat.events.order_by("position").values_list("type", flat=True))


def is_due(team):
    return Queue.objects.get(team=team).routing_due_at is not None


def test_an_offer_takes_a_slot_and_is_for_staff_alone(offer, ann, now):
    place = Occupation.objects.get()
    assert (place.invitation, place.agent, place.chat, place.is_held) == (offer, ann, offer.chat, False)
    event = offer.chat.events.last()
    assert (event.type, event.index) == ("invitation.offered", None)
    assert event.data == {
        "invitation": str(offer.pk),
        "agent": str(ann.pk),
        "name": "Ann",
        "reason": "most_free_slots",
        "expires_at": offer.expires_at.isoformat(),
    }
    assert Presence.objects.get(agent=ann).idle_since == now
    check_all()


def test_accepting_makes_the_agent_the_owner(offer, acme, ann, now):
    chat = accept_invitation(ann, offer.pk, now=moved(now, 5))
    assert (chat.state, chat.agent, chat.queued_at, chat.first_accepted_at) == ("active", ann, None, moved(now, 5))
    assert Invitation.objects.get().state == "accepted"
    assert Occupation.objects.get().is_held
    assert types(chat)[-2:] == ["invitation.accepted", "agent.joined"]
    presence = Presence.objects.get(agent=ann)
    assert (presence.idle_since, presence.last_assigned_at) == (None, moved(now, 5))
    assert is_due(acme.support)
    check_all()


def test_accepting_twice_is_harmless(offer, ann, now):
    first = accept_invitation(ann, offer.pk, now=now)
    again = accept_invitation(ann, offer.pk, now=moved(now, 3))
    assert (again.pk, again.position) == (first.pk, first.position)


def test_the_last_moment_is_too_late(offer, ann):
    with pytest.raises(Gone):
        accept_invitation(ann, offer.pk, now=offer.expires_at)


def test_somebody_elses_offer_does_not_exist(offer, bob, gil, now):
    for stranger in (bob, gil):
        with pytest.raises(NotFound):
            accept_invitation(stranger, offer.pk, now=now)
        with pytest.raises(NotFound):
            decline_invitation(stranger, offer.pk, now=now)
    assert Invitation.objects.get().state == "pending"


@cases("state", ["declined", "expired", "withdrawn"])
def test_an_offer_that_ends_frees_the_slot_and_the_chat_waits_where_it_stood(offer, acme, ann, now, state):
    at = moved(offer.expires_at, 1)
    if state == "declined":
        decline_invitation(ann, offer.pk, now=at)
        decline_invitation(ann, offer.pk, now=moved(at, 1))  # twice is harmless
    else:
        end = expire_invitation if state == "expired" else withdraw_invitation
        assert end(offer.pk, now=at)
        assert not end(offer.pk, now=at)
    chat = Chat.objects.get()
    assert (chat.state, chat.agent, chat.queued_at) == ("queued", None, offer.chat.queued_at)
    assert not Occupation.objects.exists()
    ended = Invitation.objects.get()
    assert (ended.state, ended.ended_at) == (state, at)
    assert types(chat).count(f"invitation.{state}") == 1
    assert chat.events.last().index is None
    assert is_due(acme.support)
    with pytest.raises(Gone):
        accept_invitation(ann, offer.pk, now=now)
    check_all()


def test_an_offer_does_not_expire_before_its_time(offer, now):
    assert not expire_invitation(offer.pk, now=moved(offer.expires_at, -1))
    assert withdraw_invitation(offer.pk, now=now)


def test_a_full_agent_is_offered_nothing(acme, bob, now):
    for _ in range(2):
        make_held_chat(acme, bob, now)
    chat = Chat.objects.get(pk=make_chat(acme, now).chat.pk)
    with pytest.raises(Full):
        offer_chat(chat, bob, reason="test", now=now)


def test_a_chat_that_its_customer_ends_is_no_longer_on_offer(offer, now):
    close_by_customer(offer.chat.participants.get(kind="customer"), now=now)
    assert Invitation.objects.get().state == "withdrawn"
    assert types(offer.chat)[-2:] == ["invitation.withdrawn", "chat.closed"]
    check_all()


def test_a_transfer_takes_the_offer_along(offer, acme, sue, now):
    transfer_to_team(sue, offer.chat.pk, acme.sales, now=now)
    assert Invitation.objects.get().state == "withdrawn"
    assert is_due(acme.sales)
    check_all()
