"""Who was told: each call and each mail once, to whom it belongs (pure)."""

from collections import Counter, defaultdict

from .facts import Facts, Found


def uncalled(facts: Facts, late: float) -> Found:
    """I21: each event has reached its center's receiver, signed, under one id however often it was repeated. Rules close chats to the last: who is told of that is on its way."""
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
    filed = {(event["center"], event["chat_id"], event["position"]): event["at"] for event in facts.events}
    yield from (f"{key} never arrived" for key in sorted(filed.keys() - taken) if filed[key] <= facts.read - late)
    yield from (f"{key} is no event" for key in sorted(taken - filed.keys()))


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


def misposted(facts: Facts) -> Found:
    """I24: a transcript goes once to the address that it was asked for, and speaks of that chat alone."""
    asked = defaultdict(set)
    for request in facts.requests:
        asked[request["email"]].add(request["chat_id"])
    chats = {event["text"]: event["chat_id"] for event in facts.events if event["text"]}
    arrived = Counter(mail["to"] for mail in facts.mails)
    for mail in facts.mails:
        told = {chats[text] for text in mail["texts"] if text in chats}
        if strange := told - asked[mail["to"]]:
            yield f"{mail['to']} was told of {sorted(strange)}"
    for address, count in arrived.items():
        if count > len(asked[address]):
            yield f"{count} mails went to {address}, which was named {len(asked[address])} times"
    for request in facts.requests:
        if request["is_sent"] and not arrived[request["email"]]:
            yield f"the mail to {request['email']} is said to be sent, and never came"
