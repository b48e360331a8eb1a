"""What was said: stored once, unchanged, in its order, and after its sender was told (pure)."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from .facts import BYE, Facts, Found, Log, said, seen
from .history import Entry

CLOSED_AFTER = {"message.posted"}  # what nobody may write into a chat that has ended
LAWFUL = {
    "closed",
    "gone",
    "not_found",
    "conflict",
    "full",
}  # why what somebody says may be refused: the chat went on without it
FOR_NOW = {"unavailable", "failed", "too_many"}  # and why it is to be said again


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


def undead(log: Log) -> Found:
    """I20: nothing is said in a chat that has ended."""
    for chat, events in log.chats.items():
        is_closed = False
        for event in events:
            if is_closed and event["type"] in CLOSED_AFTER:
                yield f"{chat}: {event['type']} at position {event['position']} after its end"
            is_closed = event["type"] == "chat.closed" or (is_closed and event["type"] != "chat.reopened")


def clashed(history: Sequence[Entry], log: Log) -> Found:
    """I5: the same key with another text is refused, and nothing of it is stored."""
    for one in history:
        if one["f"] != "clash":
            continue
        text, code = one["value"]["text"], one["value"].get("code")
        if one["type"] == "ok" or (one["type"] == "fail" and code not in LAWFUL | FOR_NOW):
            yield f"{one['process']}: {text!r} under a key that was used was answered with {code or 'ok'}"
        elif one["type"] == "invoke" and log.by_text.get(text):
            yield f"{text!r} is stored, under a key that was used"


def unread_own(history: Sequence[Entry]) -> Found:
    """I7: what was acknowledged is read at once, whichever server is asked."""
    for one in seen(history, "reread"):
        value = one["value"]
        if value["index"] not in value["numbers"]:
            yield f"{one['process']} asked for {value['index']} of {value['chat']} at {one['t']} s and got {value['numbers'][:5]}"


def turned_away(history: Sequence[Entry]) -> Found:
    """I28: whoever keeps trying is never refused for a fault of ours."""
    lost = {(one["process"], one["value"]["chat"]) for one in seen(history, "gone")}
    for one in said(history, "fail"):
        # Who answers in a chat that went to somebody else meanwhile is refused as it should be.
        is_late = one["value"]["code"] == "forbidden" and (one["process"], one["value"].get("chat")) in lost
        if one["value"]["code"] not in LAWFUL | FOR_NOW and not is_late:
            yield f"{one['process']}: {one['value']['text']!r} was refused at {one['t']} s: {one['value']['code']}"
