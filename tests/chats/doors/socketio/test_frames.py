"""The grammar of the wire, without a wire."""

import pytest

from chats.doors.socketio.frames import Packet, Words, body_of, is_packet, packets_of

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


def test_a_polls_body_is_taken_whole_or_not_at_all() -> None:
    for body in (b"3", b'42["a"]\x1e3', b"3" + b"\x1e3" * 15):
        assert body_of(packets_of(body)) == body
    assert packets_of('42["Grüß"]\x1e3'.encode()) == ['42["Grüß"]', "3"]
    for body in (b"", b"3\x1e", b"3" + b"\x1e3" * 16, b"\xff", b"d=3", b"3\x1ex"):
        assert packets_of(body) == []


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
