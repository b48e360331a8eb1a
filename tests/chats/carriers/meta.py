"""Facebook as a page's app sees it: the Graph API on loopback, and web hooks signed as Meta signs them."""

import hmac
import json
import threading
from hashlib import sha256
from itertools import count
from typing import Any

from django.test import Client

from chats.carriers import dispatches
from chats.carriers.messenger.provider import MOST_TEXT
from chats.models import Carrier, Dispatch
from contactcenter.models import Channel
from tests.chats.outbox.receiver import Call, Receiver

PAGE, SECOND_PAGE, MIA = "1067280970047460", "2222222222222", "24521904807420316"
APP_SECRET, TOKEN, VERIFY = "app secret", "EAAG-page-token", "verify me"


class Network:
    """The Graph API as a page sees it: refuses what Meta refuses, and says what `answers` says before that."""

    def __init__(self) -> None:
        self.receiver = Receiver(self.answer)
        self.answers: list[tuple[int, Any]] = []
        self.taken: list[dict[str, Any]] = []
        self.numbers = count(1)
        self.may_answer = threading.Event()
        self.may_answer.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.receiver.port}/v25.0"

    def answer(self, call: Call) -> tuple[int, dict[str, str], bytes]:
        assert self.may_answer.wait(20)
        status, body = self.answers.pop(0) if self.answers else self.take(call)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return status, {"Content-Type": "application/json"}, content

    def take(self, call: Call) -> tuple[int, Any]:
        said, message = call.json, call.json.get("message", {})
        if call.headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, error(190, "Invalid OAuth access token.")
        if call.path != f"/v25.0/{PAGE}/messages" or said.get("messaging_type") != "RESPONSE":
            return 400, error(100, "Unsupported post request")
        if said.get("recipient") != {"id": MIA}:
            return 400, error(100, "No matching user found", 2018001)
        if ("text" in message) == ("attachment" in message) or len(message.get("text", "")) > MOST_TEXT:
            return 400, error(100, "Length of param message[text] must be less than or equal to 2000")
        self.taken.append(message)
        return 200, {"recipient_id": MIA, "message_id": f"m_{next(self.numbers)}"}


def error(code: Any, message: str, subcode: Any = None, **more: Any) -> dict[str, Any]:
    inner = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "A1b2", **more}
    return {"error": inner | ({"error_subcode": subcode} if subcode else {})}


def page_of(place: Any, url: str, page: str = PAGE, secret: str = APP_SECRET) -> Channel:
    channel = Channel.objects.create(
        center=place.center, kind="facebook", name="Our page", address=page, team=place.support
    )
    carrier = Carrier(center=place.center, channel=channel, provider="messenger", settings={"graph_url": url})
    carrier.keep_secrets({"app_secret": secret, "page_token": TOKEN, "verify_token": VERIFY})
    carrier.save()
    return channel


def written(mid: str, text: str | None = None, person: str = MIA, **message: Any) -> dict[str, Any]:
    """An event as the reference shows it."""
    inner = {"mid": mid, **({} if text is None else {"text": text}), **message}
    return {"sender": {"id": person}, "recipient": {"id": PAGE}, "timestamp": 1795251600000, "message": inner}


def told(kind: str, at: Any = None, mids: list[str] | None = None, person: str = MIA) -> dict[str, Any]:
    """A delivery or a read report; `at`: its watermark."""
    inner = {"watermark": at and int(at.timestamp() * 1000)} | ({"mids": mids} if mids else {})
    return {"sender": {"id": person}, "recipient": {"id": PAGE}, kind: inner}


def body_of(*events: Any, page: str = PAGE) -> dict[str, Any]:
    return {"object": "page", "entry": [{"id": page, "time": 1795251600123, "messaging": [one]} for one in events]}


def call(channel: Channel, body: Any, secret: str = APP_SECRET, **headers: str) -> int:
    """POST it as Meta does: non-ASCII escaped, signed over the bytes."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    signature = "sha256=" + hmac.new(secret.encode(), raw, sha256).hexdigest()
    sent = {"X-Hub-Signature-256": signature} | headers
    client = Client(enforce_csrf_checks=True)
    answer = client.post(f"/carriers/messenger/{channel.key}", raw, content_type="application/json", headers=sent)
    return answer.status_code


class Book(dispatches.Dispatches):
    """Tells when nothing waits any more."""

    def __init__(self) -> None:
        self.done = threading.Event()

    def note(self, outcomes: Any, now: Any) -> Any:
        settled = super().note(outcomes, now)
        if not Dispatch.objects.pending().exists():
            self.done.set()
        return settled


def send_all(courier: Any, channel: Channel) -> None:
    """Until the threads of a courier with the book above have nothing left to do."""
    courier.book.done.clear()
    courier.poke(channel.pk)
    assert courier.book.done.wait(20)
