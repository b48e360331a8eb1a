"""Figures of a span of time, for supervisors and applications."""

from datetime import timedelta

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from chats.errors import Forbidden, Invalid
from chats.reports import summary

from . import asked, shown
from .chats import STAFF
from .door import Door, read
from .principals import AgentCaller
from .schema import described
from .scope import find_team, read_teams, visible_chats

LONGEST = timedelta(days=400)


class Summary(Door):
    callers = {"GET": STAFF}

    @described("Chats, waits, first answers, ratings", query=asked.ReportQuery, gives=shown.Summary)
    def get(self, request: Request) -> Response:
        if isinstance(self.caller, AgentCaller) and not self.caller.agent.is_supervisor:
            raise Forbidden(_("Reports are for supervisors."))
        query = read(asked.ReportQuery, request.query_params)
        until = query.get("until") or self.now
        since = query.get("since") or until - timedelta(days=7)
        if not since <= until <= since + LONGEST:
            raise Invalid(fields={"since": _("Choose a span of at most 400 days.")})
        chats = visible_chats(self.caller)
        if query.get("team"):
            chats = chats.filter(team=find_team(read_teams(self.caller), query["team"]))
        return Response(summary(chats, since=since, until=until))
