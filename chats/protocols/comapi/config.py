"""The chat configuration service: teams, their members, and how they answer.

The original has no way to make teams; PUT /chat/config/teams/{teamId} is our addition, for applications that an administrator lets configure.
Its settings can be read only within GET /chat/config and GET …/teams/{teamId}, so if-match takes the ETag of either, or of the last PUT.
"""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from chats.actions.space_teams import (
    APP,
    PARTS,
    SETTINGS,
    configure,
    drop_config,
    put_team,
)
from chats.errors import Forbidden, Invalid, NotFound
from contactcenter.models import Registration, RegistrationTeam, Team

from .asked_config import (
    EditApp,
    EditSettings,
    EditTeam,
    app_config,
    general_settings,
    is_team_id,
    wanted_members,
)
from .door import Door
from .etags import check_match
from .names import find_team
from .teams import Stamps, app_shape, config_shape, members_shape, reply_as, row_of, settings_shape

__all__ = ["ROUTES", "reply_as"]


class Config(Door):
    def get(self, request: Request) -> Response:
        """The configuration of all teams."""
        shown = config_shape(self.caller.registration)
        response = self.entity(shown)
        response["Last-Modified"] = shown["_updatedOn"]
        return response


class TeamDoor(Door):
    """A view of one team."""

    @property
    def space(self) -> Registration:
        return self.caller.registration

    def team(self, team_id: str) -> Team:
        team = find_team(self.space, team_id) if is_team_id(team_id) else None
        if team is None:
            raise NotFound("There is no such team.")
        return team

    def check(self, team: Team, row: RegistrationTeam | None, own: dict[str, Any] | None = None) -> None:
        """Raises Stale. `own`: the part that is changed, as it is now."""
        if self.request.headers.get("If-Match"):
            fresh = row.team if row else team
            check_match(self.request, own, members_shape(self.space, fresh, row), config_shape(self.space))

    def changed(self, shape: dict[str, Any] | None, row: RegistrationTeam | None, status: int = 200) -> Response:
        at = Stamps.of(self.space, [row] if row else []).updated_at
        return self.entity(shape or {}, changed_at=at, status=status)

    def drop(self, team_id: str, parts: tuple[str, ...]) -> Response:
        team = self.team(team_id)

        def check(row: RegistrationTeam | None) -> None:
            own = {APP: app_shape(row), SETTINGS: settings_shape(row, team)}[parts[0]] if len(parts) == 1 else None
            self.check(team, row, own)

        drop_config(self.space, team, parts, check=check, by=self.caller.actor, now=self.now)
        return Response(status=200)


class OneTeam(TeamDoor):
    asks = {"PUT": EditTeam}

    def get(self, request: Request, team_id: str) -> Response:
        """A team and its members."""
        team = self.team(team_id)
        row = row_of(self.space, team)
        return self.changed(members_shape(self.space, team, row), row)

    def put(self, request: Request, team_id: str) -> Response:
        """Make or rename a team and set its members."""
        known = self.may_put(team_id)
        said = self.read(EditTeam)
        members = wanted_members(self.space, said["members"]) if "members" in said else None

        def check(team: Team) -> None:
            self.check(team, row_of(self.space, team))

        team = put_team(self.space, known, team_id, said["name"], members, check=check, now=self.now)
        row = row_of(self.space, team)
        return self.changed(members_shape(self.space, team, row), row, status=200 if known else 201)

    def delete(self, request: Request, team_id: str) -> Response:
        """Forget how a team answers; the team stays."""
        return self.drop(team_id, PARTS)

    def may_put(self, team_id: str) -> Team | None:
        """The team of this name, if there is one. Raises Forbidden, and Invalid for what can be no name."""
        if not self.space.application.may_configure:
            raise Forbidden("This application may not change teams: an administrator has to let it.")
        if not is_team_id(team_id):
            raise Invalid(fields={"teamId": "A name of 100 characters at most, without slashes and blanks around it."})
        known = find_team(self.space, team_id)
        if known is None and self.space.application.application_teams.exists():
            raise Forbidden("This application may use certain teams alone.")
        return known


class TeamApp(TeamDoor):
    asks = {"PUT": EditApp}

    def put(self, request: Request, team_id: str) -> Response:
        """How a team answers in the app: under whose name, and its welcome."""
        team = self.team(team_id)
        value = app_config(self.read(EditApp))

        def check(row: RegistrationTeam | None) -> None:
            self.check(team, row, app_shape(row))

        row = configure(self.space, team, APP, value, check=check, by=self.caller.actor, now=self.now)
        return self.changed(app_shape(row), row)

    def delete(self, request: Request, team_id: str) -> Response:
        """Forget how a team answers in the app."""
        return self.drop(team_id, (APP,))


class TeamSettings(TeamDoor):
    asks = {"PUT": EditSettings}

    def put(self, request: Request, team_id: str) -> Response:
        """A team's closing words, picture, and what is said while it is closed."""
        team = self.team(team_id)
        value = general_settings(self.space, self.read(EditSettings))

        def check(row: RegistrationTeam | None) -> None:
            self.check(team, row, settings_shape(row, row.team) if row else None)

        row = configure(self.space, team, SETTINGS, value, check=check, by=self.caller.actor, now=self.now)
        return self.changed(settings_shape(row, row.team), row)

    def delete(self, request: Request, team_id: str) -> Response:
        """Forget a team's settings."""
        return self.drop(team_id, (SETTINGS,))


ROUTES: list[tuple[str, type[Door], str]] = [
    ("chat/config", Config, "config"),
    ("chat/config/teams/{team_id}", OneTeam, "team"),
    ("chat/config/teams/{team_id}/appMessaging", TeamApp, "team-app"),
    ("chat/config/teams/{team_id}/settings", TeamSettings, "team-settings"),
]
