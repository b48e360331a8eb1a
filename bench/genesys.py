"""How many polls and posts a second Genesys' customer chat answers, beside our own REST API in the same run.

    python bench/genesys.py [--chats 16] [--seconds 5] [--port 21600]

Starts an embedded server of its own on SQLite with the demo's data. Each chat has a client with one kept connection, which asks again as
soon as it is answered: polls that have nothing new, then posts. The clients take their share of the machine; compare, do not boast.
"""

# ruff: noqa: S603 - the programs are our own

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BARE = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL", "SECRET_KEY"}}


class Client:
    """One chat over one connection."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self.http = HTTPConnection("127.0.0.1", port, timeout=30)
        self.headers = {"Content-Type": "application/json", **headers}

    def send(self, method: str, path: str, body: Any = None) -> Any:
        self.http.request(method, path, None if body is None else json.dumps(body), self.headers)
        answer = self.http.getresponse()
        said = answer.read()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {said[:300]!r}")
        return json.loads(said or b"null")

    def poll(self) -> None:
        raise NotImplementedError

    def post(self) -> None:
        raise NotImplementedError


class Genesys(Client):
    def __init__(self, port: int, demo: dict[str, Any]) -> None:
        super().__init__(port, {"ContactCenterId": demo["genesys"]["contact_center_id"]})
        body = {"operationName": "RequestChat", "nickname": "Bench", "subject": "Bench"}
        self.path = self.send("POST", "/api/v2/chats", body)["path"]
        self.head = len(self.send("GET", f"{self.path}/messages?index=0")["messages"])

    def poll(self) -> None:
        self.send("GET", f"{self.path}/messages?index={self.head + 1}")

    def post(self) -> None:
        self.send("POST", self.path, {"operationName": "SendMessage", "text": "Hello"})


class Own(Client):
    def __init__(self, port: int, demo: dict[str, Any]) -> None:
        super().__init__(port, {})
        session = self.send("POST", "/api/v1/widget/sessions", {"key": demo["widget_key"]})
        self.headers["Authorization"] = f"Bearer {session['token']}"
        body = {"client_id": uuid.uuid4().hex, "form": {"name": "Bench"}, "text": "Hello"}
        self.path = f"/api/v1/chats/{self.send('POST', '/api/v1/chats', body)['chat']['id']}"

        self.head = self.send("GET", f"{self.path}/events?after=0")["head"]

    def poll(self) -> None:
        self.send("GET", f"{self.path}/events?after={self.head}")

    def post(self) -> None:
        self.send("POST", f"{self.path}/messages", {"client_id": uuid.uuid4().hex, "text": "Hello"})


def rate(clients: list[Client], act: Callable[[Client], None], seconds: float) -> float:
    """Answers a second, of all clients together."""
    end = time.perf_counter() + seconds

    def repeat(client: Client) -> int:
        done = 0
        while time.perf_counter() < end:
            act(client)
            done += 1
        return done

    with ThreadPoolExecutor(len(clients)) as pool:
        return sum(pool.map(repeat, clients)) / seconds


@contextmanager
def server(port: int) -> Iterator[dict[str, Any]]:
    """Gives what the demo says."""
    with tempfile.TemporaryDirectory(prefix="bench-genesys-") as data:
        own = {
            "DATA_DIR": data,
            "BASE_URL": f"http://127.0.0.1:{port}",
            "LOG_LEVEL": "ERROR",
            "ANONYMOUS_RATE": "100000",
        }
        manage = [sys.executable, str(ROOT / "manage.py")]
        subprocess.run([*manage, "migrate", "--verbosity", "0"], env=BARE | own, check=True)
        told = subprocess.run([*manage, "demo", "--json"], env=BARE | own, check=True, capture_output=True)
        command = [*manage, "serve", "--port", str(port)]
        process = subprocess.Popen(command, env=BARE | own, stdout=subprocess.PIPE, text=True)
        try:
            if not process.stdout or process.stdout.readline().strip() != "ready":
                raise SystemExit("The server did not start.")
            yield json.loads(told.stdout)
        finally:
            process.terminate()
            process.wait(30)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chats", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--port", type=int, default=21_600)
    options = parser.parse_args()
    with server(options.port) as demo:
        kinds: dict[str, list[Client]] = {
            "own REST": [Own(options.port, demo) for _ in range(options.chats)],
            "genesys": [Genesys(options.port, demo) for _ in range(options.chats)],
        }
        for what, act in (("polls/s", lambda client: client.poll()), ("posts/s", lambda client: client.post())):
            rates = {name: rate(clients, act, options.seconds) for name, clients in kinds.items()}
            ratio = rates["genesys"] / rates["own REST"]
            print(
                f"{what}  " + "  ".join(f"{name} {found:.0f}" for name, found in rates.items()) + f"  ratio {ratio:.2f}"
            )


if __name__ == "__main__":
    main()
