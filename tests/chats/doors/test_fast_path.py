"""What plain calls remember, and what they leave to the views."""

from typing import Any

import pytest

from chats.api.messages import Messages
from chats.doors.fast_path import Call, Headers, Memory, Route


def call(query: bytes = b"", content: bytes = b"", **headers: str) -> Call:
    named = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return Call({"scheme": "https", "query_string": query}, {b"host": b"chat.example", **named}, content)


def test_what_was_made_is_kept_while_the_rows_are_the_same():
    made: list[Any] = []

    def make(found: Any) -> str:
        made.append(found)
        return f"of {found}"

    memory = Memory(make, most=2, is_kept=lambda text: text != "of large")
    assert [memory.of("a", 1), memory.of("a", 1), memory.of("a", 2)] == ["of 1", "of 1", "of 2"]
    assert made == [1, 2]
    memory.of("b", 1)
    memory.of("c", 1)  # the oldest goes
    memory.of("c", 1)
    memory.of("a", 2)
    assert made == [1, 2, 1, 1, 2]
    memory.of("d", "large")
    memory.of("d", "large")
    assert made[5:] == ["large", "large"]


def test_an_origin_is_our_own_allowed_or_not():
    assert call().comes_from([])
    assert call(origin="https://chat.example").comes_from([])
    assert call(origin="https://shop.example").comes_from(["https://shop.example"])
    assert not call(origin="http://chat.example").comes_from(["https://shop.example"])
    assert not call(origin="null").comes_from(["https://shop.example"])


@pytest.mark.parametrize(
    "query", [b"a=1&a=2", b"a=%31", b"a=1+2", b"a=\xc3", b"&".join(b"n%d=1" % n for n in range(11))]
)
def test_a_query_that_is_not_plain(query):
    assert call(query).query() is None


def test_a_plain_query():
    assert call(b"after=5&wait=20").query() == {"after": "5", "wait": "20"}
    assert call().query() == {}


def test_a_body_is_an_object_in_json():
    json = {"content_type": "application/json; charset=utf-8"}
    assert call(content=b'{"a": 1}', **json).members() == {"a": 1}
    assert call(content=b'{"a": 1}', content_type="text/plain").members() is None
    assert call(content=b'{"a": 1}', content_type="text/plain").members(any_type=True) == {"a": 1}
    for wrong in (b"", b"[]", b"{", b'{"a": NaN}', b'{"a": "\\u0000"}', b"\xff", b"[" * 100_000):
        assert call(content=wrong, **json).members() is None


def test_headers_are_made_once_for_each_kind_of_answer():
    asked = []

    def get_response(request: Any) -> Any:
        asked.append(request.path)
        return request.bare(request)

    headers = Headers(get_response, most=2)
    route = Route("GET", "/x", Messages, None)  # type: ignore[arg-type]
    scope = {"method": "GET", "scheme": "http", "path": "/x", "query_string": b"", "headers": [], "http_version": "1.1"}
    scope |= {"server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1)}
    first = headers.of(route, scope, "", "en")
    assert headers.of(route, scope, "", "en") is first
    assert dict(headers.of(route, scope, "https://shop.example", "en"))[b"access-control-allow-origin"]
    assert len(asked) == 2
    headers.of(route, {**scope, "scheme": "https"}, "", "en")  # the third kind of two: all are made anew
    assert headers.of(route, scope, "", "en") is not first
