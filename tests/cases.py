"""Many cases of one rule in one test: its fixtures are made once, each case is told apart, and none sees another's rows.

@cases("query", ["after=x", "after=-1"])
def test_an_odd_cursor_is_refused(place, query): ...

Written and stacked as pytest.mark.parametrize is, which makes the whole cast anew for each case: most of the suite's time. Each case runs
in a savepoint that is rolled back after it, with an empty cache and an empty mailbox. What a case does to the fixtures' objects
in memory stays: a test that changes them, commits for real or awaits keeps parametrize.
"""

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import connection, transaction

Test = Callable[..., None]
OWN = ("request", "subtests")  # fixtures that the loop itself needs

forgets: list[Callable[[], None]] = []  # what else is remembered in memory; a conftest adds its own


def cases(names: str | tuple[str, ...], values: Iterable[Any]) -> Callable[[Test], Test]:
    """Run a test once for each of `values`, given as `names`.

    Raises TypeError for a test that awaits: its loop belongs to pytest.
    """
    wanted = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    rows = [dict(zip(wanted, value if len(wanted) > 1 else [value], strict=True)) for value in values]

    def decorate(test: Test) -> Test:
        if inspect.iscoroutinefunction(test):
            raise TypeError(f"{test.__name__} awaits: use parametrize.")
        signature = inspect.signature(test)
        own = [name for name in OWN if name in signature.parameters]

        @functools.wraps(test)
        def run(**fixtures: Any) -> None:
            passed = {name: value for name, value in fixtures.items() if name in own or name not in OWN}
            for row in rows:
                with fixtures["subtests"].test(**row), _alone(fixtures["request"]):
                    test(**passed, **row)

        kept = [parameter for name, parameter in signature.parameters.items() if name not in {*wanted, *OWN}]
        added = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in OWN]
        run.__signature__ = inspect.Signature([*kept, *added])  # type: ignore[attr-defined]
        return run

    return decorate


@contextlib.contextmanager
def _alone(request: pytest.FixtureRequest) -> Iterator[None]:
    """One case: what it writes is rolled back, what it leaves in memory is forgotten."""
    marker = request.node.get_closest_marker("django_db")
    if "transactional_db" in request.fixturenames or (marker and marker.kwargs.get("transaction")):
        raise TypeError(f"{request.node.name} commits: use parametrize.")
    _forget()
    if not connection.in_atomic_block:  # a test without a database
        yield
        return
    savepoint = transaction.atomic()
    savepoint._from_testcase = True  # type: ignore[attr-defined]  # as Django's own TestCase does: durable blocks may stand within
    with savepoint:
        yield
        transaction.set_rollback(True)


def _forget() -> None:
    cache.clear()
    if hasattr(mail, "outbox"):
        mail.outbox.clear()
    for forget in forgets:
        forget()
