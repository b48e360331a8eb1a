"""Several statements in one round trip: transactions, errors and rows are Django's all the same."""

import threading

import psycopg
import pytest
from django.db import IntegrityError, OperationalError, connection, connections, transaction

from contactcenter import wire
from contactcenter.models import ContactCenter
from contactcenter.outage import is_outage
from contactcenter.wire import Asked, Statement

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]

NAMED = Statement("SELECT id, name, created_at FROM contactcenter_contactcenter WHERE slug = %s")
RENAME = Statement("UPDATE contactcenter_contactcenter SET name = %s WHERE slug = %s")
STEAL = Statement("UPDATE contactcenter_contactcenter SET slug = %s WHERE slug = %s")


def name_in_database(slug):
    """As another connection sees it."""
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}) as other:
        return other.execute("SELECT name FROM contactcenter_contactcenter WHERE slug = %s", [slug]).fetchone()[0]


def test_answers_stand_in_the_order_of_what_was_asked_as_django_reads_them(acme, globex):
    found = wire.ask(Asked(NAMED, ["globex"]), Asked(NAMED, ["nobody"]), Asked(NAMED, ["acme"]))
    wanted = ContactCenter.objects.values_list("id", "name", "created_at")
    assert found == [[wanted.get(slug="globex")], [], [wanted.get(slug="acme")]]
    assert found[0][0][2].tzinfo is wanted.get(slug="globex")[2].tzinfo


def test_values_of_all_kinds_and_signs_of_percent_are_bound(now):
    text = Statement("SELECT %s::int + 1, %s::text || '%%', %s::timestamptz, %s::bool, %s::text")
    for number, word in ((1, "a'b\\%s"), (2**20, "ü\n"), (1, "")):
        assert wire.ask(Asked(text, [number, word, now, True, None])) == [[(number + 1, f"{word}%", now, True, None)]]


def test_a_later_statement_sees_what_another_committed_while_an_earlier_one_waited(acme):
    slow = Statement("SELECT 1 FROM contactcenter_contactcenter WHERE slug = %s FOR UPDATE")
    found = []

    def ask():
        with transaction.atomic():
            found.extend(wire.ask(Asked(slow, ["acme"]), Asked(NAMED, ["acme"])))
        connections.close_all()

    with transaction.atomic():
        ContactCenter.objects.select_for_update().get(slug="acme")
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join(0.3)
        wire.tell(Asked(RENAME, ["New", "acme"]))
    thread.join(30)
    assert found[1][0][1] == "New"


def test_what_was_told_is_seen_by_whatever_is_asked_next_and_goes_with_the_commit(acme):
    with transaction.atomic(), wire.together():
        wire.tell(Asked(RENAME, ["First", "acme"]))
        assert ContactCenter.objects.get(slug="acme").name == "First"
        wire.tell(Asked(RENAME, ["Second", "acme"]))
        assert wire.ask(Asked(NAMED, ["acme"]))[0][0][1] == "Second"
        wire.tell(Asked(RENAME, ["Third", "acme"]))
    assert name_in_database("acme") == "Third"
    assert connection.get_autocommit()


def test_it_takes_part_in_the_transactions_around_it(acme):
    told = []
    with transaction.atomic():
        with transaction.atomic(), wire.together():
            wire.tell(Asked(RENAME, ["Inner", "acme"]))
            transaction.on_commit(lambda: told.append(name_in_database("acme")))
        assert name_in_database("acme") == acme.center.name
    assert told == ["Inner"]
    with pytest.raises(KeyError), transaction.atomic(), wire.together():
        wire.tell(Asked(RENAME, ["Never", "acme"]))
        raise KeyError
    assert name_in_database("acme") == "Inner"
    with transaction.atomic(), wire.together():
        with pytest.raises(KeyError), transaction.atomic():
            wire.tell(Asked(RENAME, ["Never", "acme"]))
            raise KeyError
        assert ContactCenter.objects.get(slug="acme").name == "Inner"


def test_an_error_is_djangos_and_undoes_the_transaction_with_what_was_told_last(acme, globex):
    for _ in range(2):  # the second time everything is prepared
        with pytest.raises(IntegrityError), transaction.atomic(), wire.together():
            wire.tell(Asked(RENAME, ["Never", "acme"]))
            wire.tell(Asked(STEAL, ["globex", "acme"]))
        assert name_in_database("acme") == acme.center.name
        with pytest.raises(IntegrityError):
            wire.ask(Asked(STEAL, ["globex", "acme"]), Asked(NAMED, ["acme"]))
        assert wire.ask(Asked(NAMED, ["acme"]))[0][0][1] == acme.center.name


def test_a_transaction_that_is_broken_is_not_committed(acme, globex):
    with transaction.atomic(), wire.together():
        wire.tell(Asked(RENAME, ["Never", "acme"]))
        transaction.set_rollback(True)
    assert name_in_database("acme") == acme.center.name


def test_a_connection_that_was_cut_is_an_outage_and_the_next_one_works(acme):
    for held in (False, True):
        wire.ask(Asked(NAMED, ["acme"]))
        with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid])
        with pytest.raises(OperationalError) as raised, transaction.atomic(), wire.together():
            if held:
                wire.tell(Asked(RENAME, ["Never", "acme"]))
            else:
                wire.ask(Asked(NAMED, ["acme"]))
        assert is_outage(raised.value)
        connection.close()
        assert wire.ask(Asked(NAMED, ["acme"]))[0][0][1] == acme.center.name
