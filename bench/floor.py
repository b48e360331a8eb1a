"""The floor: what this machine can do with the same guarantee and nothing else. A bare ASGI app that keeps chats of numbers and texts.

    python -m bench.floor --port N --database postgres://… | <file>

A message is acknowledged, and given to whoever watches its chat, once it is committed under the next number of its chat; whatever
arrives while a commit runs goes into the next one, in one statement. No centers, no people, no rules, no other process.
"""

import argparse
import asyncio
import json
import sqlite3
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import uvicorn

AT_ONCE = 256

TABLES = (
    "CREATE TABLE IF NOT EXISTS floor_chat (id integer PRIMARY KEY, head integer NOT NULL)",
    "CREATE TABLE IF NOT EXISTS floor_event (chat integer, number integer, client_id text, text text, PRIMARY KEY (chat, number), UNIQUE (chat, client_id))",
    """INSERT INTO floor_chat WITH RECURSIVE every(id) AS (SELECT 0 UNION ALL SELECT id + 1 FROM every WHERE id < 999)
    SELECT id, 0 FROM every WHERE true ON CONFLICT DO NOTHING""",
)

STORE = """
    WITH new AS (SELECT * FROM unnest(%s::int[], %s::text[], %s::text[]) WITH ORDINALITY AS said(chat, client_id, text, turn)),
    counted AS (UPDATE floor_chat SET head = head + size FROM (SELECT chat, count(*) AS size FROM new GROUP BY chat) AS each
                WHERE id = each.chat RETURNING id, head - size AS before)
    INSERT INTO floor_event SELECT chat, before + row_number() OVER (PARTITION BY chat ORDER BY turn), client_id, text
    FROM new JOIN counted ON counted.id = new.chat RETURNING chat, client_id, number
"""

Said = tuple[int, str, str]  # chat, client_id, text


class Postgres:
    """One connection, one statement a batch, autocommit."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def open(self) -> None:
        self.connection = await psycopg.AsyncConnection.connect(self.url, autocommit=True, prepare_threshold=0)
        for statement in TABLES:
            await self.connection.execute(statement.encode())

    async def store(self, batch: list[Said]) -> list[int]:
        columns = [list(column) for column in zip(*batch, strict=True)]
        cursor = await self.connection.execute(STORE, columns)
        numbers = {(chat, client_id): number for chat, client_id, number in await cursor.fetchall()}
        return [numbers[chat, client_id] for chat, client_id, _ in batch]

    async def head(self, chat: int) -> int:
        """The chat's last number."""
        cursor = await self.connection.execute("SELECT head FROM floor_chat WHERE id = %s", [chat])
        found: Any = await cursor.fetchone()
        return int(found[0])


class Sqlite:
    """One writer in a thread, synchronous=FULL."""

    def __init__(self, file: str) -> None:
        self.file, self.thread = file, ThreadPoolExecutor(1)

    async def open(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self.thread, self._open)

    async def store(self, batch: list[Said]) -> list[int]:
        return await asyncio.get_running_loop().run_in_executor(self.thread, self._store, batch)

    async def head(self, chat: int) -> int:
        return await asyncio.get_running_loop().run_in_executor(self.thread, self._head, chat)

    def _head(self, chat: int) -> int:
        found = self.connection.execute("SELECT head FROM floor_chat WHERE id = ?", (chat,))
        return int(found.fetchall()[0][0])

    def _open(self) -> None:
        self.connection = sqlite3.connect(self.file, isolation_level=None)
        self.connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + ";".join(TABLES))

    def _store(self, batch: list[Said]) -> list[int]:
        run = self.connection.execute
        run("BEGIN IMMEDIATE")
        numbers = [self._number(chat) for chat, _, _ in batch]
        rows = [(chat, number, *rest) for (chat, *rest), number in zip(batch, numbers, strict=True)]
        self.connection.executemany("INSERT INTO floor_event VALUES (?, ?, ?, ?)", rows)
        run("COMMIT")
        return numbers

    def _number(self, chat: int) -> int:
        found = self.connection.execute("UPDATE floor_chat SET head = head + 1 WHERE id = ? RETURNING head", (chat,))
        return int(found.fetchall()[0][0])


class Floor:
    """The ASGI app. Sockets say hello with a chat's number as their ticket or token; /chats/<number>/messages takes posts, …/head says the last number."""

    def __init__(self, store: Postgres | Sqlite) -> None:
        self.log = store
        self.waiting: list[tuple[Said, asyncio.Future[int]]] = []
        self.is_writing = False
        self.watchers: dict[int, list[Any]] = defaultdict(list)
        self.tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await self._talk(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope["path"], receive, send)

    async def _talk(self, receive: Any, send: Any) -> None:
        watched: list[int] = []
        await receive()
        await send({"type": "websocket.accept"})
        while (heard := await receive())["type"] == "websocket.receive":
            said = json.loads(heard["text"])
            if said["type"] == "post":
                self._begin(self._post(said, send))
                continue
            if said["type"] == "watch" or "token" in said:
                watched.append(int(said.get("token") or said["chat"]))
                self.watchers[watched[-1]].append(send)
            await _say(send, {"type": "ack" if said["type"] == "watch" else "welcome", "ref": said["ref"]})
        for chat in watched:
            self.watchers[chat].remove(send)

    async def _post(self, said: dict[str, Any], send: Any) -> None:
        chat = int(said["chat"])
        number = await self._stored((chat, said["client_id"], said["text"]))
        await _say(send, {"type": "ack", "ref": said["ref"], "index": number})
        event = {"index": number, "position": number, "client_id": said["client_id"], "text": said["text"]}
        for watcher in self.watchers[chat]:
            await _say(watcher, {"type": "events", "chat": said["chat"], "events": [event], "head": number})

    async def _answer(self, path: str, receive: Any, send: Any) -> None:
        _, _, chat, what = path.split("/")
        if what == "head":
            number = await self.log.head(int(chat))
        else:
            said = json.loads((await receive())["body"])
            number = await self._stored((int(chat), said["client_id"], said["text"]))
        content = json.dumps({"index": number}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def _stored(self, said: Said) -> int:
        """The message's number, once it is committed."""
        number = asyncio.get_running_loop().create_future()
        self.waiting.append((said, number))
        if not self.is_writing:
            self.is_writing = True
            self._begin(self._write())
        stored: int = await number
        return stored

    async def _write(self) -> None:
        while self.waiting:
            batch, self.waiting = self.waiting[:AT_ONCE], self.waiting[AT_ONCE:]
            numbers = await self.log.store([said for said, _ in batch])
            for (_, future), number in zip(batch, numbers, strict=True):
                future.set_result(number)
        self.is_writing = False

    def _begin(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


async def _say(send: Any, said: dict[str, Any]) -> None:
    await send({"type": "websocket.send", "text": json.dumps(said)})


class Server(uvicorn.Server):
    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        print("ready", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--database", required=True)
    options = parser.parse_args()
    is_postgres = options.database.startswith("postgres")
    store = Postgres(options.database) if is_postgres else Sqlite(options.database)
    own: dict[str, Any] = {
        "loop": "uvloop",
        "http": "httptools",
        "ws": "websockets-sansio",
        "ws_per_message_deflate": False,
    }
    own |= {"access_log": False, "log_level": "warning", "lifespan": "off"}
    server = Server(uvicorn.Config(Floor(store), port=options.port, **own))

    async def serve() -> None:
        await store.open()
        await server.serve()

    import uvloop

    uvloop.run(serve())


if __name__ == "__main__":
    main()
