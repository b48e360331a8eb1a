"""Medians and percentiles."""

from collections.abc import Sequence
from statistics import median

Row = dict[str, float]  # column → number


def percentile(values: Sequence[float], part: float) -> float:
    ordered = sorted(values) or [0.0]
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


def milliseconds(seconds: Sequence[float]) -> Row:
    return {"p50 ms": percentile(seconds, 0.5) * 1000, "p99 ms": percentile(seconds, 0.99) * 1000}


def medians(rows: Sequence[Row]) -> Row:
    return {column: median(row[column] for row in rows) for column in rows[0]}


def spread(rows: Sequence[Row], column: str) -> float:
    """How far the rounds lie apart, as a share of their median: what differs less is noise."""
    values = [row[column] for row in rows]
    middle = median(values)
    return (max(values) - min(values)) / middle if middle else 0.0


def beside(floor: Sequence[Row], product: Sequence[Row], column: str, *also: str) -> Row:
    """The product's medians, the spread of `column`, the floor's medians of it and of `also`, and the share of the floor."""
    mine, bare = medians(product), medians(floor)
    told = {f"floor {name}": bare[name] for name in (column, *also)}
    share = mine[column] / bare[column] if bare[column] else 0.0
    return mine | {"spread": spread(product, column)} | told | {"of floor": share}
