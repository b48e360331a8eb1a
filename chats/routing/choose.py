"""Who gets a chat. Pure: no clock, no database."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from agents.models import Presence
from contactcenter.models import Team

# A lone agent who declined, or did not answer, is asked again after this; without a pause it would ring without end.
ASK_AGAIN_AFTER = timedelta(seconds=20)

NEVER = datetime.min.replace(tzinfo=UTC)
NOT_IDLE = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An agent as routing sees it. `idle_since` is None while a chat is held or on offer; no languages = all."""

    agent_id: UUID
    name: str
    status: str = Presence.Status.ONLINE
    is_seen: bool = True  # the lease of the agent's client runs
    in_team: bool = True
    capacity: int = 1
    free: int = 1
    languages: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    idle_since: datetime | None = None
    last_assigned_at: datetime | None = None

    def facts(self) -> dict[str, Any]:
        """What a decision's record says of an eligible agent."""
        return {
            "agent": str(self.agent_id),
            "name": self.name,
            "free": self.free,
            "capacity": self.capacity,
            "idle_since": self.idle_since.isoformat() if self.idle_since else None,
            "last_assigned_at": self.last_assigned_at.isoformat() if self.last_assigned_at else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a chat asks for. `tried`: who declined it, let it ring out or gave it back, and when, oldest first; `asked`: whom its search has asked."""

    language: str = ""
    skills: tuple[str, ...] = ()
    tried: tuple[tuple[UUID, datetime], ...] = ()
    asked: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """`eligible` best first; `excluded` with a reason code each; `ask_again_at` when somebody may be asked who just would not."""

    chosen: Candidate | None
    eligible: tuple[Candidate, ...]
    excluded: tuple[tuple[Candidate, str], ...]
    ask_again_at: datetime | None = None

    def reasons(self) -> dict[str, int]:
        """How many agents each reason excluded."""
        return dict(Counter(why for _, why in self.excluded))


def _by_most_free(one: Candidate) -> tuple[Any, ...]:
    return (-one.free, one.idle_since or NOT_IDLE, one.last_assigned_at or NEVER)


def _by_longest_idle(one: Candidate) -> tuple[Any, ...]:
    return (one.idle_since or NOT_IDLE, one.last_assigned_at or NEVER, -one.free)


def _by_round_robin(one: Candidate) -> tuple[Any, ...]:
    return (one.last_assigned_at or NEVER, one.idle_since or NOT_IDLE, -one.free)


STRATEGIES: dict[str, Callable[[Candidate], tuple[Any, ...]]] = {
    Team.Strategy.MOST_FREE: _by_most_free,
    Team.Strategy.LONGEST_IDLE: _by_longest_idle,
    Team.Strategy.ROUND_ROBIN: _by_round_robin,
}


@dataclass(slots=True)
class _Wish:
    """A need in the form in which it is compared."""

    language: str
    skills: frozenset[str]
    tried: dict[UUID, datetime] = field(default_factory=dict)
    asked: frozenset[UUID] = frozenset()


def choose(candidates: Sequence[Candidate], need: Need, *, strategy: str, now: datetime) -> Decision:
    """The best candidate by the team's strategy; those who would not take this chat come after everybody else, the least recent first."""
    wish = _Wish(_language_asked_for(candidates, need), _folded(need.skills), dict(need.tried), need.asked)
    eligible: list[Candidate] = []
    excluded: list[tuple[Candidate, str]] = []
    for one in candidates:
        why = _why_not(one, wish, now)
        if why:
            excluded.append((one, why))
        else:
            eligible.append(one)
    order = STRATEGIES[strategy]
    eligible.sort(key=lambda one: (wish.tried.get(one.agent_id, NEVER), *order(one), one.agent_id))
    again = [wish.tried[one.agent_id] + ASK_AGAIN_AFTER for one, why in excluded if why == "declined"]
    return Decision(
        chosen=eligible[0] if eligible else None,
        eligible=tuple(eligible),
        excluded=tuple(excluded),
        ask_again_at=min(again, default=None),
    )


def _why_not(one: Candidate, wish: _Wish, now: datetime) -> str:
    """The first reason that excludes the agent, the one that changes least often first; empty when there is none."""
    if not one.in_team:
        return "not_in_team"
    if one.agent_id in wish.asked:
        return "asked"
    if one.status != Presence.Status.ONLINE:
        return "away" if one.status == Presence.Status.AWAY else "offline"
    if not one.is_seen:
        return "client_not_seen"
    if wish.language and not _speaks(one, wish.language):
        return "language"
    if wish.skills and not wish.skills <= _folded(one.skills):
        return "skill"
    if one.free <= 0:
        return "no_free_slot"
    tried_at = wish.tried.get(one.agent_id)
    if tried_at is not None and tried_at + ASK_AGAIN_AFTER > now:
        return "declined"
    return ""


def _language_asked_for(candidates: Sequence[Candidate], need: Need) -> str:
    """The language as a requirement. One that nobody of the team speaks, there or not, is none: the chat would wait for ever."""
    language = _main_language(need.language)
    return language if any(one.in_team and _speaks(one, language) for one in candidates) else ""


def _speaks(one: Candidate, language: str) -> bool:
    return not one.languages or language in map(_main_language, one.languages)


def _main_language(code: str) -> str:
    """Who speaks German speaks to Austrians, too: de-AT counts as de."""
    return code.replace("_", "-").split("-")[0].lower()


def _folded(several: Sequence[str]) -> frozenset[str]:
    return frozenset(word.strip().casefold() for word in several)


def words(values: Any) -> tuple[str, ...]:
    """Languages or skills from a JSON column, where one wrong value must not stop the routing of a whole team."""
    return tuple(str(value) for value in values) if isinstance(values, list) else ()
