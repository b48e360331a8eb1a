"""Status, leases, tickets."""

from datetime import timedelta

import pytest
from django.contrib.sessions.backends.db import SessionStore

from agents.errors import TicketRefused
from agents.models import Presence, Ticket
from agents.presence import (
    AGENT_LEASE,
    LEAVING,
    TICKET_LIFE,
    drop_expired_tickets,
    end_lease,
    issue_ticket,
    living_sessions,
    redeem_ticket,
    renew_leases,
    set_status,
    sign_in,
)
from agents.seats import set_capacity
from agents.signals import availability_changed
from chats.models import Queue
from tests.cases import cases
from tests.conftest import make_chat, online

pytestmark = [pytest.mark.django_db, pytest.mark.both]


@pytest.fixture
def told():
    """The agents whose availability was said to have changed."""
    heard = []

    def hear(sender, agent_id, now, **_):
        heard.append(agent_id)

    availability_changed.connect(hear)
    yield heard
    availability_changed.disconnect(hear)


def presence(agent):
    return Presence.objects.get(agent=agent)


def test_a_status_is_kept_with_its_time_and_told(ann, now, told):
    set_status(ann, "online", now)
    assert (presence(ann).status, presence(ann).status_at) == ("online", now)
    assert told == [ann.pk]


def test_the_same_status_again_changes_nothing(ann, now, told):
    set_status(ann, "away", now)
    set_status(ann, "away", now + timedelta(seconds=5))
    assert presence(ann).status_at == now
    assert told == [ann.pk]


def test_only_an_online_agent_with_a_lease_is_available(ann, now):
    set_status(ann, "online", now)
    assert not presence(ann).is_available(now)
    sign_in(ann, now)
    assert presence(ann).is_available(now)
    assert not presence(ann).is_available(now + AGENT_LEASE)
    set_status(ann, "away", now)
    assert not presence(ann).is_available(now)


def test_whose_client_has_just_gone_is_offered_nothing_until_it_is_back(ann, now, told):
    set_status(ann, "online", now)
    sign_in(ann, now)
    end_lease(ann, now)
    assert presence(ann).is_leased(now + timedelta(seconds=14))
    assert not presence(ann).is_available(now)
    told.clear()
    sign_in(ann, now + timedelta(seconds=2))
    assert presence(ann).is_available(now + timedelta(seconds=2))
    assert told == [ann.pk]


def test_the_first_lease_is_told_and_a_running_one_is_not(ann, now, told):
    sign_in(ann, now)
    sign_in(ann, now + timedelta(seconds=1))
    assert told == [ann.pk]
    sign_in(ann, now + timedelta(seconds=1) + AGENT_LEASE)
    assert told == [ann.pk, ann.pk]


def test_all_leases_of_a_process_are_renewed_in_one_statement(ann, bob, gil, now, django_assert_num_queries):
    until = now + AGENT_LEASE
    with django_assert_num_queries(1):
        assert renew_leases([ann.pk, gil.pk], until) == 2
    assert (presence(ann).lease_until, presence(gil).lease_until) == (until, until)
    assert presence(bob).lease_until is None


def test_a_connections_end_shortens_the_lease_but_never_lengthens_it(ann, now):
    sign_in(ann, now)
    end_lease(ann, now)
    assert presence(ann).lease_until == now + LEAVING
    end_lease(ann, now + timedelta(seconds=5))
    assert presence(ann).lease_until == now + LEAVING


def test_another_window_of_the_agent_takes_the_lease_up_again(ann, now):
    sign_in(ann, now)
    end_lease(ann, now)
    renew_leases([ann.pk], now + AGENT_LEASE)
    assert presence(ann).is_leased(now + LEAVING)


@cases("change", ["status", "lease", "capacity"])
def test_the_queues_of_the_agents_teams_become_due(acme, ann, now, change):
    make_chat(acme, now)
    Queue.objects.update(routing_due_at=None)
    if change == "status":
        set_status(ann, "online", now)
    elif change == "lease":
        sign_in(ann, now)
    else:
        set_capacity(ann, 5)
    assert Queue.objects.get(team=acme.support).routing_due_at is not None


def test_a_ticket_lets_its_agent_in_once(ann, now):
    secret = issue_ticket(ann, "", now)
    assert redeem_ticket(secret, now).agent == ann
    with pytest.raises(TicketRefused):
        redeem_ticket(secret, now)


def test_a_ticket_is_stored_hashed(ann, now):
    secret = issue_ticket(ann, "", now)
    ticket = Ticket.objects.get()
    assert len(secret) >= 43
    assert secret not in (ticket.secret_hash, str(ticket.pk))


def test_a_ticket_lasts_a_minute(ann, now):
    secret = issue_ticket(ann, "", now)
    with pytest.raises(TicketRefused):
        redeem_ticket(secret, now + TICKET_LIFE)
    assert not Ticket.objects.exists()


@cases("what", ["seat", "user", "center", "session_version"])
def test_a_ticket_of_who_lost_the_right_meanwhile_is_worthless(ann, now, what):
    secret = issue_ticket(ann, "", now)
    if what == "session_version":
        ann.user.session_version += 1
        ann.user.save()
    else:
        row = {"seat": ann, "user": ann.user, "center": ann.center}[what]
        row.is_active = False
        row.save()
    with pytest.raises(TicketRefused) as refused:
        redeem_ticket(secret, now)
    assert refused.value.code == "unauthorized"


@cases("is_signed_out", [False, True])
def test_a_ticket_ends_with_the_browsers_session(ann, now, is_signed_out):
    session = SessionStore()
    session.create()
    secret = issue_ticket(ann, session.session_key, now)
    if not is_signed_out:
        assert redeem_ticket(secret, now).session_key == session.session_key
        return
    session.flush()
    with pytest.raises(TicketRefused):
        redeem_ticket(secret, now)


def test_sessions_that_expired_are_not_living(ann, now):
    session = SessionStore()
    session.create()
    keys = [session.session_key, "unknown"]
    assert living_sessions(keys, now) == {session.session_key}
    assert living_sessions(keys, session.get_expiry_date() + timedelta(days=1)) == set()


def test_a_made_up_ticket_is_refused(ann, now):
    issue_ticket(ann, "", now)
    for secret in ("", "x", "\x00", "é" * 50):
        with pytest.raises(TicketRefused):
            redeem_ticket(secret, now)
    assert Ticket.objects.count() == 1


def test_expired_tickets_are_dropped(ann, now):
    issue_ticket(ann, "", now - TICKET_LIFE)
    issue_ticket(ann, "", now)
    assert drop_expired_tickets(now) == 1
    assert Ticket.objects.count() == 1


def test_an_agent_who_comes_online_gets_a_waiting_chat(acme, ann, now):
    from chats.models import Invitation
    from chats.routing.engine import route_team

    online(ann, now)
    started = make_chat(acme, now)
    assert route_team(acme.support.pk, now) == 1
    assert Invitation.objects.get(chat=started.chat).agent == ann
