"""The grammar of the wire, without a wire."""

import pytest

from chats.protocols.hyperchat.live.frames import Packet, Words, count_packets, is_packet

pytestmark = pytest.mark.both


@pytest.mark.parametrize(
    "text", ["1", "2", "2probe", "3", "3probe", "5", "6", "40", '40{"a":1}', "41", '42["x"]', '4312["x"]', "42\n"]
)
def test_packets_of_clients_are_taken(text: str) -> None:
    assert is_packet(text)


@pytest.mark.parametrize(
    "text", ["", "0", '0{"sid":"x"}', "4", "44", "45", "46", "4[", "b4AAA", "7", "2proben", "3 ", "1{}", " 42"]
)
def test_what_only_servers_say_and_all_that_is_binary_is_not(text: str) -> None:
    assert not is_packet(text)


def test_the_packets_of_a_poll_are_counted_or_none_is_taken() -> None:
    assert count_packets(b"3") == 1
    assert count_packets(b'42["a"]\x1e3') == 2
    assert count_packets(b"3" + b"\x1e3" * 15) == 16
    for body in (b"", b"3\x1e", b"3" + b"\x1e3" * 16, b"\xff", b"d=3", b"3\x1ex"):
        assert count_packets(body) == 0


@pytest.mark.parametrize(
    "text",
    [
        "2",
        "2{}",
        "2[]",
        "2[1]",
        '2["connect"]',
        '2["disconnect"]',
        '2["*"]',
        "0[]",
        "3",
        "3{}",
        "4{}",
        "51-[]",
        "9",
        "x",
        "",
    ],
)
def test_a_packet_that_is_not_what_its_type_says_is_none(text: str) -> None:
    with pytest.raises(ValueError):
        Packet(encoded_packet=text or "2")


def test_events_and_acknowledgements_are_read_and_written() -> None:
    event = Packet(encoded_packet='27["messages:send",{"message":"Grüß"}]')
    assert (event.id, event.data) == (7, ["messages:send", {"message": "Grüß"}])
    assert Packet(packet_type=3, id=7, data=[{"a": "ü"}]).encode() == '37[{"a":"ü"}]'


def test_what_is_nested_beyond_measure_is_no_json() -> None:
    with pytest.raises(ValueError):
        Words.loads("[" * 200_000)
