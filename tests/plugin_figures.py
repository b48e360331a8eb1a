"""What a run tried and how often it found what it must never find, told in its last lines: docs/promises.md quotes them.

def test_no_address_inside_is_called(figures):
    figures.count("calls inside", found=0, tried=60)
"""

from collections import defaultdict

import pytest


class Figures:
    """Sums and worst cases of a whole run, by what they are figures of."""

    def __init__(self) -> None:
        self.found: dict[str, int] = defaultdict(int)
        self.tried: dict[str, int] = defaultdict(int)
        self.worsts: dict[str, tuple[float, str]] = {}

    def count(self, name: str, found: int = 0, *, tried: int = 1) -> None:
        """`found` of `tried`, on top of what other tests have told under the same name."""
        self.found[name] += found
        self.tried[name] += tried

    def worst(self, name: str, value: float, unit: str) -> None:
        """The largest of all that are told under this name."""
        self.worsts[name] = max(self.worsts.get(name, (value, unit)), (value, unit))

    def sentences(self) -> list[str]:
        counts = [f"{name}: {self.found[name]:,} of {tried:,}" for name, tried in self.tried.items()]
        worsts = [f"{name}: {value:.3g} {unit} at most" for name, (value, unit) in self.worsts.items()]
        return sorted(counts + worsts)


of_this_run = Figures()


@pytest.fixture(scope="session")
def figures() -> Figures:
    return of_this_run


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if sentences := of_this_run.sentences():
        terminalreporter.section("figures")
        for sentence in sentences:
            terminalreporter.line(sentence)
