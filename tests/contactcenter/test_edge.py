"""The edge, spoken to in ASGI: what reaches Django, what is refused before, and that waiting costs no thread."""

import asyncio
import io
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse, JsonResponse

from contactcenter import longpoll
from contactcenter.edge import Edge, Limits

FILES = (b"content-type", b"multipart/form-data; boundary=x")
Handler = Callable[[dict[str, Any]], tuple[str, list[tuple[str, str]], bytes]]


def wsgi(handler: Handler) -> Any:
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        status, headers, body = handler(environ)
        start_response(status, headers)
        return [body]

    return application


def echo(environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    told = {name: value for name, value in environ.items() if name.startswith(("HTTP_", "CONTENT_"))}
    return "200 OK", [("Content-Type", "application/json")], json.dumps({"size": len(body), **told}).encode()


class Hub:
    """The only part that is not ours here: announcements by hand."""

    def __init__(self) -> None:
        self.waits: list[tuple[list[str], float]] = []
        self.events: list[asyncio.Event] = []

    async def wait(self, topics: list[str], seconds: float) -> None:
        event = asyncio.Event()
        self.events.append(event)
        self.waits.append((topics, seconds))
        try:
            await asyncio.wait_for(event.wait(), seconds)
        except TimeoutError:
            pass
        finally:
            self.events.remove(event)

    def announce(self) -> None:
        for event in self.events:
            event.set()


class Client:
    """One request: sends what it is told when it is told, collects the answer."""

    def __init__(self, path: str = "/", *, chunks: list[bytes] | None = None, headers: Any = (), query: bytes = b""):
        self.scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "query_string": query,
            "http_version": "1.1",
            "scheme": "http",
            "server": ("127.0.0.1", 8000),
            "client": ("127.0.0.1", 5),
            "headers": [(b"host", b"chat.example.com"), *headers],
        }
        self.inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        if chunks is not None:
            for number, chunk in enumerate(chunks, 1):
                self.give(chunk, more=number < len(chunks))
        self.sent: list[dict[str, Any]] = []

    def give(self, chunk: bytes, *, more: bool) -> None:
        self.inbox.put_nowait({"type": "http.request", "body": chunk, "more_body": more})

    def leave(self) -> None:
        self.inbox.put_nowait({"type": "http.disconnect"})

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    async def ask(self, edge: Edge) -> "Client":
        await edge(self.scope, self.inbox.get, self.send)
        return self

    @property
    def status(self) -> int:
        return self.sent[0]["status"]

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])


def make(handler: Handler = echo, hub: Hub | None = None, **limits: Any) -> Edge:
    wait = (hub or Hub()).wait
    return Edge(wsgi(handler), wait=wait, hosts=["chat.example.com"], limits=Limits(**{"threads": 2, **limits}))


async def test_body_arrives_whole_and_the_answer_goes_back() -> None:
    client = await Client(chunks=[b"ab", b"", b"cd"]).ask(make())
    assert client.status == 200
    assert json.loads(client.body)["size"] == 4
    assert [message["type"] for message in client.sent] == ["http.response.start", "http.response.body"]


async def test_body_larger_than_memory_is_spooled() -> None:
    size = 20 * 1024 * 1024
    client = await Client("/api/v1/attachments", chunks=[b"x" * 65536] * (size // 65536), headers=[FILES]).ask(make())
    assert json.loads(client.body)["size"] == size


@pytest.mark.parametrize("path", ["/", "/api/v1/chats", "/upload/api/v1/attachments"])
async def test_declared_body_over_the_limit_is_refused_unread(path: str) -> None:
    client = Client(path, headers=[(b"content-length", b"1048577")])
    await client.ask(make())
    assert client.status == 413
    assert json.loads(client.body)["code"] == "too_large"
    assert client.headers[b"connection"] == b"close"


async def test_chunked_body_over_the_limit_is_refused_whatever_was_declared() -> None:
    for headers in ([], [(b"content-length", b"10")]):
        client = Client(chunks=[b"x" * 600_000, b"x" * 600_000], headers=headers)
        await client.ask(make())
        assert client.status == 413


@pytest.mark.parametrize("length", [b"-1", b"abc", b"1e3", b""])
async def test_nonsense_length_is_refused(length: bytes) -> None:
    client = await Client(chunks=[b""], headers=[(b"content-length", length)]).ask(make())
    assert client.status == 400


async def test_two_different_lengths_are_refused() -> None:
    client = Client(chunks=[b"x"], headers=[(b"content-length", b"1"), (b"content-length", b"2")])
    assert (await client.ask(make())).status == 400


async def test_django_sees_the_length_that_was_counted() -> None:
    client = Client(chunks=[b"abc"], headers=[(b"transfer-encoding", b"chunked"), (b"content-length", b"2")])
    seen = json.loads((await client.ask(make())).body)
    assert seen["CONTENT_LENGTH"] == "3"
    assert "HTTP_TRANSFER_ENCODING" not in seen


async def test_slow_body_ends_at_the_deadline_and_holds_no_thread() -> None:
    edge = make(body_seconds=2)
    slow = [Client(chunks=None) for _ in range(10)]
    for client in slow:
        client.give(b"a", more=True)
    stalled = [asyncio.create_task(client.ask(edge)) for client in slow]
    await asyncio.sleep(0.05)
    # Ten that stall, two threads, and everybody else is served at once.
    assert (await Client(chunks=[b"x"]).ask(edge)).status == 200
    assert not any(task.done() for task in stalled)
    await asyncio.gather(*stalled)
    assert {client.status for client in slow} == {408}


async def test_more_bodies_at_once_than_allowed_are_refused() -> None:
    edge, long = make(bodies=1), [(b"content-length", b"4")]
    first = Client(chunks=None, headers=long)
    waiting = asyncio.create_task(first.ask(edge))
    await asyncio.sleep(0.01)
    second = await Client(chunks=[b"body"], headers=long).ask(edge)
    assert second.status == 503
    assert second.headers[b"retry-after"] == b"2"
    chunked = await Client(chunks=[b"body"], headers=[(b"transfer-encoding", b"chunked")]).ask(edge)
    assert chunked.status == 503
    # Who sends no body is not kept away by those who send theirs slowly.
    for headers in ([], [(b"content-length", b"0")]):
        assert (await Client(chunks=[b""], headers=headers).ask(edge)).status == 200
    first.give(b"body", more=False)
    await waiting
    assert first.status == 200
    assert (await Client(chunks=[b"body"], headers=long).ask(edge)).status == 200


async def test_client_that_leaves_within_its_body_reaches_nobody() -> None:
    called: list[str] = []
    client = Client(chunks=None)
    client.give(b"half", more=True)
    client.leave()
    await client.ask(make(lambda environ: called.append("called") or echo(environ)))
    assert called == []
    assert client.sent == []


async def test_headers_with_underscores_are_dropped() -> None:
    headers = [(b"x_forwarded_for", b"6.6.6.6"), (b"x-forwarded-for", b"1.1.1.1"), (b"x-long-poll-round", b"1")]
    seen = json.loads((await Client(chunks=[b""], headers=headers).ask(make())).body)
    assert seen["HTTP_X_FORWARDED_FOR"] == "1.1.1.1"
    assert "HTTP_X_LONG_POLL_ROUND" not in seen


async def test_a_charset_that_a_client_names_is_dropped() -> None:
    """Python knows base64 as a codec, and Django takes any codec for a charset."""
    for named in (
        b"; charset=base64",
        b' ;CHARSET="rot13"',
        b";charset*0=undefined",
        b';c; charset="x"harset=base64',
        b"",
    ):
        client = Client(chunks=[b""], query=b"a=b", headers=[(b"content-type", b"text/plain" + named)])
        seen = json.loads((await client.ask(make())).body)
        assert seen["CONTENT_TYPE"].partition(";")[0].strip() == "text/plain"
        WSGIRequest({"REQUEST_METHOD": "GET", "QUERY_STRING": "a=b", "wsgi.input": io.BytesIO(), **seen})  # raised
    kept = b"multipart/form-data; boundary=charset"
    seen = json.loads((await Client(chunks=[b""], headers=[(b"content-type", kept)]).ask(make())).body)
    assert seen["CONTENT_TYPE"] == kept.decode()


@pytest.mark.parametrize(
    "host", [b"evil.example.com", b"", b"chat.example.com.evil.com", b"chat.example.com/x", b"a b"]
)
async def test_foreign_host_is_refused(host: bytes) -> None:
    client = Client(chunks=[b""])
    client.scope["headers"] = [(b"host", host)]
    assert (await client.ask(make())).status == 400


async def test_host_with_port_is_ours_and_two_hosts_are_nobodys() -> None:
    client = Client(chunks=[b""])
    client.scope["headers"] = [(b"host", b"chat.example.com:8443")]
    assert (await client.ask(make())).status == 200
    client = Client(chunks=[b""], headers=[(b"host", b"chat.example.com")])
    assert (await client.ask(make())).status == 400


async def test_query_that_is_not_ascii_is_refused() -> None:
    assert (await Client(chunks=[b""], query="q=ü".encode()).ask(make())).status == 400


async def test_exception_is_told_without_its_text() -> None:
    def broken(environ: dict[str, Any]) -> Any:
        raise ValueError("the secret is 42")

    client = await Client(chunks=[b""]).ask(make(broken))
    assert client.status == 500
    assert b"42" not in client.body
    assert json.loads(client.body)["code"] == "failed"


async def test_reader_that_stalls_holds_no_thread() -> None:
    def big(environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
        return "200 OK", [], b"x" * 5_000_000

    edge = make(big, threads=1)
    client = Client(chunks=[b""])
    may_read = asyncio.Event()

    async def send(message: dict[str, Any]) -> None:
        await may_read.wait()
        client.sent.append(message)

    stalled = asyncio.create_task(edge(client.scope, client.inbox.get, send))
    await asyncio.sleep(0.1)
    assert (await Client(chunks=[b""]).ask(edge)).status == 200
    may_read.set()
    await stalled
    assert len(client.body) == 5_000_000


class Poll:
    """A view that has nothing until it is given something."""

    def __init__(self, seconds: float = 5) -> None:
        self.seconds = seconds
        self.calls: list[dict[str, Any]] = []
        self.events: list[str] = []
        self.threads = 0

    def __call__(self, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
        assert environ["wsgi.input"].read(2) == b"ab"
        self.calls.append(environ)
        self.threads = threading.active_count()
        response = JsonResponse({"events": self.events})
        if not self.events:
            longpoll.long_poll(response, ["chat:1", "chat:1:staff"], self.seconds)
        return "200 OK", list(response.items()), response.content


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


async def test_long_poll_is_answered_when_its_topic_is_announced() -> None:
    hub, view = Hub(), Poll()
    client = Client(chunks=[b"ab"])
    task = asyncio.create_task(client.ask(make(view, hub)))
    await until(lambda: len(view.calls) == 2 and bool(hub.events))
    assert hub.waits[0][0] == ["chat:1", "chat:1:staff"]
    view.events.append("hello")
    hub.announce()
    await task
    assert json.loads(client.body) == {"events": ["hello"]}
    assert b"x-long-poll" not in client.headers
    assert "HTTP_X_LONG_POLL_ROUND" not in view.calls[0]
    assert view.calls[1]["HTTP_X_LONG_POLL_ROUND"] == "1"


async def test_what_is_announced_between_the_first_look_and_the_wait_is_not_missed() -> None:
    hub, view = Hub(), Poll()
    original = view.__call__

    def late(environ: dict[str, Any]) -> Any:
        answer = original(environ)
        view.events.append("just after the first look")
        return answer

    client = await Client(chunks=[b"ab"]).ask(make(late, hub))
    assert json.loads(client.body)["events"]
    assert len(view.calls) == 2  # and not at the end of the wait


async def test_long_poll_ends_with_the_empty_answer_at_its_deadline() -> None:
    hub, view = Hub(), Poll(seconds=0.2)
    client = await Client(chunks=[b"ab"]).ask(make(view, hub))
    assert client.status == 200
    assert json.loads(client.body) == {"events": []}
    assert b"x-long-poll" not in client.headers


async def test_lost_announcement_heals_by_looking_again() -> None:
    hub, view = Hub(), Poll()
    client = Client(chunks=[b"ab"])
    task = asyncio.create_task(client.ask(make(view, hub, recheck_seconds=0.1)))
    await until(lambda: len(view.calls) == 2)
    view.events.append("nobody announced me")
    await asyncio.wait_for(task, 2)
    assert json.loads(client.body)["events"] == ["nobody announced me"]


async def test_a_hundred_long_polls_hold_no_thread() -> None:
    hub, view = Hub(), Poll()
    edge = make(view, hub, threads=2)
    clients = [Client(chunks=[b"ab"]) for _ in range(100)]
    tasks = [asyncio.create_task(client.ask(edge)) for client in clients]
    await until(lambda: len(view.calls) == 200)
    view.events.append("for all")
    hub.announce()
    await asyncio.wait_for(asyncio.gather(*tasks), 5)
    assert {client.body for client in clients} == {b'{"events": ["for all"]}'}


async def test_client_that_leaves_ends_its_long_poll() -> None:
    hub, view = Hub(), Poll()
    client = Client(chunks=[b"ab"])
    task = asyncio.create_task(client.ask(make(view, hub)))
    await until(lambda: len(view.calls) == 2)
    client.leave()
    await asyncio.wait_for(task, 1)
    assert client.sent == []
    assert hub.events == []


async def test_stop_ends_long_polls_with_their_empty_answer() -> None:
    hub, view = Hub(), Poll()
    edge = make(view, hub)
    client = Client(chunks=[b"ab"])
    task = asyncio.create_task(client.ask(edge))
    await until(lambda: len(view.calls) == 2)
    edge.stop()
    await asyncio.wait_for(task, 1)
    assert json.loads(client.body) == {"events": []}
    assert (await Client(chunks=[b"ab"]).ask(edge)).status == 200


async def test_hub_in_trouble_is_no_busy_loop() -> None:
    class Broken(Hub):
        async def wait(self, topics: list[str], seconds: float) -> None:
            raise ConnectionError

    view = Poll(seconds=1.2)
    client = await Client(chunks=[b"ab"]).ask(make(view, Broken()))
    assert client.status == 200
    assert len(view.calls) <= 4


def test_long_poll_waits_at_most_25_seconds_and_never_a_negative_time() -> None:
    assert longpoll.parse(longpoll.long_poll(HttpResponse(), ["a", "b"], 100)[longpoll.HEADER]) == (["a", "b"], 25)
    assert longpoll.parse(longpoll.long_poll(HttpResponse(), [], -3)[longpoll.HEADER]) == ([], 0)


class Polls:
    """An application beside Django's, as Socket.IO is."""

    largest = 1200

    def __init__(self) -> None:
        self.seen: list[tuple[str, bytes]] = []
        self.stops = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.seen.append((scope["path"], (await receive())["body"]))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"aside"})

    def stop(self) -> None:
        self.stops += 1


def beside(polls: Polls) -> Edge:
    limits = Limits(threads=1, body=1000, upload=2000, upload_prefixes=("/v1/",))
    return Edge(wsgi(echo), wait=Hub().wait, hosts=["chat.example.com"], limits=limits, asides={"/v1/live": polls})


async def test_a_refusal_is_said_in_the_words_of_the_api_that_was_asked() -> None:
    def voice(status: int, code: str, sentence: str) -> dict[str, Any]:
        return {"status": status, "code": code, "said": sentence}

    limits = Limits(threads=1, body=3)
    edge = Edge(wsgi(echo), wait=Hub().wait, hosts=["chat.example.com"], limits=limits, voices={"/foreign/": voice})
    theirs = await Client("/foreign/x", chunks=[b"abcd"]).ask(edge)
    assert (theirs.status, theirs.headers[b"content-type"]) == (413, b"application/json")
    said = {"status": 413, "code": "too_large", "said": "The request's body is too large."}
    assert json.loads(theirs.body) == said
    ours = await Client("/foreign", chunks=[b"abcd"]).ask(edge)
    assert json.loads(ours.body) == {"code": "too_large", "message": "The request's body is too large."}


@pytest.mark.both
async def test_an_aside_answers_its_own_paths_and_no_others() -> None:
    polls = Polls()
    for path, is_aside in (("/v1/live", True), ("/v1/live/", True), ("/v1/live/x", True), ("/v1/lively", False)):
        client = Client(path, chunks=[b"ab", b"cd"])
        await client.ask(beside(polls))
        assert (client.body == b"aside") is is_aside, path
    assert polls.seen == [("/v1/live", b"abcd"), ("/v1/live/", b"abcd"), ("/v1/live/x", b"abcd")]


@pytest.mark.both
async def test_an_aside_gets_bodies_within_its_own_limit_and_hosts_of_ours() -> None:
    polls = Polls()
    fitting = Client("/v1/live/", chunks=[b"x" * 1100])
    await fitting.ask(beside(polls))
    assert (fitting.status, polls.seen.pop()) == (200, ("/v1/live/", b"x" * 1100))
    large = Client("/v1/live/", chunks=[b"x" * 1500])
    await large.ask(beside(polls))
    assert large.status == 413
    upload = Client("/v1/other", chunks=[b"x" * 1500], headers=[FILES])
    await upload.ask(beside(polls))
    assert upload.status == 200
    stranger = Client("/v1/live/", chunks=[b""])
    stranger.scope["headers"] = [(b"host", b"evil.example")]
    await stranger.ask(beside(polls))
    assert stranger.status == 400
    assert polls.seen == []


@pytest.mark.both
@pytest.mark.parametrize(
    "headers", [[], [(b"content-type", b"application/json")], [FILES, (b"content-type", b"application/json")]]
)
async def test_where_files_are_taken_only_a_form_of_files_may_be_large(headers: list[tuple[bytes, bytes]]) -> None:
    # 20 MB of JSON take ten seconds and half a gigabyte to read.
    large = Client("/v1/other", chunks=[b"x" * 1500], headers=headers)
    await large.ask(beside(Polls()))
    assert large.status == 413


@pytest.mark.both
async def test_an_aside_hears_of_the_stop() -> None:
    polls = Polls()
    beside(polls).stop()
    assert polls.stops == 1
