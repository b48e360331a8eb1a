"""One writer at a time: nobody is refused, nobody waits long, nothing is left locked."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, transaction

from contactcenter.sqlite import base, lock

pytestmark = pytest.mark.both


def make(file: Path) -> base.DatabaseWrapper:
    settings = {
        "NAME": str(file),
        "OPTIONS": {},
        "AUTOCOMMIT": True,
        "ATOMIC_REQUESTS": False,
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": False,
        "TIME_ZONE": None,
        "TEST": {"NAME": None, "MIRROR": None},
        "HOST": "",
        "PORT": "",
        "USER": "",
        "PASSWORD": "",
        "ENGINE": "contactcenter.sqlite",
    }
    return base.DatabaseWrapper(settings, alias="other")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, django_db_blocker: Any) -> Iterator[Path]:
    monkeypatch.setattr(base, "writer", lock.FairLock())
    file = tmp_path / "own.sqlite3"
    with django_db_blocker.unblock():
        wrapper = make(file)
        run(wrapper, "CREATE TABLE counter (id INTEGER PRIMARY KEY, value INTEGER NOT NULL UNIQUE)")
        run(wrapper, "INSERT INTO counter VALUES (1, 0)")
        wrapper.close()
        yield file


@pytest.fixture
def wrapper(file: Path) -> Iterator[base.DatabaseWrapper]:
    wrapper = make(file)
    yield wrapper
    wrapper.close()


def run(wrapper: base.DatabaseWrapper, sql: str, params: Any = None) -> list[Any]:
    with wrapper.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


class Transaction:
    """What atomic() does, for a connection that Django's registry does not know."""

    def __init__(self, wrapper: base.DatabaseWrapper) -> None:
        self.wrapper = wrapper

    def __enter__(self) -> None:
        self.wrapper.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
        self.wrapper.in_atomic_block = True

    def __exit__(self, kind: Any, *_: Any) -> None:
        self.wrapper.in_atomic_block = False
        try:
            if kind is None:
                self.wrapper.commit()
            else:
                self.wrapper.rollback()
        except Exception:
            self.wrapper.rollback()
            raise
        finally:
            self.wrapper.set_autocommit(True)


def in_threads(count: int, work: Callable[[int], None]) -> list[BaseException]:
    errors: list[BaseException] = []

    def guarded(number: int) -> None:
        try:
            work(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return errors


def test_sixteen_threads_that_read_then_write_lose_no_increment_and_wait_fairly(file: Path) -> None:
    done: list[int] = []
    overtaken: list[int] = []

    def work(number: int) -> None:
        wrapper = make(file)
        for _ in range(25):
            before = len(done)
            with Transaction(wrapper):
                overtaken.append(len(done) - before)
                value = run(wrapper, "SELECT value FROM counter WHERE id = 1")[0][0]
                run(wrapper, "UPDATE counter SET value = %s WHERE id = 1", [value + 1])
                done.append(number)
        wrapper.close()

    assert in_threads(16, work) == []
    wrapper = make(file)
    assert run(wrapper, "SELECT value FROM counter") == [(16 * 25,)]
    wrapper.close()
    # Fair, told in turns and not in seconds: who waits lets each of the others go first about once, on any machine.
    overtaken.sort()
    assert overtaken[int(len(overtaken) * 0.9)] <= 2 * 16


def test_single_statements_without_transaction_from_many_threads_are_never_refused(file: Path) -> None:
    def work(_number: int) -> None:
        wrapper = make(file)
        for _ in range(20):
            run(wrapper, "UPDATE counter SET value = value + 1 WHERE id = 1")
        wrapper.close()

    assert in_threads(16, work) == []
    wrapper = make(file)
    assert run(wrapper, "SELECT value FROM counter") == [(320,)]
    wrapper.close()


def test_insert_returning_outside_a_transaction_is_committed_before_its_rows_are_read(file: Path) -> None:
    first, second = make(file), make(file)
    with first.cursor() as cursor:
        cursor.execute("INSERT INTO counter (value) VALUES (5), (6), (7) RETURNING value")
        assert run(second, "SELECT count(*) FROM counter") == [(4,)]
        run(second, "UPDATE counter SET value = -1 WHERE id = 1")
        assert cursor.fetchone() == (5,)
        assert cursor.fetchmany(1) == [(6,)]
        assert cursor.fetchall() == [(7,)]
        assert cursor.fetchone() is None
    first.close()
    second.close()


def test_reads_go_on_while_somebody_writes(file: Path, wrapper: base.DatabaseWrapper) -> None:
    reader = make(file)
    with Transaction(wrapper):
        run(wrapper, "UPDATE counter SET value = 9 WHERE id = 1")
        assert run(reader, "SELECT value FROM counter WHERE id = 1") == [(0,)]
    assert run(reader, "SELECT value FROM counter WHERE id = 1") == [(9,)]
    reader.close()


def test_roll_back_gives_the_lock_back(wrapper: base.DatabaseWrapper) -> None:
    with pytest.raises(ZeroDivisionError), Transaction(wrapper):
        raise ZeroDivisionError
    assert base.writer.acquire(0)


def test_refused_statement_gives_the_lock_back(wrapper: base.DatabaseWrapper) -> None:
    with pytest.raises(IntegrityError):
        run(wrapper, "INSERT INTO counter VALUES (1, 1)")
    assert base.writer.acquire(0)


def test_commit_that_fails_keeps_the_lock_until_the_roll_back(wrapper: base.DatabaseWrapper) -> None:
    run(wrapper, "CREATE TABLE child (parent INTEGER REFERENCES counter (id) DEFERRABLE INITIALLY DEFERRED)")
    wrapper.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    wrapper.in_atomic_block = True
    run(wrapper, "INSERT INTO child VALUES (99)")
    wrapper.in_atomic_block = False
    with pytest.raises(IntegrityError):
        wrapper.commit()
    assert not base.writer.acquire(0)
    wrapper.rollback()
    assert base.writer.acquire(0)
    assert run(wrapper, "SELECT * FROM child") == []


def test_connection_closed_within_a_transaction_gives_the_lock_back(wrapper: base.DatabaseWrapper) -> None:
    wrapper.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    assert not base.writer.acquire(0)
    wrapper.close()
    assert base.writer.acquire(0)


def test_writer_that_never_finishes_refuses_the_next_after_the_time_out(
    file: Path, wrapper: base.DatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "TIMEOUT", 0.05)
    other = make(file)
    with Transaction(wrapper), pytest.raises(OperationalError, match="locked"), Transaction(other):
        pass
    with Transaction(other):
        run(other, "UPDATE counter SET value = 3 WHERE id = 1")
    other.close()


def test_connections_are_durable_and_use_a_write_ahead_log(wrapper: base.DatabaseWrapper) -> None:
    assert run(wrapper, "PRAGMA journal_mode") == [("wal",)]
    assert run(wrapper, "PRAGMA synchronous") == [(2,)]
    assert run(wrapper, "PRAGMA foreign_keys") == [(1,)]


def test_begin_is_immediate(file: Path, wrapper: base.DatabaseWrapper) -> None:
    with Transaction(wrapper):
        foreign = sqlite3.connect(file, timeout=0, isolation_level=None)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            foreign.execute("UPDATE counter SET value = 4")
        foreign.close()


def test_lock_is_handed_over_in_the_order_of_asking() -> None:
    fair, order = lock.FairLock(), []
    assert fair.acquire(1)

    def work(number: int) -> None:
        time.sleep(number * 0.05)
        assert fair.acquire(5)
        order.append(number)
        fair.release()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    time.sleep(0.4)
    fair.release()
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


def test_lock_asked_for_in_vain_is_not_handed_to_who_has_left() -> None:
    fair = lock.FairLock()
    assert fair.acquire(0)
    assert not fair.acquire(0.01)
    fair.release()
    assert fair.acquire(0)
    fair.release()
    with pytest.raises(RuntimeError):
        fair.release()


@pytest.mark.django_db(transaction=True)
def test_nested_atomic_blocks_of_django_work() -> None:
    from contactcenter.models import Installation

    with transaction.atomic():
        Installation.current()
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            Installation.objects.update(canary_at=None)
            raise ZeroDivisionError
    assert Installation.objects.count() == 1
