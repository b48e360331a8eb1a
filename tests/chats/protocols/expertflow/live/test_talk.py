"""A gadget and an agent, from the first event to the last: what each end hears, and what stands in the log."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async as in_thread
from django.utils import timezone

from chats.actions.hold import assign_chat
from chats.actions.read import mark_read
from chats.actions.show import show_typing
from chats.models import Event, Participant
from chats.protocols.expertflow.live import presence, watch
from tests.chats.protocols.expertflow.live.conftest import held, taken
from tests.conftest import online

BOTH = pytest.mark.parametrize("transport", ["websocket", "polling"])


async def customer_of(talk: Any) -> Participant:
    return await Participant.objects.aget(chat__foreign__external_id=talk.id, kind="customer")


@BOTH
async def test_a_conversation_from_joining_to_its_end(house, desk, ann, transport):
    talk = await held(desk, ann, refId="+491", language="de")
    await in_thread(talk.answered)(ann, "Good day")
    gadget = await house.client(transport=transport)
    answer = await gadget.join(talk)
    assert answer == {"code": 200, "conversationId": talk.id, "id": talk.me}
    assert [name for name, _ in gadget.seen] == ["conversationInfo", "messageArrived"], "before the acknowledgement"
    assert gadget.activities() == ["greetings"]
    info = gadget.info()
    assert [said["text"] for said in info["messages"]] == ["Good day"]
    mia = {"id": talk.me, "name": "Mia", "type": "Customer", "firstName": "Mia"}
    agent = {"id": str(ann.pk), "name": "Ann", "type": "Agent", "firstName": "Ann"}
    assert info["participant"] == info["participants"]
    assert sorted(info["participant"], key=lambda one: one["type"]) == [agent, mia]
    about = info["conversation"]
    assert about.pop("timestamp").endswith("Z")
    assert about == {
        "id": talk.id,
        "conversationId": talk.id,
        "channel": "web",
        "refId": "+491",
        "subject": "",
        "language": "de",
        "state": "active",
        "customer": mia,
    }

    sent = await gadget.says(talk, "Hello")
    assert (sent["code"], sent["conversationId"]) == (200, talk.id)
    await in_thread(talk.answered)(ann, "How can I help?")
    arrived = await gadget.arrives(text="How can I help?")
    assert (arrived["from"], arrived["to"], arrived["tag"]) == (agent, [], "")
    assert arrived["conversationId"] == talk.id
    assert gadget.texts() == ["How can I help?"], "no echo"

    for _ in range(2):
        ended = await gadget.ask("endConversation", {"conversationId": talk.id})
        assert ended == {"code": 200, "conversationId": talk.id}
    over = await gadget.arrives(activityType="endOfConversation")
    assert over["from"] == mia
    assert (await gadget.says(talk, "Too late"))["code"] == 409
    texts = [event.text async for event in Event.objects.filter(type="message.posted").order_by("position")]
    assert texts == ["Good day", "Hello", "How can I help?"]

    late = await house.gadget(talk)
    assert late.info()["conversation"]["state"] == "closed"
    assert [said["text"] for said in late.info()["messages"]] == texts
    assert late.activities() == ["endOfConversation"]
    assert late.of("messageArrived")[0]["id"] == over["id"]


async def test_who_waits_hears_of_the_search_of_nobody_and_of_who_comes(house, desk, ann, bob, monkeypatch):
    monkeypatch.setattr(watch, "LOOK_EVERY", 0.0)
    talk = await in_thread(desk.init)()
    gadget = await house.gadget(talk)
    assert gadget.info()["conversation"]["state"] == "waiting"
    await gadget.arrives(activityType="noAgentAvailable")
    assert gadget.activities() == ["greetings", "handOff", "noAgentAvailable"]
    assert await gadget.ask("requestAgentTransfer", {"conversationId": talk.id}) == {
        "code": 200,
        "conversationId": talk.id,
    }
    await taken(talk, ann)
    await gadget.arrives(activityType="participantJoined")
    expected = ["greetings", "handOff", "noAgentAvailable", "handOff", "participantAdded", "participantJoined"]
    assert gadget.activities() == expected, "once for each waiting"
    await in_thread(assign_chat)(ann.center.chats, (await in_thread(lambda: talk.row)()).pk, bob, now=timezone.now())
    removed = await gadget.arrives(activityType="participantRemoved")
    assert (removed["from"]["id"], removed["from"]["type"]) == (str(ann.pk), "Agent")
    added = [said for said in gadget.of("messageArrived") if said.get("activityType") == "participantAdded"]
    await gadget.wait(lambda: gadget.activities()[-1] == "participantAdded")
    assert added[0]["from"]["name"] == "Ann"

    await in_thread(online)(bob, timezone.now())
    other = await house.gadget(await in_thread(desk.init)())
    await house.live.watch.tell_lonely()
    assert other.activities() == ["greetings", "handOff"], "somebody is there"


async def test_typing_is_heard_on_both_sides_and_ends_by_itself(house, desk, ann, monkeypatch):
    talk = await held(desk, ann)
    gadget = await house.gadget(talk)
    chat = await in_thread(lambda: talk.row)()
    heard: list[Any] = []
    house.listen(f"staff:{chat.pk}", heard)
    seat = await in_thread(talk.seat)(ann)
    await in_thread(show_typing)(seat, active=True)
    typed = await gadget.arrives(activityType="typing")
    assert typed["from"]["id"] == str(ann.pk)
    await in_thread(show_typing)(seat, active=False)
    await in_thread(mark_read)(seat, 99)

    word = {"conversationId": talk.id, "type": "ActivityMessage", "activityType": "typing", "from": {"id": talk.me}}
    for said in (word, word, {**word, "info": {"text": "Hel"}}):
        assert await gadget.ask("sendMessage", said) == {"code": 200, "conversationId": talk.id}
    await gadget.says(talk, "Hello")

    def of_customer() -> list[Any]:
        typing = [one["data"] for one in heard if one.get("what") == "typing"]
        return [(one["active"], one.get("text")) for one in typing if one["sender"]["kind"] == "customer"]

    assert of_customer() == [(True, None), (True, "Hel"), (False, None)], "the same twice is told once"
    monkeypatch.setattr(presence, "TYPING_SECONDS", 0.05)
    await gadget.ask("sendMessage", word)
    async with asyncio.timeout(5):
        while of_customer()[-1][0]:
            await asyncio.sleep(0.01)
    assert gadget.activities() == ["greetings", "typing"]
    for kind in ("greetings", "participantLeft", "", 3, None):
        assert (await gadget.ask("sendMessage", {**word, "activityType": kind}))["code"] == 400, kind


async def test_whispers_stay_among_staff(house, desk, ann):
    talk = await held(desk, ann)
    gadget, tab = await house.gadget(talk), await house.gadget(talk)
    await in_thread(talk.answered)(ann, "He is angry", is_note=True)
    sent = await gadget.says(talk, "Bot: angry", tag="whisper", id="w1")
    assert sent["code"] == 200
    assert "id" not in sent
    assert await gadget.says(talk, "Bot: angry", tag="Whisper", id="w1") == sent
    first = await gadget.says(talk, "Hello", tag="")
    await in_thread(talk.answered)(ann, "Good day")
    await asyncio.gather(gadget.arrives(text="Good day"), tab.arrives(text="Good day"))
    assert (gadget.texts(), tab.texts()) == (["Good day"], ["Hello", "Good day"])
    [hello, answer] = [int(said["id"].rpartition("-")[2]) for said in tab.of("messageArrived") if said.get("text")]
    assert (answer - hello, first["id"]) == (1, f"{talk.id}-{hello}"), "no hole tells of it"
    late = await house.gadget(talk)
    assert [said["text"] for said in late.info()["messages"]] == ["Hello", "Good day"]
    notes = Event.objects.filter(type="note.posted").order_by("position")
    assert [note.text async for note in notes] == ["He is angry", "Bot: angry"]


async def test_two_sockets_of_a_customer_hear_each_other_come_speak_and_go(house, desk, ann, monkeypatch):
    monkeypatch.setattr(presence, "GRACE_SECONDS", 0.1)
    talk = await held(desk, ann)
    one = await house.gadget(talk)
    two = await house.gadget(talk, transport="polling")
    joined = await one.arrives(activityType="participantJoined")
    assert joined["from"]["id"] == talk.me
    assert two.activities() == ["greetings"]
    for number in range(10):
        await (one, two)[number % 2].says(talk, f"m{number}")
    await in_thread(talk.answered)(ann, "Yes")
    await asyncio.gather(one.arrives(text="Yes"), two.arrives(text="Yes"))
    assert one.texts() == ["m1", "m3", "m5", "m7", "m9", "Yes"]
    assert two.texts() == ["m0", "m2", "m4", "m6", "m8", "Yes"]
    await two.say("1")
    left = await one.arrives(activityType="participantLeft")
    assert left["from"]["id"] == talk.me
    monkeypatch.setattr(presence, "GRACE_SECONDS", 60)
    three = await house.gadget(talk)
    await one.wait(lambda: one.activities().count("participantJoined") == 2)
    await three.join(talk)
    await three.close()
    await house.gadget(talk)
    await in_thread(talk.answered)(ann, "Still there?")
    await one.arrives(text="Still there?")
    assert one.activities().count("participantJoined") == 2, "who comes back in time was never away"
    assert one.activities().count("participantLeft") == 1


async def test_a_message_that_is_said_again_is_stored_once(house, desk, ann):
    talk = await held(desk, ann)
    gadget = await house.gadget(talk)
    for name in ("id", "messageId", "clientId", "clientMessageId"):
        first = await gadget.says(talk, f"by {name}", **{name: f"own-{name}"})
        assert await gadget.says(talk, f"by {name}", **{name: f"own-{name}"}) == first
        assert (await gadget.says(talk, "else", **{name: f"own-{name}"}))["code"] == 409, name
    other = await house.gadget(talk)
    again = await other.says(talk, "by id", id="own-id")
    assert again["code"] == 200
    # Neither the participant's id nor the conversation's makes two messages one; what is no id is passed over.
    for odd in (talk.me, talk.me, talk.id, talk.id, "x" * 65, 7, None, {"a": 1}):
        assert (await gadget.says(talk, "More", id=odd))["code"] == 200, odd
    texts = [event.text async for event in Event.objects.filter(type="message.posted").order_by("position")]
    assert texts == ["by id", "by messageId", "by clientId", "by clientMessageId", *["More"] * 8]
    assert gadget.texts() == []


async def test_whom_a_message_is_meant_for_is_kept(house, desk, ann):
    talk = await held(desk, ann)
    gadget, tab = await house.gadget(talk), await house.gadget(talk)
    agent = {"id": str(ann.pk), "name": "somebody else's name"}
    assert (await gadget.says(talk, "To Ann", to=[agent, str(ann.pk)]))["code"] == 200
    assert (await gadget.says(talk, "To me", to=[{"id": talk.me}]))["code"] == 200
    assert (await gadget.says(talk, "To all", to=[]))["code"] == 200
    one = await tab.arrives(text="To Ann")
    assert one["to"] == [{"id": str(ann.pk), "name": "Ann"}]
    assert (await tab.arrives(text="To me"))["to"] == [{"id": talk.me, "name": "Mia"}]
    assert (await tab.arrives(text="To all"))["to"] == []
    seats = {str(part.pk) async for part in Participant.objects.filter(chat__foreign__external_id=talk.id)}
    event = await Event.objects.aget(text="To Ann")
    assert {one["id"] for one in event.data["to"]} < seats
    for odd in ([{"id": "nobody"}], ["system"], [*seats][:1], [3], [None], [{"id": 3}], {"name": "x"}, 5, ["x"] * 51):
        assert (await gadget.says(talk, "Odd", to=odd))["code"] == 400, odd
    assert not await Event.objects.filter(text="Odd").aexists()


async def test_the_name_given_at_joining_is_taken_where_init_gave_none(house, desk, ann):
    nameless = await in_thread(desk.init)(firstName="")
    gadget = await house.client()
    await gadget.join(nameless, name="  Mia\n Berg ")
    assert gadget.info()["participant"][0]["name"] == "Mia Berg"
    await gadget.join(nameless, name="Eve")
    assert gadget.info()["participant"][0]["name"] == "Mia Berg"
    assert (await customer_of(nameless)).name == "Mia Berg"
    for odd in ("", "   ", 7, None, ["x"], "a\u202eb"):
        other = await in_thread(desk.init)(firstName="")
        await gadget.join(other, name=odd)
        assert (await customer_of(other)).name == "", odd


async def test_agents_see_what_has_arrived_and_that_the_customer_is_there(house, desk, ann):
    talk = await held(desk, ann)
    await Participant.objects.filter(kind="customer").aupdate(lease_until=timezone.now())
    gadget = await house.gadget(talk)
    me = await customer_of(talk)
    assert me.lease_until > timezone.now() + timedelta(seconds=60)
    await in_thread(talk.answered)(ann, "Are you there?")
    index = int((await gadget.arrives(text="Are you there?"))["id"].rpartition("-")[2])
    await house.until_in_database(Participant.objects.filter(pk=me.pk, delivered_index=index))

    await Participant.objects.filter(pk=me.pk).aupdate(lease_until=timezone.now())
    house.live.watch.leased_at = -1000.0
    soon = timezone.now() + timedelta(seconds=60)
    await house.until_in_database(Participant.objects.filter(pk=me.pk, lease_until__gt=soon))
