"""Every frame of both protocols: what is right is answered, what is wrong is refused, another center's ids do not exist."""

import json
import uuid

import pytest
from asgiref.sync import sync_to_async

from agents.models import Disposition
from chats.models import Chat, Event, Invitation
from chats.sockets.agent import AgentSocket
from chats.sockets.customer import CustomerSocket
from tests.chats.sockets.conftest import offer
from tests.conftest import MARKER, make_agent, make_chat, make_customer, make_held_chat

NOWHERE = str(uuid.uuid4())
SHOWN = "socket frames that show the other center"
# What each frame answers when it names another center's chat (or invitation). A new frame without a verdict fails.
CUSTOMER_VERDICTS = {
    "hello": "not_found",
    "start": "ack",  # names nothing of a chat; its foreign team is tried below
    "post": "not_found",
    "typing": "not_found",
    "read": "not_found",
    "close": "not_found",
    "search": "not_found",
    "survey": "not_found",
    "pong": "ack",
}
AGENT_VERDICTS = {
    "hello": "invalid",  # a second one on the same socket
    "status": "ack",
    "accept": "not_found",
    "decline": "not_found",
    "pick": "not_found",
    "post": "not_found",
    "typing": "not_found",
    "read": "not_found",
    "transfer": "not_found",
    "invite": "not_found",
    "join": "not_found",
    "refuse": "not_found",
    "leave": "not_found",
    "assign": "not_found",
    "close": "not_found",
    "reopen": "not_found",
    "watch": "not_found",
    "unwatch": "not_found",
    "pong": "ack",
}
FIELDS = {
    "client_id": "x1",
    "text": "Hello",
    "active": True,
    "index": 1,
    "after": 0,
    "status": "away",
    "rating": 3,
    "comment": "",
    "ticket": "t",
}


@pytest.fixture
async def foreign(globex, gil, now):
    """A chat of globex that is held, and one on offer."""

    def make():
        held = make_held_chat(globex, gil, now, text=MARKER)
        waiting = make_chat(globex, now).chat
        invitation = offer(waiting, gil, now)
        disposition = Disposition.objects.create(center=globex.center, name=MARKER)
        return {
            "chat": str(held.chat.pk),
            "invitation": str(invitation.pk),
            "team": str(globex.support.pk),
            "agent": str(gil.pk),
            "disposition": str(disposition.pk),
        }

    return await sync_to_async(make)()


def test_every_frame_has_a_verdict():
    assert set(CUSTOMER_VERDICTS) == set(CustomerSocket.FRAMES)
    assert set(AGENT_VERDICTS) == set(AgentSocket.FRAMES)


def filled(fields, ids, **more):
    return {name: value for name, value in (FIELDS | ids | more).items() if name in fields}


async def test_a_customer_finds_nothing_of_another_center(sockets, acme, foreign, now, figures):
    client = await sockets.customer(acme, await sync_to_async(make_customer)(acme))
    before = await sync_to_async(Event.objects.count)()
    for name, (fields, _) in CustomerSocket.FRAMES.items():
        if name == "start":
            continue
        frame = filled(fields, foreign, token=client.token)
        answer = await client.ask(name, **frame)
        assert answer.get("code", answer["type"]) == CUSTOMER_VERDICTS[name], (name, answer)
    answer = await client.ask("start", client_id="s", team=foreign["team"])
    assert (answer["code"], list(answer["fields"])) == ("invalid", ["team"])
    assert await sync_to_async(Event.objects.count)() == before
    figures.count(SHOWN, found=json.dumps(client.seen).count(MARKER), tried=len(client.seen))
    assert MARKER not in json.dumps(client.seen)


async def test_not_even_a_supervisor_finds_anything_of_another_center(sockets, acme, sue, foreign, now, figures):
    agent = await sockets.agent(sue, cursors={foreign["chat"]: 1})
    before = await sync_to_async(Event.objects.count)()
    for name, (fields, _) in AgentSocket.FRAMES.items():
        frame = filled(fields, foreign, cursors={foreign["chat"]: 1})
        if name == "transfer":
            frame.pop("agent")
        answer = await agent.ask(name, **frame)
        assert answer.get("code", answer["type"]) == AGENT_VERDICTS[name], (name, answer)
    assert await sync_to_async(Event.objects.count)() == before
    figures.count(SHOWN, found=json.dumps(agent.seen).count(MARKER), tried=len(agent.seen))
    assert MARKER not in json.dumps(agent.seen)


async def test_own_chats_with_foreign_teams_agents_and_dispositions(sockets, acme, ann, foreign, now):
    held = await sync_to_async(make_held_chat)(acme, ann, now)
    agent, chat = await sockets.agent(ann), str(held.chat.pk)
    for frame in (
        {"type": "transfer", "team": foreign["team"]},
        {"type": "transfer", "agent": foreign["agent"]},
        {"type": "close", "disposition": foreign["disposition"]},
        {"type": "post", "client_id": "f", "text": "x", "attachments": [foreign["chat"]]},
    ):
        answer = await agent.ask(chat=chat, **frame)
        assert answer["code"] in {"not_found", "invalid"}, answer
    assert (await sync_to_async(Chat.objects.get)(pk=chat)).state == "active"


async def test_an_agent_sees_own_teams_and_nothing_else_of_the_center(sockets, acme, bob, ann, now):
    def make():
        carl = make_agent(acme, "Carl", teams=[acme.sales])
        return carl, make_held_chat(acme, carl, now, team=acme.sales).chat.pk

    _, hidden = await sync_to_async(make)()
    agent = await sockets.agent(bob)
    for name in ("watch", "pick", "close", "reopen", "read", "typing", "post"):
        fields = AgentSocket.FRAMES[name][0]
        answer = await agent.ask(name, **filled(fields, {"chat": str(hidden)}, note=True))
        assert answer["code"] == "not_found", (name, answer)
    supervisor_only = await agent.ask("assign", chat=str(hidden), agent=str(bob.pk))
    assert supervisor_only["code"] == "forbidden"
    assert hidden.hex not in json.dumps(agent.seen).replace("-", "").replace(supervisor_only.get("ref", ""), "")


BROKEN = [
    "{",
    "[]",
    "null",
    '"hello"',
    "5",
    '{"type": 5}',
    '{"type": null}',
    '{"type": ["post"]}',
    '{"type": "nothing"}',
    '{"type": "post", "ref": 5}',
    '{"type": "post", "ref": "' + "r" * 65 + '"}',
    '{"type": "post"}',
    '{"type": "post", "chat": "x", "client_id": "a", "text": "b"}',
    '{"type": "post", "chat": 7, "client_id": "a", "text": "b"}',
    f'{{"type": "post", "chat": "{NOWHERE}", "client_id": "", "text": "b"}}',
    f'{{"type": "post", "chat": "{NOWHERE}", "client_id": "{"c" * 65}", "text": "b"}}',
    f'{{"type": "post", "chat": "{NOWHERE}", "client_id": "a", "text": {{}}}}',
    f'{{"type": "post", "chat": "{NOWHERE}", "client_id": "a", "text": "a\\u0000b"}}',
    f'{{"type": "post", "chat": "{NOWHERE}", "client_id": "a", "text": "\\ud800"}}',
    f'{{"type": "post", "chat": "{NOWHERE}", "client_id": "a", "text": "b", "attachments": "x"}}',
    f'{{"type": "post", "chat": "{NOWHERE}", "client_id": "a", "text": "b", "attachments": [1]}}',
    f'{{"type": "read", "chat": "{NOWHERE}", "index": -1}}',
    f'{{"type": "read", "chat": "{NOWHERE}", "index": 1.5}}',
    f'{{"type": "read", "chat": "{NOWHERE}", "index": true}}',
    f'{{"type": "read", "chat": "{NOWHERE}", "index": {"9" * 5000}}}',
    f'{{"type": "typing", "chat": "{NOWHERE}", "active": "yes"}}',
    '{"type": "pong", "after": NaN, "cursors": Infinity}',
    "[" * 60_000,
    '{"a":' * 10_000,
]


async def test_broken_frames_are_refused_and_the_socket_lives(sockets, acme, bob):
    customer = await sockets.customer(acme, await sync_to_async(make_customer)(acme))
    agent = await sockets.agent(bob)
    for client in (customer, agent):
        for raw in BROKEN:
            client.send_text(raw)
            answer = await client.until("error")
            assert answer["code"] == "invalid", raw[:60]
            assert answer["message"]
        assert (await client.ask("pong"))["type"] == "ack"


async def test_wrong_fields_are_named(sockets, acme):
    client = await sockets.customer(acme, await sync_to_async(make_customer)(acme))
    answer = await client.ask("survey", chat="x", rating=9)
    assert answer["code"] == "invalid"
    assert set(answer["fields"]) == {"chat", "rating"}
    answer = await client.ask("start", client_id="s", data={"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {}}}}}}}}})
    assert list(answer["fields"]) == ["data"]
    answer = await client.ask("start", client_id="s", form={"email": "no address"})
    assert list(answer["fields"]) == ["email"]
    assert await sync_to_async(Chat.objects.count)() == 0


async def test_refusals_of_rules_are_error_frames(sockets, acme, ann, bob, now):
    held = await sync_to_async(make_held_chat)(acme, ann, now)
    agent, other, chat = await sockets.agent(ann), await sockets.agent(bob), str(held.chat.pk)
    assert (await agent.ask("post", chat=chat, client_id="1", text="a" * 10_001))["code"] == "too_large"
    assert (await agent.ask("post", chat=chat, client_id="2", text="  "))["code"] == "invalid"
    assert (await agent.ask("post", chat=chat, client_id="3", text="One"))["replayed"] is False
    assert (await agent.ask("post", chat=chat, client_id="3", text="One"))["replayed"] is True
    assert (await agent.ask("post", chat=chat, client_id="3", text="Two"))["code"] == "conflict"
    assert (await agent.ask("transfer", chat=chat))["code"] == "invalid"
    assert (await other.ask("post", chat=chat, client_id="4", text="Mine?"))["code"] == "forbidden"
    assert (await other.ask("close", chat=chat))["code"] == "forbidden"
    assert (await other.ask("pick", chat=chat))["code"] == "gone"
    assert (await agent.ask("close", chat=chat))["type"] == "ack"
    assert (await agent.ask("post", chat=chat, client_id="5", text="Late"))["code"] == "closed"


async def test_a_declined_invitation_is_gone(sockets, acme, ann, now):
    def make():
        chat = make_chat(acme, now).chat
        return offer(chat, ann, now)

    invitation = await sync_to_async(make)()
    agent = await sockets.agent(ann)
    assert [one["id"] for one in agent.welcome["invitations"]] == [str(invitation.pk)]
    assert agent.welcome["agent"]["used"] == 1
    assert (await agent.ask("decline", invitation=str(invitation.pk)))["type"] == "ack"
    ended = agent.of("invitation_ended") or [await agent.until("invitation_ended")]
    assert (ended[0]["id"], ended[0]["reason"]) == (str(invitation.pk), "declined")
    assert (await agent.ask("accept", invitation=str(invitation.pk)))["code"] == "gone"
    assert (await sync_to_async(Invitation.objects.get)()).state == "declined"


async def test_a_message_that_a_customer_sends_too_fast_says_when_to_try_again(sockets, acme, now):
    mia = await sync_to_async(make_customer)(acme)
    client = await sockets.customer(acme, mia)
    chat = (await client.ask("start", client_id="s"))["chat"]["id"]
    for number in range(70):
        await client.send("post", ref=f"p{number}", chat=chat, client_id=f"c{number}", text="Hi")
    answers = []
    while len(answers) < 70:
        frame = await client.next()
        if frame.get("ref", "").startswith("p"):
            answers.append(frame)
    refused = [frame for frame in answers if frame["type"] == "error"]
    assert {frame["code"] for frame in refused} == {"too_many"}
    assert all(frame["retry_after"] > 0 for frame in refused)
    # Acknowledged in the order of sending, each with the next number.
    indexes = [frame["index"] for frame in answers if frame["type"] == "ack"]
    assert indexes == list(range(indexes[0], indexes[0] + len(indexes)))
