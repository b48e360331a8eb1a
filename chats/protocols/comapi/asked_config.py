"""What may be said of teams. Unknown members are tolerated; workingHours are read-only."""

import re
from typing import Any

from django.core.validators import URLValidator
from rest_framework import serializers

from agents.models import Agent
from chats.actions.text import MAX_TEXT
from chats.errors import Invalid
from contactcenter.models import Registration

from .forms import PRINTED, Text, find_form
from .names import AGENT
from .teams import INDIVIDUAL, TEAM

LONGEST_WAIT = 86_400  # seconds until a welcome
MOST_MEMBERS = 500
LONGEST_MESSAGE = MAX_TEXT // 2  # leaves room for a form's words and link
WEB = URLValidator(["http", "https"])
# As RegistrationTeam.foreign_id and every address take it.
TEAM_ID = re.compile(r"[^\s\x00-\x1f\x7f/]([^\x00-\x1f\x7f/]{0,98}[^\s\x00-\x1f\x7f/])?")


def is_team_id(name: str) -> bool:
    return TEAM_ID.fullmatch(name) is not None


def words(longest: int = LONGEST_MESSAGE) -> Text:
    """Said to customers; may be empty, null or absent."""
    return Text(max_length=longest, required=False, allow_blank=True, allow_null=True, trim_whitespace=False)


class Flag(serializers.BooleanField):
    """true or false, and no word for it."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Seconds(serializers.IntegerField):
    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)


class Welcome(serializers.Serializer[Any]):
    timeout = Seconds(min_value=0, max_value=LONGEST_WAIT, required=False, default=0)
    text = words()


class EditApp(serializers.Serializer[Any]):
    replyAs = serializers.ChoiceField([TEAM, INDIVIDUAL])
    welcomeMessage = Welcome(required=False, allow_null=True)


class EditSettings(serializers.Serializer[Any]):
    closeMessage = words()
    avatarUrl = words(2000)
    outOfHoursFormTemplateId = words(100)
    outOfHoursMessage = words()
    outOfHoursMessageEnabled = Flag(required=False, default=False)

    def validate_avatarUrl(self, value: str | None) -> str | None:
        if value:
            WEB(value)
        return value


class Member(serializers.Serializer[Any]):
    username = Text(max_length=300)


class EditTeam(serializers.Serializer[Any]):
    name = Text(max_length=100, validators=[PRINTED])
    members = serializers.ListField(child=Member(), required=False, max_length=MOST_MEMBERS)


def app_config(said: dict[str, Any]) -> dict[str, Any]:
    """As it is kept and shown: without a welcome where there are no words for one."""
    welcome = said.get("welcomeMessage") or {}
    kept = {"timeout": welcome.get("timeout", 0), "text": welcome.get("text") or ""}
    return {"replyAs": said["replyAs"], **({"welcomeMessage": kept} if kept["text"] else {})}


def general_settings(registration: Registration, said: dict[str, Any]) -> dict[str, Any]:
    """As they are kept. Raises Invalid for a form that the center does not have."""
    form_id = said.get("outOfHoursFormTemplateId") or ""
    if form_id and find_form(registration, form_id) is None:
        raise Invalid(fields={"outOfHoursFormTemplateId": "There is no such form."})
    named = {"avatarUrl": said.get("avatarUrl"), "outOfHoursFormTemplateId": form_id}
    return {
        "closeMessage": said.get("closeMessage") or "",
        "outOfHoursMessage": said.get("outOfHoursMessage") or "",
        "outOfHoursMessageEnabled": said["outOfHoursMessageEnabled"],
        **{name: value for name, value in named.items() if value},
    }


def wanted_members(registration: Registration, said: list[dict[str, Any]]) -> list[Agent]:
    """Agents of the center by email (in any case) or user name. Raises Invalid for strangers."""
    agents = Agent.objects.active().filter(center_id=registration.center_id).select_related("user")
    by_name = {agent.user.get_username(): agent for agent in agents}
    by_name |= {agent.user.email.lower(): agent for agent in agents if agent.user.email}
    found: dict[Any, Agent] = {}
    for number, member in enumerate(said):
        name = member["username"].removeprefix(AGENT)
        agent = by_name.get(name.lower()) or by_name.get(name)
        if agent is None:
            raise Invalid(fields={f"members[{number}].username": "There is no such agent."})
        found[agent.pk] = agent
    return list(found.values())
