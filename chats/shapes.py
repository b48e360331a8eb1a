"""How rows look to clients: the plain dicts of docs/realtime.md, the same over REST and sockets.

Shapes ask no queries of their own when their rows come through the loaders below (`for_customer`, `for_staff`, `with_load` …).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Prefetch, QuerySet

from agents.models import Agent, Membership
from contactcenter.models import ContactCenter, Team

from .delivery_shapes import delivery_of, with_delivery
from .models import Chat, Customer, Event, Invitation, Participant
from .stamps import stamp as stamp

# Events ---------------------------------------------------------------------------------------------------------------


def event_for_customer(event: Event) -> dict[str, Any]:
    """One line of the log without what tells of lines that the customer does not see."""
    data = {name: value for name, value in event.data.items() if name not in ("attachments", "facts")}
    shown: dict[str, Any] = {
        "index": event.index,
        "type": event.type,
        "at": stamp(event.at),
        "sender": _sender(event),
        "text": event.text,
        "attachments": event.data.get("attachments", []),
        "data": data,
    }
    if event.client_id:
        shown["client_id"] = event.client_id
    return shown


def event_for_staff(event: Event) -> dict[str, Any]:
    """One line of the log with both numbers; `index` is None for what is for staff alone."""
    return {"position": event.position, **event_for_customer(event)}


def _sender(event: Event) -> dict[str, Any]:
    shown: dict[str, Any] = {"kind": event.sender_kind, "name": event.sender_name}
    if event.sender_id:
        shown["id"] = str(event.sender_id)
    return shown


# Chats ----------------------------------------------------------------------------------------------------------------


def for_customer(chats: QuerySet[Chat]) -> QuerySet[Chat]:
    """Chats with all that chat_for_customer reads: two queries for any number of them."""
    return chats.select_related("team", "agent", "channel__widget").prefetch_related("participants")


def for_staff(chats: QuerySet[Chat]) -> QuerySet[Chat]:
    """Chats with all that chat_for_staff reads: two queries for any number of them."""
    return with_delivery(for_customer(chats).select_related("customer", "disposition"))


def chat_for_customer(chat: Chat) -> dict[str, Any]:
    return {
        "id": str(chat.pk),
        "state": str(chat.state),
        "subject": chat.subject,
        "team": {"id": str(chat.team.pk), "key": chat.team.key, "name": chat.team.name},
        "agent": _agent_of_chat(chat.agent) if chat.agent else None,
        "started_at": stamp(chat.started_at),
        "closed_at": stamp(chat.closed_at),
        "close_reason": str(chat.close_reason),
        "head": chat.index,
        "read": _cursors(chat.participants.all(), "read_index"),
        "survey": _survey(chat),
    }


def chat_for_staff(chat: Chat, *, viewer_id: UUID | None = None, now: datetime) -> dict[str, Any]:
    """`viewer_id`: the agent who looks; `held` says whether the chat is that agent's, `guest` what the agent is in a colleague's (invited, joined or None)."""
    lease_until = next((p.lease_until for p in chat.participants.all() if p.kind == Participant.Kind.CUSTOMER), None)
    last = {"text": chat.last_text, "at": stamp(chat.last_text_at), "sender_kind": chat.last_sender_kind}
    return chat_for_customer(chat) | {
        "head": chat.position,
        "index_head": chat.index,
        "customer": customer_shape(chat.customer),
        "channel": {"id": str(chat.channel.pk), "kind": str(chat.channel.kind), "name": chat.channel.name},
        "agent_id": str(chat.agent_id) if chat.agent_id else None,
        "priority": chat.priority,
        "language": chat.language,
        "skills": chat.skills,
        "page": {"url": chat.page_url, "title": chat.page_title},
        "data": chat.data,
        "queued_at": stamp(chat.queued_at),
        "waiting_since": stamp(chat.waiting_since),
        "last_message": last if chat.last_text_at else None,
        "unread": chat.unread,
        "delivered": _cursors(chat.participants.all(), "delivered_index"),
        "delivery": delivery_of(chat, now),
        "online": bool(lease_until and lease_until > now),
        "disposition": chat.disposition.name if chat.disposition else None,
        "comment": chat.comment,
        "rating": chat.rating,
        "held": chat.state == Chat.State.ACTIVE and viewer_id is not None and chat.agent_id == viewer_id,
        "guest": guest_state(chat, viewer_id),
        "guests": [
            {"id": str(one.agent_id), "name": one.name, "state": "joined" if one.is_guest else "invited"}
            for one in sorted(chat.participants.all(), key=lambda one: (one.invited_at or now, one.pk))
            if one.invited_at
        ],
    }


def customer_shape(customer: Customer) -> dict[str, Any]:
    """Who a chat is with, in short."""
    return {
        "id": str(customer.pk),
        "name": customer.name,
        "email": customer.email,
        "phone": customer.phone,
        "language": customer.language,
        "is_identified": customer.is_identified,
    }


def _agent_of_chat(agent: Agent) -> dict[str, Any]:
    return {"id": str(agent.pk), "name": agent.name, "avatar": avatar_url(agent), "is_bot": agent.is_bot}


def guest_state(chat: Chat, agent_id: UUID | None) -> str | None:
    """What the agent is in a colleague's chat: invited, joined or nothing."""
    guest = next((one for one in chat.participants.all() if one.agent_id == agent_id and one.invited_at), None)
    return ("joined" if guest.is_guest else "invited") if guest else None


def avatar_url(agent: Agent) -> str | None:
    """Root-relative; the part behind ? changes with the picture, so that it may be cached."""
    if not agent.avatar.name:
        return None
    return f"/avatars/{agent.pk}?{agent.avatar.name.rpartition('/')[2][:12]}"


def _cursors(participants: Iterable[Participant], field: str) -> dict[str, int]:
    """Up to which index each side has got: of several agents the furthest."""
    reached = {"agent": 0, "customer": 0}
    for participant in participants:
        side = "customer" if participant.kind == Participant.Kind.CUSTOMER else "agent"
        reached[side] = max(reached[side], getattr(participant, field))
    return reached


def _survey(chat: Chat) -> dict[str, bool]:
    widget = getattr(chat.channel, "widget", None)  # channels other than web have none: then nobody asks
    is_open = not chat.is_open and widget is not None and widget.survey
    return {"open": is_open, "answered": chat.rating is not None or bool(chat.rating_comment)}


# Invitations ----------------------------------------------------------------------------------------------------------


def with_chats(invitations: QuerySet[Invitation]) -> QuerySet[Invitation]:
    """Invitations with all that invitation_shape reads: two queries."""
    return invitations.select_related("team").prefetch_related(Prefetch("chat", for_staff(Chat.objects.all())))


def invitation_shape(invitation: Invitation, *, now: datetime) -> dict[str, Any]:
    """`seconds`: how long the offer lasts in all."""
    return {
        "id": str(invitation.pk),
        "chat": chat_for_staff(invitation.chat, viewer_id=invitation.agent_id, now=now),
        "reason": invitation.reason,
        "offered_at": stamp(invitation.offered_at),
        "expires_at": stamp(invitation.expires_at),
        "seconds": round((invitation.expires_at - invitation.offered_at).total_seconds()),
    }


# People and teams -----------------------------------------------------------------------------------------------------


def with_load(agents: QuerySet[Agent]) -> QuerySet[Agent]:
    """Agents with all that agent_shape reads: two queries for any number of them."""
    teams = Prefetch("memberships", Membership.objects.order_by("team_id"))
    return agents.select_related("presence").prefetch_related(teams).annotate(used=Count("occupations", distinct=True))


def agent_shape(agent: Any, *, now: datetime) -> dict[str, Any]:
    """An agent that came through `with_load`. Who has chosen online but whose client is not there is shown offline."""
    presence = getattr(agent, "presence", None)
    status = str(presence.status) if presence and presence.is_leased(now) else "offline"
    return {
        "id": str(agent.pk),
        "name": agent.name,
        "avatar": avatar_url(agent),
        "role": str(agent.role),
        "is_bot": agent.is_bot,
        "status": status,
        "status_at": stamp(presence.status_at) if presence else None,
        "capacity": agent.capacity,
        "used": agent.used,
        "languages": agent.languages,
        "skills": agent.skills,
        "teams": [str(membership.team_id) for membership in agent.memberships.all()],
    }


def team_shape(team: Team) -> dict[str, Any]:
    return {
        "id": str(team.pk),
        "key": team.key,
        "name": team.name,
        "mode": str(team.mode),
        "is_active": team.is_active,
        "is_default": team.is_default,
        "target_seconds": team.target_seconds,
    }


def center_shape(center: ContactCenter) -> dict[str, Any]:
    return {
        "id": str(center.pk),
        "slug": center.slug,
        "name": center.name,
        "language": center.language,
        "time_zone": center.time_zone,
        "accent": center.accent,
    }


QUEUE_SHOWN = 50  # chats a team


def queue_shape(
    team_id: UUID,
    waiting: list[Chat],
    *,
    count: int,
    oldest_at: datetime | None,
    viewer_id: UUID | None = None,
    now: datetime,
) -> dict[str, Any]:
    """A team's queue: how many wait, since when the longest, and the first ones (`waiting`, in order, through for_staff)."""
    return {
        "id": str(team_id),
        "waiting": count,
        "oldest_at": stamp(oldest_at),
        "chats": [chat_for_staff(chat, viewer_id=viewer_id, now=now) for chat in waiting[:QUEUE_SHOWN]],
    }
