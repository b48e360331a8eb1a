"""What goes on while something is away, and what must not (pure)."""

from collections.abc import Iterator, Sequence

from .facts import Found
from .history import Entry

SETTLED = 1.0  # seconds after which a fault has come about everywhere
ENOUGH = 3.0  # seconds without Redis that are long enough to say something
OF_REDIS = {"empty", "pause", "half_open", "stall", "refuse"}


def windows(history: Sequence[Entry], kinds: set[str], target: str) -> list[tuple[float, float]]:
    """(from, until) of the faults of these kinds at this target, within which nothing else was broken."""
    begun: dict[tuple[str, str], float] = {}
    found: list[tuple[float, float, str, str]] = []
    for one in history:
        if one["process"] == "nemesis" and one["f"] in ("broken", "mending"):
            key = one["value"]["kind"], one["value"]["target"]
            if one["f"] == "broken":
                begun[key] = one["t"]
            elif key in begun:
                found.append((begun.pop(key), one["t"], *key))
    wanted = [one for one in found if one[2] in kinds and one[3] == target]
    others = [one for one in found if one not in wanted]
    alone = [one for one in wanted if not any(one[0] < other[1] and other[0] < one[1] for other in others)]
    return [(since, until) for since, until, _, _ in alone]


def answered_within(history: Sequence[Entry], spans: Sequence[tuple[float, float]]) -> Iterator[Entry]:
    """Messages that were sent and acknowledged for the first time within one of these."""
    sent: dict[tuple[str, str], float] = {}
    for one in history:
        if one["f"] != "post" or "text" not in one["value"]:
            continue
        key = one["process"], one["value"]["text"]
        if one["type"] == "invoke":
            sent[key] = one["t"]
        elif (
            one["type"] == "ok" and not one["value"].get("replayed") and _is_within(sent.get(key, 0.0), one["t"], spans)
        ):
            yield one


def _is_within(begun: float, ended: float, spans: Sequence[tuple[float, float]]) -> bool:
    return any(since + SETTLED < begun and ended < until for since, until in spans)


def silenced(history: Sequence[Entry]) -> Found:
    """I29: talking goes on while Redis is away."""
    spans = windows(history, OF_REDIS, "redis")
    seconds = sum(max(0.0, until - since - SETTLED) for since, until in spans)
    talked = any(
        one["type"] == "invoke" and any(a + SETTLED < one["t"] < b for a, b in spans)
        for one in history
        if one["f"] == "post"
    )
    if seconds >= ENOUGH and talked and not any(answered_within(history, spans)):
        yield f"nothing was acknowledged in {seconds:.0f} s without Redis"


def pretended(history: Sequence[Entry]) -> Found:
    """I30: what cannot be stored is not acknowledged, and refused for now."""
    spans = windows(history, {"read_only"}, "postgres")
    for one in answered_within(history, spans):
        yield f"{one['process']}: {one['value']['text']!r} was acknowledged at {one['t']} s, while nothing could be stored"
    for one in history:
        refused = one["type"] == "fail" and one["f"] in ("start", "post") and one["value"]["code"] == "failed"
        if refused and any(since < one["t"] < until for since, until in spans):
            yield f"{one['process']} was told at {one['t']} s that we failed, not to try again"
