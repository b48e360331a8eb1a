"""An agent without a browser: the other side of the widget's tests, over the real agent socket."""

import json
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

PATIENCE = 20


class Agent:
    """One agent, online. `events` are those of the chat that was accepted last, by position."""

    def __init__(self, url: str, username: str, password: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, follow_redirects=True, timeout=30)
        page = self.http.get("/accounts/login/")
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert found
        form = {"login": username, "password": password, "csrfmiddlewaretoken": found[1]}
        self.http.post("/accounts/login/", data=form, headers={"Referer": url}).raise_for_status()
        self.chat = ""
        self.events: dict[int, dict[str, Any]] = {}
        self.invitations: list[dict[str, Any]] = []
        self.wire = self.connect()

    def connect(self) -> ClientConnection:
        csrf = self.http.cookies["csrftoken"]
        answer = self.http.post("/api/v1/agent/ticket", json={}, headers={"X-CSRFToken": csrf, "Origin": self.url})
        answer.raise_for_status()
        address = self.url.replace("http", "ws") + "/ws/v1/agent"
        self.wire = connect(address, origin=self.url, compression=None)  # type: ignore[arg-type]
        cursors = {self.chat: max(self.events, default=0)} if self.chat else {}
        hello = {"type": "hello", "ref": "hello", "ticket": answer.json()["ticket"], "cursors": cursors}
        self.wire.send(json.dumps(hello))
        self.wait(lambda frame: frame["type"] == "welcome")
        self.ask({"type": "status", "status": "online"})
        return self.wire

    def take(self, timeout: float) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(self.wire.recv(timeout=timeout))
        if frame["type"] == "ping":
            self.send({"type": "pong"})
        if frame["type"] == "invitation":
            self.invitations.append(frame["invitation"])
        if frame["type"] == "events" and frame["chat"] == self.chat:
            self.events |= {event["position"]: event for event in frame["events"]}
        return frame

    def wait(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE
        while True:
            frame = self.take(end - time.monotonic())
            if wanted(frame):
                return frame

    def send(self, frame: dict[str, Any]) -> None:
        self.wire.send(json.dumps(frame))

    def ask(self, frame: dict[str, Any]) -> dict[str, Any]:
        ref = uuid.uuid4().hex
        self.send(frame | {"ref": ref})
        answer = self.wait(lambda other: other.get("ref") == ref)
        assert answer["type"] == "ack", answer
        return answer

    def accept(self) -> None:
        """Take the next chat that is offered."""
        while not self.invitations:
            self.take(PATIENCE)
        invitation = self.invitations.pop(0)
        self.chat, self.events = invitation["chat"]["id"], {}
        self.ask({"type": "accept", "invitation": invitation["id"]})

    def follows(self) -> None:
        """Until the chat's log comes: what is never stored, typing say, is heard from then on."""
        while not any(event["type"] == "agent.joined" for event in self.events.values()):
            self.take(PATIENCE)

    def say(self, text: str) -> None:
        self.ask({"type": "post", "chat": self.chat, "client_id": uuid.uuid4().hex, "text": text})

    def finish(self) -> None:
        self.ask({"type": "close", "chat": self.chat})

    def hears(self, text: str) -> dict[str, Any]:
        """Waits until this was said, and returns its event."""
        while True:
            for event in self.events.values():
                if event.get("text") == text:
                    return event
            self.take(PATIENCE)

    def hears_all(self, count: int) -> list[str]:
        """The customer's texts, once there are so many."""
        while len(found := self.texts()) < count:
            self.take(PATIENCE)
        return found

    def texts(self) -> list[str]:
        events = [self.events[position] for position in sorted(self.events)]
        return [e["text"] for e in events if e["type"] == "message.posted" and e["sender"]["kind"] == "customer"]

    def leave(self) -> None:
        """Close whatever is open and go."""
        self.ask({"type": "status", "status": "offline"})
        self.wire.close()
        self.http.close()
