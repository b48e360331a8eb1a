"""What time alone brings about, and what no wake-up reached."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session

from agents.models import Agent, Presence, Slot, Ticket
from agents.presence import issue_ticket, set_status
from agents.seats import set_capacity
from chats.actions.close import close_by_agent
from chats.actions.hold import assign_chat
from chats.models import Chat, CustomerSession, Invitation, Occupation, Participant, Queue
from chats.routing import sweeps
from chats.routing.engine import route_team
from contactcenter.models import Team
from tests.cases import cases
from tests.chats.routing.truths import check_all, moved
from tests.conftest import make_chat, make_held_chat, online

pytestmark = [pytest.mark.django_db, pytest.mark.both]


def types(chat):
    return list(chat.events.order_by("position").values_list("type", flat=True))


def offered(acme, ann, now):
    online(ann, now)
    chat = make_chat(acme, now).chat
    route_team(acme.support.pk, now)
    return chat


def test_an_offer_whose_time_is_over_expires(acme, ann, now):
    chat = offered(acme, ann, now)
    assert sweeps.expire_invitations(moved(now, 29)) == 0
    assert sweeps.expire_invitations(moved(now, 30)) == 1
    assert Invitation.objects.get().state == "expired"
    assert types(chat)[-1] == "invitation.expired"
    assert sweeps.expire_invitations(moved(now, 31)) == 0
    check_all()


@cases("how", ["away", "offline", "lease", "seat"])
def test_an_offer_to_who_is_gone_is_withdrawn(acme, ann, now, how):
    chat = offered(acme, ann, now)
    assert sweeps.withdraw_invitations(moved(now, 1)) == 0
    if how == "lease":
        Presence.objects.filter(agent=ann).update(lease_until=moved(now, 1))
    elif how == "seat":
        Agent.objects.filter(pk=ann.pk).update(is_active=False)
    else:
        set_status(ann, how, moved(now, 1))
    assert sweeps.withdraw_invitations(moved(now, 1)) == 1
    assert types(chat)[-1] == "invitation.withdrawn"
    assert not Occupation.objects.exists()
    check_all()


def test_an_agent_who_went_away_keeps_the_chats_that_were_accepted(acme, ann, now):
    online(ann, now)
    held = make_held_chat(acme, ann, now)
    set_status(ann, "away", now)
    sweeps.sweep(moved(now, 2))
    assert Chat.objects.get(pk=held.chat.pk).agent == ann


def test_a_chat_whose_agent_is_gone_is_offered_again_after_the_grace(acme, ann, bob, now):
    online(ann, now, seconds=45)
    held = make_held_chat(acme, ann, now)
    online(bob, now, seconds=900)
    grace_ends = moved(now, 45 + acme.support.grace_seconds)
    assert sweeps.requeue_chats(grace_ends - timedelta(seconds=1)) == 0
    sweeps.sweep(grace_ends)
    chat = Chat.objects.get(pk=held.chat.pk)
    assert (chat.state, chat.agent) == ("queued", None)
    assert types(chat)[-4:] == ["agent.left", "chat.queued", "routing.decided", "invitation.offered"]
    assert chat.events.get(type="chat.queued", data__reason="agent_gone").index
    assert Invitation.objects.pending().get().agent == bob
    check_all()


def test_an_agent_who_returns_within_the_grace_keeps_the_chat(acme, ann, now):
    online(ann, now, seconds=45)
    held = make_held_chat(acme, ann, now)
    online(ann, moved(now, 100))
    sweeps.sweep(moved(now, 120))
    assert Chat.objects.get(pk=held.chat.pk).agent == ann


def test_who_is_given_a_chat_while_away_has_the_grace_to_come(acme, ann, now):
    chat = make_chat(acme, now).chat
    assign_chat(acme.center.chats, chat.pk, ann, now=now)
    assert sweeps.requeue_chats(moved(now, acme.support.grace_seconds - 1)) == 0
    assert sweeps.requeue_chats(moved(now, acme.support.grace_seconds)) == 1


def test_a_seat_that_was_taken_away_loses_its_chats_at_once(acme, ann, now):
    online(ann, now)
    make_held_chat(acme, ann, now)
    Agent.objects.filter(pk=ann.pk).update(is_active=False)
    assert sweeps.requeue_chats(moved(now, 1)) == 1
    assert not Occupation.objects.exists()


def test_a_search_that_finds_nobody_says_so_and_ends_as_the_team_says(acme, now):
    Team.objects.filter(pk=acme.sales.pk).update(mode=Team.Mode.DIRECT, search_seconds=20, on_nobody=Team.Nobody.CLOSE)
    acme.sales.refresh_from_db()
    chat = make_chat(acme, now, team=acme.sales).chat
    sweeps.sweep(moved(now, 20))
    chat.refresh_from_db()
    assert (chat.state, chat.close_reason) == ("closed", "unanswered")
    assert types(chat)[-2:] == ["search.failed", "chat.closed"]


def test_a_search_goes_on_after_it_said_so_where_the_team_wants_that(acme, ann, now):
    Team.objects.filter(pk=acme.sales.pk).update(mode=Team.Mode.DIRECT, search_seconds=20)
    acme.sales.refresh_from_db()
    chat = make_chat(acme, now, team=acme.sales).chat
    sweeps.sweep(moved(now, 20))
    assert "search.failed" in types(chat)
    online(ann, moved(now, 22))
    sweeps.sweep(moved(now, 22))
    assert Invitation.objects.pending().get().chat == chat


def test_a_search_does_not_fail_while_it_rings(acme, ann, now):
    Team.objects.filter(pk=acme.sales.pk).update(mode=Team.Mode.DIRECT, search_seconds=20, on_nobody=Team.Nobody.CLOSE)
    acme.sales.refresh_from_db()
    chat = make_chat(acme, now, team=acme.sales).chat
    online(ann, moved(now, 10), seconds=300)
    sweeps.sweep(moved(now, 10))
    sweeps.sweep(moved(now, 20))
    chat.refresh_from_db()
    assert (chat.state, chat.occupation.agent) == ("searching", ann)
    sweeps.sweep(moved(now, 40))  # nobody answered: now it has failed, and is not offered again before it says so
    chat.refresh_from_db()
    assert types(chat)[-3:] == ["invitation.expired", "search.failed", "chat.closed"]


def test_a_customer_who_stays_away_is_reminded_and_then_the_chat_is_closed(acme, ann, now):
    online(ann, now, seconds=9000)
    held = make_held_chat(acme, ann, now)
    left_at = moved(now, 90)
    for seconds in range(0, 460, 10):
        sweeps.sweep(moved(now, seconds))
    chat = Chat.objects.get(pk=held.chat.pk)
    reminded = chat.events.get(type="customer.reminded")
    closed = chat.events.get(type="chat.closed")
    assert reminded.at == moved(left_at, acme.support.away_reminder_seconds)
    assert closed.at == moved(left_at, acme.support.away_close_seconds)
    assert closed.data == {"by": "system", "reason": "customer_left"}


def test_a_customer_whose_client_is_there_is_not_reminded_of_being_away(acme, ann, now):
    online(ann, now, seconds=9000)
    held = make_held_chat(acme, ann, now)
    for seconds in range(0, 900, 30):
        Participant.objects.filter(pk=held.customer.pk).update(lease_until=moved(now, seconds + 90))
        sweeps.sweep(moved(now, seconds))
    assert "customer.reminded" not in types(held.chat)


def test_while_nobody_waits_no_agents_slots_are_looked_at(acme, ann, now, django_assert_num_queries):
    make_held_chat(acme, ann, now)
    with django_assert_num_queries(1) as asked:
        sweeps.remind_queues(now)
    assert Slot._meta.db_table not in asked.captured_queries[0]["sql"]


def test_a_forgotten_queue_is_found(acme, ann, now):
    online(ann, now)
    make_chat(acme, now)
    Queue.objects.all().delete()
    assert sweeps.sweep(moved(now, 2)) == 1
    assert Invitation.objects.pending().get().agent == ann


def test_a_queue_without_hope_is_not_woken(acme, ann, now):
    make_chat(acme, now)
    sweeps.sweep(now)
    assert Queue.objects.get().routing_due_at is None
    sweeps.remind_queues(moved(now, 2))
    assert Queue.objects.get().routing_due_at is None


def test_one_item_that_fails_does_not_stop_the_others(acme, ann, bob, now, monkeypatch):
    online(ann, now), online(bob, now)
    for _ in range(2):
        make_chat(acme, now)
    route_team(acme.support.pk, now)
    broken = Invitation.objects.pending().first().pk
    real = sweeps.expire_invitation

    def expire_or_fail(pk, *, now):
        if pk == broken:
            raise ValueError("a bug")
        return real(pk, now=now)

    monkeypatch.setattr(sweeps, "expire_invitation", expire_or_fail)
    assert sweeps.expire_invitations(moved(now, 60)) == 1
    assert Invitation.objects.pending().get().pk == broken


def test_nothing_is_done_where_nothing_is_due(acme, ann, now, django_assert_max_num_queries):
    with django_assert_max_num_queries(8):
        assert sweeps.sweep(now) == 0


def test_a_smaller_capacity_ends_no_chat_and_counts_the_chats_that_are_there(acme, ann, now):
    online(ann, now, seconds=900)
    held = [make_held_chat(acme, ann, now).chat for _ in range(3)]
    set_capacity(ann, 1)
    check_all()
    close_by_agent(ann, held[0].pk, now=now)  # the first slot is free now, yet two chats are more than one
    make_chat(acme, now)
    sweeps.sweep(now)
    assert not Invitation.objects.pending().exists()
    check_all()
    for chat in held[1:]:
        close_by_agent(ann, chat.pk, now=now)
    sweeps.sweep(now)
    assert Invitation.objects.pending().count() == 1
    check_all()


def test_a_capacity_that_grows_again_takes_the_retired_slots_back(acme, ann, now):
    for _ in range(3):
        make_held_chat(acme, ann, now)
    for capacity in (1, 3, 0, 2, 5, 3):
        set_capacity(ann, capacity)
        check_all()
    assert Slot.objects.filter(agent=ann).count() == 3


def test_tidying_drops_what_is_past_its_time(acme, ann, now):
    for at in (now - timedelta(days=1), now + timedelta(days=1)):
        issue_ticket(ann, "", at)
        Session.objects.create(session_key=f"k{at.day}", session_data="", expire_date=at)
        chat = make_chat(acme, now).chat
        CustomerSession.objects.create(
            center=acme.center, customer=chat.customer, channel=acme.channel, token_hash=f"h{at.day}", expires_at=at
        )
    Slot.objects.create(center=acme.center, agent=ann, number=9, is_retired=True)
    sweeps.tidy(now)
    assert (Ticket.objects.count(), Session.objects.count(), CustomerSession.objects.count()) == (1, 1, 1)
    assert not Slot.objects.filter(is_retired=True).exists()
