"""When a team's rules want something of a chat. Pure: no clock, no database."""

from datetime import datetime, timedelta
from enum import Enum

from contactcenter.models import Team

from .models import Chat

CUSTOMER_LEASE = timedelta(seconds=90)  # browsers let a background tab's timers sleep for a minute


class Step(Enum):
    NOTHING = "nothing"
    FAIL_SEARCH = "fail_search"
    REMIND = "remind"
    CLOSE_LEFT = "close_left"  # the customer's client stayed away
    CLOSE_IDLE = "close_idle"  # the customer's client is there, but silent
    CLOSE_UNSOUGHT = "close_unsought"  # the program that steers the search has forgotten the chat


def next_step(
    chat: Chat, team: Team, lease_until: datetime | None, now: datetime, *, unsought_since: datetime | None = None
) -> tuple[Step, datetime]:
    """What is due now, and when to look again.

    `lease_until`: until when the customer's client is known to be there; None where nobody asks it for signs of life (SMS, email).
    `unsought_since`: since when a waiting chat, whose search a program steers, is searched for by nobody.
    """
    wanted = _deadlines(chat, team, lease_until)
    if unsought_since is not None:
        wanted.append((unsought_since + timedelta(seconds=team.away_close_seconds), Step.CLOSE_UNSOUGHT))
    due = [(at, step) for at, step in wanted if at <= now]
    later = [at for at, _ in wanted if at > now]
    look_at = min(later, default=now + timedelta(seconds=60))
    if not due:
        return Step.NOTHING, look_at
    step = min(due, key=lambda item: ORDER.index(item[1]))[1]
    return step, max(look_at, now + timedelta(seconds=1))


ORDER = [
    Step.CLOSE_LEFT,
    Step.CLOSE_IDLE,
    Step.CLOSE_UNSOUGHT,
    Step.FAIL_SEARCH,
    Step.REMIND,
]  # the strongest of several goes first


def _deadlines(chat: Chat, team: Team, lease_until: datetime | None) -> list[tuple[datetime, Step]]:
    wanted: list[tuple[datetime, Step]] = []
    if chat.state == Chat.State.SEARCHING and chat.search_until:
        wanted.append((chat.search_until, Step.FAIL_SEARCH))
    if lease_until is not None:
        wanted.append((lease_until + timedelta(seconds=team.away_close_seconds), Step.CLOSE_LEFT))
        # Also while the client is there: who looks again only when the chat would be closed has missed the reminder.
        wanted += _reminder(chat, lease_until, team.away_reminder_seconds)
    # Of whose client no sign of life is known, such as a program's: it has begun a chat and never said a word.
    silent_since = chat.last_agent_at or (chat.first_accepted_at if lease_until is None else None)
    if chat.state == Chat.State.ACTIVE and chat.waiting_since is None and silent_since:
        # The last word is ours and the customer is silent. Chats that wait for our answer are never closed as idle.
        if chat.is_carried:  # people answer an SMS or a mail when they come to it, and want no reminder of a chat
            return [*wanted, (silent_since + timedelta(hours=team.carried_close_hours), Step.CLOSE_IDLE)]
        wanted.append((silent_since + timedelta(seconds=team.idle_close_seconds), Step.CLOSE_IDLE))
        wanted += _reminder(chat, silent_since, team.idle_reminder_seconds)
    return wanted


def _reminder(chat: Chat, since: datetime, seconds: int) -> list[tuple[datetime, Step]]:
    """One reminder for each silence."""
    if not chat.team.reminder or (chat.reminded_at and chat.reminded_at >= since):
        return []
    return [(since + timedelta(seconds=seconds), Step.REMIND)]
