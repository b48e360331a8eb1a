"""Figures as text, for people."""

from collections.abc import Iterator
from typing import Any

from bench.sums import Row

SHARES = {"server", "client", "spread", "of floor"}
FULL = 0.9  # of a core: from there on a client may be what is slow


def table(results: dict[str, Any]) -> str:
    machine = results["machine"]
    lines = [
        f"{machine['cpu']}, {machine['cores']} cores, load {machine['load']}; {results['seconds']:g} s, {results['rounds']} rounds"
    ]
    for engine, found in results["engines"].items():
        lines += [f"{engine}: {name} FAILED: {fault}" for name, fault in found["faults"].items()]
        for name, rows in found["figures"].items():
            lines += ["", f"{name} · {engine}", *_rows(rows)]
            if any(row.get("client", 0) >= FULL for row in rows.values()):
                lines.append("  The client had no time left: the server may be faster than this.")
    return "\n".join(lines)


def _rows(rows: dict[str, Row]) -> Iterator[str]:
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    cells = [["", *columns]]
    cells += [[name, *(_cell(row, column) for column in columns)] for name, row in rows.items()]
    widths = [max(len(line[at]) for line in cells) for at in range(len(columns) + 1)]
    for first, *rest in cells:
        yield "  ".join(
            ["", first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))]
        )


def _cell(row: Row, column: str) -> str:
    value = row.get(column)
    if value is None:
        return ""
    if column in SHARES:
        return f"{value:.0%}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}" if value < 1 else f"{value:.1f}"
