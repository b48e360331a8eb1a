"""A decision as a line of the chat's log."""

from collections.abc import Sequence
from uuid import UUID

from chats.events import RoutingDecided
from chats.models import Event
from contactcenter.models import Team
from contactcenter.prepared import PreparedValues, among

from .choose import Decision

MOST_AGENTS = 20  # named in one record; the counts tell about all


def describe(team: Team, decision: Decision, *, strategy: str = "") -> RoutingDecided:
    """`strategy`: the one that was followed where it is not the team's."""
    return RoutingDecided(
        team=team.name,
        strategy=strategy or team.strategy,
        chosen=str(decision.chosen.agent_id) if decision.chosen else None,
        eligible=[one.facts() for one in decision.eligible[:MOST_AGENTS]],
        excluded=[
            {"agent": str(one.agent_id), "name": one.name, "why": why} for one, why in decision.excluded[:MOST_AGENTS]
        ],
        reasons=decision.reasons(),
    )


def reason_codes(decision: Decision) -> frozenset[str]:
    return frozenset(decision.reasons())


def last_reasons(chat_ids: Sequence[UUID]) -> dict[UUID, frozenset[str] | None]:
    """For each chat why its last decision found nobody; None when it found somebody. Chats without a decision are absent."""
    if not chat_ids:
        return {}
    last = {chat_id: (chosen, reasons) for chat_id, chosen, reasons in _DECISIONS.tuples(list(chat_ids))}
    return {chat_id: None if chosen else frozenset(reasons or ()) for chat_id, (chosen, reasons) in last.items()}


_DECISIONS = PreparedValues(
    lambda chats: (
        Event.objects.filter(chat__in=among(chats), type=RoutingDecided.type)
        .order_by("position")
        .values_list("chat_id", "data__chosen", "data__reasons")
    )
)
