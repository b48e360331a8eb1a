"""The bodies of polls in Engine.IO protocol 3, without a wire."""

import pytest

from chats.doors.socketio.eio3 import as_new, body_of, packets_of

pytestmark = pytest.mark.both


def test_lengths_are_counted_as_javascript_counts_and_bodies_are_read_as_they_are_written() -> None:
    packets = ['42["Grüß 👋🏽"]', "2", "40", '42["' + "𝒳" * 12_000 + '"]', "3probe"]
    body = body_of(packets)
    assert body.startswith('15:42["Grüß 👋🏽"]1:22:40'.encode())
    assert packets_of(body) == packets
    assert packets_of(b"1:3" * 16) == ["3"] * 16


@pytest.mark.parametrize(
    "body",
    [
        b"", b"3", b":3", b"1:", b"2:3", b"1:33", b"0:", b"-1:3", b" 1:3", b"1 :3", b"999999999:3", b"99999999:3",
        b"1:3" * 17, b"1:3x", b"1:\xff", b"6:b4AAAA", b"5:b4AAA", b"1:7", b"1:3\x1e3", b"\x00\x02\xff40", b"d=1:3",
        "3:4👋".encode(), "2:4👋".encode(), "\u0661:3".encode(), b"1\n:3",
    ],
)  # fmt: skip
def test_what_is_framed_wrongly_or_binary_is_not_taken(body: bytes) -> None:
    assert packets_of(body) == []


def test_only_the_version_is_put_into_the_address() -> None:
    for said, meant in {
        b"EIO=3&transport=polling": b"EIO=4&transport=polling",
        b"appId=a&EIO=3": b"appId=a&EIO=4",
        b"xEIO=3&EIO=33": b"xEIO=3&EIO=33",
        b"": b"",
    }.items():
        assert as_new({"query_string": said})["query_string"] == meant
