"""Connectors: who may register, what they are given, and that it is given once, in order, whoever goes when."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async as in_thread
from django.db import OperationalError
from django.utils import timezone

from chats.actions.connectors import HOLD, make_connector
from chats.actions.outbound import send_outbound
from chats.doors.socketio import pace
from chats.live import hub
from chats.models import Connector, ForeignChat, OutboundMessage, Participant
from chats.protocols.expertflow.callers import Caller
from chats.protocols.expertflow.live import batches, feed
from chats.sockets.pulse import pulse
from contactcenter.models import Registration
from tests.chats.protocols.expertflow.conftest import OTHERS_SECRET, SECRET
from tests.chats.protocols.expertflow.live.conftest import held
from tests.conftest import MARKER

SMS = {"id": "sms", "name": "Texts", "channel": "sms"}
OWED = ForeignChat.objects.filter(owed_since__isnull=False)
GIVEN = ForeignChat.objects.filter(owed_since=None, connector__isnull=False)
ARRIVED = "messageArrived"


async def program_of(house, place, **options):
    """A program, not a page, that has shown the secret."""
    query = f"contactCenterId={place.registration.foreign_id}&secret={place.secret}"
    program = await house.client(origin=None, query=query, **options)
    assert program.is_connected, program.refusal
    return program


async def connector(house, place, **options):
    """One that carries SMS."""
    program = await program_of(house, place, **options)
    assert (await program.ask("registerConnector", SMS))["code"] == 200
    return program


async def carried(desk, agent, account="+491"):
    """A conversation that came by SMS, held by the agent."""
    return await held(desk, agent, page=desk.program, channel="sms", refId=account)


async def all_given(house):
    """The database says so: what comes later is told by itself."""
    async with asyncio.timeout(10):
        while await OWED.aexists() or await OutboundMessage.objects.filter(given_at=None).aexists():
            await asyncio.sleep(0.02)


@in_thread
def send(registration, text, account="+491", **fields):
    sms = make_connector(registration, "sms")
    fields.setdefault("now", timezone.now())
    application = registration.application
    return send_outbound(application, sms, account=account, text=text, client_id=str(uuid4()), **fields).message


# Registering ----------------------------------------------------------------------------------------------------------


@pytest.mark.both
async def test_a_program_that_shows_the_secret_in_any_way_carries_a_channel(house, desk):
    answer = {"code": 200, "id": "sms", "channel": "sms"}
    by_address = await house.client(origin=None, query=f"secret={SECRET}&contactCenterId=acme-chat")
    assert await by_address.ask("registerConnector", SMS) == answer
    by_handshake = await house.client({"secret": SECRET}, origin=None)
    assert await by_handshake.ask("registerConnector", {"id": " SMS ", "channel": None}) == answer
    by_event = await house.client(origin=None)
    assert await by_event.ask("registerConnector", {**SMS, "secret": SECRET, "name": "Other texts"}) == answer
    made = await Connector.objects.aget()
    assert (made.name, made.title, made.is_there(timezone.now())) == ("sms", "Other texts", True)
    # Again, and another channel: the same connection has both.
    for channel in ("sms", "viber", "sms"):
        assert (await by_event.ask("registerConnector", {"channel": channel}))["channel"] == channel
    assert await Connector.objects.acount() == 2
    await by_event.close()
    await house.until_in_database(Connector.objects.filter(name="viber", holder=None))


async def test_a_program_that_has_shown_the_secret_may_send_faster(house, desk):
    engine = house.live.gate.engine
    gadget, program = await house.client(), await program_of(house, desk)
    late = await house.client(origin=None)
    paces = {sid: engine.pace_of(engine.session_of(sid)).per_second for sid in house.live.clients}
    assert sorted(paces.values()) == [pace.PER_SECOND, pace.PER_SECOND, pace.TRUSTED_PER_SECOND]
    assert (await late.ask("registerConnector", {**SMS, "secret": SECRET}))["code"] == 200
    paces = [engine.pace_of(engine.session_of(sid)).per_second for sid in house.live.clients]
    assert sorted(paces) == [pace.PER_SECOND, pace.TRUSTED_PER_SECOND, pace.TRUSTED_PER_SECOND]
    assert gadget.is_connected
    assert program.is_connected


async def test_one_that_registers_again_and_again_takes_nothing_from_a_newer_one(house, desk, ann):
    talk = await carried(desk, ann)
    older, newer = await connector(house, desk), await connector(house, desk)
    holder = (await Connector.objects.aget()).holder
    for title in ("Texts", "Short texts"):
        assert (await older.ask("registerConnector", {**SMS, "name": title}))["code"] == 200
    kept = await Connector.objects.aget()
    assert (kept.holder, kept.title) == (holder, "Short texts")
    await in_thread(talk.answered)(ann, "For the newer one")
    await newer.arrives(text="For the newer one")
    await newer.close()
    await in_thread(talk.answered)(ann, "For the older one")
    await older.arrives(text="For the older one")


async def test_strangers_and_odd_names_are_refused(house, desk, other):
    stranger = await house.client()
    for said, code in (
        (SMS, 401),
        ({**SMS, "secret": "wrong"}, 401),
        ({**SMS, "secret": OTHERS_SECRET, "contactCenterId": "acme-chat"}, 401),
        ({**SMS, "contactCenterId": "nobody's"}, 403),
        ({**SMS, "secret": ["a"], "contactCenterId": {}}, 403),
    ):
        answer = await stranger.ask("registerConnector", {"contactCenterId": "acme-chat", **said})
        assert (answer["code"], set(answer)) == (code, {"code", "error", "message"}), said
        assert MARKER not in str(answer)
    program = await program_of(house, desk)
    for said in (
        {}, {"id": ""}, {"channel": 7}, {"channel": []}, {"id": "s m s"}, {"id": "x" * 41}, {"id": "ſms"},
        {"id": "sms\n!"}, {"channel": "web"}, {"channel": "WEB", "id": "sms"}, [], None, "sms", 0,
    ):  # fmt: skip
        assert (await program.ask("registerConnector", said))["code"] == 400, said
    assert not await Connector.objects.aexists()
    await in_thread(Registration.objects.filter(pk=desk.registration.pk).update)(demands_secret=False)
    open_door = await house.client(query="contactCenterId=acme-chat")
    assert (await open_door.ask("registerConnector", SMS))["code"] == 200


async def test_one_whose_access_ends_is_given_nothing_more(house, desk, ann):
    await in_thread(Registration.objects.filter(pk=desk.registration.pk).update)(demands_secret=False)
    talk = await carried(desk, ann)
    program = await house.client(query="contactCenterId=acme-chat")
    await program.ask("registerConnector", SMS)
    await all_given(house)
    await in_thread(Registration.objects.filter(pk=desk.registration.pk).update)(demands_secret=True)
    await program.gone()
    await in_thread(talk.answered)(ann, "Only for those who show it")
    assert program.texts() == []
    proven = await connector(house, desk)
    await proven.arrives(text="Only for those who show it")
    await in_thread(desk.registration.renew_secret)()
    await proven.gone()


# What it is given -----------------------------------------------------------------------------------------------------


@pytest.mark.both
@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_it_is_given_what_customers_see_of_its_chats_but_what_it_said_itself(house, desk, ann, transport):
    talk = await carried(desk, ann)
    await in_thread(talk.answered)(ann, "Said before it came")
    program = await connector(house, desk, transport=transport)
    await program.arrives(text="Said before it came")
    await program.join(talk)
    assert (await program.says(talk, "Where is my parcel?"))["code"] == 200
    await in_thread(talk.says)("And my invoice?")  # by another connection
    await in_thread(talk.answered)(ann, "He sounds angry", is_note=True)
    await in_thread(talk.answered)(ann, "It is on its way")
    arrived = await program.arrives(text="It is on its way")
    index = (await ForeignChat.objects.select_related("chat").aget()).chat.index
    assert arrived == {
        "id": f"{talk.id}-{index}",
        "conversationId": talk.id,
        "type": "ChatMessage",
        "from": {"id": str(ann.pk), "name": "Ann", "type": "Agent", "firstName": "Ann"},
        "to": [],
        "text": "It is on its way",
        "refId": "+491",
        "tag": "",
        "attachments": [],
        "timestamp": arrived["timestamp"],
    }
    assert program.texts() == ["Said before it came", "It is on its way"]
    await in_thread(talk.closed_by)(ann)
    await program.arrives(activityType="endOfConversation", conversationId=talk.id)
    told = [one for one in program.activities() if one != "greetings"]
    assert told[0] == "handOff"
    assert told[-1] == "endOfConversation"
    assert "participantJoined" in told
    await all_given(house)
    customer = await Participant.objects.aget(chat__foreign__external_id=talk.id, kind="customer")
    assert customer.delivered_index == (await ForeignChat.objects.select_related("chat").aget()).chat.index


@pytest.mark.both
async def test_texts_outside_of_chats_come_to_their_account_and_those_too_late_do_not(house, desk, other):
    late = await send(desk.registration, "Too late", now=timezone.now() - timedelta(days=2))
    waiting = await send(desk.registration, "Sale")
    await send(other.registration, f"Sale {MARKER}")
    program = await connector(house, desk)
    shown = await program.arrives(text="Sale")
    assert shown == {
        "id": str(waiting.id),
        "conversationId": "",
        "type": "ChatMessage",
        "from": {"id": "system", "name": "Acme", "type": "Bot", "firstName": "Acme"},
        "to": [],
        "text": "Sale",
        "refId": "+491",
        "channel": "sms",
        "tag": "",
        "attachments": [],
        "timestamp": shown["timestamp"],
    }
    await send(desk.registration, "Sale ends", account="+492")
    assert (await program.arrives(text="Sale ends"))["refId"] == "+492"
    await house.until_in_database(OutboundMessage.objects.filter(text="Sale ends", given_at__isnull=False))
    await late.arefresh_from_db()
    assert late.given_at is None
    assert program.texts() == ["Sale", "Sale ends"]
    theirs = await connector(house, other)
    await theirs.arrives(text=f"Sale {MARKER}")
    assert theirs.texts() == [f"Sale {MARKER}"]
    assert program.texts() == ["Sale", "Sale ends"]


async def test_nothing_is_left_out_or_doubled_where_batches_are_full(house, desk, ann, monkeypatch):
    for limit in ("MOST_CHATS", "MOST_EVENTS", "MOST_OUTBOUND"):
        monkeypatch.setattr(batches, limit, 2)
    talks = [await carried(desk, ann, f"+49{number}") for number in range(3)]
    for number in range(7):
        for talk in talks:
            await in_thread(talk.says)(f"question {number}")
            await in_thread(talk.answered)(ann, f"{number}")
        await send(desk.registration, f"sale {number}")
    program = await connector(house, desk)
    await all_given(house)
    by_chat = {talk.id: [] for talk in talks} | {"": []}
    for _name, said in program.seen:
        if said["type"] == "ChatMessage":
            by_chat[said["conversationId"]].append(said["text"])
    assert by_chat.pop("") == [f"sale {number}" for number in range(7)]
    assert list(by_chat.values()) == [[str(number) for number in range(7)]] * 3
    ids = [said.get("id") for _name, said in program.seen if said["type"] == "ChatMessage"]
    assert len(set(ids)) == len(ids)


async def test_a_lost_hint_is_healed(house, desk, ann):
    talk = await carried(desk, ann)
    program = await connector(house, desk)
    await all_given(house)
    hub.loses = lambda topic, _payload: topic.startswith("connector:")
    await in_thread(talk.answered)(ann, "Nobody was told of this")
    await program.arrives(text="Nobody was told of this")


# Who goes when --------------------------------------------------------------------------------------------------------


async def test_of_two_the_newest_is_given_everything_and_the_other_takes_over_when_it_goes(house, desk, ann):
    talk = await carried(desk, ann)
    first, second = await connector(house, desk), await connector(house, desk)
    await in_thread(talk.answered)(ann, "one")
    await second.arrives(text="one")
    await all_given(house)
    await second.close()
    await in_thread(talk.answered)(ann, "two")
    await first.arrives(text="two")
    await all_given(house)
    assert (first.texts(), second.texts()) == (["two"], ["one"])
    await first.close()
    await house.until_in_database(Connector.objects.filter(holder=None, away_since__isnull=False))


async def test_one_that_never_said_that_it_has_a_message_is_not_believed(house, desk, ann, monkeypatch):
    talk = await carried(desk, ann)
    deaf = await connector(house, desk)
    await all_given(house)
    said = deaf.say
    monkeypatch.setattr(deaf, "say", lambda packet: said(packet) if packet != "3" else asyncio.sleep(0))
    await in_thread(talk.answered)(ann, "Hello?")
    lost = await deaf.arrives(text="Hello?")
    assert await OWED.aexists()
    await deaf.close()
    again = await (await connector(house, desk)).arrives(text="Hello?")
    assert again == lost, "the same id, too"
    await house.until_in_database(GIVEN)


async def test_whose_process_died_is_followed_by_another(house, desk, ann):
    talk = await carried(desk, ann)
    waiting = await connector(house, desk)
    await all_given(house)
    # Another process's connection, which renews its hold no more.
    dead = {"holder": uuid4(), "held_until": timezone.now() + HOLD}
    await Connector.objects.aupdate(**dead)
    await in_thread(talk.answered)(ann, "Is anybody there?")
    await beats(2)
    assert waiting.texts() == [], "the other may be alive"
    await Connector.objects.aupdate(held_until=timezone.now())
    await waiting.arrives(text="Is anybody there?")
    assert (await Connector.objects.aget()).holder != dead["holder"]


async def beats(number):
    """So many of the pulse's, and what they began is done."""
    passed = asyncio.Semaphore(0)

    async def count():
        passed.release()

    pulse.beats.append(count)
    try:
        async with asyncio.timeout(10):
            for _ in range(number + 1):
                await passed.acquire()
    finally:
        pulse.beats.remove(count)


# Feeds alone ----------------------------------------------------------------------------------------------------------


class Outlet:
    """A connection of which the test decides what has arrived."""

    def __init__(self):
        self.told, self.asked, self.is_ended = [], [], False

    def tell(self, name, data):
        assert name == ARRIVED
        if data["type"] == "ChatMessage":
            self.told.append(data["text"])

    async def received(self):
        self.asked.append(asyncio.get_running_loop().create_future())
        return await self.asked[-1]

    def end(self, _close_code=0, code="", _message=""):
        self.is_ended = True

    async def answers(self, answer=True):
        """The next question is answered."""
        await self.asks()
        self.asked.pop(0).set_result(answer)

    async def asks(self):
        async with asyncio.timeout(10):
            while not self.asked:
                await asyncio.sleep(0.01)


async def feed_of(desk):
    outlet = Outlet()
    sms = await in_thread(make_connector)(desk.registration, "sms")
    one = feed.Feed(outlet, Caller(desk.registration, is_proven=True), sms)
    await one.take("")
    return one


async def until_idle(*feeds):
    async with asyncio.timeout(10):
        while any(one._looking for one in feeds):
            await asyncio.sleep(0.01)


@pytest.mark.both
async def test_who_is_replaced_in_the_middle_of_a_batch_ends_it_and_nothing_is_doubled(
    transactional_db, desk, ann, monkeypatch
):
    monkeypatch.setattr(feed, "HANDOVER_SECONDS", 1.0)
    talk = await carried(desk, ann)
    old = await feed_of(desk)
    await in_thread(talk.answered)(ann, "one")
    old.start()
    await old.outlet.asks()
    new = await feed_of(desk)
    new.start()
    await until_idle(new)
    assert new.outlet.told == [], "the one before may still be giving it"
    await old.outlet.answers()
    await until_idle(old)
    await in_thread(talk.answered)(ann, "two")
    for one in (old, new):
        one.look()
    await new.outlet.answers()
    await until_idle(old, new)
    assert (old.outlet.told, new.outlet.told) == (["one"], ["two"])
    old.stop()
    new.stop()
    await feed.all_left()
    assert (await Connector.objects.aget()).holder is None


@pytest.mark.both
async def test_what_has_arrived_is_not_given_again_where_the_database_was_away_for_noting_it(
    transactional_db, desk, ann, monkeypatch
):
    talk = await carried(desk, ann)
    await in_thread(talk.answered)(ann, "one")
    one = await feed_of(desk)
    noted, tries = batches.note, []

    def note(*args):
        tries.append(args)
        if len(tries) < 3:
            raise OperationalError("away")
        noted(*args)

    monkeypatch.setattr(feed, "note", note)
    one.start()
    await one.outlet.answers()
    await until_idle(one)
    await in_thread(talk.answered)(ann, "two")
    for _ in range(2):
        one.look()
        await asyncio.sleep(0)
        await until_idle(one) if len(tries) < 2 else await one.outlet.answers()
    await until_idle(one)
    assert one.outlet.told == ["one", "two"]
    assert not await OWED.aexists()
    one.stop()
    await feed.all_left()


async def test_who_goes_while_the_database_is_asked_keeps_no_hold(transactional_db, desk, ann, monkeypatch):
    await carried(desk, ann)
    one = await feed_of(desk)
    one.start()
    await one.outlet.asks()
    one.stop()
    one.stop()
    await one.outlet.answers(answer=False)
    await feed.all_left()
    made = await Connector.objects.aget()
    assert (made.holder, made.held_until) == (None, None)
    assert await OWED.aexists()
    assert one.outlet.is_ended
    one.look()
    assert one._looking is None
