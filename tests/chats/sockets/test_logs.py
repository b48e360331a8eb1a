"""Readers of the log: from any cursor, whatever is lost, doubled or reordered on the way, each event comes once and in order."""

import asyncio
import random
import uuid

import pytest
from asgiref.sync import sync_to_async
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chats.actions.post import Post, post_message
from chats.live import hub
from chats.models import Chat, Customer
from chats.sockets import gather
from chats.sockets.reader import Reader
from contactcenter.models import Installation
from tests.conftest import make_held_chat

pytestmark = [pytest.mark.both]


@pytest.fixture
async def held(acme, ann, now):
    return await sync_to_async(make_held_chat)(acme, ann, now)


async def write(held, now, count, note_every=0, start=0):
    """Messages of the agent, some of them notes."""

    def post():
        for number in range(start, start + count):
            is_note = bool(note_every) and number % note_every == 0
            post_message(Post(held.chat.pk, held.agent.pk, f"w{number}", f"Text {number}", is_note=is_note), now=now)
        return Chat.objects.get(pk=held.chat.pk)

    return await sync_to_async(post)()


def indexes(client):
    return [event["index"] for event in client.events()]


async def test_a_customer_resumes_from_any_index(sockets, acme, held, now):
    chat = await write(held, now, 12, note_every=3)
    customer = await Customer.objects.aget(pk=chat.customer_id)
    client = await sockets.customer(acme, customer)
    await client.events_until(chat.index)
    for after in range(chat.index + 1):
        client.seen.clear()
        answer = await client.ask("hello", token=client.token, chat=str(chat.pk), after=after)
        assert answer["reset"] is False
        if after < chat.index:
            await client.events_until(chat.index)
        assert indexes(client) == list(range(after + 1, chat.index + 1))
        assert "note.posted" not in {event["type"] for event in client.events()}


async def test_an_agent_resumes_from_any_position(sockets, acme, ann, held, now):
    chat = await write(held, now, 5, note_every=2)
    for after in range(1, chat.position):
        agent = await sockets.agent(ann, cursors={str(chat.pk): after})
        events = await agent.events_until(chat.position, by="position")
        assert [event["position"] for event in events] == list(range(after + 1, chat.position + 1))
        await agent.close()


async def test_a_long_log_comes_in_pages_and_an_agent_gets_the_last_hundred(sockets, acme, ann, held, now):
    chat = await write(held, now, 450)
    client = await sockets.customer(acme, await Customer.objects.aget(pk=chat.customer_id))
    await client.events_until(chat.index)
    assert indexes(client) == list(range(1, chat.index + 1))
    assert max(len(frame["events"]) for frame in client.of("events")) == 200
    agent = await sockets.agent(ann)
    events = await agent.events_until(chat.position, by="position")
    assert len(events) == 100


async def test_a_cursor_beyond_the_head_or_of_another_epoch_starts_afresh(sockets, acme, ann, held, now):
    chat = await write(held, now, 3)
    customer = await Customer.objects.aget(pk=chat.customer_id)
    for hello in ({"after": 99}, {"after": 2, "epoch": "another"}):
        client = await sockets.customer(acme, customer, chat=str(chat.pk), **hello)
        assert client.welcome["reset"] is True
        await client.events_until(chat.index)
        assert indexes(client) == list(range(1, chat.index + 1))
    epoch = str((await Installation.objects.aget()).epoch)
    agent = await sockets.agent(ann, cursors={str(chat.pk): 99}, epoch=epoch)
    assert agent.welcome["reset"] == [str(chat.pk)]
    await agent.events_until(1, by="position")


@pytest.mark.parametrize("fate", ["all lost", "every second lost", "doubled", "reordered"])
async def test_nothing_is_lost_with_the_announcements(sockets, acme, ann, held, now, fate, monkeypatch):
    chat = held.chat
    client = await sockets.customer(acme, await Customer.objects.aget(pk=chat.customer_id))
    agent = await sockets.agent(ann)
    await client.events_until(chat.index)
    if fate == "all lost":
        hub.loses = lambda topic, payload: True
    elif fate == "every second lost":
        hub.loses = lambda topic, payload: payload.get("number", 1) % 2 == 0
    else:
        deliver = hub._deliver
        kept = []

        def wrong(topic, payload):
            if fate == "doubled":
                deliver(topic, payload)
                deliver(topic, payload)
                return
            kept.append((topic, payload))
            if len(kept) == 7:
                random.Random(7).shuffle(kept)
                while kept:
                    deliver(*kept.pop())

        monkeypatch.setattr(hub, "_deliver", wrong)
    chat = await write(held, now, 20, note_every=4)
    await asyncio.gather(client.events_until(chat.index), agent.events_until(chat.position, by="position"))
    assert indexes(client) == list(range(1, chat.index + 1))
    assert [event["position"] for event in agent.events()] == list(range(1, chat.position + 1))
    if fate == "all lost":
        assert hub.counters["healed"] > 0


class Ear:
    """What a reader needs of its socket."""

    def __init__(self):
        self.numbers = []

    def push(self, frame):
        self.numbers.append(frame)

    def passed(self, reader, types):
        pass

    async def drained(self):
        pass


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.integers(0, 12),
    after=st.integers(0, 12),
    heard=st.lists(st.integers(1, 12), max_size=30),
)
def test_whatever_is_heard_in_whatever_order_each_number_comes_once(size, after, heard):
    """A log of `size` events of which announcements come at random: the reader's output is after+1 … size."""
    after = min(after, size)

    async def play():
        async def page(key):
            await asyncio.sleep(0)
            numbers = list(range(key[2] + 1, size + 1))[:3]
            return gather.Page(numbers, numbers[-1], frozenset(), len(numbers) == 3) if numbers else None

        ear, reader = Ear(), None
        original, gather.pages.get = gather.pages.get, page
        try:
            reader = Reader(ear, gather.CUSTOMER, uuid.uuid4(), after)
            reader.start()
            for number in heard:
                if number <= size:
                    reader.hear("", {"kind": "event", "number": number, "what": "x", "frame": [number]})
                if number % 3 == 0:
                    await asyncio.sleep(0)
            for _ in range(3):
                reader.check_head(size)
                while reader._task:
                    await asyncio.sleep(0)
        finally:
            gather.pages.get = original
            if reader:
                reader.stop()
        return [number for frame in ear.numbers for number in frame]

    assert asyncio.run(play()) == list(range(after + 1, size + 1))


async def test_a_log_that_went_back_ends_the_socket(sockets, acme, held, now):
    """A backup was restored under a running server: staying connected would be silently wrong."""
    client = await sockets.customer(acme, await Customer.objects.aget(pk=held.chat.customer_id))
    await client.events_until(held.chat.index)
    await Chat.objects.filter(pk=held.chat.pk).aupdate(position=1, index=1)
    assert (await client.until("closed"))["code"] == 1012


async def test_a_long_poll_hears_of_an_event_and_not_of_typing(live, acme, held, now):
    topic = f"customer:{held.chat.pk}"
    wait = asyncio.ensure_future(hub.wait([topic], 5))
    await asyncio.sleep(0)
    hub.announce(topic, {"kind": "whisper", "what": "typing", "data": {}, "frame": ""})
    await asyncio.sleep(0.1)
    assert not wait.done()
    await write(held, now, 1)
    assert await wait is True
    assert await hub.wait([topic], 0.05) is False
    assert not hub.is_wanted(topic)
