"""Who may join what, what is refused, and who is let go."""

from typing import Any

from asgiref.sync import sync_to_async as in_thread

from chats.doors import throttles
from chats.live import hub
from chats.models import Chat, Event
from chats.protocols.expertflow.live import connection, watch
from contactcenter.models import Application, ContactCenter
from tests.chats.protocols.expertflow.conftest import OTHERS_SECRET, SECRET
from tests.chats.protocols.expertflow.live.conftest import held
from tests.conftest import MARKER

ENDED = {"code": 404, "error": "There is no such conversation", "message": "There is no such conversation"}


def is_refused(answer: Any, *codes: int) -> bool:
    return set(answer) == {"code", "error", "message"} and answer["code"] in codes and answer["error"] != ""


async def test_both_ids_must_fit_and_wrong_guesses_are_counted(house, desk, other, ann, monkeypatch):
    talk, hers = await held(desk, ann), await in_thread(desk.init)()
    foreign = await in_thread(other.init)()
    gadget = await house.client()
    wrong = [
        (talk.id, hers.me),
        (hers.id, talk.me),
        (talk.id, foreign.me),
        (talk.me, talk.id),
        (talk.id.upper(), talk.me),
        (talk.id, ""),
        ("", ""),
        ("", talk.me),
        (talk.id, f"{talk.me} "),
        (talk.id, "ü"),
        (str((await in_thread(lambda: talk.row)()).pk), talk.me),
        (talk.id, str(ann.pk)),
    ]
    for conversation_id, person_id in wrong:
        said = {"conversationId": conversation_id, "id": person_id}
        assert await gadget.ask("joinConversation", said) == ENDED, said
    for name in ("sendMessage", "endConversation", "requestAgentTransfer"):
        answer = await gadget.ask(name, {"conversationId": talk.id, "from": {"id": talk.me}, "text": "Hi"})
        assert is_refused(answer, 403), name
    assert not await Event.objects.filter(type="message.posted").aexists()
    monkeypatch.setattr(throttles, "WRONG_PASSWORDS", throttles.Rate("passwords", len(wrong)))
    monkeypatch.setattr("chats.protocols.expertflow.live.calls.WRONG_PASSWORDS", throttles.WRONG_PASSWORDS)
    guess = await gadget.ask("joinConversation", {"conversationId": talk.id, "id": "guess"})
    assert is_refused(guess, 429)
    await gadget.join(talk)


async def test_nobody_reaches_another_center(house, desk, other, ann, gil):
    mine, theirs = await in_thread(desk.init)(), await in_thread(other.init)()
    for query, talk, stranger in (
        ("contactCenterId=acme-chat", mine, theirs),
        ("contactCenterId=acme", mine, theirs),
        (f"ContactCenterId=other-{MARKER}", theirs, mine),
        (f"contactCenterId=acme-chat&secret={SECRET}", mine, theirs),
    ):
        client = await house.client(query=query)
        assert await client.ask("joinConversation", {"conversationId": stranger.id, "id": stranger.me}) == ENDED, query
        await client.join(talk)
    unnamed = await house.client()
    await unnamed.join(mine)
    await unnamed.join(theirs)
    for auth in (
        {"contactCenterId": "nobody's"},
        {"contactCenterId": "acme-chat", "secret": OTHERS_SECRET},
        {"contactCenterId": "acme-chat", "secret": "x"},
        {"secret": SECRET},  # of which of the two?
        {"contactCenterId": ["acme-chat"]},
        {"contactCenterId": "acme\u0000"},
    ):
        refused = await house.client(auth)
        assert not refused.is_connected, auth
        assert is_refused(refused.refusal["data"], 400, 401, 403), auth


async def test_a_page_must_be_of_the_conversations_application(house, desk, other, ann):
    elsewhere = "https://elsewhere.example"
    await Application.objects.filter(registrations=other.registration).aupdate(allowed_origins=[elsewhere])
    mine, theirs = await in_thread(desk.init)(), await in_thread(other.init)()
    page = await house.client(origin=elsewhere)
    await page.join(theirs)
    assert is_refused(await page.ask("joinConversation", {"conversationId": mine.id, "id": mine.me}), 403)
    named = await house.client(origin=elsewhere, query="contactCenterId=acme-chat")
    assert is_refused(await named.ask("joinConversation", {"conversationId": mine.id, "id": mine.me}), 403)
    assert is_refused(await named.ask("registerConnector", {"id": "sms", "channel": "sms"}), 401, 403)
    assert await named.ask("joinConversation", {"conversationId": theirs.id, "id": theirs.me}) == ENDED
    program = await house.client(origin=None)
    await program.join(mine)
    proven = await house.client({"contactCenterId": "acme-chat", "secret": SECRET}, origin=elsewhere)
    await proven.join(mine)


async def test_nobody_speaks_for_another(house, desk, ann):
    talk, hers = await held(desk, ann), await in_thread(desk.init)()
    gadget = await house.gadget(talk)
    for sender in ({"id": str(ann.pk)}, {"id": hers.me}, str(ann.pk), {"id": "system"}, {"id": 7}, 7, [talk.me]):
        assert is_refused(await gadget.says(talk, "I am Ann", **{"from": sender}), 403), sender
    for sender in ({"id": talk.me, "name": "Ann"}, {}, None, "", talk.me):
        assert (await gadget.says(talk, "I am Mia", **{"from": sender}))["code"] == 200, sender
    senders = {event.sender_name async for event in Event.objects.filter(type="message.posted")}
    assert senders == {"Mia"}


async def test_odd_events_are_answered_and_change_nothing(house, desk, ann):
    talk = await held(desk, ann)
    gadget = await house.gadget(talk)
    deep: Any = "x"
    for _ in range(25):
        deep = [deep]
    odd = [
        None,
        [],
        [[]],
        7,
        -1,
        2**70,
        0.5,
        True,
        "x",
        "",
        "\x00",
        "a\x00b",
        {},
        {"a": None},
        deep,
        {"conversationId": deep},
    ]
    bad = [None, 7, True, [], {}, "", "x", "x" * 5000, "ü", {"id": talk.id}, [talk.id]]
    events = ["joinConversation", "sendMessage", "endConversation", "requestAgentTransfer", "registerConnector"]
    for name in events:
        for data in odd:
            assert is_refused(await gadget.ask(name, data), 400, 401, 403, 404), (name, data)
        for value in bad:
            said = {"conversationId": value, "id": value, "name": value, "channel": value}
            assert is_refused(await gadget.ask(name, said), 400, 401, 403, 404, 429), (name, said)
        assert is_refused(await gadget.ask(name), 400, 401, 403, 404), name
    for member in ("text", "tag", "attachments", "to", "type"):
        for value in (7, True, {"a": 1}, [7], [[]], [{"contentUrl": 7}], "\x00"):
            said = {member: value}
            answer = await gadget.ask("sendMessage", {"conversationId": talk.id, "text": "x", **said})
            assert is_refused(answer, 400), said
    for text in ("", "   ", None):
        assert is_refused(await gadget.says(talk, text), 400), text
    assert is_refused(await gadget.says(talk, "x" * 10_001), 413)
    for name in ("messageArrived", "conversationInfo", "disconnecting", "ERRORS", "", "x" * 300, "message", "error"):
        assert is_refused(await gadget.ask(name, {"conversationId": talk.id}), 400), name
    assert gadget.texts() == []
    assert not await Event.objects.filter(type="message.posted").aexists()
    assert (await gadget.says(talk, "Still here"))["code"] == 200


async def test_a_gadget_joins_twenty_conversations_and_those_that_ended_give_way(house, desk, monkeypatch):
    monkeypatch.setattr(connection, "MOST_FOLLOWED", 2)
    talks = [await in_thread(desk.init)() for _ in range(3)]
    gadget = await house.client()
    for talk in (*talks[:2], talks[0]):
        await gadget.join(talk)
    third = {"conversationId": talks[2].id, "id": talks[2].me}
    assert is_refused(await gadget.ask("joinConversation", third), 400)
    await gadget.ask("endConversation", {"conversationId": talks[0].id})
    await gadget.arrives(activityType="endOfConversation", conversationId=talks[0].id)
    await gadget.join(talks[2])
    assert (await gadget.says(talks[1], "Here"))["code"] == 200
    assert is_refused(await gadget.says(talks[0], "Gone"), 403)


async def test_who_joins_nothing_is_let_go(house, desk, monkeypatch):
    monkeypatch.setattr(watch, "JOIN_SECONDS", 0.2)
    talk = await in_thread(desk.init)()
    stays, idle, polls = await house.gadget(talk), await house.client(), await house.client(transport="polling")
    await idle.gone(10)
    await polls.gone(10)
    assert (await stays.says(talk, "Here"))["code"] == 200


async def test_what_is_switched_off_ends_its_connections(house, desk, other, ann):
    first, second = await held(desk, ann), await in_thread(other.init)()
    gadget, stays = await house.gadget(first), await house.gadget(second)
    program = await house.client({"contactCenterId": "acme-chat", "secret": SECRET})
    await program.join(first)
    await in_thread(desk.registration.renew_secret)()
    await program.gone(8)
    assert not gadget.is_gone
    await ContactCenter.objects.filter(pk=desk.registration.center_id).aupdate(is_active=False)
    await gadget.gone(8)
    assert not stays.is_gone
    again = await house.client()
    assert await again.ask("joinConversation", {"conversationId": first.id, "id": first.me}) == ENDED
    assert f"customer:{(await Chat.objects.aget(foreign__external_id=first.id)).pk}" not in hub._listeners
