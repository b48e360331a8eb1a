"""History and rows → violations (pure). Each check names the invariant of docs/promises.md that it proves.

It knows nothing of the product but the meaning of its log, so that it cannot be wrong in the same way.
"""

from collections.abc import Callable, Sequence

from .assignments import forgotten, ghosts, misoffered, overfull, overtaken, two_owners
from .calls import called_out_of_order, misposted, uncalled
from .facts import Facts, Found, Log, Violation
from .history import Entry
from .messages import clashed, disordered, doubled, gaps, lost, turned_away, undead, unread_own, unsaid
from .outages import pretended, silenced
from .readers import leaked, misdrawn, misread, misresumed, unannounced, unseen


def check(history: Sequence[Entry], facts: Facts, *, patience: float = 5.0, late: float = 15.0) -> list[Violation]:
    """Everything that is not as promised.

    `patience`: seconds that a chat may wait beside a free slot once all is healed. `late`: seconds by which what is due may come too late while things break.
    """
    log = Log(facts)
    checks: dict[str, Callable[[], Found]] = {
        "I1": lambda: gaps(facts),
        "I2": lambda: lost(history, log),
        "I3": lambda: unsaid(history, log),
        "I4": lambda: doubled(history, log),
        "I5": lambda: clashed(history, log),
        "I6": lambda: misread(history),
        "I7": lambda: unread_own(history),
        "I8": lambda: disordered(history, log),
        "I10": lambda: unseen(history, facts),
        "I11": lambda: unannounced(history),
        "I12": lambda: misresumed(history),
        "I13": lambda: misdrawn(history, log),
        "I14": lambda: leaked(history, staff=True),
        "I15": lambda: overfull(facts),
        "I16": lambda: two_owners(log),
        "I17": lambda: forgotten(facts, patience),
        "I18": lambda: overtaken(history, facts, log, late / 5),
        "I19": lambda: misoffered(log),
        "I20": lambda: undead(log),
        "I21": lambda: uncalled(facts, late),
        "I22": lambda: called_out_of_order(facts),
        "I23": lambda: iter(facts.late),
        "I24": lambda: misposted(facts),
        "I25": lambda: iter(facts.drifted),
        "I26": lambda: ghosts(history, facts, log, late),
        "I27": lambda: leaked(history, staff=False),
        "I28": lambda: turned_away(history),
        "I29": lambda: silenced(history),
        "I30": lambda: pretended(history),
    }
    return [Violation(name, what) for name, one in checks.items() for what in one()]
