"""What listens for web hooks: shakes hands, checks signatures, keeps everything, and answers only when the event was handled."""

import hashlib
import hmac
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar


@dataclass(frozen=True)
class Call:
    """One call of a web hook: `id` is the same when it is repeated."""

    id: str
    body: dict[str, Any]

    @property
    def trigger(self) -> str:
        return str(self.body["trigger"])


@dataclass
class Log:
    """What came, in order of arrival; what was wrong with it."""

    secrets: list[str] = field(default_factory=list)
    handshakes: list[dict[str, Any]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


class Receiver:
    """A web server of its own on loopback. `handle` is called for every event, before it is answered; what it returns is the answer."""

    def __init__(self, handle: Callable[[Call], Any]) -> None:
        self.log = Log()
        handler = type("Handler", (_Handler,), {"log": self.log, "handle_call": staticmethod(handle)})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/hook"

    def triggers(self, chat_id: str) -> list[str]:
        """Of one chat, in order of arrival."""
        return [call.trigger for call in list(self.log.calls) if chat_of(call.body["data"]) == chat_id]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


def chat_of(data: dict[str, Any]) -> str:
    """The chat of an event: most name it, a message knows its own."""
    return str(data.get("chatId") or data.get("message", {}).get("chat", ""))


class _Handler(BaseHTTPRequestHandler):
    log: ClassVar[Log]
    handle_call: ClassVar[Callable[[Call], Any]]
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        secret = self.headers.get("X-Hook-Secret")
        if secret:
            self.log.secrets.append(secret)
            self.log.handshakes.append(json.loads(raw))
            self._answer({"X-Hook-Secret": secret})
            return
        if not self._is_signed(raw):
            self.log.faults.append(f"unsigned: {raw[:200]!r}")
        call = Call(self.headers.get("webhook-id", ""), json.loads(raw))
        self.log.calls.append(call)
        try:
            said = type(self).handle_call(call)
        except Exception as error:  # kept for the test, which cannot see this thread
            self.log.faults.append(f"{call.trigger}: {error!r}")
            said = None
        self._answer({}, said)

    def _is_signed(self, raw: bytes) -> bool:
        shown = self.headers.get("X-Hook-Signature", "")
        made = [hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest() for secret in self.log.secrets]
        return any(hmac.compare_digest(shown, own) for own in made)

    def _answer(self, headers: dict[str, str], said: Any = None) -> None:
        body = json.dumps(said or {}).encode()
        self.send_response(200)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Quiet: the log is kept above."""
