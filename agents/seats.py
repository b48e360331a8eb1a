"""The only writer of seats and slots."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from contactcenter.models import ContactCenter, Team, User

from .models import Agent, Membership, Presence, Slot
from .signals import availability_changed


@transaction.atomic
def open_seat(center: ContactCenter, user: User, *, name: str, teams: list[Team], **fields: Any) -> Agent:
    """A new seat with its slots, its presence and its teams."""
    agent = Agent.objects.create(center=center, user=user, name=name, **fields)
    prepare_seat(agent)
    Membership.objects.bulk_create([Membership(center=center, agent=agent, team=team) for team in teams])
    return agent


def prepare_seat(agent: Agent) -> None:
    """Give a seat that was just made (by a form, say) what it cannot be without."""
    Presence.objects.get_or_create(agent=agent, defaults={"center_id": agent.center_id})
    set_capacity(agent, agent.capacity)


@transaction.atomic
def set_capacity(agent: Agent, capacity: int) -> None:
    """Make the agent's slots fit the capacity. Shrinking never ends a chat: slots past it are retired and end with what sits in them.

    The presence row is the lock of all slots of a seat: who takes or frees one holds it too.
    """
    Presence.objects.select_for_update(no_key=True).get(agent=agent)
    Agent.objects.filter(pk=agent.pk).update(capacity=capacity)
    agent.capacity = capacity
    slots = list(agent.slots.order_by("is_retired", "number"))  # live ones stay before retired ones come back
    kept, surplus = slots[:capacity], slots[capacity:]
    Slot.objects.filter(pk__in=[slot.pk for slot in kept]).update(is_retired=False)
    Slot.objects.filter(pk__in=[slot.pk for slot in surplus]).update(is_retired=True)
    unused = sorted(set(range(1, 2 * capacity + 1)) - {slot.number for slot in slots})
    Slot.objects.bulk_create(
        [
            Slot(center_id=agent.center_id, agent=agent, number=number)
            for number in unused[: max(capacity - len(slots), 0)]
        ]
    )
    availability_changed.send(sender=Agent, agent_id=agent.pk, now=timezone.now())
