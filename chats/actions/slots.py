"""Taking and freeing slots. Every path to a chat's owner goes through here, within the transaction that changes the chat."""

from datetime import datetime
from uuid import UUID

from agents.models import Agent, Membership, Presence, Slot
from chats.due import ask_routing
from chats.errors import Full
from chats.models import Chat, Invitation, Occupation


def take_slot(agent: Agent, chat: Chat, *, invitation: Invitation | None, now: datetime) -> Occupation:
    """Put the chat into a free slot of the agent; an invitation makes it an offer. Raises Full.

    SKIP LOCKED passes slots that another transaction is taking; the unique columns of Occupation hold even where that cannot be seen.
    """
    free = Slot.objects.filter(agent=agent, is_retired=False, occupation=None).order_by("number")
    slot = free.select_for_update(skip_locked=True, of=("self",)).first()
    if slot is None:
        raise Full
    return Occupation.objects.create(
        center_id=chat.center_id, slot=slot, chat=chat, agent=agent, invitation=invitation, since=now
    )


def hold(occupation: Occupation, now: datetime) -> None:
    """An offer was accepted: the chat is now held in its slot."""
    occupation.invitation = None
    occupation.since = now
    occupation.save(update_fields=["invitation", "since"])
    note_assigned(occupation.agent_id, now)


def note_assigned(agent_id: UUID, now: datetime) -> None:
    """What the strategies longest-idle and round-robin look at."""
    Presence.objects.filter(agent_id=agent_id).update(last_assigned_at=now, idle_since=None)


def free_slot(chat: Chat, now: datetime) -> Occupation | None:
    """Take the chat out of its slot, if it is in one. The caller asks for routing (route_after) when it has written its events."""
    occupation = Occupation.objects.filter(chat=chat).select_related("slot", "invitation").first()
    if occupation is None:
        return None
    occupation.delete()
    if occupation.slot.is_retired:
        occupation.slot.delete()
    if not Occupation.objects.filter(agent_id=occupation.agent_id).exists():
        Presence.objects.filter(agent_id=occupation.agent_id).update(idle_since=now)
    return occupation


def route_after(chat: Chat, freed: Occupation | None, now: datetime) -> None:
    """Let the chat's team be routed (its queue has changed), and the teams of the agent whose slot was freed. Last in a transaction."""
    teams = {chat.team_id}
    if freed is not None:
        teams.update(Membership.objects.filter(agent_id=freed.agent_id).values_list("team_id", flat=True))
    # One call: it locks the queues in id order.
    ask_routing(teams, now)
