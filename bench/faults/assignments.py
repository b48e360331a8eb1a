"""Who answers whom: slots, owners, offers, the order of the queue, agents who are gone (pure)."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from .facts import Facts, Found, Log, Row, seen
from .history import Entry

LEASE = 45.0  # seconds for which an agent counts as there after the last sign of life
GRACE = 5.0  # and then for which its chats wait for it: the cast's rule
ENDED = {"invitation.accepted", "invitation.declined", "invitation.expired", "invitation.withdrawn"}
MARGIN = 15.0  # seconds around a wrong clock in which what stands in rows is no order


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
    for slot, seconds in facts.waited.items():
        if seconds > patience:
            yield f"slot {slot} stood free for {seconds:.1f} s while somebody waited"


def misoffered(log: Log) -> Found:
    """I19: an offer ends once, and is made only of a chat that nobody has; a chat whose agent is gone comes back once."""
    for chat, events in log.chats.items():
        offer, owner = "", ""
        for event in events:
            kind = event["type"]
            wrong = WRONG.get(kind, lambda *_: False)
            if wrong(event, offer, owner):
                yield f"{chat}: {kind} at position {event['position']}, while {offer or 'no offer'} was open and {owner or 'nobody'} had it"
            if kind == "invitation.offered" or kind in ENDED:
                offer = event["invitation"] if kind == "invitation.offered" else ""
            elif kind in ("agent.joined", "agent.left", "chat.closed"):
                owner = event["agent"] if kind == "agent.joined" else ""


# What cannot happen while (offer, owner) have the chat.
WRONG: dict[str, Callable[[Row, str, str], bool]] = {
    "invitation.offered": lambda _, offer, owner: bool(offer or owner),
    **dict.fromkeys(ENDED, lambda event, offer, _: event["invitation"] != offer),
    "agent.left": lambda event, _, owner: event["agent"] != owner,
    "chat.queued": lambda _, _offer, owner: bool(owner),
    "chat.closed": lambda _, offer, _owner: bool(offer),
}


def overtaken(history: Sequence[Entry], facts: Facts, log: Log, hasty: float) -> Found:
    """I18: of two chats of a team with the same needs, the one that was there before the other began is offered before it.

    `hasty`: seconds by which it may seem otherwise: an offer bears the moment when its routing was begun, and two of these wait for each other.
    """
    acknowledged: dict[str, float] = {}
    for one in history:
        if one["type"] == "ok" and one["f"] == "start" and one["value"].get("chat"):
            acknowledged.setdefault(one["value"]["chat"], facts.began + one["t"])
    for team in _teams(facts, log):
        first = sorted((one for one in team if one["offered"]), key=lambda one: one["offered"])
        for number, later in enumerate(first):
            for earlier in first[number + 1 :]:
                was_there = acknowledged.get(earlier["chat_id"], later["began"]) < later["began"]
                ahead = earlier["offered"] - later["offered"]
                if was_there and ahead > hasty and not _is_skewed(facts, later["began"], earlier["offered"]):
                    yield f"{later['chat_id']} was offered {ahead:.1f} s before {earlier['chat_id']}, which was there"


def _teams(facts: Facts, log: Log) -> Iterator[list[Row]]:
    """Chats that routing serves: {chat_id, began, offered (the first time), or None}."""
    teams: dict[str, list[Row]] = defaultdict(list)
    for chat in facts.chats:
        if chat.get("is_steered"):
            continue
        found = log.chats[chat["chat_id"]]
        began = next((move["at"] for move in found if move["type"] == "chat.started"), None)
        offered = next((move["at"] for move in found if move["type"] == "invitation.offered"), None)
        if began is not None:
            teams[chat.get("team_id", "")].append({"chat_id": chat["chat_id"], "began": began, "offered": offered})
    yield from teams.values()


def ghosts(history: Sequence[Entry], facts: Facts, log: Log, late: float) -> Found:
    """I26: whoever is gone without a word is offered nothing once its lease is over, and its chats go to others."""
    for agent, since, until in absences(history, facts):
        over = since + LEASE + late
        for chat, found in log.chats.items():
            for move in found:
                if move["type"] == "invitation.offered" and move["agent"] == agent and over < move["at"] < until:
                    yield f"{chat} was offered to {agent}, who had been gone for {move['at'] - since:.0f} s"
            held = _held(found, agent, since)
            if held and over + GRACE < min(until, held[1]):
                yield f"{chat} was {agent}'s for {min(until, held[1]) - since:.0f} s after it was gone"


def absences(history: Sequence[Entry], facts: Facts) -> Iterator[tuple[str, float, float]]:
    """(agent, since, until) of those who vanished while all clocks were right."""
    gone: dict[str, float] = {}
    for one in seen(history, "vanished", "returned"):
        agent, at = one["value"]["agent"], facts.began + one["t"]
        if one["f"] == "vanished":
            gone[agent] = at
        elif agent in gone and not _is_skewed(facts, gone[agent], at):
            yield agent, gone.pop(agent), at


def _held(moves: Sequence[Row], agent: str, at: float) -> tuple[float, float] | None:
    """From when until when the agent had the chat that it had at this moment."""
    since: float | None = None
    for move in moves:
        if since is not None and move["type"] in ("agent.left", "chat.closed"):
            if since <= at < move["at"]:
                return since, move["at"]
            since = None
        elif move["type"] == "agent.joined" and move["agent"] == agent:
            since = move["at"]
    return (since, float("inf")) if since is not None and since <= at else None


def _is_skewed(facts: Facts, since: float, until: float) -> bool:
    return any(start - MARGIN < until and since < end + MARGIN for start, end in facts.skewed)
