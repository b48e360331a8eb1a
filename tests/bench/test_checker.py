"""The checker of bin/faults sees each kind of loss: histories made by hand, in which one thing is wrong."""

import copy
import hashlib
import hmac
import time
from base64 import b64encode

import pytest

from bench.faults.checker import Facts, check
from bench.faults.receiver import is_signed

CHAT, OTHER = "chat-1", "chat-2"


def entry(process, type_, f, **value):
    return {"t": 0.0, "process": process, "type": type_, "f": f, "value": value}


def event(position, index, kind="message.posted", text="", sender="customer", chat=CHAT):
    names = {"chat_id": chat, "position": position, "index": index, "type": kind, "text": text, "sender_kind": sender}
    return names | {"client_id": None, "center": "acme"}


def call(position, number=None, **other):
    made = {"hook": "acme", "id": f"id-{number or position}", "chat": CHAT, "position": position}
    return made | {"is_taken": True, "is_signed": True, "center": "acme"} | other


@pytest.fixture
def history():
    """One customer, who starts, writes twice, and reads to the end; one agent, who echoes once."""
    return [
        entry("mia", "invoke", "start", text="hello"),
        entry("mia", "ok", "start", text="hello", chat=CHAT, index=2),
        entry("ann", "seen", "cursor", chat=None, kind="position", cursors={}),
        entry("ann", "seen", "events", chat=CHAT, kind="position", numbers=[1, 2, 3, 4]),
        entry("mia", "seen", "events", chat=CHAT, kind="index", numbers=[1, 2, 3]),
        entry("ann", "invoke", "post", chat=CHAT, text="echo: hello"),
        entry("ann", "ok", "post", chat=CHAT, text="echo: hello", index=4, position=5),
        entry("mia", "seen", "cursor", chat=CHAT, kind="index", after=3),
        entry("mia", "invoke", "post", chat=CHAT, text="bye"),
        entry("mia", "info", "post", chat=CHAT, text="bye"),
        entry("mia", "invoke", "post", chat=CHAT, text="bye"),
        entry("mia", "ok", "post", chat=CHAT, text="bye", index=5),
        entry("mia", "seen", "events", chat=CHAT, kind="index", numbers=[4, 5, 6]),
    ]


@pytest.fixture
def facts():
    events = [
        event(1, 1, "chat.started", sender="system"),
        event(2, 2, text="hello"),
        event(3, None, "invitation.offered", sender="system"),
        event(4, 3, "agent.joined", sender="agent"),
        event(5, 4, text="echo: hello", sender="bot"),
        event(6, 5, text="bye"),
        event(7, 6, "chat.closed", sender="system"),
    ]
    head = {"chat_id": CHAT, "position": 7, "index": 6, "state": "closed"}
    return Facts(events=events, chats=[head], calls=[call(number) for number in range(1, 8)])


def found(history, facts, **options):
    return {one.invariant for one in check(history, facts, **options)}


def test_what_is_right_is_no_violation(history, facts):
    assert check(history, facts) == []


def test_an_acknowledged_message_that_is_nowhere_is_seen(history, facts):
    history += [
        entry("mia", "invoke", "post", chat=CHAT, text="lost"),
        entry("mia", "ok", "post", text="lost", index=7),
    ]
    assert found(history, facts) == {"I2"}


def test_an_acknowledged_message_with_another_number_or_chat_is_seen(history, facts):
    history[6]["value"]["index"] = 3
    assert "I2" in found(history, facts)
    history[6]["value"] |= {"index": 4, "chat": OTHER}
    assert "I2" in found(history, facts)


def test_an_answer_that_never_came_may_mean_anything_but_twice(history, facts):
    history += [
        entry("mia", "invoke", "post", chat=CHAT, text="who knows"),
        entry("mia", "info", "post", text="who knows"),
    ]
    assert check(history, facts) == []
    again = copy.deepcopy(facts)
    again.events[5:6] = [event(6, 5, text="bye"), event(7, 6, text="bye")]
    assert "I4" in found(history, again)


def test_a_repeat_that_was_answered_otherwise_is_seen(history, facts):
    history.append(entry("mia", "ok", "post", chat=CHAT, text="bye", index=6))
    assert "I4" in found(history, facts)


def test_what_nobody_said_is_seen(history, facts):
    facts.events[4]["text"] = "echo: changed on its way"
    assert {"I2", "I3"} <= found(history, facts)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lambda facts: facts.events.pop(2), id="a position is left out"),
        pytest.param(lambda facts: facts.events[3].update(index=2), id="an index is there twice"),
        pytest.param(lambda facts: facts.chats[0].update(position=6), id="the head is behind"),
    ],
)
def test_a_log_with_a_hole_is_seen(history, facts, wrong):
    wrong(facts)
    assert "I1" in found(history, facts)


@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param([4, 6], id="one is left out"),
        pytest.param([4, 4, 5, 6], id="one comes twice"),
        pytest.param([5, 4, 6], id="two are turned round"),
        pytest.param([3, 4, 5, 6], id="it begins before its cursor"),
    ],
)
def test_a_reader_who_misses_or_repeats_is_seen(history, facts, numbers):
    history[-1]["value"]["numbers"] = numbers
    assert "I6" in found(history, facts)


def test_a_staff_reader_begins_where_its_hello_says(history, facts):
    again = [
        entry("ann", "seen", "cursor", chat=None, kind="position", cursors={CHAT: 4}),
        entry("ann", "seen", "events", chat=CHAT, kind="position", numbers=[5, 6]),
    ]
    assert check(history + again, facts) == []
    again[1]["value"]["numbers"] = [1, 2]
    assert found(history + again, facts) == {"I6"}


def test_a_reader_who_never_came_to_the_end_is_seen(history, facts):
    history[-1]["value"]["numbers"] = [4, 5]
    assert found(history, facts) == {"I10"}
    assert check([*history, entry("mia", "seen", "left", chat=CHAT)], facts) == []


def test_a_message_before_one_that_its_sender_knew_is_seen(history, facts):
    facts.events[5]["text"], facts.events[4]["text"] = "echo: hello", "bye"
    history += [entry("ann", "invoke", "post", chat=CHAT, text="late"), entry("ann", "ok", "post", text="late")]
    facts.events[3].update(type="message.posted", text="late", sender_kind="bot")
    assert "I8" in found(history, facts)


@pytest.mark.parametrize(("mark", "invariant"), [("STAFF-ONLY", "I14"), ("GLOBEX-MARK", "I27")])
def test_what_must_not_be_seen_is_seen(history, facts, mark, invariant):
    assert found([*history, entry("mia", "seen", "leak", mark=mark)], facts) == {invariant}


def test_an_agent_above_its_capacity_is_seen(history, facts):
    facts.overfull = [{"agent_id": "ann", "used": 4, "capacity": 3}]
    assert found(history, facts) == {"I15"}


def test_a_chat_with_two_owners_is_seen(history, facts):
    facts.events[2].update(type="agent.joined")
    assert found(history, facts) == {"I16"}


def test_a_chat_that_waits_beside_a_free_slot_is_seen(history, facts):
    facts.waited = {CHAT: 6.0}
    assert found(history, facts) == {"I17"}
    assert check(history, facts, patience=10) == []


def test_a_word_after_the_end_is_seen(history, facts):
    facts.events[5], facts.events[6] = facts.events[6] | {"position": 6, "index": 5}, facts.events[5]
    facts.events[6] |= {"position": 7, "index": 6}
    assert "I20" in found(history, facts)


@pytest.mark.parametrize(
    ("calls", "invariant"),
    [
        pytest.param([], "I21", id="one never came"),
        pytest.param([call(7, is_taken=False)], "I21", id="one was not taken"),
        pytest.param([call(7), call(7, 8)], "I21", id="a repeat has another id"),
        pytest.param([call(7, is_signed=False)], "I21", id="one is not signed"),
        pytest.param([call(7, center="globex")], "I21", id="one is another center's"),
        pytest.param([call(7), call(9)], "I21", id="one is of no event"),
    ],
)
def test_a_call_that_is_not_as_promised_is_seen(history, facts, calls, invariant):
    facts.calls[6:] = calls
    assert found(history, facts) == {invariant}


def test_calls_out_of_order_are_seen_and_repeats_are_not(history, facts):
    facts.calls.append(call(3))
    assert check(history, facts) == []
    facts.calls[2], facts.calls[3] = facts.calls[3], facts.calls[2]
    assert found(history, facts) == {"I22"}


def test_a_duty_that_nobody_did_is_seen(history, facts):
    facts.late = ["chat chat-1"]
    assert found(history, facts) == {"I23"}


def test_the_receiver_tells_a_signature_from_a_forgery():
    key, at, body = b"0123456789abcdef", str(int(time.time())), b'{"type": "message.posted"}'
    mark = b64encode(hmac.new(key, f"id-1.{at}.".encode() + body, hashlib.sha256).digest()).decode()
    headers = {"webhook-id": "id-1", "webhook-timestamp": at, "webhook-signature": f"v1,{mark}"}
    secret = "whsec_" + b64encode(key).decode()
    assert is_signed(secret, headers, body)
    assert not is_signed(secret, headers, body + b" ")
    assert not is_signed(secret, headers | {"webhook-id": "id-2"}, body)
    assert not is_signed(secret, headers | {"webhook-timestamp": str(int(at) - 600)}, body)
