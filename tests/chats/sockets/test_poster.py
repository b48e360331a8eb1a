"""Group commit: order, refusals one by one, busy chats, a database that is away."""

import asyncio
import threading

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connection, transaction

from chats.actions.post import Post, Posted
from chats.errors import Closed, Failed, NotFound, TooMany, Unavailable
from chats.models import Chat, Event
from chats.sockets import poster as module
from chats.sockets.poster import Poster
from tests.conftest import make_chat, make_held_chat

pytestmark = [pytest.mark.both]


@pytest.fixture
def poster(transactional_db):
    made = Poster()
    yield made
    made.stop()


def test_messages_of_a_sender_keep_their_order_over_all_batches(poster, acme, ann, now, monkeypatch):
    monkeypatch.setattr(module, "AT_ONCE", 16)
    held, other = make_held_chat(acme, ann, now), make_held_chat(acme, ann, now)
    both = [(number, one) for number in range(100) for one in (held, other)]
    futures = [poster.submit(Post(one.chat.pk, one.agent.pk, f"m{number}", f"{number}")) for number, one in both]
    outcomes = [future.result(20) for future in futures]
    assert all(isinstance(outcome, Posted) for outcome in outcomes)
    for one in (held, other):
        texts = Event.objects.filter(chat=one.chat, type="message.posted").order_by("position")
        assert list(texts.values_list("text", flat=True)) == [str(number) for number in range(100)]


def test_what_is_refused_is_refused_alone(poster, acme, ann, now):
    held, closed = make_held_chat(acme, ann, now), make_chat(acme, now)
    Chat.objects.filter(pk=closed.chat.pk).update(state="closed", closed_at=now)
    posts = [
        Post(held.chat.pk, held.agent.pk, "1", "one"),
        Post(closed.chat.pk, closed.participant.pk, "2", "two"),
        Post(held.chat.pk, closed.participant.pk, "3", "three"),
        Post(held.chat.pk, held.agent.pk, "4", "four"),
    ]
    outcomes = [future.result(10) for future in [poster.submit(post) for post in posts]]
    assert [type(outcome) for outcome in outcomes] == [Posted, Closed, NotFound, Posted]


def test_the_answer_follows_the_commit(poster, acme, ann, now):
    held = make_held_chat(acme, ann, now)
    posted = poster.submit(Post(held.chat.pk, held.agent.pk, "1", "one")).result(10)
    assert Event.objects.filter(chat=held.chat, position=posted.position, text="one").exists()


async def test_sockets_wait_in_their_own_loop(poster, acme, ann, now):
    held = await sync_to_async(make_held_chat)(acme, ann, now)
    futures = [poster.post(Post(held.chat.pk, held.agent.pk, f"m{n}", "x")) for n in range(20)]
    outcomes = await asyncio.gather(*futures)
    assert [outcome.index for outcome in outcomes] == sorted(outcome.index for outcome in outcomes)


@pytest.mark.postgres
def test_a_busy_chat_waits_without_holding_up_the_others_and_gives_up_in_time(poster, acme, ann, now, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 1.0)
    busy, free = make_held_chat(acme, ann, now), make_held_chat(acme, ann, now)
    locked, release = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            Chat.objects.select_for_update().get(pk=busy.chat.pk)
            locked.set()
            release.wait(10)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert locked.wait(5)
    given_up = poster.submit(Post(busy.chat.pk, busy.agent.pk, "0", "zero"))
    assert isinstance(given_up.result(5), Unavailable)
    monkeypatch.setattr(module, "PATIENCE", 10.0)
    waiting = [poster.submit(Post(busy.chat.pk, busy.agent.pk, f"b{n}", str(n))) for n in range(3)]
    assert isinstance(poster.submit(Post(free.chat.pk, free.agent.pk, "f", "x")).result(5), Posted)
    assert not any(future.done() for future in waiting)
    release.set()
    positions = [future.result(5).position for future in waiting]
    assert positions == sorted(positions)
    holder.join()


def test_when_the_database_is_away_nothing_is_acknowledged(poster, acme, ann, now, monkeypatch):
    held = make_held_chat(acme, ann, now)
    real = module.post_messages

    def away(posts, *, now):
        raise OperationalError("away")

    monkeypatch.setattr(module, "post_messages", away)
    futures = [poster.submit(Post(held.chat.pk, held.agent.pk, f"m{n}", "x")) for n in range(3)]
    assert all(isinstance(future.result(10), Unavailable) for future in futures)
    monkeypatch.setattr(module, "post_messages", real)
    assert not Event.objects.filter(chat=held.chat, client_id__startswith="m").exists()
    again = poster.submit(Post(held.chat.pk, held.agent.pk, "m0", "x")).result(10)
    assert again.replayed is False


@pytest.mark.postgres
def test_a_connection_that_died_meanwhile_is_made_anew(poster, acme, ann, now, monkeypatch):
    held, pids, real = make_held_chat(acme, ann, now), [], module.post_messages

    def watched(posts, *, now):
        pids.append(connection.connection and connection.connection.info.backend_pid)
        return real(posts, now=now)

    monkeypatch.setattr(module, "post_messages", watched)
    for name in ("0", "1"):
        assert isinstance(poster.submit(Post(held.chat.pk, held.agent.pk, name, "x")).result(10), Posted)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pids[-1]])
    assert isinstance(poster.submit(Post(held.chat.pk, held.agent.pk, "2", "x")).result(10), Posted)


@pytest.mark.postgres
def test_a_read_only_database_takes_nothing(poster, acme, ann, now, monkeypatch):
    held = make_held_chat(acme, ann, now)
    real = module.post_messages

    def read_only(posts, *, now):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
            return real(posts, now=now)

    monkeypatch.setattr(module, "post_messages", read_only)
    assert isinstance(poster.submit(Post(held.chat.pk, held.agent.pk, "1", "x")).result(10), Unavailable)


def test_a_fault_of_ours_hits_its_own_message_only(poster, acme, ann, now, monkeypatch, caplog):
    held = make_held_chat(acme, ann, now)
    real = module.post_messages

    def faulty(posts, *, now):
        if any(post.text == "bad" for post in posts):
            raise RuntimeError("fault")
        return real(posts, now=now)

    monkeypatch.setattr(module, "post_messages", faulty)
    texts = ["good", "bad", "good"]
    futures = [poster.submit(Post(held.chat.pk, held.agent.pk, f"m{n}", text)) for n, text in enumerate(texts)]
    assert [type(future.result(10)) for future in futures] == [Posted, Failed, Posted]


def test_too_much_at_once_is_refused_at_once(poster, acme, ann, now, monkeypatch):
    monkeypatch.setattr(module, "BACKLOG", 0)
    held = make_held_chat(acme, ann, now)
    assert isinstance(poster.submit(Post(held.chat.pk, held.agent.pk, "1", "x")).result(1), TooMany)
