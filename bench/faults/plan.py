"""Which fault when: the same seed makes the same plan."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LEAST_GAP, MOST_GAP = 2.0, 5.0  # seconds from the beginning of one fault to that of the next
REST = 2.0  # seconds that a target has to come back before something else happens to it


@dataclass(frozen=True, slots=True)
class Fault:
    """`at`: seconds from the beginning; `seconds`: how long it lasts; `wrong`: by how many seconds, of a clock."""

    at: float
    kind: str
    target: str
    seconds: float
    wrong: float = 0.0


@dataclass(frozen=True, slots=True)
class Kind:
    """What can happen to which targets, for how long (least and most seconds). `wrong`: of a clock, by how many seconds at most."""

    targets: Sequence[str]
    seconds: tuple[float, float]
    wrong: float = 0.0


def make_plan(seed: int, seconds: float, menu: Mapping[str, Kind]) -> list[Fault]:
    """Faults one after the other, over all of the time; those of one target never overlap."""
    chance = random.Random(seed)
    plan: list[Fault] = []
    busy: dict[str, float] = {}
    kinds: list[str] = []
    at = chance.uniform(1, LEAST_GAP)
    while at < seconds:
        if not kinds:  # each kind once before any comes again, so that a short run has them all
            kinds = chance.sample(sorted(menu), len(menu))
        kind = kinds.pop()
        target, duration = chance.choice(sorted(menu[kind].targets)), round(chance.uniform(*menu[kind].seconds), 2)
        wrong = round(chance.uniform(-menu[kind].wrong, menu[kind].wrong), 2)
        if busy.get(target, 0) <= at:
            plan.append(Fault(round(at, 2), kind, target, duration, wrong))
            busy[target] = at + duration + REST
        at += chance.uniform(LEAST_GAP, MOST_GAP)
    return plan
