"""Signatures, checked by the reference library and by hand."""

import hashlib
import hmac
import json
import subprocess
from base64 import b64encode
from datetime import timedelta
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from chats.models.delivery import new_webhook_secret
from chats.outbox.signing import encode, headers_of, standard
from contactcenter.models.ids import new_id
from tests.chats.outbox.conftest import make_registration, make_webhook

MODULES = Path(__file__).resolve().parents[3] / "tools/node_modules"
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
def verify_in_javascript(calls):
    """What the reference library for JavaScript says to each call (secret, body, headers): {payload} or {error}."""
    lines = [
        json.dumps({"secret": secret, "body": body.decode(), "headers": headers}) for secret, body, headers in calls
    ]
    script = Path(__file__).with_name("verify.mjs")
    command = ["node", str(script), str(MODULES.parent)]
    done = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True, check=True, timeout=60)
    # Not splitlines: texts have U+2028 in them.
    return [json.loads(line) for line in done.stdout.strip().split("\n")]


@pytest.mark.node
@pytest.mark.standardwebhooks
@pytest.mark.django_db
def test_receivers_in_python_and_javascript_accept_every_call_while_secrets_change(acme, now, figures):
    webhook, calls = make_webhook(acme), []
    for number in range(100):
        body = encode(PAYLOAD | {"number": number, "text": f'{number} \U0001f600 \u2029 " \\ é' * (number % 7)})
        known = [webhook.secret]
        if number % 2:
            webhook.renew_secret(now)
            known.append(webhook.secret)
        headers = headers_of(webhook, new_id(), body, now)
        calls += [(secret, body, headers) for secret in known]
    answers = verify_in_javascript(calls)
    forged = verify_in_javascript((secret, body + b" ", headers) for secret, body, headers in calls)
    expected = [json.loads(body) for _secret, body, _headers in calls]
    figures.count("calls that JavaScript rejects", found=sum("error" in answer for answer in answers), tried=len(calls))
    figures.count(
        "forged calls that JavaScript takes", found=sum("error" not in one for one in forged), tried=len(calls)
    )
    assert [answer.get("payload") for answer in answers] == expected
    assert all("error" in answer for answer in forged)
    assert [Verifier(secret).verify(body, headers) for secret, body, headers in calls] == expected
    figures.count("calls that Python rejects", tried=len(calls))


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
