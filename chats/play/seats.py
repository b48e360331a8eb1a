"""The robots' seats: ordinary bot seats with an application password."""

from dataclasses import dataclass

from django.db import transaction

from agents.models import Agent, Membership
from agents.seats import open_seat, set_capacity
from contactcenter.models import ApplicationPassword, ContactCenter, User


@dataclass(frozen=True)
class Seat:
    """What a robot signs in with."""

    name: str
    username: str
    password: str
    center: str  # slug


@transaction.atomic
def robot_seats(center: ContactCenter, *, count: int, capacity: int, password_name: str) -> list[Seat]:
    """`count` bot seats, members of every team, each with a new application password (older ones of that name end)."""
    return [_seat(center, number, capacity, password_name) for number in range(1, count + 1)]


def _seat(center: ContactCenter, number: int, capacity: int, password_name: str) -> Seat:
    username, name = f"robot-{center.slug}-{number}", f"Robot {number}"
    user = User.objects.filter(username=username).first()
    if user is None:
        user = User(username=username, first_name=name)
        user.set_unusable_password()
        user.save()
    teams = list(center.teams.filter(is_active=True))
    agent = Agent.objects.filter(center=center, user=user).first()
    if agent is None:
        agent = open_seat(center, user, name=name, teams=teams, is_bot=True, capacity=capacity)
    if agent.capacity != capacity:
        set_capacity(agent, capacity)
    known = set(Membership.objects.filter(agent=agent).values_list("team_id", flat=True))
    rows = [Membership(center=center, agent=agent, team=team) for team in teams if team.pk not in known]
    Membership.objects.bulk_create(rows)
    ApplicationPassword.objects.filter(user=user, name=password_name).delete()
    password = ApplicationPassword.issue(user, password_name)[1]
    return Seat(name, username, password, center.slug)
