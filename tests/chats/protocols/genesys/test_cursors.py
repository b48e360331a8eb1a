"""Which lines a poll gets: by index, or those that nobody has got yet."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections, transaction

from chats.models import ForeignChat, ForeignLine
from chats.protocols.genesys import cursors
from chats.protocols.genesys.cursors import asked_index, give_lines
from tests.cases import cases

pytestmark = pytest.mark.django_db


@cases(
    ("sent", "index"),
    [
        (None, None), ("", None), ("0", 0), ("1", 1), ("5x", 5), ("  7", 7), ("+3", 3), ("-1", -1), ("-0", 0), ("1.9", 1), ("007", 7),
        ("1e3", 1), ("12,5", 12), ("abc", -1), ("x5", -1), ("-", -1), (" ", -1), ("NaN", -1), ("Infinity", -1), ("null", -1), ("[]", -1),
        ("٣", -1), ("999999999", 999_999_999), ("9999999999", -1), ("9" * 5000, -1), ("0" * 5000 + "4", 4), ("--5", -1), ("\u00a05", 5),
    ],
)  # fmt: skip
def test_an_index_is_read_as_parse_int_would(sent, index):
    found = asked_index(sent)
    assert found == index if index is None or index >= 0 else found < 0


def numbers(talk, query=""):
    return [one["index"] for one in talk.messages(query)]


@pytest.mark.both
def test_index_0_gives_all_and_n_everything_from_n_on(shop):
    talk = shop.request()
    for text in "abc":
        talk.say(text)
    assert numbers(talk, "index=0") == numbers(talk, "index=1") == [1, 2, 3, 4, 5]
    assert numbers(talk, "index=3") == [3, 4, 5]
    assert numbers(talk, "index=5") == [5]


@cases("query", ["index=6", "index=-1", "index=abc", "index=99999999999999999999", "index=%00", "index=%20"])
def test_what_is_no_index_of_the_chat_gives_nothing_and_moves_nothing(shop, query):
    talk = shop.request()
    talk.say("a")
    assert numbers(talk, query) == []
    assert numbers(talk) == [1, 2, 3]


@pytest.mark.both
def test_without_an_index_each_line_is_given_once(shop):
    talk = shop.request()
    assert numbers(talk) == [1, 2]
    assert numbers(talk) == []
    talk.say("a")
    assert numbers(talk, "index=") == [3]
    assert numbers(talk) == []


def test_lines_that_were_read_by_index_are_not_given_again(shop):
    talk = shop.request()
    talk.say("a")
    assert numbers(talk, "index=3") == [3]
    assert numbers(talk) == []
    talk.say("b")
    assert numbers(talk) == [4]
    assert numbers(talk, "index=1") == [1, 2, 3, 4]
    assert numbers(talk) == []


def test_after_the_end_the_transcript_is_read_as_before(shop):
    talk = shop.request()
    talk.messages()
    talk.do("Complete")
    assert numbers(talk) == [3]
    assert numbers(talk) == []
    assert numbers(talk, "index=0") == [1, 2, 3]


def test_a_head_request_takes_nothing(shop):
    talk = shop.request()
    answer = shop.page.call("HEAD", f"chats/{talk.id}/messages")
    assert (answer.status_code, answer.content) == (200, b"")
    assert numbers(talk) == [1, 2]


@pytest.mark.both
def test_a_long_transcript_comes_in_pages_and_the_cursor_goes_on_where_the_last_one_ended(shop, monkeypatch):
    monkeypatch.setattr(cursors, "MOST_LINES", 3)
    talk = shop.request()
    for text in "abcde":
        talk.say(text)
    assert numbers(talk) == [1, 2, 3]
    assert numbers(talk) == [4, 5, 6]
    assert numbers(talk, "index=0") == [1, 2, 3]  # a page that is loaded anew
    assert numbers(talk) == [4, 5, 6]
    assert numbers(talk) == [7]


def test_an_empty_poll_opens_no_transaction_and_writes_nothing(shop, django_assert_num_queries):
    talk = shop.request()
    talk.messages()
    foreign = talk.foreign
    with django_assert_num_queries(0):
        assert give_lines(foreign, None) == give_lines(foreign, 3) == give_lines(foreign, -1) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_of_two_clients_that_poll_at_once_each_line_reaches_one(shop):
    talk = shop.request()
    for number in range(40):
        with transaction.atomic():
            talk.say(str(number))
    stale = ForeignChat.objects.get(external_id=talk.id)

    def poll(_):
        try:
            return [line.number for line in give_lines(stale, None)]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        given = [number for lines in threads.map(poll, range(8)) for number in lines]
    assert sorted(given) == list(range(1, 43))
    assert ForeignChat.objects.get().cursor == ForeignLine.objects.count() == 42


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_reading_by_index_beside_a_poll_never_takes_the_cursor_back(shop):
    talk = shop.request()
    stale = ForeignChat.objects.get(external_id=talk.id)
    with transaction.atomic():
        talk.say("a")
    assert [line.number for line in give_lines(talk.foreign, None)] == [1, 2, 3]
    # It had looked before the third line was there.
    assert [line.number for line in give_lines(stale, 1)] == [1, 2, 3]
    assert give_lines(talk.foreign, None) == []
