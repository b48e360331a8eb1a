"""Guests over the agent's socket: asked, joined, heard by the customer, gone; and a desk that learns it without asking."""

from asgiref.sync import sync_to_async

from chats.live import hub
from chats.models import Chat, Participant
from tests.conftest import make_chat, make_held_chat


async def held_chat(acme, ann, now):
    held = await sync_to_async(make_held_chat)(acme, ann, now)
    return held.chat


async def guest_frame(client, state):
    """The next `chat` frame in which the client's own agent is a guest like this."""
    while not any(frame["chat"]["guest"] == state for frame in client.of("chat")):
        await client.until("chat")
    return next(frame["chat"] for frame in client.of("chat") if frame["chat"]["guest"] == state)


async def test_a_colleague_is_asked_joins_is_heard_and_leaves(sockets, acme, ann, bob, now):
    chat = await held_chat(acme, ann, now)
    owner, guest = await sockets.agent(ann), await sockets.agent(bob)
    customer = await sockets.customer(acme, await sync_to_async(lambda: chat.customer)())
    assert (await owner.ask("invite", chat=str(chat.pk), agent=str(bob.pk)))["type"] == "ack"
    assert (await guest_frame(guest, "invited"))["id"] == str(chat.pk)
    joined = await guest.ask("join", chat=str(chat.pk))
    assert (joined["chat"]["guest"], joined["chat"]["held"]) == ("joined", False)
    posted = await guest.ask("post", chat=str(chat.pk), client_id="g1", text="I can help")
    assert posted["type"] == "ack"
    heard = await customer.events_until(posted["index"])
    assert heard[-1]["sender"]["name"] == "Bob"
    await guest.send("typing", chat=str(chat.pk), active=True)
    assert (await customer.until("typing"))["sender"]["name"] == "Bob"
    await owner.events_until(posted["position"], by="position")
    assert (await guest.ask("leave", chat=str(chat.pk)))["type"] == "ack"
    assert (await guest.until("chat_gone"))["reason"] == "left"
    assert (await guest.ask("post", chat=str(chat.pk), client_id="g2", text="Still me?"))["code"] == "forbidden"
    assert not owner.of("chat_gone")


async def test_the_owner_sees_who_is_asked_who_is_there_and_who_does_not_come(sockets, acme, ann, bob, now):
    chat = await held_chat(acme, ann, now)
    owner, guest = await sockets.agent(ann), await sockets.agent(bob)
    await owner.ask("invite", chat=str(chat.pk), agent=str(bob.pk))
    while not any(frame["chat"]["guests"] for frame in owner.of("chat")):
        await owner.until("chat")
    assert owner.of("chat")[-1]["chat"]["guests"] == [{"id": str(bob.pk), "name": "Bob", "state": "invited"}]
    await guest_frame(guest, "invited")
    await guest.ask("refuse", chat=str(chat.pk))
    assert (await guest.until("chat_gone"))["reason"] == "declined"
    while owner.of("chat")[-1]["chat"]["guests"]:
        await owner.until("chat")
    assert [event["type"] for event in owner.events()][-2:] == ["guest.invited", "guest.declined"]


async def test_the_welcome_has_the_visited_chats_and_counts_no_slot_for_them(sockets, acme, ann, bob, now):
    chat = await held_chat(acme, ann, now)
    await (await sockets.agent(ann)).ask("invite", chat=str(chat.pk), agent=str(bob.pk))
    guest = await sockets.agent(bob)
    shown = guest.welcome["chats"]
    assert [(one["id"], one["guest"], one["held"]) for one in shown] == [(str(chat.pk), "invited", False)]
    assert guest.welcome["agent"]["used"] == 0
    head = shown[0]["head"]
    await guest.events_until(head, by="position")


async def test_a_lost_hint_loses_no_invitation_and_no_end(sockets, acme, ann, bob, now):
    chat = await held_chat(acme, ann, now)
    owner, guest = await sockets.agent(ann), await sockets.agent(bob)
    hub.loses = lambda _topic, _payload: True
    await owner.ask("invite", chat=str(chat.pk), agent=str(bob.pk))
    await guest_frame(guest, "invited")
    await guest.ask("join", chat=str(chat.pk))
    await owner.ask("close", chat=str(chat.pk))
    assert (await guest.until("chat_gone"))["reason"] == "closed"


async def test_a_guest_who_becomes_the_owner_loses_nothing(sockets, acme, ann, bob, sue, now):
    chat = await held_chat(acme, ann, now)
    owner, guest = await sockets.agent(ann), await sockets.agent(bob)
    boss = await sockets.agent(sue)
    await owner.ask("invite", chat=str(chat.pk), agent=str(bob.pk))
    await guest_frame(guest, "invited")
    await guest.ask("join", chat=str(chat.pk))
    await boss.ask("assign", chat=str(chat.pk), agent=str(bob.pk))
    while not any(frame["chat"]["held"] for frame in guest.of("chat")):
        await guest.until("chat")
    answer = await guest.ask("post", chat=str(chat.pk), client_id="g", text="Mine now")
    assert answer["type"] == "ack"
    assert (await guest.rest(0.3)) is not None
    assert not guest.of("chat_gone")
    row = await sync_to_async(Chat.objects.get)(pk=chat.pk)
    assert row.agent_id == bob.pk


async def test_what_a_guest_reads_stays_unread_for_the_owner(sockets, acme, ann, bob, now):
    chat = await held_chat(acme, ann, now)
    owner, guest = await sockets.agent(ann), await sockets.agent(bob)
    await owner.ask("invite", chat=str(chat.pk), agent=str(bob.pk))
    await guest_frame(guest, "invited")
    await guest.ask("join", chat=str(chat.pk))
    head = (await sync_to_async(Chat.objects.get)(pk=chat.pk)).index
    assert (await guest.ask("read", chat=str(chat.pk), index=head))["type"] == "ack"
    seat = await sync_to_async(Participant.objects.get)(chat=chat, agent=bob)
    assert seat.read_index == 0


async def test_who_may_not_invite_or_was_not_asked_is_told_so(sockets, acme, ann, bob, sue, now):
    chat = await held_chat(acme, ann, now)
    waiting = (await sync_to_async(make_chat)(acme, now)).chat
    other, boss = await sockets.agent(bob), await sockets.agent(sue)
    assert (await other.ask("invite", chat=str(chat.pk), agent=str(sue.pk)))["code"] == "forbidden"
    assert (await boss.ask("invite", chat=str(waiting.pk), agent=str(bob.pk)))["code"] == "conflict"
    for frame in ("join", "refuse", "leave"):
        assert (await other.ask(frame, chat=str(chat.pk)))["code"] == "gone"
    assert (await other.ask("invite", chat=str(chat.pk)))["code"] == "invalid"
