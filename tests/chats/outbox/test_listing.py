"""What was filed, page by page, without missing what is committed late."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from chats.errors import Invalid
from chats.models import Delivery, Webhook
from chats.outbox.filing import Filed, file
from chats.outbox.listing import END, horizon, page, read_cursor, write_cursor
from tests.cases import cases
from tests.chats.outbox.conftest import make_application, make_delivery, make_webhook

pytestmark = pytest.mark.django_db
both = pytest.mark.both


def ids(found):
    return [row.id for row in found.rows]


def hooks(webhook):
    return Webhook.objects.filter(application=webhook.application)


@pytest.fixture
def past(now):
    return now - timedelta(hours=1)


@both
def test_pages_follow_each_other_without_gap_or_repeat(acme, globex, past):
    application = make_application(acme)
    one, two = (make_webhook(acme, application=application) for _ in range(2))
    make_delivery(make_webhook(acme), past)
    make_delivery(make_webhook(globex), past)
    rows = [make_delivery([one, two][n % 2], past, filed_at=past + timedelta(seconds=n // 3)) for n in range(10)]
    seen, since = [], ""
    for expected in (4, 4, 2, 0, 0):
        found = page(hooks(one), since, 4)
        assert len(found.rows) == expected
        seen += ids(found)
        since = found.next
    assert seen == [row.id for row in rows]
    late = make_delivery(two, past, filed_at=past + timedelta(seconds=60))
    assert ids(page(hooks(one), since, 4)) == [late.id]


@both
def test_a_time_may_be_given_that_moment_included(acme, past):
    webhook = make_webhook(acme)
    rows = [make_delivery(webhook, past, filed_at=past + timedelta(seconds=n)) for n in range(3)]
    assert ids(page(hooks(webhook), (past + timedelta(seconds=1)).isoformat(), 9)) == [row.id for row in rows[1:]]
    later = (past + timedelta(minutes=1)).isoformat()
    nothing = page(hooks(webhook), later, 9)
    assert (nothing.rows, read_cursor(nothing.next)) == ([], (past + timedelta(minutes=1), 0))


@both
def test_attempts_and_hooks_come_along(acme, past, django_assert_max_num_queries):
    webhook = make_webhook(acme)
    for _ in range(3):
        make_delivery(webhook, past)
    with django_assert_max_num_queries(6):
        for row in page(hooks(webhook), "", 9).rows:
            assert (row.webhook.url, list(row.attempts.all())) == (webhook.url, [])


@both
def test_what_is_filed_by_the_book_is_listed(acme):
    webhook = make_webhook(acme)
    with transaction.atomic():
        file([Filed(webhook, None, "x", {"n": n}) for n in range(5)])
    Delivery.objects.update(filed_at=Delivery.objects.first().filed_at - timedelta(seconds=5))
    since, seen = "", []
    while (found := page(hooks(webhook), since, 2)).rows:
        seen += [row.payload["n"] for row in found.rows]
        since = found.next
    assert seen == [0, 1, 2, 3, 4]


@both
@cases(
    "since",
    [
        "x",
        "2026-13-01T00:00:00Z",
        "now",
        "ä",
        "====",
        "MjAyNg==",
        write_cursor((datetime(2026, 1, 1, tzinfo=UTC), 1))[:-3],
        "MjAyNi0wMS0wMXx4",
        "MjAyNi0wMS0wMVQwMDowMDowMCswMDowMHw5OTk5OTk5OTk5OTk5OTk5OTk5OTk5",
        "\0",
        "\ud800",
        "2026-11-21T09:00:00Z; drop table",
    ],
)
def test_anything_else_is_refused(acme, since):
    with pytest.raises(Invalid) as refused:
        page(hooks(make_webhook(acme)), since, 9)
    assert "since" in refused.value.fields


@both
@cases("since", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-21", "2026-11-21T09:00"])
def test_times_at_the_ends_of_the_calendar_are_times(acme, past, since):
    webhook = make_webhook(acme)
    make_delivery(webhook, past, filed_at=datetime(2026, 11, 21, 12, tzinfo=UTC))
    found = page(hooks(webhook), since, 9)
    assert len(found.rows) == (0 if since.startswith("9999") else 1)
    assert page(hooks(webhook), found.next, 9).rows == []
    assert END.year == 9999


@both
def test_a_cursor_is_opaque_and_survives_the_way_there_and_back(past):
    assert read_cursor(write_cursor((past, 7))) == (past, 7)
    assert str(past.year) not in write_cursor((past, 7))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_what_is_committed_late_is_not_missed(acme):
    """One transaction files first and commits last; meanwhile another has come and gone."""
    webhook = make_webhook(acme)
    has_filed, may_commit = threading.Event(), threading.Event()

    def file_slowly():
        try:
            with transaction.atomic():
                file([Filed(webhook, None, "slow", {})])
                has_filed.set()
                assert may_commit.wait(20)
        finally:
            connection.close()

    thread = threading.Thread(target=file_slowly)
    thread.start()
    assert has_filed.wait(20)
    with transaction.atomic():
        file([Filed(webhook, None, "quick", {})])
    early = page(hooks(webhook), "", 9)
    assert early.rows == []  # "quick" is there, but "slow" would be missed behind it
    may_commit.set()
    thread.join(20)
    late = page(hooks(webhook), early.next, 9)
    assert [row.event for row in late.rows] == ["slow", "quick"]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_horizon_is_now_while_nobody_writes(acme):
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (before,) = cursor.fetchone()
    assert horizon() > before
