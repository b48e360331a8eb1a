"""When a team's rules want something of a chat, as a table. No clock, no database."""

from datetime import UTC, datetime, timedelta

import pytest

from chats.deadlines import Step, next_step
from chats.models import Chat
from contactcenter.models import Team

pytestmark = pytest.mark.both

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def at(seconds):
    return None if seconds is None else NOW + timedelta(seconds=seconds)


def look(state="active", lease=None, *, reminder="Still there?", unsought=None, **times):
    """Times in seconds from now. The team reminds after 60 (away) or 300 (idle) and closes after 300 or 900."""
    team = Team(
        reminder=reminder,
        away_reminder_seconds=60,
        away_close_seconds=300,
        idle_reminder_seconds=300,
        idle_close_seconds=900,
    )
    chat = Chat(team=team, state=state, **{name: at(seconds) for name, seconds in times.items()})
    step, again = next_step(chat, team, at(lease), NOW, unsought_since=at(unsought))
    return step, (again - NOW).total_seconds()


@pytest.mark.parametrize(
    ("chat", "expected"),
    [
        # Searching
        ({"state": "searching", "search_until": 20}, (Step.NOTHING, 20)),
        ({"state": "searching", "search_until": 0}, (Step.FAIL_SEARCH, 60)),
        ({"state": "queued", "search_until": None}, (Step.NOTHING, 60)),
        # A program steers the search, and does not search
        ({"state": "searching", "unsought": 0}, (Step.NOTHING, 300)),
        ({"state": "searching", "unsought": -299, "lease": 90}, (Step.NOTHING, 1)),
        ({"state": "searching", "unsought": -300, "lease": 90}, (Step.CLOSE_UNSOUGHT, 150)),
        ({"state": "searching", "unsought": -300, "lease": -300}, (Step.CLOSE_LEFT, 60)),
        ({"state": "searching", "unsought": -300, "lease": -60}, (Step.CLOSE_UNSOUGHT, 240)),
        # The customer's client
        ({"lease": 90, "waiting_since": -5}, (Step.NOTHING, 150)),
        ({"lease": -59, "waiting_since": -5}, (Step.NOTHING, 1)),
        ({"lease": -60, "waiting_since": -5}, (Step.REMIND, 240)),
        ({"lease": -60, "waiting_since": -5, "reminded_at": -10}, (Step.NOTHING, 240)),
        ({"lease": -60, "waiting_since": -5, "reminded_at": -100}, (Step.REMIND, 240)),
        ({"lease": -300, "reminded_at": -200}, (Step.CLOSE_LEFT, 60)),
        ({"state": "queued", "lease": -60}, (Step.REMIND, 240)),
        ({"state": "queued", "lease": -301, "reminded_at": -200}, (Step.CLOSE_LEFT, 60)),
        ({"lease": -60, "reminder": ""}, (Step.NOTHING, 240)),
        # The last word is ours, the customer is silent
        ({"last_agent_at": -299}, (Step.NOTHING, 1)),
        ({"last_agent_at": -300}, (Step.REMIND, 600)),
        ({"last_agent_at": -899, "reminded_at": -500}, (Step.NOTHING, 1)),
        ({"last_agent_at": -900, "reminded_at": -500}, (Step.CLOSE_IDLE, 60)),
        # A customer who waits for us is never closed as idle
        ({"last_agent_at": -9999, "waiting_since": -5000}, (Step.NOTHING, 60)),
        ({"last_agent_at": None}, (Step.NOTHING, 60)),
        # A program that began a chat and never said a word; a person whose client is there may still be writing
        ({"first_accepted_at": -899}, (Step.REMIND, 1)),
        ({"first_accepted_at": -900}, (Step.CLOSE_IDLE, 60)),
        ({"first_accepted_at": -900, "lease": 90}, (Step.NOTHING, 150)),
        ({"first_accepted_at": -900, "waiting_since": -950}, (Step.NOTHING, 60)),
        # Of several, the strongest
        ({"lease": -301, "last_agent_at": -901}, (Step.CLOSE_LEFT, 60)),
        ({"state": "searching", "search_until": 0, "lease": -301}, (Step.CLOSE_LEFT, 60)),
        ({"state": "searching", "search_until": 0, "lease": -60}, (Step.FAIL_SEARCH, 240)),
    ],
)
def test_the_next_step_and_when_to_look_again(chat, expected):
    assert look(**chat) == expected


def test_the_next_look_is_never_now():
    for lease in range(-320, 10):
        _, again = look(lease=lease)
        assert again > 0
