"""History and rows → violations (pure). Each check names the invariant of docs/promises.md that it proves.

It knows nothing of the product but the meaning of its log, so that it cannot be wrong in the same way.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from .history import Entry

Row = dict[str, Any]
BYE = "bye"  # the one text that many chats have
CLOSED_AFTER = {"message.posted"}  # what nobody may write into a chat that has ended


@dataclass
class Facts:
    """What the database and the receivers say.

    events: {chat_id, position, index, type, sender_kind, text, client_id, center}, each chat's in order
    chats: {chat_id, position, index, state} · overfull: {agent_id, used, capacity} · waited: chat → seconds · late: what should be done by now
    calls: {hook, id, chat, position, is_taken, is_signed, center}, in the order of arrival
    """

    events: list[Row] = field(default_factory=list)
    chats: list[Row] = field(default_factory=list)
    overfull: list[Row] = field(default_factory=list)
    waited: dict[str, float] = field(default_factory=dict)
    late: list[str] = field(default_factory=list)
    calls: list[Row] = field(default_factory=list)


@dataclass(frozen=True)
class Violation:
    invariant: str
    what: str


Found = Iterator[str]


def check(history: Sequence[Entry], facts: Facts, *, patience: float = 5.0) -> list[Violation]:
    """Everything that is not as promised. `patience`: seconds that a chat may wait beside a free slot once all is healed."""
    log = Log(facts)
    checks: dict[str, Callable[[], Found]] = {
        "I1": lambda: gaps(facts),
        "I2": lambda: lost(history, log),
        "I3": lambda: unsaid(history, log),
        "I4": lambda: doubled(history, log),
        "I6": lambda: misread(history),
        "I8": lambda: disordered(history, log),
        "I10": lambda: unseen(history, facts),
        "I14": lambda: leaked(history, staff=True),
        "I15": lambda: overfull(facts),
        "I16": lambda: two_owners(log),
        "I17": lambda: forgotten(facts, patience),
        "I20": lambda: undead(log),
        "I21": lambda: uncalled(facts),
        "I22": lambda: called_out_of_order(facts),
        "I23": lambda: iter(facts.late),
        "I27": lambda: leaked(history, staff=False),
    }
    return [Violation(name, what) for name, one in checks.items() for what in one()]


class Log:
    """The messages of the log by their text, which is unique but for bye."""

    def __init__(self, facts: Facts) -> None:
        self.chats: dict[str, list[Row]] = defaultdict(list)
        self.by_text: dict[str, list[Row]] = defaultdict(list)
        for event in facts.events:
            self.chats[event["chat_id"]].append(event)
            if event["type"] in ("message.posted", "note.posted") and event["sender_kind"] != "system":
                self.by_text[event["text"]].append(event)

    def stored(self, said: Row) -> list[Row]:
        """The rows of what was said; bye only in its own chat."""
        rows = self.by_text.get(said["text"], [])
        return [row for row in rows if row["chat_id"] == said.get("chat")] if said["text"] == BYE else rows


def said(history: Sequence[Entry], *kinds: str) -> list[Entry]:
    """Messages that were sent, in one of these states."""
    return [one for one in history if one["type"] in kinds and one["f"] in ("start", "post") and "text" in one["value"]]


def gaps(facts: Facts) -> Found:
    """I1: positions and indexes are 1, 2, 3 … in each chat, and its head is the last one."""
    positions: dict[str, list[int]] = defaultdict(list)
    indexes: dict[str, list[int]] = defaultdict(list)
    for event in facts.events:
        positions[event["chat_id"]].append(event["position"])
        if event["index"] is not None:
            indexes[event["chat_id"]].append(event["index"])
    for chat in facts.chats:
        for name, numbers in (("position", positions), ("index", indexes)):
            found = numbers[chat["chat_id"]]
            if found != list(range(1, len(found) + 1)) or len(found) != chat[name]:
                yield f"{chat['chat_id']}: {name}s {found[-5:]}, head {chat[name]}"


def lost(history: Sequence[Entry], log: Log) -> Found:
    """I2: what was acknowledged is stored, in the chat and with the index that the answer named."""
    for one in said(history, "ok"):
        value, rows = one["value"], log.stored(one["value"])
        if not rows:
            yield f"{one['process']}: {value['text']!r} was acknowledged and is nowhere"
        elif value.get("chat") and rows[0]["chat_id"] != value["chat"]:
            yield f"{value['text']!r} is in {rows[0]['chat_id']}, not in {value['chat']}"
        elif value.get("index") is not None and one["f"] == "post" and rows[0]["index"] != value["index"]:
            yield f"{value['text']!r} has index {rows[0]['index']}, not {value['index']}"


def unsaid(history: Sequence[Entry], log: Log) -> Found:
    """I3: nothing is stored that nobody has sent."""
    texts = {one["value"]["text"] for one in said(history, "invoke")}
    for text in log.by_text:
        if text not in texts:
            yield f"{text!r} was never said"


def doubled(history: Sequence[Entry], log: Log) -> Found:
    """I4, I9: whatever was said is stored once at most, and every answer to it names the same number."""
    for text, rows in log.by_text.items():
        chats = Counter(row["chat_id"] for row in rows) if text == BYE else {"": len(rows)}
        yield from (f"{text!r} is stored {count} times {chat}" for chat, count in chats.items() if count > 1)
    indexes: dict[tuple[Any, str], set[Any]] = defaultdict(set)
    for one in said(history, "ok"):
        if one["f"] == "post" and "index" in one["value"]:
            indexes[one["value"].get("chat"), one["value"]["text"]].add(one["value"]["index"])
    yield from (f"{text!r} was answered with {found}" for (_, text), found in indexes.items() if len(found) > 1)


def misread(history: Sequence[Entry]) -> Found:
    """I6: each reader gets the numbers after its cursor, each once, none left out."""
    last: dict[tuple[str, str], int | None] = {}
    gone: set[tuple[str, str]] = set()
    for one in history:
        if one["type"] != "seen" or one["f"] not in ("cursor", "events", "gone"):
            continue
        process, value = one["process"], one["value"]
        if one["f"] == "cursor":
            _begin_anew(last, process, value)
            continue
        reader = process, value["chat"]
        if one["f"] == "gone":
            gone.add(reader)
            continue
        for number in value["numbers"]:
            expected = (last.get(reader) or 0) + 1
            # What was on its way may come after the chat has left the list; when the chat comes back, it is told from its beginning.
            if number != expected and not (number == 1 and reader in gone):
                yield f"{process} got {number} of {value['chat']} at {one['t']} s, not {expected}"
            last[reader] = number


def _begin_anew(last: dict[tuple[str, str], int | None], process: str, value: Row) -> None:
    """A staff client names its cursors all at once; chats that it does not name it reads from their beginning."""
    if value["chat"] is not None:
        last[process, value["chat"]] = value["after"]
        return
    for reader in [reader for reader in last if reader[0] == process]:
        del last[reader]
    last.update({(process, chat): after for chat, after in value["cursors"].items()})


def disordered(history: Sequence[Entry], log: Log) -> Found:
    """I8: what somebody said after an answer to something earlier stands behind it."""
    answered: dict[tuple[str, Any], int] = {}  # the highest index known to the sender
    floor: dict[tuple[str, str], int] = {}  # text → what was known when it was first said
    for one in said(history, "invoke", "ok"):
        key = one["process"], one["value"].get("chat")
        if one["type"] == "invoke":
            floor.setdefault((str(key[1]), one["value"]["text"]), answered.get(key, 0))
        elif one["value"].get("index"):
            answered[key] = max(answered.get(key, 0), one["value"]["index"])
    for (chat, text), least in floor.items():
        for row in log.stored({"chat": chat, "text": text}):
            if row["index"] is not None and row["chat_id"] == chat and row["index"] <= least:
                yield f"{text!r} has index {row['index']}, but {least} was known before it was said"


def unseen(history: Sequence[Entry], facts: Facts) -> Found:
    """I10: every customer who did not leave has read its log to the end."""
    heads = {chat["chat_id"]: chat["index"] for chat in facts.chats}
    reached: dict[tuple[str, str], int] = {}
    for one in history:
        if one["type"] != "seen" or one["f"] not in ("events", "left"):
            continue
        reader = one["process"], one["value"]["chat"]
        if one["f"] == "left":
            reached[reader] = heads.get(reader[1], 0)
        elif one["value"]["kind"] == "index" and one["value"]["numbers"]:
            reached[reader] = max(reached.get(reader, 0), *one["value"]["numbers"])
    for (process, chat), number in reached.items():
        if number < heads.get(chat, 0):
            yield f"{process} has read {chat} to {number} of {heads[chat]}"


def leaked(history: Sequence[Entry], *, staff: bool) -> Found:
    """I14: no customer sees what is for staff alone. I27: nobody sees anything of another center."""
    for one in history:
        if one["f"] == "leak" and one["value"]["mark"].startswith("STAFF") == staff:
            yield f"{one['process']} saw {one['value']}"


def overfull(facts: Facts) -> Found:
    """I15: no agent has more chats than its capacity, whenever one looks."""
    yield from (f"{row['agent_id']} had {row['used']} of {row['capacity']}" for row in facts.overfull)


def two_owners(log: Log) -> Found:
    """I16: who takes a chat takes it when nobody has it."""
    for chat, events in log.chats.items():
        owners = 0
        for event in events:
            owners += (event["type"] == "agent.joined") - (event["type"] == "agent.left")
            if event["type"] == "chat.closed":
                owners = 0
            if owners > 1:
                yield f"{chat} had {owners} owners at position {event['position']}"


def forgotten(facts: Facts, patience: float) -> Found:
    """I17: no chat waits beside a free slot."""
    for chat, seconds in facts.waited.items():
        if seconds > patience:
            yield f"{chat} waited {seconds:.1f} s beside a free slot"


def undead(log: Log) -> Found:
    """I20: nothing is said in a chat that has ended."""
    for chat, events in log.chats.items():
        is_closed = False
        for event in events:
            if is_closed and event["type"] in CLOSED_AFTER:
                yield f"{chat}: {event['type']} at position {event['position']} after its end"
            is_closed = event["type"] == "chat.closed" or (is_closed and event["type"] != "chat.reopened")


def uncalled(facts: Facts) -> Found:
    """I21: each event has reached its center's receiver, signed, under one id however often it was repeated."""
    ids: dict[tuple[str, str, int], set[str]] = defaultdict(set)
    taken: set[tuple[str, str, int]] = set()
    for call in facts.calls:
        key = call["hook"], call["chat"], call["position"]
        ids[key].add(call["id"])
        if call["is_taken"]:
            taken.add(key)
        if not call["is_signed"]:
            yield f"{key} was not signed as it should be"
        if call["center"] != call["hook"]:
            yield f"{key} is {call['center']}'s"
    yield from (f"{key} came under {len(found)} ids" for key, found in ids.items() if len(found) > 1)
    filed = {(event["center"], event["chat_id"], event["position"]) for event in facts.events}
    yield from (f"{key} never arrived" for key in sorted(filed - taken))
    yield from (f"{key} is no event" for key in sorted(taken - filed))


def called_out_of_order(facts: Facts) -> Found:
    """I22: what happened in one chat arrives in its order; a repeat may come at any time."""
    last: dict[tuple[str, str], int] = {}
    seen: set[tuple[str, str, int]] = set()
    for call in facts.calls:
        lane = call["hook"], call["chat"]
        if not call["is_taken"] or (*lane, call["position"]) in seen:
            continue
        seen.add((*lane, call["position"]))
        if call["position"] < last.get(lane, 0):
            yield f"{lane}: {call['position']} came after {last[lane]}"
        last[lane] = max(last.get(lane, 0), call["position"])
