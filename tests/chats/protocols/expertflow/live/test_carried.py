"""Conversations that a connector carries: what joining them tells, and who may have what is said in them."""

import asyncio

from asgiref.sync import sync_to_async as in_thread

from chats.models import Connector, ForeignChat, Participant
from chats.protocols.expertflow.live import connection
from tests.chats.protocols.expertflow.conftest import SECRET
from tests.chats.protocols.expertflow.live.conftest import Client, House, taken

PROVEN = {"contactCenterId": "acme-chat", "secret": SECRET}


async def connect(house: House) -> Client:
    client: Client = await house.client(PROVEN, origin=None)
    assert client.is_connected, client.refusal
    return client


async def test_a_connector_that_joins_is_registered_and_given_what_it_does_not_have(house, desk, ann):
    talk = await taken(await in_thread(desk.carried)("+491"), ann)
    await in_thread(talk.answered)(ann, "Before you came")
    program = await connect(house)
    await program.join(talk)
    info = program.info()
    assert (info["messages"], info["conversation"]["channel"], info["conversation"]["refId"]) == ([], "sms", "+491")
    before = await program.arrives(text="Before you came")
    assert before["refId"] == "+491"
    assert program.activities()[0] == "greetings"
    assert await Connector.objects.filter(name="sms", away_since=None).aexists()

    sent = await program.says(talk, "From a phone", id="sms-1")
    assert await program.says(talk, "From a phone", id="sms-1") == sent
    await in_thread(talk.answered)(ann, "To a phone")
    await program.arrives(text="To a phone")
    assert program.texts() == ["Before you came", "To a phone"], "each once, and no echo"
    caught_up = ForeignChat.objects.filter(external_id=talk.id, owed_since=None)
    await house.until_in_database(caught_up)
    again = await connect(house)
    await again.join(talk)
    texts = [said["text"] for said in again.info()["messages"]]
    assert texts == ["Before you came", "From a phone", "To a phone"]
    assert again.texts() == []

    assert (await program.ask("endConversation", {"conversationId": talk.id}))["code"] == 200
    assert (await program.arrives(activityType="endOfConversation"))["from"]["id"] == talk.me
    assert (await program.says(talk, "Late"))["code"] == 409


async def test_while_another_connection_is_the_connector_one_that_joins_is_given_nothing(house, desk, ann):
    talk = await taken(await in_thread(desk.carried)("+491"), ann)
    holder, second = await connect(house), await connect(house)
    assert (await holder.ask("registerConnector", {"id": "sms", "name": "SMS", "channel": "sms"}))["code"] == 200
    await second.join(talk)
    assert (await second.says(talk, "From a phone"))["code"] == 200
    await in_thread(talk.answered)(ann, "To a phone")
    await holder.arrives(text="To a phone")
    assert (holder.texts(), second.texts()) == (["To a phone"], [])


async def test_a_page_with_both_ids_takes_nothing_from_the_connector(house, desk, ann):
    talk = await taken(await in_thread(desk.carried)("+491"), ann)
    page = await house.gadget(talk)
    await in_thread(talk.answered)(ann, "To a phone")
    await page.arrives(text="To a phone")
    assert (await page.says(talk, "Read this"))["code"] == 200
    program = await connect(house)
    await program.ask("registerConnector", {"id": "sms", "channel": "sms"})
    await program.arrives(text="To a phone")
    me = Participant.objects.filter(chat__foreign__external_id=talk.id, kind="customer", delivered_index__gt=0)
    await house.until_in_database(me)
    assert page.texts() == ["To a phone"]


async def test_the_longest_unused_of_too_many_conversations_gives_way(house, desk, ann, monkeypatch):
    monkeypatch.setattr(connection, "MOST_CARRIED", 3)
    talks = [await in_thread(desk.carried)(f"+49{number}") for number in range(4)]
    program = await connect(house)
    for talk in talks[:3]:
        await program.join(talk)
    assert (await program.says(talks[0], "Still used"))["code"] == 200
    await program.join(talks[3])
    answers = await asyncio.gather(*(program.says(talk, "Hi") for talk in talks))
    assert [answer["code"] for answer in answers] == [200, 403, 200, 200]
    await program.join(talks[1])
    assert (await program.says(talks[1], "Hi"))["code"] == 200
