"""The only writer of seats and slots."""

from typing import Any

from django.db import transaction

from contactcenter.models import ContactCenter, Team, User

from .models import Agent, Membership, Presence, Slot


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
    """Make the agent's slots fit the capacity.

    Slots past it are retired; `drop_retired` deletes those that nothing occupies. Shrinking never ends a chat.
    """
    Agent.objects.select_for_update().get(pk=agent.pk)
    Agent.objects.filter(pk=agent.pk).update(capacity=capacity)
    agent.capacity = capacity
    known = set(agent.slots.values_list("number", flat=True))
    agent.slots.filter(number__lte=capacity).update(is_retired=False)
    agent.slots.filter(number__gt=capacity).update(is_retired=True)
    Slot.objects.bulk_create(
        [
            Slot(center_id=agent.center_id, agent=agent, number=number)
            for number in range(1, capacity + 1)
            if number not in known
        ]
    )
