"""Where Facebook calls us: the handshake by GET, events by POST. Meta, "Webhooks" (validation requests, event notifications)."""

import hmac
import json
from hashlib import sha256

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from chats.models import Carrier

from .hearing import find_carrier, hear

SIGNED = "sha256="


@csrf_exempt
@require_http_methods(["GET", "POST"])
def webhook(request: HttpRequest, key: str) -> HttpResponse:
    """/carriers/messenger/<the channel's public key>. 200: all is stored; 503: send it again; 403: not by Facebook, as far as we can know."""
    carrier = find_carrier(key)
    if carrier is None:
        return _say("There is nothing here.", 404)
    return _shake_hands(request, carrier) if request.method == "GET" else _listen(request, carrier)


def _shake_hands(request: HttpRequest, carrier: Carrier) -> HttpResponse:
    token = carrier.secrets.get("verify_token", "")
    shown = request.GET.get("hub.verify_token", "")
    is_ours = bool(token) and hmac.compare_digest(_bytes(shown), _bytes(token))
    if not is_ours or request.GET.get("hub.mode") != "subscribe":
        return _say("The verify token is not ours.", 403)
    return _say(request.GET.get("hub.challenge", "")[:200], 200)


def _listen(request: HttpRequest, carrier: Carrier) -> HttpResponse:
    secret = carrier.secrets.get("app_secret", "")
    if not secret or not _is_signed(request, secret):
        return _say("The signature is not right.", 403)
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return _say("The body is not JSON.", 400)
    if not hear(carrier, body):
        response = _say("Not everything could be stored. Send it again.", 503)
        response["Retry-After"] = "2"
        return response
    return _say("ok", 200)


def _is_signed(request: HttpRequest, secret: str) -> bool:
    """Over the bytes as they came: Meta signs its own way of escaping."""
    shown = request.headers.get("X-Hub-Signature-256", "")
    own = SIGNED + hmac.new(secret.encode(), request.body, sha256).hexdigest()
    return hmac.compare_digest(_bytes(shown), own.encode())


def _bytes(text: str) -> bytes:
    return text.encode(errors="replace")


def _say(text: str, status: int) -> HttpResponse:
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8", headers=headers)
