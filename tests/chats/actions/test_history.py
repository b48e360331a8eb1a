"""What was said before a chat came to us stands in its log, for staff."""

from datetime import UTC, datetime

import pytest

from chats.actions.close import close_by_customer
from chats.actions.history import MOST_ENTRIES, Entry, history_event, import_history
from chats.errors import Closed, Invalid, NotFound
from chats.models import Chat, Event
from chats.routing.engine import route_team
from tests.cases import cases
from tests.chats.routing.truths import check_all
from tests.conftest import make_chat, online

pytestmark = [pytest.mark.django_db, pytest.mark.both]

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TALK = [
    Entry(kind="customer", name="Mia", text="Do you ship to Norway?", at=AT),
    Entry(kind="bot", text="Let me connect you."),
]
KEPT = [
    {"kind": "customer", "name": "Mia", "text": "Do you ship to Norway?", "at": "2026-03-02T09:00:00+00:00"},
    {"kind": "bot", "name": "", "text": "Let me connect you.", "at": None},
]


def imported(chat):
    return list(Event.objects.filter(chat=chat, type="history.imported").values_list("data", flat=True))


def test_a_chat_starts_with_its_history_before_its_first_text(acme, now):
    chat = make_chat(acme, now, text="Hello", history=TALK).chat
    events = list(Event.objects.filter(chat=chat).order_by("position"))
    assert [event.type for event in events] == ["chat.started", "history.imported", "chat.queued", "message.posted"]
    assert (events[1].data, events[1].index) == ({"entries": KEPT}, None)
    assert (Chat.objects.get().unread, Chat.objects.get().last_text) == (1, "Hello")
    check_all()


def test_history_can_come_later_and_the_same_once_only(acme, now):
    chat = make_chat(acme, now).chat
    for _ in range(2):
        import_history(acme.center.chats, chat.pk, TALK, now=now)
    assert imported(chat) == [{"entries": KEPT}]
    import_history(acme.center.chats, chat.pk, TALK[:1], now=now)
    assert imported(chat) == [{"entries": KEPT}, {"entries": KEPT[:1]}]
    check_all()


@cases("nothing", [[], [Entry(kind="bot", text="  \n")]])
def test_nothing_said_is_nothing_recorded(acme, now, nothing):
    chat = make_chat(acme, now, history=nothing).chat
    import_history(acme.center.chats, chat.pk, nothing, now=now)
    assert imported(chat) == []


def test_long_lines_and_names_are_cut():
    event = history_event([Entry(kind="agent", name="n" * 500, text="x" * 9000)])
    assert (len(event.entries[0]["text"]), len(event.entries[0]["name"])) == (2000, 100)


@cases("at", [AT, AT.replace(tzinfo=None)])
def test_a_time_without_a_zone_is_utc(at):
    assert history_event([Entry(kind="bot", text="x", at=at)]).entries[0]["at"] == "2026-03-02T09:00:00+00:00"


@cases(
    "entries",
    [
        [Entry(kind="system", text="x")],
        [Entry(kind="", text="x")],
        [Entry(kind="bot", text="a\x00b")],
        [Entry(kind="bot", text="\ud800")],
        [Entry(kind="bot", name="\x00", text="x")],
        [Entry(kind="bot", text="x")] * (MOST_ENTRIES + 1),
    ],
)
def test_what_cannot_be_kept_is_refused_whole(acme, now, entries):
    chat = make_chat(acme, now).chat
    with pytest.raises(Invalid):
        import_history(acme.center.chats, chat.pk, [*TALK, *entries], now=now)
    with pytest.raises(Invalid):
        make_chat(acme, now, history=entries)
    assert imported(chat) == []
    assert Chat.objects.count() == 1


def test_strangers_and_closed_chats_take_no_history(acme, globex, now):
    started = make_chat(acme, now)
    with pytest.raises(NotFound):
        import_history(globex.center.chats, started.chat.pk, TALK, now=now)
    close_by_customer(started.participant, now=now)
    with pytest.raises(Closed):
        import_history(acme.center.chats, started.chat.pk, TALK, now=now)
    assert imported(started.chat) == []


def test_history_does_not_disturb_routing(acme, ann, now):
    online(ann, now)
    make_chat(acme, now, history=TALK)
    assert route_team(acme.support.pk, now) == 1
