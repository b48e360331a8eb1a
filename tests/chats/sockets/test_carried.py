"""A desk learns what becomes of a chat that a connector carries: away, owed, delivered, back."""

from datetime import timedelta
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async

from chats.actions.connectors import HOLD, give_up, keep_up, note_absent, note_given, take_up
from chats.actions.receive import Inbound, receive
from chats.models import Account, Carrier
from tests.chats.carried import carry, hold, make_sms, say
from tests.chats.networks import make_carrier

pytestmark = [pytest.mark.both]


def told(frame):
    delivery = frame["chat"]["delivery"]
    return delivery["away_since"] is not None, delivery["owed_since"] is not None


async def until(client, chat, wanted):
    """The chat is told anew, until it is away and owed as wanted."""
    while told(await client.until("chat")) != wanted:
        pass


async def test_a_desk_learns_what_a_connector_does_without_any_announcement(sockets, live, acme, ann, sue, now):
    sms, holder = await sync_to_async(make_sms)(acme), uuid4()
    chat = await sync_to_async(carry)(sms, "+49 1", now)
    seat = await sync_to_async(hold)(chat, ann, now)
    agent, reader = await sockets.agent(ann), await sockets.agent(sue)
    [shown] = agent.welcome["chats"]
    assert shown["delivery"]["away_since"] is not None
    watched = await reader.ask("watch", chat=str(chat.pk))
    assert (watched["chat"]["delivery"], watched["chat"]["delivered"]["customer"]) == (shown["delivery"], 0)
    live.loses = lambda topic, payload: True
    posted = await sync_to_async(say)(seat, "Are you there?", now)
    assert told({"chat": shown}) == (True, True)
    await sync_to_async(take_up)(sms, holder, now=now + timedelta(days=1))
    await sync_to_async(note_given)(chat.pk, posted.index)
    for client in (agent, reader):
        await until(client, chat, (False, False))
        delivered = {"type": "delivered", "chat": str(chat.pk), "kind": "customer", "index": posted.index}
        assert delivered in client.seen or await client.until("delivered", index=posted.index) == delivered
    await sync_to_async(give_up)(sms.pk, holder, now=now)
    await until(agent, chat, (True, False))
    # Whoever is left takes it up without saying so to anybody.
    assert await sync_to_async(keep_up)(sms.pk, uuid4(), now=now + timedelta(days=1))
    await until(agent, chat, (False, False))
    assert await sync_to_async(note_absent)(now + timedelta(days=1) + 2 * HOLD) == 1
    await until(agent, chat, (True, False))


async def test_a_desk_learns_how_a_carrier_of_ours_fares_without_any_announcement(sockets, live, acme, ann, sue, now):
    carrier = await sync_to_async(make_carrier)(acme, "twilio", "+15550001")
    inbound = Inbound(external_id="SM1", address="+491", text="Hello")
    chat = (await sync_to_async(receive)(carrier.channel, inbound, now=now)).chat
    seat = await sync_to_async(hold)(chat, ann, now)
    agent, reader = await sockets.agent(ann), await sockets.agent(sue)
    [shown] = agent.welcome["chats"]
    assert (shown["delivery"]["carrier"], shown["delivery"]["account"], told({"chat": shown})) == (
        "twilio",
        "+491",
        (False, False),
    )
    watched = await reader.ask("watch", chat=str(chat.pk))
    assert watched["chat"]["delivery"] == shown["delivery"]
    live.loses = lambda topic, payload: True
    await sync_to_async(say)(seat, "Are you there?", now)
    await Carrier.objects.aupdate(**Carrier.trouble("Wrong token.", now))
    for client in (agent, reader):
        await until(client, chat, (True, True))
    await Carrier.objects.aupdate(error="")
    await Account.objects.aupdate(stopped_at=now)
    for client in (agent, reader):
        while not (await client.until("chat"))["chat"]["delivery"]["stopped"]:
            pass
