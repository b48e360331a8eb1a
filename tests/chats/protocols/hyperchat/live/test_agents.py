"""An agent's client: what it is offered, what it takes, and what it does not hear of."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async as in_thread
from django.utils import timezone

from agents.models import Agent, Membership, Presence
from chats.actions.hold import assign_chat
from chats.actions.offer import decline_invitation
from chats.models import Chat, Invitation, Participant
from chats.protocols.hyperchat.callers import agent_token
from tests.chats.protocols.hyperchat.live.conftest import accept, offer
from tests.conftest import make_chat, online


async def agents_client(house: Any, place: Any, agent: Agent, **options: Any) -> Any:
    await in_thread(online)(agent, timezone.now())
    token = await in_thread(agent_token)(place.registration, agent)
    client = await house.client({"appId": place.app_id, "id": str(agent.pk), "token": token}, **options)
    assert client.is_connected, client.refusal
    return client


@pytest.mark.both
@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_an_agent_is_invited_accepts_talks_and_gives_back(house, direct, ann, bob, now, transport):
    client = await agents_client(house, direct, ann, transport=transport)
    mia = await in_thread(direct.user)()
    customer = await house.user(direct, mia)
    chat = (await customer.ask("chats:create", {"room": "1"}))["chat"]
    found = await customer.ask("chats:assign", {"chatId": chat["id"]})
    assert found["agent"]["id"] == str(ann.pk)
    invited = await client.until("invitations:new")
    assert (invited["chatId"], invited["userId"]) == (chat["id"], str(ann.pk))
    assert invited["chat"]["creator"] == str(mia.foreign.customer_id)
    assert invited["invitation"]["expires"] > now.timestamp()

    taken = await client.ask("invitations:accept", {"chatId": chat["id"]})
    assert taken["chat"]["status"] == "active"
    assert (await customer.until("user:joined"))["user"]["id"] == str(ann.pk)
    await customer.ask("messages:send", {"chatId": chat["id"], "message": "Hello"})
    assert (await client.until("message:received"))["message"]["sender"] == str(mia.foreign.customer_id)
    await customer.ask("users:activity", {"chatId": chat["id"], "type": "writing"})
    typed = await client.until("user:activity")
    assert typed["userId"] == str(mia.foreign.customer_id)
    await client.ask("users:activity", {"chatId": chat["id"], "type": "writing"})
    assert (await customer.until("user:activity"))["userId"] == str(ann.pk)
    await client.ask("messages:send", {"chatId": chat["id"], "message": "Good day"})
    await customer.wait(lambda: customer.texts() == ["Hello", "Good day"])

    assert await client.ask("chats:leave", {"chatId": chat["id"]}) == {"success": True}
    assert (await customer.until("user:left"))["user"]["id"] == str(ann.pk)
    await client.until("user:left")
    await in_thread(accept)(chat["id"], bob)
    await customer.ask("messages:send", {"chatId": chat["id"], "message": "Who is there now?"})
    await customer.wait(lambda: "Who is there now?" in customer.texts())
    answer = await client.ask("messages:send", {"chatId": chat["id"], "message": "Still me?"})
    assert answer["error"]["code"] in (403, 409)
    assert client.texts() == ["Hello", "Good day"], "who has left hears nothing more"


async def test_an_invitation_that_ends_is_taken_back(house, queued, ann, now):
    client = await agents_client(house, queued, ann)
    chat = await in_thread(queued.chat)()
    invitation = await in_thread(offer)(chat.pk, ann)
    assert (await client.until("invitations:new"))["invitation"]["id"] == str(invitation.pk)
    await in_thread(decline_invitation)(ann, invitation.pk, now=timezone.now())
    ended = await client.until("invitations:end")
    assert ended == {"chatId": str(chat.pk), "invitation": {"id": str(invitation.pk)}}


async def test_an_agent_rejects_over_the_wire(house, queued, ann, now):
    client = await agents_client(house, queued, ann)
    chat = await in_thread(queued.chat)()
    invitation = await in_thread(offer)(chat.pk, ann)
    await client.until("invitations:new")
    answer = await client.ask("invitations:reject", {"chatId": str(chat.pk)})
    assert "error" not in answer
    assert (await Invitation.objects.aget(pk=invitation.pk)).state == Invitation.State.DECLINED


async def test_a_chat_that_is_assigned_elsewhere_is_told_and_can_be_joined(house, queued, ann, now):
    client = await agents_client(house, queued, ann)
    chat = await in_thread(queued.chat)()
    await in_thread(assign_chat)(ann.center.chats, chat.pk, ann, now=timezone.now())
    assert await client.until("chats:assign") == {"chatId": str(chat.pk), "userId": str(ann.pk)}
    answer = await client.ask("chats:join", {"chatId": str(chat.pk)})
    assert answer["chat"]["status"] == "active"
    assert list((await client.ask("users:chats", {}))["chats"]) == [str(chat.pk)]


async def test_chats_of_other_doors_are_offered_elsewhere_only(house, acme, queued, direct, ann, now):
    """The desk's own chats, and another application's, are nothing for this client."""
    client = await agents_client(house, queued, ann)
    for chat in ((await in_thread(make_chat)(acme, now)).chat, await in_thread(direct.chat)()):
        await in_thread(offer)(chat.pk, ann)
    last = await in_thread(queued.chat)()
    await in_thread(offer)(last.pk, ann)
    assert (await client.until("invitations:new"))["chatId"] == str(last.pk)
    assert len(client.of("invitations:new")) == 1
    for chat in await in_thread(list)(Chat.objects.exclude(pk=last.pk)):
        for name in ("chats:join", "invitations:accept", "chats:get", "chats:close"):
            assert (await client.ask(name, {"chatId": str(chat.pk)}))["error"]["code"] == 404
    assert await Chat.objects.filter(state=Chat.State.ACTIVE).acount() == 0


async def test_an_agent_follows_no_chat_that_a_colleague_has(house, queued, ann, bob, now):
    client = await agents_client(house, queued, ann)
    chat = await in_thread(queued.chat)()
    await in_thread(accept)(chat.pk, bob)
    answer = await client.ask("chats:join", {"chatId": str(chat.pk)})
    assert answer["error"]["code"] in (403, 404, 409)
    seat = await Participant.objects.aget(chat=chat, agent=bob)
    assert seat.left_at is None
    assert house.live.clients[next(iter(house.live.clients))].followed == {}


async def test_a_client_keeps_its_agent_there_and_its_end_is_a_hint(house, queued, ann, now):
    client = await agents_client(house, queued, ann)
    before = (await Presence.objects.aget(agent=ann)).lease_until
    house.renew_leases()
    await house.until_in_database(Presence.objects.filter(agent=ann, lease_until__gt=before))
    await client.close()
    await house.until_in_database(
        Presence.objects.filter(agent=ann, lease_until__lt=timezone.now() + timezone.timedelta(seconds=20))
    )


async def test_an_agent_who_logs_out_elsewhere_or_leaves_the_rooms_is_let_go(house, queued, ann, bob, now):
    clients = [await agents_client(house, queued, agent) for agent in (ann, bob)]
    await in_thread(queued.as_user(await in_thread(agent_token)(queued.registration, ann)).post)("agents/logout", {})
    await clients[0].gone()
    assert not clients[1].is_gone
    await Membership.objects.filter(agent=bob).adelete()
    await clients[1].gone()


async def test_an_agent_who_goes_over_to_another_application_hears_of_its_chats_alone(house, direct, queued, ann):
    client = await agents_client(house, direct, ann)
    left = await in_thread(direct.chat)()
    await in_thread(offer)(left.pk, ann)
    await client.until("invitations:new")
    await in_thread(accept)(left.pk, ann)
    client.seen.clear()
    await client.ask("chats:join", {"chatId": str(left.pk)})
    token = await in_thread(agent_token)(queued.registration, ann)
    await client.ask("users:login", {"appId": queued.app_id, "id": str(ann.pk), "token": token})
    chat = await in_thread(queued.chat)()
    await in_thread(offer)(chat.pk, ann)
    assert (await client.until("invitations:new"))["chatId"] == str(chat.pk)
    (connection,) = house.live.clients.values()
    assert connection.followed == {}
    assert [one["chatId"] for one in client.of("invitations:new")] == [str(chat.pk)]
