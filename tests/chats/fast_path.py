"""Requests through the edge: by the views alone, or with plain calls before them."""

import asyncio
import json
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Answered:
    """`headers`: by their names in lower case; `was_plain`: no view was asked."""

    status: int
    headers: dict[bytes, bytes]
    content: bytes
    was_plain: bool = False

    @property
    def body(self) -> Any:
        return json.loads(self.content)

    @property
    def said(self) -> tuple[int, dict[bytes, bytes], bytes]:
        return self.status, self.headers, self.content


async def ask(
    method: str, path: str, headers: Any = None, body: Any = None, *, by_view: bool = False, scheme: str = "http"
) -> Answered:
    """`headers`: a dict, or pairs of which a name may come twice. `body`: sent as JSON, bytes as they are."""
    from contactcenter.asgi import edge

    plain, answers = edge.fast_path, []
    assert plain is not None

    async def noting(*request: Any) -> Any:
        answers.append(await plain(*request))
        return answers[-1]

    edge.fast_path = None if by_view else noting
    try:
        answer = await _ask(method, path, headers, body, scheme)
    finally:
        edge.fast_path = plain
    return replace(answer, was_plain=bool(answers) and answers[-1] is not None)


async def ask_all(*asked: tuple[str, str, Any, Any]) -> list[Answered]:
    """At the same moment; whether a plain call answers one is not noted."""
    return await asyncio.gather(*(_ask(*one) for one in asked))


async def _ask(method: str, path: str, headers: Any, body: Any, scheme: str = "http") -> Answered:
    from contactcenter.asgi import application

    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    scope = _scope(method, path, headers or {}, content, scheme)
    waiting, sent = [{"type": "http.request", "body": content}], []

    async def receive() -> Any:
        if waiting:
            return waiting.pop()
        await asyncio.sleep(3600)
        return None

    async def send(message: Any) -> None:
        sent.append(message)

    await application(scope, receive, send)
    given = b"".join(message.get("body", b"") for message in sent[1:])
    return Answered(sent[0]["status"], dict(sent[0]["headers"]), given)


def _scope(method: str, path: str, headers: Any, content: bytes, scheme: str) -> dict[str, Any]:
    path, _, query = path.partition("?")
    given = headers.items() if isinstance(headers, dict) else headers
    pairs = [("host", "127.0.0.1"), *given]
    if content:
        pairs.append(("content-length", str(len(content))))
        if not any(name.lower() == "content-type" for name, _ in pairs):
            pairs.append(("content-type", "application/json"))
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": scheme,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in pairs],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "root_path": "",
    }


async def same(method: str, path: str, headers: Any = None, *, is_plain: bool = True, **request: Any) -> Answered:
    """What changes nothing is answered alike both ways, to the byte; `is_plain`: whether the plain call answers it."""
    first = await ask(method, path, headers, by_view=True, **request)
    again = await ask(method, path, headers, **request)
    assert again.was_plain == is_plain
    assert again.said == first.said
    return again
