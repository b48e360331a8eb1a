"""Which team the clients of a foreign API mean."""

from chats.actions.start import default_team
from contactcenter.models import Registration, Team


def find_team(registration: Registration, name: str) -> Team | None:
    """The team that is called so; the default team for no name, and for one that nobody knows."""
    return named_team(registration, name) or default_team(registration.channel)


def named_team(registration: Registration, name: str) -> Team | None:
    """By its name in this access, else by its key, else by its own name in any case."""
    if name:
        teams = Team.objects.filter(center_id=registration.center_id, is_active=True)
        for means in (
            {"registration_teams__registration": registration, "registration_teams__foreign_id": name},
            {"key": name},
            {"name__iexact": name},
        ):
            team: Team | None = teams.filter(**means).first()
            if team:
                return team
    return None
