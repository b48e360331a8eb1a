"""The only writer of presence: the status that an agent chose, the lease of the agent's client, tickets for sockets.

Leases are renewed by the server process that talks to the client, for all its agents at once; that a client is gone is known when
nobody renews. A connection's end is only a hint.
"""

import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.sessions.models import Session
from django.db import transaction

from contactcenter.models.person import hash_secret

from .errors import TicketRefused
from .models import Agent, Presence, Ticket
from .models.presence import LEAVING
from .signals import availability_changed

AGENT_LEASE = timedelta(seconds=45)
TICKET_LIFE = timedelta(seconds=60)


@transaction.atomic
def set_status(agent: Agent, status: str, now: datetime) -> Presence:
    """The agent chose a status (Presence.Status). Choosing the same again changes nothing."""
    presence = _locked(agent)
    if presence.status != status:
        presence.status, presence.status_at = Presence.Status(status), now
        presence.save(update_fields=["status", "status_at"])
        availability_changed.send(sender=Presence, agent_id=agent.pk, now=now)
    return presence


@transaction.atomic
def sign_in(agent: Agent, now: datetime) -> Presence:
    """The agent's client is there: its first lease. Whoever was thought to be gone is available again at once."""
    presence = _locked(agent)
    was_there = presence.is_leased(now + LEAVING)
    presence.lease_until = max(presence.lease_until or now, now + AGENT_LEASE)
    presence.save(update_fields=["lease_until"])
    if not was_there:
        availability_changed.send(sender=Presence, agent_id=agent.pk, now=now)
    return presence


@transaction.atomic(savepoint=False)
def renew_leases(agent_ids: Iterable[UUID], until: datetime) -> int:
    """The clients of these agents gave a sign of life; how many have a seat. One statement for all agents of a process.

    The rows are locked in the order that every writer of several seats keeps: two processes that renew the same agents never wait for each other in a circle.
    """
    rows = Presence.objects.filter(agent_id__in=list(agent_ids)).order_by("agent_id").select_for_update(no_key=True)
    return Presence.objects.filter(pk__in=rows.values("pk")).update(lease_until=until)


def end_lease(agent: Agent, now: datetime) -> None:
    """A connection of the agent ended. A hint: it may never come, and another window of the agent may still be there."""
    Presence.objects.filter(agent=agent, lease_until__gt=now + LEAVING).update(lease_until=now + LEAVING)


def issue_ticket(agent: Agent, session_key: str, now: datetime) -> str:
    """The secret by which the agent's client may open one socket within a minute."""
    secret = secrets.token_urlsafe(32)
    Ticket.objects.create(
        center_id=agent.center_id,
        agent=agent,
        secret_hash=hash_secret(secret),
        session_version=agent.user.session_version,
        session_key=session_key,
        expires_at=now + TICKET_LIFE,
    )
    return secret


@dataclass(frozen=True)
class Admission:
    """Whom a ticket lets in, and the browser session that it came from (empty for programs)."""

    agent: Agent
    session_key: str


def redeem_ticket(secret: str, now: datetime) -> Admission:
    """Who is let in by the ticket. Raises TicketRefused."""
    ticket = Ticket.objects.filter(secret_hash=hash_secret(secret)).first()
    # Of two who present the same ticket at the same moment, the one that deletes it comes in.
    if ticket is None or not Ticket.objects.filter(pk=ticket.pk).delete()[0]:
        raise TicketRefused
    agent = Agent.objects.active().select_related("user", "center").filter(pk=ticket.agent_id).first()
    if agent is None or ticket.expires_at <= now or ticket.session_version != agent.user.session_version:
        raise TicketRefused
    if ticket.session_key and not living_sessions([ticket.session_key], now):
        raise TicketRefused
    return Admission(agent, ticket.session_key)


def living_sessions(session_keys: Collection[str], now: datetime) -> set[str]:
    """Those of the browser sessions that nobody has signed out of and that have not expired."""
    living = Session.objects.filter(session_key__in=session_keys, expire_date__gt=now)
    return set(living.values_list("session_key", flat=True))


def drop_expired_tickets(now: datetime) -> int:
    return Ticket.objects.filter(expires_at__lte=now).delete()[0]


def _locked(agent: Agent) -> Presence:
    Presence.objects.get_or_create(agent=agent, defaults={"center_id": agent.center_id})
    return Presence.objects.select_for_update(no_key=True).get(agent=agent)
