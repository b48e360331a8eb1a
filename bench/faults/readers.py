"""What was seen: by each reader everything, once, in order, and nothing that is not meant for it (pure)."""

from collections.abc import Sequence

from .facts import Facts, Found, Log, Row, seen
from .history import Entry


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


def unannounced(history: Sequence[Entry]) -> Found:
    """I11: a cursor that means nothing here, of another epoch or beyond the end, is answered by a beginning anew."""
    for one in seen(history, "stranger"):
        if not one["value"]["is_reset"]:
            yield f"{one['process']} came with {one['value']['with']} to {one['value']['chat']} at {one['t']} s and was not told to begin anew"


def misresumed(history: Sequence[Entry]) -> Found:
    """I12: reading after any number gives what comes after it, up to the end."""
    for one in seen(history, "resumed"):
        value = one["value"]
        if value["numbers"] != list(range(value["after"] + 1, value["head"] + 1)):
            yield f"{one['process']} read {value['chat']} after {value['after']} of {value['head']} and got {value['numbers']}"


def misdrawn(history: Sequence[Entry], log: Log) -> Found:
    """I13: a chat as it is shown is what its log says up to the number that is shown with it."""
    for one in seen(history, "snapshot"):
        value = one["value"]
        drawn = drawing([event for event in log.chats[value["chat"]] if event["position"] <= value["head"]])
        shown = {name: value[name] for name in drawn}
        if shown != drawn:
            yield f"{one['process']} was shown {value['chat']} at {value['head']} as {shown}, not {drawn}"


def drawing(events: Sequence[Row]) -> Row:
    """What the log says of a chat: {state, index_head, agent}; who had a closed chat is not compared."""
    state, agent = "waiting", None
    for event in events:
        match event["type"]:
            case "agent.joined":
                state, agent = "active", event.get("agent")
            case "agent.left" | "chat.queued":
                state, agent = "waiting", None
            case "chat.closed":
                state, agent = "closed", None
    return {"state": state, "index_head": max((event["index"] or 0 for event in events), default=0), "agent": agent}
