"""Taking and freeing slots. Every path to a chat's owner goes through here, within the transaction that changes the chat.

The order of locks: chats, then seats (their presence rows, by agent), then queues. Who holds a seat's lock is alone with its slots.
"""

from datetime import datetime
from uuid import UUID

from agents.models import Agent, Membership, Presence, Slot
from chats.due import ask_routing
from chats.errors import Full
from chats.models import Chat, Invitation, Occupation, hot
from contactcenter.prepared import Prepared, PreparedValues, among


def lock_seats(*agent_ids: UUID) -> None:
    """Be alone with the slots of these agents until the end of the transaction."""
    _SEATS.tuples(list(agent_ids))


_SEATS = PreparedValues(
    lambda agents: (
        Presence.objects.filter(agent__in=among(agents))
        .order_by("agent_id")
        .select_for_update(no_key=True)
        .values_list("pk")
    )
)


def lock_seats_for(chat: Chat, agent: Agent) -> None:
    """Before a locked chat goes from whoever has it to the agent: both seats at once, since two moves may cross."""
    lock_seats(agent.pk, *Occupation.objects.filter(chat=chat).values_list("agent_id", flat=True))


def take_slot(agent: Agent, chat: Chat, *, invitation: Invitation | None, now: datetime) -> Occupation:
    """Put the chat into a free slot of the agent; an invitation makes it an offer. Raises Full."""
    # What is free is read after the lock: another transaction may just have taken the last slot.
    lock_seats(agent.pk)
    slot = _FREE.first(agent.pk)
    if slot is None:
        raise Full
    occupation = Occupation(
        center_id=chat.center_id, slot=slot, chat=chat, agent=agent, invitation=invitation, since=now
    )
    hot.insert_occupation(occupation)
    return occupation


_FREE = Prepared(
    lambda agent: Slot.objects.filter(agent=agent, is_retired=False, occupation=None).order_by("number")[:1]
)


def hold(occupation: Occupation, now: datetime) -> None:
    """An offer was accepted: the chat is now held in its slot."""
    occupation.invitation = None
    occupation.since = now
    hot.save_hold(occupation)
    note_assigned(occupation.agent_id, now)


def note_assigned(agent_id: UUID, now: datetime) -> None:
    """What the strategies longest-idle and round-robin look at."""
    hot.save_assigned(agent_id, now)


def free_slot(chat: Chat, now: datetime) -> Occupation | None:
    """Take the chat out of its slot, if it is in one. The caller asks for routing (route_after) when it has written its events."""
    occupation = Occupation.objects.filter(chat=chat).select_related("invitation__agent").first()
    if occupation is None:
        return None
    lock_seats(occupation.agent_id)
    occupation.delete()
    settle_slots(occupation.agent_id)
    if not Occupation.objects.filter(agent_id=occupation.agent_id).exists():
        # An offer that ended does not make idle anew who was idle all the time.
        Presence.objects.filter(agent_id=occupation.agent_id, idle_since=None).update(idle_since=now)
    return occupation


def settle_slots(agent_id: UUID) -> None:
    """After a slot was freed or the capacity changed: retired slots that are free go.

    A free slot counts only when no retired one is occupied, or else the agent would have more chats than the new capacity: the two change places.
    """
    slots = list(
        Slot.objects.filter(agent_id=agent_id).order_by("number").values_list("pk", "is_retired", "occupation")
    )
    spent = [pk for pk, is_retired, held in slots if is_retired and held is None]
    overhang = [pk for pk, is_retired, held in slots if is_retired and held is not None]
    if overhang:
        free = [pk for pk, is_retired, held in slots if not is_retired and held is None][: len(overhang)]
        Slot.objects.filter(pk__in=overhang[: len(free)]).update(is_retired=False)
        spent += free
    if spent:
        Slot.objects.filter(pk__in=spent).delete()


def route_after(chat: Chat, freed: Occupation | None, now: datetime) -> None:
    """Let the chat's team be routed (its queue has changed), and the teams of the agent whose slot was freed. Last in a transaction."""
    teams = {chat.team_id}
    if freed is not None:
        teams.update(Membership.objects.filter(agent_id=freed.agent_id).values_list("team_id", flat=True))
    # One call: it locks the queues in id order.
    ask_routing(teams, now)
