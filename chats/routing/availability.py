"""Whether a chat that began now would find somebody: asked before it begins."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from contactcenter.hours import is_open
from contactcenter.models import Team

from .candidates import load_candidates
from .choose import Candidate, Need, choose


def count_available(team: Team, languages: Sequence[str] = (), *, now: datetime) -> int:
    """How many agents could be offered a chat in one of these languages (none = any) at this moment; 0 while the team is closed."""
    if not is_open(team, now):
        return 0
    return len(_fit(load_candidates(team, now).values(), languages, now))


def is_anybody_online(team: Team, languages: Sequence[str] = (), *, now: datetime) -> bool:
    """The same, but who is busy by now counts as well: a chat can wait for them."""
    if not is_open(team, now):
        return False
    idle = [replace(one, free=one.capacity) for one in load_candidates(team, now).values()]
    return bool(_fit(idle, languages, now))


def _fit(candidates: Iterable[Candidate], languages: Sequence[str], now: datetime) -> set[UUID]:
    found = list(candidates)
    return {
        one.agent_id
        for language in languages or [""]
        for one in choose(found, Need(language=language), strategy=Team.Strategy.MOST_FREE, now=now).eligible
    }
