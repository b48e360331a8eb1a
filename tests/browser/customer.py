"""A customer without a browser: the other side of the desk's tests, over the real customer socket."""

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

PATIENCE = 15


class Customer:
    """One customer with one chat. `events` is what the socket told, each index once."""

    def __init__(self, url: str, key: str, name: str = "Mia Berger") -> None:
        self.url, self.name = url, name
        answer = httpx.post(
            f"{url}/api/v1/widget/sessions",
            json={"key": key, "language": "en"},
            headers={"Origin": url},
            timeout=30,
        )
        answer.raise_for_status()
        self.token: str = answer.json()["token"]
        self.chat: dict[str, Any] = {}
        self.events: list[dict[str, Any]] = []
        self.frames: list[dict[str, Any]] = []
        self.wire = self.connect()

    def connect(self) -> ClientConnection:
        wire = connect(self.url.replace("http", "ws") + "/ws/v1/customer", origin=self.url, compression=None)  # type: ignore[arg-type]
        hello = {"type": "hello", "ref": "hello", "token": self.token, "after": len(self.events)}
        wire.send(json.dumps(hello | ({"chat": self.chat["id"]} if self.chat else {})))
        self.wire = wire
        self.wait(lambda frame: frame["type"] == "welcome")
        return wire

    def take(self, timeout: float) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(self.wire.recv(timeout=timeout))
        self.frames.append(frame)
        if frame["type"] == "ping":
            self.send({"type": "pong", "after": len(self.events)})
        for event in frame.get("events", []) if frame["type"] == "events" else []:
            if event["index"] > len(self.events):
                assert event["index"] == len(self.events) + 1
                self.events.append(event)
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

    def start(self, text: str, **more: Any) -> None:
        form = {"name": self.name, "email": "mia@example.com"}
        page = {"url": "https://shop.example/boots", "title": "Boots"}
        frame = {"type": "start", "client_id": uuid.uuid4().hex, "text": text, "form": form, "page": page}
        self.chat = self.ask(frame | more)["chat"]

    def say(self, text: str) -> None:
        self.ask({"type": "post", "chat": self.chat["id"], "client_id": uuid.uuid4().hex, "text": text})

    def hears(self, text: str) -> None:
        """Waits until somebody has said this."""
        while not any(event.get("text") == text for event in self.events):
            self.take(PATIENCE)

    def texts(self) -> list[str]:
        """What people said, without the team's automatic greeting."""
        said = [event for event in self.events if event["type"] == "message.posted"]
        return [event["text"] for event in said if event["sender"]["kind"] != "system"]

    def close(self) -> None:
        self.wire.close()
