"""A routing decision as sentences."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from chats.models import Event
from chats.shapes import stamp

STRATEGIES = {
    "most_free_slots": gettext_lazy("The rule: whoever has the most free slots."),
    "longest_idle": gettext_lazy("The rule: whoever has been without a chat longest."),
    "round_robin": gettext_lazy("The rule: everybody in turn."),
}
REASONS = {
    "not_in_team": gettext_lazy("is not in the team"),
    "away": gettext_lazy("is away"),
    "offline": gettext_lazy("is offline"),
    "client_not_seen": gettext_lazy("has lost the connection"),
    "language": gettext_lazy("does not speak the language"),
    "skill": gettext_lazy("lacks a skill that is asked for"),
    "no_free_slot": gettext_lazy("has no free slot"),
    "declined": gettext_lazy("has just declined this chat or did not answer"),
    "asked": gettext_lazy("was asked already"),
    "attempts_used": gettext_lazy("was not asked: as many as wanted had been asked"),
}


def decision_shape(event: Event) -> dict[str, Any]:
    """docs/realtime.md: routing.decided, with the same in words."""
    data = event.data
    eligible, excluded = data.get("eligible", []), data.get("excluded", [])
    return {
        "position": event.position,
        "at": stamp(event.at),
        "team": data.get("team", ""),
        "strategy": data.get("strategy", ""),
        "chosen": data.get("chosen"),
        "eligible": eligible,
        "excluded": excluded,
        "words": _words(data, eligible, excluded),
    }


def _words(data: dict[str, Any], eligible: list[dict[str, Any]], excluded: list[dict[str, Any]]) -> list[str]:
    chosen = next((one["name"] for one in eligible if one.get("agent") == data.get("chosen")), None)
    said = [_("%(name)s was chosen.") % {"name": chosen} if chosen else _("Nobody could be offered this chat.")]
    if data.get("strategy") in STRATEGIES:
        said.append(str(STRATEGIES[data["strategy"]]))
    for one in eligible:
        slots = {"name": one.get("name", ""), "free": one.get("free", 0), "capacity": one.get("capacity", "?")}
        said.append(_("%(name)s: %(free)s of %(capacity)s slots free.") % slots)
    for one in excluded:
        why = REASONS.get(one.get("why", ""), one.get("why", ""))
        said.append(_("%(name)s %(why)s.") % {"name": one.get("name", ""), "why": why})
    return said
