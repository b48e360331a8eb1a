"""Who is called: one receiver for all centers, that checks what it is given and fails at random as long as it is told to."""

import base64
import hmac
import json
import random
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FAILS = 0.08  # of the calls are answered with 500, and as many taken without an answer
SKEW = 300  # seconds that a call's time may be off


class Receiver:
    """`calls`: {hook (the center), id, chat, position, is_taken, is_signed} in the order of arrival. `secrets` are set once they are known."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.calls: list[dict[str, Any]] = []
        self.secrets: dict[str, str] = {}
        self.is_failing = True
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                luck = receiver.chance.random() if receiver.is_failing else 1.0
                receiver.take(self.path.strip("/"), dict(self.headers), body, is_taken=luck >= FAILS)
                if FAILS <= luck < 2 * FAILS:
                    self.close_connection = True  # taken, and nobody will know
                    return
                self.send_response(200 if luck >= FAILS else 500)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: Any) -> None:
                """A caller that was killed: that is the point of the run."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, center: str) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/{center}"

    def take(self, center: str, headers: dict[str, str], body: bytes, *, is_taken: bool) -> None:
        said = json.loads(body)
        call = {
            "hook": center,
            "id": headers["webhook-id"],
            "chat": said["data"]["chat"]["id"],
            "position": said["data"]["event"]["position"],
            "is_taken": is_taken,
            "is_signed": is_signed(self.secrets.get(center, ""), headers, body),
            "center": said["data"]["center"],
        }
        self.calls.append(call)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def is_signed(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """As Standard Webhooks has it, written anew: what signs must not be what checks."""
    at = headers.get("webhook-timestamp", "")
    if not at.isdigit() or abs(time.time() - int(at)) > SKEW:
        return False
    signed = f"{headers['webhook-id']}.{at}.".encode() + body
    mark = base64.b64encode(hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), signed, "sha256")).decode()
    given = headers.get("webhook-signature", "").split()
    return any(hmac.compare_digest(one, f"v1,{mark}") for one in given)
