"""The figures, in the order in which they are measured.

Each is a module with a `name`, a docstring that says what is counted, and `measure(site)`, which gives rows: {row: {column: number}}.
"""

from typing import Any

from . import fanout, growth, idle, latency, messages, polls, posts, starts, startup, widget

# The fresh server's first; what fills the database last.
FIGURES: tuple[Any, ...] = (startup, idle, messages, latency, posts, polls, starts, fanout, widget, growth)
