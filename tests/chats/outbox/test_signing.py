"""Signatures, checked by the reference library and by hand."""

import hashlib
import hmac
import json
from base64 import b64encode
from datetime import timedelta

import pytest
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from chats.models.delivery import new_webhook_secret
from chats.outbox.signing import encode, headers_of, standard
from contactcenter.models.ids import new_id
from tests.chats.outbox.conftest import make_registration, make_webhook

PAYLOAD = {"type": "message.posted", "data": {"text": "Grüße 👋 \u2028 </script>", "n": 1.5, "none": None}}


@pytest.mark.django_db
def test_the_reference_library_accepts_our_calls(acme, now):
    webhook, name, body = make_webhook(acme), new_id(), encode(PAYLOAD)
    headers = headers_of(webhook, name, body, now)
    assert set(headers) == {"webhook-id", "webhook-timestamp", "webhook-signature"}
    assert headers["webhook-id"] == str(name)
    assert Verifier(webhook.secret).verify(body, headers) == PAYLOAD
    for change in ({"webhook-id": "x"}, {"webhook-timestamp": str(int(now.timestamp()) + 1)}):
        with pytest.raises(WebhookVerificationError):
            Verifier(webhook.secret).verify(body, headers | change)
    with pytest.raises(WebhookVerificationError):
        Verifier(webhook.secret).verify(body + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(new_webhook_secret()).verify(body, headers)


@pytest.mark.django_db
def test_while_one_secret_replaces_the_other_both_are_accepted(acme, now):
    webhook, body = make_webhook(acme), encode(PAYLOAD)
    old = webhook.secret
    webhook.renew_secret(now)
    headers = headers_of(webhook, new_id(), body, now)
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (old, webhook.secret):
        assert Verifier(secret).verify(body, headers) == PAYLOAD
    later = now + timedelta(hours=25)
    headers = standard(webhook.live_secrets(later), new_id(), body, later)
    assert len(headers["webhook-signature"].split(" ")) == 1


@pytest.mark.django_db
def test_hyperchats_receivers_get_the_hmac_of_the_raw_body(acme, now):
    registration = make_registration(acme)
    webhook = make_webhook(acme, application=registration.application, registration=registration)
    name, body = new_id(), encode({"trigger": "chats:create", "appId": "x", "data": {}, "created_at": 1})
    expected = hmac.new(webhook.secret.encode(), body, hashlib.sha256).hexdigest()
    assert headers_of(webhook, name, body, now) == {"webhook-id": str(name), "X-Hook-Signature": expected}


def test_id_second_and_body_are_what_is_signed(now):
    key = b"0123456789abcdef01234567"
    headers = standard([f"whsec_{b64encode(key).decode()}"], "msg_1", b"{}", now)
    signed = f"msg_1.{int(now.timestamp())}.{{}}".encode()
    mark = b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers == {"webhook-timestamp": str(int(now.timestamp())), "webhook-signature": f"v1,{mark}"}


def test_a_body_is_compact_utf_8_and_never_fails():
    assert encode(PAYLOAD).decode() == json.dumps(PAYLOAD, ensure_ascii=False, separators=(",", ":"))
    assert encode({"lone": "\ud800"}) == b'{"lone":"?"}'
