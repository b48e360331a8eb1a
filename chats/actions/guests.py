"""Agents in a chat beside its owner: invited by the owner, without a slot of their own.

A guest writes while the chat has an owner. The chat may change hands meanwhile, and its guests stay; when it ends, their part in it ends, too.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from agents.models import Agent, Slot
from chats.errors import Conflict, Forbidden, Full, Gone, Invalid
from chats.events import AgentJoined, AgentLeft, GuestDeclined, GuestInvited, record
from chats.models import Chat, ForeignChat, Participant
from contactcenter.models import Registration

from .hold import give
from .locking import lock_open_chat, seat_in_chat
from .slots import lock_seats
from .transfer import requeue_chat

MOST_GUESTS = 10  # in one chat, asked or joined
PAIRS_ONLY = Registration.Protocol.COMAPI  # whose chats have two participants at most


@transaction.atomic
def invite_guest(by: Agent, chat_id: UUID, agent: Agent, *, now: datetime) -> Chat:
    """Ask a colleague to join. Who is asked or in the chat already is not asked again. Raises Forbidden, Invalid, Conflict, Full, NotFound, Closed."""
    chat = lock_open_chat(by.center.chats, chat_id)
    if chat.agent_id != by.pk and not by.is_supervisor:
        raise Forbidden(_("Only the chat's agent or a supervisor may invite somebody."))
    if chat.state != Chat.State.ACTIVE:
        raise Conflict(_("Nobody has this chat yet. Take it before you invite somebody."))
    if agent.center_id != chat.center_id or agent.pk == chat.agent_id or not agent.is_active:
        raise Invalid(fields={"agent": _("Choose another agent.")})
    if chat.is_foreign and ForeignChat.objects.filter(chat=chat, registration__protocol=PAIRS_ONLY).exists():
        raise Conflict(_("This chat takes one customer and one agent."))
    guest = seat_in_chat(chat, agent)
    if guest.invited_at is not None:
        return chat
    if chat.participants.guests().count() >= MOST_GUESTS:
        raise Full(_("Ten guests are the most that a chat can have."))
    guest.invited_at = now
    guest.save(update_fields=["invited_at"])
    record(chat, GuestInvited(agent=str(agent.pk), name=agent.name), sender=seat_in_chat(chat, by), now=now)
    return chat


@transaction.atomic
def join_as_guest(agent: Agent, chat_id: UUID, *, now: datetime) -> Chat:
    """Who was invited comes in. Joining twice is harmless. Raises Gone without an invitation, NotFound, Closed."""
    chat, guest = _lock_with_guest(agent, chat_id)
    if guest.is_guest:
        return chat
    guest.joined_at, guest.left_at = guest.joined_at or now, None
    guest.save(update_fields=["joined_at", "left_at"])
    record(chat, AgentJoined(agent=str(agent.pk), name=agent.name, reason="guest"), sender=guest, now=now)
    return chat


@transaction.atomic
def decline_guest(agent: Agent, chat_id: UUID, *, now: datetime) -> Chat:
    """Who was invited does not come. Raises Gone without an invitation, Conflict for who has joined, NotFound, Closed."""
    chat, guest = _lock_with_guest(agent, chat_id)
    if guest.is_guest:
        raise Conflict(_("You have joined this chat. Leave it instead."))
    guest.invited_at = None
    guest.save(update_fields=["invited_at"])
    record(chat, GuestDeclined(agent=str(agent.pk), name=agent.name), sender=guest, now=now)
    return chat


@transaction.atomic
def leave_as_guest(agent: Agent, chat_id: UUID, *, now: datetime) -> Chat:
    """A guest goes; the chat stays with its owner. Raises Gone for who is none, NotFound, Closed."""
    chat, guest = _lock_with_guest(agent, chat_id)
    if not guest.is_guest:
        raise Gone(_("You are no guest in this chat."))
    guest.left_at, guest.invited_at = now, None
    guest.save(update_fields=["left_at", "invited_at"])
    record(chat, AgentLeft(agent=str(agent.pk), name=agent.name, reason="guest"), sender=guest, now=now)
    return chat


@transaction.atomic
def leave_to_guests(agent: Agent, chat_id: UUID, *, now: datetime) -> Chat:
    """The owner goes and the others go on: the guest who came first, of those with a free slot, becomes the owner.

    Without one the chat waits for another agent. Raises Forbidden, NotFound, Closed.
    """
    chat = lock_open_chat(agent.center.chats, chat_id)
    if chat.agent_id != agent.pk:
        raise Forbidden(_("Only the chat's agent may leave it."))
    heir = _heir(chat, agent)
    if heir is None:
        return requeue_chat(agent.center.chats, chat_id, reason="left", now=now)
    return give(chat, heir, reason="assigned", now=now)


def _lock_with_guest(agent: Agent, chat_id: UUID) -> tuple[Chat, Participant]:
    """The chat with its row locked, and the agent's part in it. Raises NotFound, Closed, Gone."""
    chat = lock_open_chat(agent.center.chats, chat_id)
    guest = chat.participants.guests().filter(agent=agent).first()
    if guest is None:
        raise Gone
    return chat, guest


def _heir(chat: Chat, owner: Agent) -> Agent | None:
    guests = chat.participants.guests().joined().filter(agent__is_active=True).select_related("agent")
    found = [guest.agent for guest in guests.order_by("joined_at", "id") if guest.agent]
    # What is free is read after the lock, and all seats are locked at once: moves of two chats may cross.
    lock_seats(owner.pk, *(one.pk for one in found))
    free = Slot.objects.filter(agent__in=found, is_retired=False, occupation=None).values_list("agent_id", flat=True)
    has_slot = set(free)
    return next((one for one in found if one.pk in has_slot), None)
