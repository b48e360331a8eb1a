"""A bot in front of the people: it knows what its web hook is told, answers over the API, and hands over by assigning the chat to a team."""

from uuid import UUID

import pytest

from chats.models import Chat
from chats.outbox.calling import Calls
from chats.outbox.courier import Courier
from tests.chats.outbox.receiver import Receiver

from .conftest import TEAM

BOT = {"profileId": "bot", "name": "Robin"}


@pytest.mark.django_db(transaction=True)
def test_a_bot_answers_what_it_hears_of_and_hands_over_to_people(space, ann, settings):
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    space.application.may_configure = True
    space.application.save()
    assert space.put("chat/config/teams/Bot", {"name": "Bot", "members": []}).status_code == 201
    receiver, courier = Receiver(), Courier(Calls(), seconds=5)
    said = {"name": "Robin", "url": receiver.url, "subscriptions": [{"type": "chatMessage.sent"}]}
    hook = UUID(space.post("webhooks", said).json()["id"])
    app = space.app("mia")

    def hear(count):
        """What the bot was told last."""
        courier.poke(hook)
        return receiver.wait_for(count)[-1].json["payload"]

    try:
        asked = app.post("conversations/Bot_mia/messages", {"parts": [{"type": "text/plain", "data": "Hello?"}]})
        assert asked.status_code == 200, asked.content
        heard = hear(1)
        context = heard["context"]
        assert (context["teamId"], context["direction"], context["from"]["id"]) == ("Bot", "inbound", "mia")
        assert heard["parts"][0]["data"] == "Hello?"
        chat = f"chats/{context['chatId']}"
        assert space.post(f"{chat}/typing").status_code == 204
        answer = {"from": BOT, "parts": [{"type": "text/plain", "data": "One moment, I fetch somebody."}]}
        assert space.post(f"{chat}/messages", answer).status_code == 200
        # Its own words come back, too; their direction tells.
        assert hear(2)["context"]["direction"] == "outbound"
        moved = space.put(f"{chat}/assign", {"teamId": TEAM})
        assert (moved.status_code, moved.json()["teamId"], moved.json()["originalTeamId"]) == (200, TEAM, "Bot")
        space.held(context["chatId"], ann)
        last = {"from": {"profileId": "PLATFORMUSER\\ann@example.com"}, "parts": [{"type": "text/plain", "data": "Hi"}]}
        assert space.post(f"{chat}/messages", last).status_code == 200
        assert hear(3)["context"]["teamId"] == TEAM
    finally:
        assert courier.stop(20)
        receiver.stop()
    assert Chat.objects.get(pk=context["chatId"]).agent_id == ann.pk
    page = app.get("conversations/Bot_mia/messages", limit=10).json()["messages"]
    assert [one["parts"][0]["data"] for one in page[::-1]] == ["Hello?", "One moment, I fetch somebody.", "Hi"]
