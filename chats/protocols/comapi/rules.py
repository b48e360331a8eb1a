"""Inbound rules (the Message Rules API): what happens to messages that come in over the center's channels. chats/actions/rules.py follows them.

A space has its own rules and those that administrators made by hand; rules of other accesses it does not see. A rule concerns whoever
writes to the center, so an application that is bound to some teams reads rules and makes none.
"""

from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from chats.actions import rules
from chats.errors import Forbidden, NotFound
from chats.models import InboundRule
from contactcenter.models import Registration

from .asked_rules import RuleBody
from .callers import Caller
from .door import Door
from .etags import check_match
from .names import as_uuid, iso, team_ids, wanted_team


class RuleDoor(Door):
    def shown(self, rule: InboundRule) -> Response:
        return self.entity(_shape(self.caller, rule), changed_at=rule.updated_at)

    def check(self, rule: InboundRule) -> None:
        check_match(self.request, _shape(self.caller, rule))


class Rules(RuleDoor):
    asks = {"POST": RuleBody}

    def get(self, request: Request) -> Response:
        """All rules, the oldest first."""
        found = list(own_rules(self.caller))
        names = _team_names(self.caller.registration, found)
        return Response([rule_shape(rule, names) for rule in found])

    def post(self, request: Request) -> Response:
        """Make a rule. 200, not 201: so it is described."""
        fields = _fields(self)
        fields["registration"] = self.caller.registration
        made = rules.add_rule(self.caller.registration.center, fields, by=self.caller.actor, now=self.now)
        return self.shown(made)


class Rule(RuleDoor):
    asks = {"PUT": RuleBody}

    def get(self, request: Request, rule_id: str) -> Response:
        """One rule."""
        rule = own_rules(self.caller).filter(pk=_id(rule_id)).first()
        if rule is None:
            raise NotFound("There is no such rule.")
        return self.shown(rule)

    def put(self, request: Request, rule_id: str) -> Response:
        """Replace a rule; it keeps its place."""
        found, fields = own_rules(self.caller), _fields(self)
        changed = rules.change_rule(found, _id(rule_id), fields, check=self.check, by=self.caller.actor, now=self.now)
        return self.shown(changed)

    def delete(self, request: Request, rule_id: str) -> Response:
        """Delete a rule."""
        _check_may_make(self.caller)
        rules.remove_rule(own_rules(self.caller), _id(rule_id), check=self.check)
        return Response(status=204)


ROUTES: list[tuple[str, type[Door], str]] = [
    ("automation/inboundrules", Rules, "inbound-rules"),
    ("automation/inboundrules/{rule_id}", Rule, "inbound-rule"),
]


def own_rules(caller: Caller) -> Any:
    rows = InboundRule.objects.filter(center_id=caller.registration.center_id).select_related("team")
    return rows.filter(registration=caller.registration) | rows.filter(registration=None)


def rule_shape(rule: InboundRule, team_names: dict[UUID, str]) -> dict[str, Any]:
    """`team_names`: as the space calls them."""
    data = dict(rule.action_data)
    if rule.team_id:
        data["chatTeamId"] = team_names[rule.team_id]
    return {
        "id": str(rule.pk),
        "channel": rule.channel,
        "inbound": rule.inbound,
        "keyword": rule.keyword,
        "action": rule.action,
        "actionData": data,
        "_createdOn": iso(rule.created_at),
        "_createdBy": rule.created_by,
        "_updatedOn": iso(rule.updated_at),
        "_updatedBy": rule.updated_by,
    }


def _shape(caller: Caller, rule: InboundRule) -> dict[str, Any]:
    return rule_shape(rule, _team_names(caller.registration, [rule]))


def _team_names(registration: Registration, found: list[InboundRule]) -> dict[UUID, str]:
    return team_ids(registration, {rule.team for rule in found if rule.team})


def _fields(view: Door) -> dict[str, Any]:
    """The body as the row's fields. Raises Invalid, Forbidden."""
    _check_may_make(view.caller)
    said = view.read(RuleBody)
    data = said["actionData"]
    name = data.pop("chatTeamId", None)
    team = wanted_team(view.caller.registration, name, "actionData.chatTeamId") if name else None
    return {
        "channel": said["channel"],
        "inbound": said["inbound"],
        "keyword": said["keyword"],
        "action": said["action"],
        "team": team,
        "action_data": data,
    }


def _check_may_make(caller: Caller) -> None:
    if caller.registration.application.application_teams.exists():
        raise Forbidden("This application is bound to some teams; rules are for all who write.")


def _id(rule_id: str) -> UUID:
    found = as_uuid(rule_id)
    if found is None:
        raise NotFound("There is no such rule.")
    return found
