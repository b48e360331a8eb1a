"""Providers of mail on this machine: an API that asks what theirs asks, and calls as they make them, signed as they sign."""

import base64
import hashlib
import hmac
import json
import time
from email import message_from_bytes
from typing import Any

from django.test import Client
from django.utils import timezone

from chats.carriers.dispatches import Dispatches
from chats.carriers.mail.service.vendors import VENDORS
from chats.models import Carrier
from chats.outbox.sending import Sender
from contactcenter.models import Channel
from tests.chats.outbox.receiver import Call, Receiver

OWN, KEY, SIGNING, PASSWORD = "help@acme.example", "key-0123456789", "signing-0123456789", "hook-0123456789"


class Service:
    """The APIs of all of them. says: what is answered instead, once each."""

    def __init__(self) -> None:
        self.says: list[Any] = []
        self.mails: list[dict[str, Any]] = []
        self.receiver = Receiver(self.answer)
        handler: Any = self.receiver.server.RequestHandlerClass
        handler.do_GET = handler.do_POST

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.receiver.port}"

    def forget(self) -> None:
        self.says, self.mails = [], []
        self.receiver.calls.clear()

    def answer(self, call: Call) -> Any:
        if self.says:
            return self.says.pop(0)
        take = {
            "/acme.example/messages": self._mailgun,
            "/email": self._postmark,
            "/mail/send": self._sendgrid,
        }.get(call.path)
        if take:
            return take(call)
        known = {"/server": _has_token(call), "/scopes": _has_bearer(call)}.get(call.path)
        return told(404, message="Domain not found") if known is None else told(200 if known else 401, message="?")

    def _mailgun(self, call: Call) -> Any:
        expected = base64.b64encode(f"api:{KEY}".encode()).decode()
        if call.headers.get("authorization") != f"Basic {expected}":
            return told(401, message="Forbidden")
        form = form_of(call)
        if not (form.get("from") and form.get("to") and form.get("text")):
            return told(400, message="from parameter is missing")
        self.mails.append(form)
        return told(200, id=form["h:Message-Id"], message="Queued. Thank you.")

    def _postmark(self, call: Call) -> Any:
        if not _has_token(call):
            return told(401, ErrorCode=10, Message="Bad or missing Server API token.")
        mail = json.loads(call.body)
        if "@" not in mail["To"] or not mail.get("TextBody"):
            return told(422, ErrorCode=300, Message="Provide either email TextBody or HtmlBody or both.")
        self.mails.append(mail)
        name = f"b7bc2f4a-e38e-4336-af7d-{len(self.mails):012}"
        return told(200, To=mail["To"], MessageID=name, ErrorCode=0, Message="OK")

    def _sendgrid(self, call: Call) -> Any:
        if not _has_bearer(call):
            return told(401, errors=[{"message": "The provided authorization grant is invalid"}])
        mail = json.loads(call.body)
        if not (mail["personalizations"][0]["to"][0]["email"] and mail["content"][0]["value"] and mail["subject"]):
            return told(400, errors=[{"message": "The content value must be a string"}])
        self.mails.append(mail)
        return 202, {}, b""


def _has_token(call: Call) -> bool:
    return call.headers.get("x-postmark-server-token") == KEY


def _has_bearer(call: Call) -> bool:
    return call.headers.get("authorization") == f"Bearer {KEY}"


def told(status: int, /, **fields: Any) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/json"}, json.dumps(fields).encode()


def form_of(call: Call) -> dict[str, Any]:
    """Of a form, with or without files."""
    head = f"Content-Type: {call.headers['content-type']}\r\n\r\n".encode()
    if "multipart" not in call.headers["content-type"]:
        from urllib.parse import parse_qsl

        return dict(parse_qsl(call.body.decode()))
    parts = message_from_bytes(head + call.body).get_payload()
    found: dict[str, Any] = {}
    for part in parts:
        name = str(part.get_param("name", header="content-disposition"))
        data = part.get_payload(decode=True)
        found[name] = (part.get_filename(), data) if part.get_filename() else data.decode()
    return found


def make_service(place: Any, service: str, url: str = "", *, address: str = OWN, **kept: str) -> Channel:
    channel = Channel.objects.create(
        center=place.center, kind="email", name="Mail", address=address, team=place.support
    )
    carrier = Carrier(center=place.center, channel=channel, provider="mail_service")
    carrier.settings = {"service": service, "base_url": url}
    carrier.keep_secrets(
        {"api_key": KEY, "signing_key": SIGNING if service == "mailgun" else "", "hook_password": PASSWORD} | kept
    )
    carrier.save()
    return channel


def signed(age: float = 0, key: str = SIGNING) -> dict[str, str]:
    """Mailgun's."""
    moment, token = str(int(time.time() - age)), "t" * 50
    signature = hmac.new(key.encode(), f"{moment}{token}".encode(), hashlib.sha256).hexdigest()
    return {"timestamp": moment, "token": token, "signature": signature}


def auth(password: str = PASSWORD) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'contactcenter:{password}'.encode()).decode()}"}


def bring(channel: Channel, raw: bytes, **extra: Any) -> Any:
    """The provider hands on a mail, whole."""
    match channel.carrier.settings["service"]:
        case "mailgun":
            form = (
                {"recipient": OWN, "sender": "mia@example.com", "body-mime": raw.decode("latin-1")} | signed() | extra
            )
            return post_form(channel, "inbound/mime", form)
        case "postmark":
            return post_json(channel, "inbound", {"RawEmail": raw.decode(), "FromFull": {}, "Headers": []} | extra)
        case "sendgrid":
            envelope = json.dumps({"from": "mia@example.com", "to": [OWN]})
            return post_form(channel, "inbound", {"email": raw.decode("latin-1"), "envelope": envelope} | extra, auth())
    raise AssertionError


def report(channel: Channel, kind: str, name: str, why: str = "") -> Any:
    """The provider tells what became of a mail of ours that it knows by this name. kind: delivered, bounced, complained."""
    match channel.carrier.settings["service"]:
        case "mailgun":
            event = {"delivered": "delivered", "bounced": "failed", "complained": "complained"}[kind]
            data = {"event": event, "severity": "permanent", "recipient": "mia@example.com", "timestamp": time.time()}
            data |= {"message": {"headers": {"message-id": name.strip("<>")}}, "delivery-status": {"message": why}}
            return post_json(channel, "events", {"signature": signed(), "event-data": data})
        case "postmark":
            told_of = {"MessageID": name, "Recipient": "mia@example.com", "Metadata": {}, "Details": why}
            record = {"delivered": "Delivery", "bounced": "Bounce", "complained": "SpamComplaint"}[kind]
            type_ = {"bounced": {"Type": "HardBounce"}, "complained": {"Type": "SpamComplaint"}}.get(kind, {})
            return post_json(channel, "events", told_of | {"RecordType": record} | type_)
        case "sendgrid":
            event = {"delivered": "delivered", "bounced": "bounce", "complained": "spamreport"}[kind]
            one = {"event": event, "anymail_id": name, "reason": why, "timestamp": int(time.time())}
            return post_json(channel, "events", [{"event": 7}, one])
    raise AssertionError


def post_form(channel: Channel, what: str, form: dict[str, Any], headers: Any = None) -> Any:
    boundary = "xxBOUNDARYxx"
    parts = b""
    for name, value in form.items():
        data = value if isinstance(value, bytes) else str(value).encode("latin-1", "replace")
        parts += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + data + b"\r\n"
    body = parts + f"--{boundary}--\r\n".encode()
    return post(channel, what, body, f"multipart/form-data; boundary={boundary}", headers)


def post_json(channel: Channel, what: str, body: Any, headers: Any = None) -> Any:
    return post(channel, what, json.dumps(body).encode(), "application/json", auth() if headers is None else headers)


def post(channel: Channel, what: str, body: bytes, kind: str, headers: Any = None) -> Any:
    return Client().generic(
        "POST", f"/carriers/mail/{channel.key}/{what}", body, content_type=kind, headers=headers or {}
    )


def send_all() -> None:
    """As the outbox does, without its threads."""
    now = timezone.now()
    book = Dispatches()
    with Sender() as sender:
        while numbers := [n for one in book.lanes.due_targets(now) for n in book.lanes.scan(one, now)]:
            claimed = book.lanes.claim(numbers, now)
            book.prepare(claimed)
            book.note([book.do(row, sender, 5) for row in claimed], now)


SERVICES = list(VENDORS)
