"""What a desk is told without asking: chats that come and go, colleagues, queues, who is there."""

import asyncio
from datetime import timedelta

from asgiref.sync import sync_to_async
from django.utils import timezone

from chats.actions.post import Post, post_message
from chats.actions.transfer import transfer_to_team
from chats.live import hub
from chats.models import Chat, Customer, Participant
from chats.sockets import gather
from tests.chats.sockets.conftest import offer
from tests.conftest import make_chat, make_customer, make_held_chat, online

KEYS = [
    "agent",
    "center",
    "chats",
    "colleagues",
    "epoch",
    "invitations",
    "now",
    "queue",
    "ref",
    "reset",
    "teams",
    "type",
]


async def test_the_welcome_is_the_whole_desk(sockets, acme, ann, bob, now):
    def make():
        waiting, offered = make_chat(acme, now).chat, make_chat(acme, now).chat
        return make_held_chat(acme, ann, now).chat.pk, offer(offered, ann, now).pk, waiting.pk

    held, invitation, waiting = await sync_to_async(make)()
    agent = await sockets.agent(ann)
    welcome = agent.welcome
    assert sorted(welcome) == KEYS
    assert [chat["id"] for chat in welcome["chats"]] == [str(held)]
    assert [one["id"] for one in welcome["invitations"]] == [str(invitation)]
    assert (welcome["agent"]["used"], welcome["agent"]["capacity"]) == (2, 3)
    assert {one["name"] for one in welcome["colleagues"]} == {"Ann", "Bob"}
    assert {team["key"] for team in welcome["teams"]} == {"support", "sales"}
    queue = {team["id"]: team for team in welcome["queue"]}[str(acme.support.pk)]
    assert queue["waiting"] == 2
    assert str(waiting) in {chat["id"] for chat in queue["chats"]}
    await agent.rest(0.3)
    assert not agent.of("invitation")
    assert not agent.of("chat_gone")


async def test_a_status_is_acknowledged_and_shown_to_colleagues(sockets, acme, ann, bob):
    first, second = await sockets.agent(ann), await sockets.agent(bob)
    answer = await first.ask("status", status="online")
    assert (answer["agent"]["status"], answer["agent"]["used"]) == ("online", 0)
    while True:
        frame = await second.until("colleagues")
        if {one["name"]: one["status"] for one in frame["agents"]}["Ann"] == "online":
            break
    assert (await first.ask("status", status="busy"))["code"] == "invalid"


async def test_a_transferred_chat_leaves_one_desk_and_comes_to_the_other(sockets, acme, ann, bob, now):
    held = await sync_to_async(make_held_chat)(acme, ann, now)
    await sync_to_async(online)(bob, now)
    first, second, chat = await sockets.agent(ann), await sockets.agent(bob), str(held.chat.pk)
    assert (await first.ask("transfer", chat=chat, agent=str(bob.pk), note="VIP"))["type"] == "ack"
    assert (await first.until("chat_gone"))["reason"] == "transferred"
    invitation = (await second.until("invitation"))["invitation"]
    accepted = await second.ask("accept", invitation=invitation["id"])
    assert accepted["chat"]["agent_id"] == str(bob.pk)
    while not any(frame["chat"]["held"] for frame in second.of("chat")):
        await second.until("chat")
    events = await second.events_until(accepted["chat"]["head"], by="position")
    assert "VIP" in {event["text"] for event in events}
    assert (await first.ask("post", chat=chat, client_id="x", text="Still mine?"))["code"] == "forbidden"


async def test_what_is_accepted_is_told_once_in_order_and_stays(sockets, acme, ann, now):
    started = await sync_to_async(make_chat)(acme, now)
    agent = await sockets.agent(ann)
    made = await sync_to_async(offer)(started.chat, ann, now)
    await agent.until("invitation")
    before = len(agent.seen)
    accepted = await agent.ask("accept", invitation=str(made.pk))
    await agent.rest(2)  # longer than the pulse takes to look by itself
    told = [frame for frame in agent.seen[before:] if frame["type"] not in ("agent", "colleagues", "queue", "ping")]
    assert [frame["type"] for frame in told] == ["invitation_ended", "chat", "ack", "events"]
    assert told[0]["reason"] == "accepted"
    assert told[1]["chat"] == accepted["chat"]
    assert accepted["chat"]["held"]
    assert [event["position"] for event in agent.events()] == list(range(1, accepted["chat"]["head"] + 1))


async def test_a_chat_that_is_accepted_while_the_desk_is_read_is_not_taken_away_again(
    sockets, acme, ann, now, monkeypatch
):
    started = await sync_to_async(make_chat)(acme, now)
    made = await sync_to_async(offer)(started.chat, ann, now)
    agent = await sockets.agent(ann)
    await agent.rest()  # hello has looked, too
    real, is_read, may_answer = gather.concerns.get, asyncio.Event(), asyncio.Event()

    async def slow(key):
        found = await real(key)
        is_read.set()
        await may_answer.wait()
        return found

    monkeypatch.setattr(gather.concerns, "get", slow)
    hub.announce(f"agent:{ann.pk}", {"kind": "hint", "what": "test"})
    await is_read.wait()
    await agent.ask("accept", invitation=str(made.pk))
    may_answer.set()
    await agent.rest(0.5)
    assert not agent.of("invitation")
    assert not agent.of("chat_gone")
    assert len(agent.of("invitation_ended")) == 1


async def test_a_supervisor_assigns_and_watches(sockets, acme, ann, sue, now):
    waiting = await sync_to_async(make_chat)(acme, now)
    chat = str(waiting.chat.pk)
    supervisor, agent = await sockets.agent(sue), await sockets.agent(ann)
    watched = await supervisor.ask("watch", chat=chat, after=0)
    assert watched["chat"]["held"] is False
    await supervisor.events_until(1, by="position")
    assert (await supervisor.ask("assign", chat=chat, agent=str(ann.pk)))["type"] == "ack"
    assert (await agent.until("chat"))["chat"]["held"] is True
    posted = await agent.ask("post", chat=chat, client_id="n", text="Secret", note=True)
    assert posted["index"] is None
    await supervisor.events_until(posted["position"], by="position")
    assert (await supervisor.ask("unwatch", chat=chat))["type"] == "ack"
    supervisor.seen.clear()
    later = await agent.ask("post", chat=chat, client_id="m", text="Hello")
    await agent.events_until(later["position"], by="position")
    await supervisor.rest(0.3)
    assert supervisor.events() == []


async def test_a_queue_is_shown_while_it_changes_and_a_picked_chat_leaves_it(sockets, acme, ann, bob, now):
    first, second = await sockets.agent(ann), await sockets.agent(bob)
    waiting = await sync_to_async(make_chat)(acme, now)
    chat = str(waiting.chat.pk)

    async def queue_of(client, count):
        while True:
            teams = {team["id"]: team for team in (await client.until("queue"))["teams"]}
            if teams[str(acme.support.pk)]["waiting"] == count:
                return teams

    teams = await queue_of(second, 1)
    assert [one["id"] for one in teams[str(acme.support.pk)]["chats"]] == [chat]
    assert set(teams) == {str(acme.support.pk)}  # Bob is not in sales
    picked = await first.ask("pick", chat=chat)
    assert picked["chat"]["held"] is True
    await queue_of(second, 0)


async def test_an_offer_that_was_missed_is_found_without_any_announcement(sockets, acme, ann, now):
    agent = await sockets.agent(ann)
    hub.loses = lambda topic, payload: True
    started = await sync_to_async(make_chat)(acme, now)
    invitation = await sync_to_async(offer)(started.chat, ann, now)
    assert (await agent.until("invitation"))["invitation"]["id"] == str(invitation.pk)
    assert (await agent.until("agent"))["agent"]["used"] == 1


async def test_typing_goes_to_the_other_side_and_the_preview_to_staff_alone(sockets, acme, ann, now):
    held = await sync_to_async(make_held_chat)(acme, ann, now)
    chat = str(held.chat.pk)
    agent, customer = await sockets.agent(ann), await sockets.customer(acme, await Customer.objects.aget())
    await customer.send("typing", chat=chat, active=True, text="Where is m")
    seen = await agent.until("typing")
    assert (seen["text"], seen["active"], seen["sender"]["kind"]) == ("Where is m", True, "customer")
    await agent.send("typing", chat=chat, active=True)
    seen = await customer.until("typing")
    assert seen["sender"]["name"] == "Ann"
    assert "text" not in seen
    assert len(customer.of("typing")) == 1


async def test_reading_is_told_to_the_other_side(sockets, acme, ann, now):
    held = await sync_to_async(make_held_chat)(acme, ann, now)
    chat, index = str(held.chat.pk), held.chat.index
    agent, customer = await sockets.agent(ann), await sockets.customer(acme, await Customer.objects.aget())
    assert (await agent.ask("read", chat=chat, index=index))["type"] == "ack"
    assert await customer.until("read", kind="agent") == {"type": "read", "chat": chat, "kind": "agent", "index": index}
    assert (await customer.ask("read", chat=chat, index=10_000))["type"] == "ack"
    assert (await agent.until("read", kind="customer"))["index"] == index


async def test_whether_the_customer_is_there_is_shown(sockets, acme, ann, now):
    held = await sync_to_async(make_held_chat)(acme, ann, now)
    agent = await sockets.agent(ann)
    await asyncio.sleep(2)
    gone = timezone.now() - timedelta(seconds=1)
    await Participant.objects.filter(pk=held.customer.pk).aupdate(lease_until=gone)
    assert await agent.until("presence") == {"type": "presence", "chat": str(held.chat.pk), "online": False}


async def test_another_window_of_the_customer_joins_the_chat(sockets, acme, now):
    mia = await sync_to_async(make_customer)(acme)
    first, second = await sockets.customer(acme, mia), await sockets.customer(acme, mia)
    started = await first.ask("start", client_id="s", text="Hello")
    assert (await second.until("chat"))["chat"]["id"] == started["chat"]["id"]
    await second.events_until(started["index"])
    again = await second.ask("start", client_id="other")
    assert (again["chat"]["id"], again["replayed"]) == (started["chat"]["id"], True)
    assert await Chat.objects.acount() == 1


async def test_a_close_never_overtakes_the_message_before_it(sockets, acme, ann, now):
    held = await sync_to_async(make_held_chat)(acme, ann, now)
    agent, chat = await sockets.agent(ann), str(held.chat.pk)
    for number in range(20):
        await agent.send("post", ref=f"p{number}", chat=chat, client_id=f"c{number}", text="Bye")
    await agent.send("close", ref="close", chat=chat)
    answers = []
    while len(answers) < 21:
        frame = await agent.next()
        if "ref" in frame:
            answers.append(frame)
    assert [answer["type"] for answer in answers] == ["ack"] * 21
    assert answers[-1]["ref"] == "close"


async def test_a_watched_chat_that_goes_to_another_team_is_out_of_sight(sockets, acme, ann, bob, now):
    held = await sync_to_async(make_held_chat)(acme, ann, now)
    watcher = await sockets.agent(bob)
    watched = await watcher.ask("watch", chat=str(held.chat.pk), after=0)
    await watcher.events_until(watched["chat"]["head"], by="position")
    await sync_to_async(transfer_to_team)(ann, held.chat.pk, acme.sales, note="", now=now)
    assert (await watcher.until("chat_gone")) == {
        "type": "chat_gone",
        "chat": str(held.chat.pk),
        "reason": "transferred",
    }
    await watcher.rest(0.2)
    watcher.seen.clear()
    await sync_to_async(post_message)(Post(held.chat.pk, held.customer.pk, "m", "For sales alone"), now=now)
    await watcher.rest(0.5)
    assert watcher.events() == []
    assert not watcher.of("chat")


async def test_who_leaves_a_team_sees_no_more_of_its_watched_chats(sockets, acme, ann, bob, now):
    held = await sync_to_async(make_held_chat)(acme, ann, now)
    watcher = await sockets.agent(bob)
    watched = await watcher.ask("watch", chat=str(held.chat.pk), after=0)
    await watcher.events_until(watched["chat"]["head"], by="position")
    await sync_to_async(bob.memberships.all().delete)()
    assert (await watcher.until("chat_gone"))["chat"] == str(held.chat.pk)
    watcher.seen.clear()
    await sync_to_async(post_message)(Post(held.chat.pk, held.customer.pk, "m", "For support alone"), now=now)
    await watcher.rest(0.5)
    assert watcher.events() == []
