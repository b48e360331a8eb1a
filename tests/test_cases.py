"""What `cases` promises: every case runs, a failure names its case, and none sees what another left."""

import pytest
from django.core.cache import cache
from django.db import connection

from contactcenter.models import ContactCenter
from tests.cases import cases

pytestmark = pytest.mark.both


@cases("second", ["x", "y"])
@cases(("first", "number"), [("a", 1), ("b", 2)])
def test_each_case_begins_from_the_fixtures_alone(acme, first, number, second):
    assert cache.get("left") is None
    assert list(ContactCenter.objects.all()) == [acme.center]
    cache.set("left", True)
    ContactCenter.objects.create(slug=first, name=second)


def test_every_case_is_run(subtests, request):
    seen = []

    @cases("second", ["x", "y"])
    @cases(("first", "number"), [("a", 1), ("b", 2)])
    def see(first, number, second):
        seen.append((first, number, second))

    see(subtests=subtests, request=request)
    assert seen == [(first, number, second) for second in "xy" for first, number in (("a", 1), ("b", 2))]


def test_a_failure_names_its_case_and_the_others_run(subtests, request, monkeypatch):
    told = []
    monkeypatch.setattr(subtests, "test", lambda **case: pytest.raises(AssertionError, match=case["odd"]))

    @cases("odd", ["one", "two"])
    def refuse(odd):
        told.append(odd)
        raise AssertionError(odd)

    refuse(subtests=subtests, request=request)
    assert told == ["one", "two"]


def test_what_awaits_or_commits_is_no_test_of_cases(subtests, request, transactional_db):
    async def waits(odd): ...

    with pytest.raises(TypeError, match="awaits"):
        cases("odd", [1])(waits)
    monkey = cases("odd", [1])(lambda odd: None)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(TypeError, match="commits"):
        patch.setattr(subtests, "test", lambda **case: connection.wrap_database_errors)
        monkey(subtests=subtests, request=request)
