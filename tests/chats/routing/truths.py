"""What must be true of all rows at every commit, and what must be true once routing has run. Read anew from the tables, by queries of their own."""

from collections import Counter
from datetime import datetime, timedelta
from uuid import UUID

from agents.models import Agent, Slot
from chats.models import Chat, Event, Invitation, Occupation, Queue, Search
from chats.routing.choose import ASK_AGAIN_AFTER


def check_all() -> None:
    check_slots()
    check_owners()
    check_logs()
    check_searches()


def check_slots() -> None:
    """Live slots are the capacity; whoever has more chats than that has no free slot."""
    slots = Counter(Slot.objects.filter(is_retired=False).values_list("agent_id", flat=True))
    for agent in Agent.objects.all():
        assert slots[agent.pk] == agent.capacity, (agent.name, slots[agent.pk], agent.capacity)
    overhang = Slot.objects.filter(is_retired=True).exclude(occupation=None).values("agent_id")
    assert not Slot.objects.filter(is_retired=False, occupation=None, agent_id__in=overhang).exists()
    assert not Slot.objects.filter(is_retired=True, occupation=None).exists()
    for occupation in Occupation.objects.select_related("slot"):
        assert occupation.slot.agent_id == occupation.agent_id


def check_owners() -> None:
    """A chat's state, its owner, its slot and its invitation tell the same story."""
    occupied = {one.chat_id: one for one in Occupation.objects.select_related("invitation")}
    pending = {one.chat_id: one for one in Invitation.objects.pending()}
    for chat in Chat.objects.all():
        place, offer = occupied.get(chat.pk), pending.get(chat.pk)
        if chat.state == Chat.State.ACTIVE:
            assert offer is None
            assert (place.is_held, place.agent_id) == (True, chat.agent_id)
        elif chat.is_waiting:
            assert (chat.agent_id, chat.queued_at is None) == (None, False)
            assert (place is None) == (offer is None)
            assert place is None or (place.invitation == offer and offer.agent_id == place.agent_id)
        else:
            assert (place, offer, chat.closed_at is None) == (None, None, False)
        seats = chat.participants.filter(kind="agent", left_at=None, invited_at=None).exclude(joined_at=None)
        owners = {seat.agent_id for seat in seats}
        assert owners == ({chat.agent_id} if chat.state == Chat.State.ACTIVE else set())
        guests = set(chat.participants.guests().values_list("agent_id", flat=True))
        assert not guests & owners
        assert not guests or chat.is_open


def check_logs() -> None:
    """Positions and indexes are 1, 2, 3 … up to the heads."""
    numbers: dict = {}
    for chat_id, position, index in Event.objects.order_by("chat_id", "position").values_list(
        "chat_id", "position", "index"
    ):
        positions, indexes = numbers.setdefault(chat_id, ([], []))
        positions.append(position)
        if index is not None:
            indexes.append(index)
    for chat in Chat.objects.all():
        positions, indexes = numbers[chat.pk]
        assert positions == list(range(1, chat.position + 1))
        assert indexes == list(range(1, chat.index + 1))


def check_searches() -> None:
    """A search runs only for a chat that waits, and then either rings at somebody's or will be gone on with."""
    offered = set(Invitation.objects.pending().values_list("chat_id", flat=True))
    for search in Search.objects.select_related("chat"):
        story = (search.chat.state, search.chat_id in offered, search.is_running, search.due_at is not None)
        assert search.chat.search_until is None
        assert search.chat.state != Chat.State.QUEUED, story
        assert search.is_running or not (search.due_at or search.chat_id in offered), story
        assert search.chat.is_waiting or not search.is_running, story
        assert not search.is_running or (search.due_at is None) == (search.chat_id in offered), story


def overlooked(now: datetime, team_id: UUID | None = None) -> list[tuple[str, str]]:
    """Waiting chats beside an agent who fits, is there and has a free slot: after routing there are none.

    Who would not take this chat within the last seconds, or gave it back, does not count, nor does a search whose time is over.
    """
    found = []
    free = Slot.objects.filter(is_retired=False, occupation=None)
    agents = list(Agent.objects.active().filter(slots__in=free).distinct().select_related("presence"))
    chats = Chat.objects.waiting().filter(occupation=None, search=None)
    for chat in chats.filter(team_id=team_id) if team_id else chats:
        if chat.search_until and chat.search_until <= now:
            continue
        refusals = chat.invitations.filter(state__in=["declined", "expired"], ended_at__gt=now - ASK_AGAIN_AFTER)
        tired = set(refusals.values_list("agent_id", flat=True))
        given_back = chat.events.filter(type="agent.left", data__reason__in=["left", "returned"])
        tired |= {
            UUID(agent)
            for agent in given_back.filter(at__gt=now - ASK_AGAIN_AFTER).values_list("data__agent", flat=True)
        }
        for agent in agents:
            speaks = not chat.language or not agent.languages or chat.language in agent.languages
            if (
                agent.presence.is_available(now)
                and agent.pk not in tired
                and speaks
                and set(chat.skills) <= set(agent.skills)
                and agent.memberships.filter(team_id=chat.team_id).exists()
            ):
                found.append((str(chat.pk), agent.name))
    return found


def check_somebody_will_look(now: datetime) -> None:
    """A chat may stand beside a free agent only while its team's queue is due: whoever brought that about has said so."""
    for queue in Queue.objects.exclude(routing_due_at__lte=now):
        assert overlooked(now, queue.team_id) == []


def moved(now: datetime, seconds: float) -> datetime:
    return now + timedelta(seconds=seconds)
