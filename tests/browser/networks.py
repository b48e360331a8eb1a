"""Networks that carry chats: channels made by `manage.py shell` in the site's own database, and a server that plays Twilio."""

import base64
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

from django.utils import timezone

from agents.models import Agent
from chats.actions.hold import assign_chat
from chats.actions.receive import Inbound, receive
from chats.models import Account, Carrier
from contactcenter.models import Channel, ContactCenter

SID, TOKEN = "AC" + "0" * 32, "a token of ours"
PATIENCE = 20
OUR_NUMBER, OUR_MAIL, OUR_PAGE = "+4930123456", "help@acme.example", "1122334455"


# Within the site's database -------------------------------------------------------------------------------------------


def build(network: str) -> str:
    """The three channels, where they are missing; gives the SMS channel's key."""
    center = ContactCenter.objects.get(slug="acme")
    sms = _channel(center, "sms", "Texts", OUR_NUMBER, "twilio", {"account_sid": SID, "base_url": network})
    # Nobody listens there: what is sent by mail waits.
    _channel(center, "email", "Help desk", OUR_MAIL, "mail", {"smtp_host": "127.0.0.1", "smtp_port": 1})
    _channel(center, "facebook", "Acme on Facebook", OUR_PAGE, "messenger", {"graph_url": network})
    return str(sms.key)


def _channel(center: Any, kind: str, name: str, address: str, provider: str, settings: dict[str, Any]) -> Channel:
    found = Channel.objects.filter(center=center, kind=kind, address=address).first()
    if found is None:
        team = center.teams.get(is_default=True)
        found = Channel.objects.create(center=center, kind=kind, name=name, address=address, team=team)
        carrier = Carrier(center=center, channel=found, provider=provider, settings=settings)
        carrier.keep_secrets({"auth_token": TOKEN, "page_token": TOKEN, "app_secret": TOKEN})
        carrier.save()
    return found


def hear(kind: str, address: str, text: str, name: str = "", hours_ago: float = 0) -> str:
    """A message that came in by this channel, in a chat that maya holds; gives the chat's id."""
    now = timezone.now()
    channel = Channel.objects.get(center__slug="acme", carrier__isnull=False, kind=kind)
    subject = "Where is my parcel?" if kind == "email" else ""
    inbound = Inbound(external_id=f"{address} {text} {now}", address=address, text=text, name=name, subject=subject)
    chat = receive(channel, inbound, now=now).chat
    assert chat
    if chat.agent_id is None:
        agent = Agent.objects.get(center=chat.center_id, user__username="maya")
        assign_chat(agent.center.chats, chat.pk, agent, now=now)
    heard = now - timedelta(hours=hours_ago)
    Account.objects.filter(center=chat.center_id, kind=kind, address=address).update(last_inbound_at=heard)
    return str(chat.pk)


def stop(address: str) -> None:
    Account.objects.filter(address=address).update(stopped_at=timezone.now())


# Outside --------------------------------------------------------------------------------------------------------------


class Network:
    """What was asked of it, and what it answers next: 201, or an error's code and sentence."""

    def __init__(self) -> None:
        self.url = ""
        self.sent: list[dict[str, str]] = []
        self.refusals: list[tuple[int, str]] = []
        self.heard = threading.Condition()

    def answer(self, path: str, authorization: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        wanted = "Basic " + base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()
        if authorization != wanted or path != f"/2010-04-01/Accounts/{SID}/Messages.json":
            return 401, {"code": 20003, "message": "Authenticate"}
        if self.refusals:
            code, message = self.refusals.pop(0)
            return 400, {"code": code, "message": message}
        with self.heard:
            self.sent.append(form)
            self.heard.notify_all()
        return 201, {"sid": f"SM{len(self.sent):032}", "status": "queued"}

    def has_sent(self, text: str) -> str:
        """Waits until this was sent; gives the id that it got."""
        with self.heard:
            assert self.heard.wait_for(lambda: text in self.texts(), PATIENCE), self.texts()
            return f"SM{self.texts().index(text) + 1:032}"

    def texts(self) -> list[str]:
        return [form.get("Body", "") for form in self.sent]


class _Handler(http.server.BaseHTTPRequestHandler):
    network: Network

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        status, told = self.network.answer(self.path, self.headers.get("Authorization", ""), dict(parse_qsl(body)))
        data = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Quiet: the test says what went wrong."""


@contextmanager
def a_network() -> Iterator[Network]:
    network = Network()
    handler = type("Handler", (_Handler,), {"network": network})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    network.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield network
    finally:
        server.shutdown()
        server.server_close()
