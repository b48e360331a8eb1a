"""The checker of bin/faults sees each kind of loss: histories made by hand, in which one thing is wrong."""

import copy
import hashlib
import hmac
import time
from base64 import b64encode

import pytest

from bench.faults.checker import check
from bench.faults.facts import Facts
from bench.faults.receiver import is_signed

CHAT, OTHER = "chat-1", "chat-2"
AT = 1000.0  # when the history began, and the log with it


def entry(process, type_, f, **value):
    return {"t": 0.0, "process": process, "type": type_, "f": f, "value": value}


def event(position, index, kind="message.posted", text="", sender="customer", chat=CHAT):
    names = {"chat_id": chat, "position": position, "index": index, "type": kind, "text": text, "sender_kind": sender}
    return names | {"client_id": None, "center": "acme", "at": AT + position, "agent": None, "invitation": None}


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
        entry("ann", "ok", "post", chat=CHAT, text="echo: hello", index=4, position=6),
        entry("mia", "seen", "cursor", chat=CHAT, kind="index", after=3),
        entry("mia", "invoke", "post", chat=CHAT, text="bye"),
        entry("mia", "info", "post", chat=CHAT, text="bye"),
        entry("mia", "invoke", "post", chat=CHAT, text="bye"),
        entry("mia", "ok", "post", chat=CHAT, text="bye", index=5),
        entry("mia", "seen", "events", chat=CHAT, kind="index", numbers=[4, 5, 6]),
    ]


@pytest.fixture
def facts():
    ann = {"agent": "ann", "invitation": "offer"}
    events = [
        event(1, 1, "chat.started", sender="system"),
        event(2, 2, text="hello"),
        event(3, None, "invitation.offered", sender="system") | ann,
        event(4, None, "invitation.accepted", sender="system") | ann,
        event(5, 3, "agent.joined", sender="agent") | ann,
        event(6, 4, text="echo: hello", sender="bot"),
        event(7, 5, text="bye"),
        event(8, 6, "chat.closed", sender="system"),
    ]
    head = {"chat_id": CHAT, "position": 8, "index": 6, "state": "closed", "team_id": "support"}
    calls = [call(number) for number in range(1, 9)]
    mails = [{"to": "mia@example.com", "texts": ["hello"]}]
    requests = [{"email": "mia@example.com", "chat_id": CHAT, "is_sent": True}]
    return Facts(events=events, chats=[head], calls=calls, mails=mails, requests=requests, began=AT)


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
    again.events[6:7] = [event(7, 5, text="bye"), event(8, 6, text="bye")]
    assert "I4" in found(history, again)


def test_a_repeat_that_was_answered_otherwise_is_seen(history, facts):
    history.append(entry("mia", "ok", "post", chat=CHAT, text="bye", index=6))
    assert "I4" in found(history, facts)


def test_what_nobody_said_is_seen(history, facts):
    facts.events[5]["text"] = "echo: changed on its way"
    assert {"I2", "I3"} <= found(history, facts)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lambda facts: facts.events.pop(2), id="a position is left out"),
        pytest.param(lambda facts: facts.events[4].update(index=2), id="an index is there twice"),
        pytest.param(lambda facts: facts.chats[0].update(position=7), id="the head is behind"),
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
    facts.events[6]["text"], facts.events[5]["text"] = "echo: hello", "bye"
    history += [entry("ann", "invoke", "post", chat=CHAT, text="late"), entry("ann", "ok", "post", text="late")]
    facts.events[4].update(type="message.posted", text="late", sender_kind="bot")
    assert "I8" in found(history, facts)


@pytest.mark.parametrize(("mark", "invariant"), [("STAFF-ONLY", "I14"), ("GLOBEX-MARK", "I27")])
def test_what_must_not_be_seen_is_seen(history, facts, mark, invariant):
    assert found([*history, entry("mia", "seen", "leak", mark=mark)], facts) == {invariant}


def test_an_agent_above_its_capacity_is_seen(history, facts):
    facts.overfull = [{"agent_id": "ann", "used": 4, "capacity": 3}]
    assert found(history, facts) == {"I15"}


def test_a_chat_with_two_owners_is_seen(history, facts):
    facts.events[3].update(type="agent.joined")
    assert "I16" in found(history, facts)


def test_a_chat_that_waits_beside_a_free_slot_is_seen(history, facts):
    facts.waited = {"slot-1": 6.0}
    assert found(history, facts) == {"I17"}
    assert check(history, facts, patience=10) == []


def test_a_word_after_the_end_is_seen(history, facts):
    facts.events[6], facts.events[7] = facts.events[7] | {"position": 7, "index": 5}, facts.events[6]
    facts.events[7] |= {"position": 8, "index": 6}
    assert "I20" in found(history, facts)


@pytest.mark.parametrize(
    ("calls", "invariant"),
    [
        pytest.param([], "I21", id="one never came"),
        pytest.param([call(8, is_taken=False)], "I21", id="one was not taken"),
        pytest.param([call(8), call(8, 9)], "I21", id="a repeat has another id"),
        pytest.param([call(8, is_signed=False)], "I21", id="one is not signed"),
        pytest.param([call(8, center="globex")], "I21", id="one is another center's"),
        pytest.param([call(8), call(10)], "I21", id="one is of no event"),
    ],
)
def test_a_call_that_is_not_as_promised_is_seen(history, facts, calls, invariant):
    facts.calls[7:] = calls
    assert found(history, facts) == {invariant}


def test_calls_out_of_order_are_seen_and_repeats_are_not(history, facts):
    facts.calls.append(call(3))
    assert check(history, facts) == []
    facts.calls[2], facts.calls[3] = facts.calls[3], facts.calls[2]
    assert found(history, facts) == {"I22"}


def test_a_duty_that_nobody_did_is_seen(history, facts):
    facts.late = ["chat chat-1"]
    assert found(history, facts) == {"I23"}


@pytest.mark.parametrize(
    ("wrong", "invariant"),
    [
        pytest.param([entry("mia", "ok", "clash", text="other")], "I5", id="another text under a used key is taken"),
        pytest.param([entry("mia", "fail", "clash", text="o", code="invalid")], "I5", id="and refused for no reason"),
        pytest.param(
            [entry("mia", "seen", "reread", chat=CHAT, index=5, numbers=[])], "I7", id="one's own is not read"
        ),
        pytest.param(
            [
                entry("mia", "seen", "stranger", chat=CHAT, is_reset=False)
                | {"value": {"chat": CHAT, "with": "a number", "is_reset": False}}
            ],
            "I11",
            id="a cursor of nowhere goes on in silence",
        ),
        pytest.param(
            [entry("mia", "seen", "resumed", chat=CHAT, after=3, head=6, numbers=[4, 6])],
            "I12",
            id="a resumption has a hole",
        ),
        pytest.param(
            [entry("mia", "seen", "resumed", chat=CHAT, after=3, head=6, numbers=[4, 5])],
            "I12",
            id="a resumption ends early",
        ),
        pytest.param(
            [entry("mia", "fail", "post", text="x", code="unauthorized")], "I28", id="a good message is refused"
        ),
    ],
)
def test_an_answer_that_is_not_as_promised_is_seen(history, facts, wrong, invariant):
    assert found(history + wrong, facts) == {invariant}


def test_a_text_that_is_stored_under_a_used_key_is_seen(history, facts):
    facts.events[6]["text"] = "other"
    assert "I5" in found([*history, entry("mia", "invoke", "clash", text="other")], facts)


@pytest.mark.parametrize(
    ("head", "shown"),
    [
        (8, {"state": "active", "index_head": 6, "agent": "ann"}),
        (6, {"state": "active", "index_head": 4, "agent": "bob"}),
        (6, {"state": "active", "index_head": 3, "agent": "ann"}),
    ],
)
def test_a_chat_that_is_shown_as_its_log_does_not_tell_is_seen(history, facts, head, shown):
    right = {"chat": CHAT, "head": 6, "state": "active", "index_head": 4, "agent": "ann"}
    history.append(entry("ann", "seen", "snapshot", **right))
    assert check(history, facts) == []
    history.append(entry("ann", "seen", "snapshot", chat=CHAT, head=head, **shown))
    assert found(history, facts) == {"I13"}


def beside(facts, *, began, offered):
    """Another chat of the team, which began and was offered so many seconds after the history did."""
    events = [event(1, 1, "chat.started", chat=OTHER), event(2, None, "invitation.offered", chat=OTHER)]
    events[0]["at"], events[1]["at"] = AT + began, AT + offered
    facts.events += events
    facts.chats.append({"chat_id": OTHER, "position": 2, "index": 1, "state": "queued", "team_id": "support"})
    facts.calls += [call(1, "other-1", chat=OTHER), call(2, "other-2", chat=OTHER)]


def test_a_call_that_is_on_its_way_is_not_missed(history, facts):
    facts.read = AT
    assert found(history, facts) == set()
    facts.calls = []
    assert found(history, facts) == set()


def test_who_answers_in_a_chat_that_went_to_another_is_refused_as_it_should_be(history, facts):
    refused = [entry("ann", "fail", "post", text="x", code="forbidden", chat=CHAT)]
    assert found(history + refused, facts) == {"I28"}
    assert found([*history, entry("ann", "seen", "gone", chat=CHAT), *refused], facts) == set()


def test_a_later_chat_that_overtakes_is_seen(history, facts):
    beside(facts, began=1.0, offered=4.0)
    assert check(history, facts) == []
    facts.events[-1]["at"] = AT + 2.0
    assert found(history, facts, late=1.0) == {"I18"}
    facts.skewed = [(AT, AT + 1)]
    assert check(history, facts) == []


@pytest.mark.parametrize(
    "again",
    [
        pytest.param({"type": "invitation.offered", "invitation": "second"}, id="offered while it is on offer"),
        pytest.param({"type": "invitation.expired", "invitation": "second"}, id="an offer ends that was not open"),
    ],
)
def test_an_offer_that_does_not_end_once_is_seen(history, facts, again):
    facts.events[3] |= again
    assert "I19" in found(history, facts)


def test_a_chat_that_comes_back_twice_is_seen(history, facts):
    back = [event(6, 4, "agent.left"), event(7, 5, "chat.queued"), event(8, 6, "agent.left")]
    facts.events[5:] = [one | {"agent": "ann"} for one in back]
    assert "I19" in found(history, facts)


def test_a_mail_that_comes_twice_or_to_a_stranger_or_not_at_all_is_seen(history, facts):
    facts.mails *= 2
    assert found(history, facts) == {"I24"}
    facts.mails = [{"to": "eve@example.com", "texts": ["hello"]}, {"to": "mia@example.com", "texts": ["hello"]}]
    assert found(history, facts) == {"I24"}
    facts.mails = []
    assert found(history, facts) == {"I24"}


def test_a_counter_that_is_not_what_a_recount_says_is_seen(history, facts):
    facts.drifted = ["unread of chat-1"]
    assert found(history, facts) == {"I25"}


def test_an_agent_who_is_gone_and_is_offered_chats_is_seen(history, facts):
    beside(facts, began=70.0, offered=75.0)
    facts.events[-1]["agent"] = "ann"
    history += [
        entry("ann", "seen", "vanished", agent="ann"),
        entry("ann", "seen", "returned", agent="ann") | {"t": 100.0},
    ]
    assert found(history, facts) == {"I26"}
    facts.events[-1]["at"] = AT + 55.0
    assert check(history, facts, late=15) == []


def test_a_chat_that_stays_with_an_agent_who_is_gone_is_seen(history, facts):
    gone = [entry("ann", "seen", "vanished", agent="ann") | {"t": 5.5}]
    gone += [entry("ann", "seen", "returned", agent="ann") | {"t": 100.0}]
    assert check(history + gone, facts) == []
    facts.events[7]["at"] = AT + 90.0
    assert found(history + gone, facts) == {"I26"}


def outage(kind, target, *between):
    told = {"kind": kind, "target": target}
    begin, end = entry("nemesis", "seen", "broken", **told), entry("nemesis", "seen", "mending", **told)
    return [begin | {"t": 10.0}, *between, end | {"t": 20.0}]


def test_silence_without_redis_is_seen(history, facts):
    tried = entry("mia", "invoke", "post", chat=CHAT, text="bye") | {"t": 12.0}
    answered = entry("mia", "ok", "post", chat=CHAT, text="bye", index=5) | {"t": 13.0}
    assert found(history + outage("empty", "redis", tried), facts) == {"I29"}
    assert check(history + outage("empty", "redis", tried, answered), facts) == []


def test_an_acknowledgement_of_what_cannot_be_stored_is_seen(history, facts):
    tried = entry("mia", "invoke", "post", chat=CHAT, text="bye") | {"t": 12.0}
    answered = entry("mia", "ok", "post", chat=CHAT, text="bye", index=5) | {"t": 13.0}
    failed = entry("mia", "fail", "post", chat=CHAT, text="bye", code="failed") | {"t": 13.0}
    assert found(history + outage("read_only", "postgres", tried, answered), facts) == {"I30"}
    assert found(history + outage("read_only", "postgres", tried, failed), facts) == {"I30"}
    answered["value"]["replayed"] = True
    assert check(history + outage("read_only", "postgres", tried, answered), facts) == []


def test_the_receiver_tells_a_signature_from_a_forgery():
    key, at, body = b"0123456789abcdef", str(int(time.time())), b'{"type": "message.posted"}'
    mark = b64encode(hmac.new(key, f"id-1.{at}.".encode() + body, hashlib.sha256).digest()).decode()
    headers = {"webhook-id": "id-1", "webhook-timestamp": at, "webhook-signature": f"v1,{mark}"}
    secret = "whsec_" + b64encode(key).decode()
    assert is_signed(secret, headers, body)
    assert not is_signed(secret, headers, body + b" ")
    assert not is_signed(secret, headers | {"webhook-id": "id-2"}, body)
    assert not is_signed(secret, headers | {"webhook-timestamp": str(int(at) - 600)}, body)
