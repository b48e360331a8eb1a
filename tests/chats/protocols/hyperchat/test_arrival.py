"""HyperChat's web hooks the whole way: begun and ended over the API, called by the outbox, checked by a receiver."""

import hashlib
import hmac

import pytest

from chats.models import Webhook
from chats.outbox.calling import Calls
from chats.outbox.courier import Courier
from tests.chats.outbox.receiver import Receiver
from tests.chats.protocols.hyperchat.conftest import make_hook


@pytest.mark.django_db(transaction=True)
def test_it_arrives_signed_and_in_its_order(direct, settings):
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    receiver, courier = Receiver(), Courier(Calls(), seconds=5)
    hook = make_hook(direct)
    Webhook.objects.update(url=receiver.url)
    try:
        chat = direct.chat(text="Hello")
        assert direct.server.delete(f"chats/{chat.pk}").status_code == 200
        courier.poke(hook.pk)
        calls = receiver.wait_for(4)
    finally:
        assert courier.stop(20)
        receiver.stop()
    assert [call.json["trigger"] for call in calls] == ["chats:create", "messages:new", "system:info", "chats:close"]
    for call in calls:
        mark = hmac.new(hook.secret.encode(), call.body, hashlib.sha256).hexdigest()
        assert call.headers["x-hook-signature"] == mark
        assert call.json["appId"] == direct.app_id
