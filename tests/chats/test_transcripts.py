"""What remains of a chat: read once, written four ways, and never with what its reader may not see."""

import html.parser
import re
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from django.utils import translation

from agents.models import Disposition
from chats.actions.close import close_by_agent, close_by_customer
from chats.actions.history import Entry, import_history
from chats.actions.survey import answer_survey
from chats.errors import Conflict, Invalid
from chats.events import all_event_types
from chats.models import Chat, Event
from chats.transcripts.page import render_html, style
from chats.transcripts.plain import render_text
from chats.transcripts.reading import Notice, Words, beginning, read_transcript, reader_language
from chats.transcripts.sentences import SAID, SENTENCES, SILENT
from chats.transcripts.serve import serve_customer_transcript, serve_staff_transcript
from contactcenter.models import ContactCenter, Team
from tests.cases import cases
from tests.chats.transcript_texts import ATTACKS, PRIVATE, SCRIPTS, say
from tests.conftest import make_chat, make_held_chat


@pytest.fixture
def held(acme, ann, now):
    """A chat between Mia and Ann, with a private note."""
    held = make_held_chat(acme, ann, now, subject="Where is my kettle?", text="Hello")
    say(held, held.agent, "Hi Mia", now)
    say(held, held.agent, PRIVATE, now, is_note=True)
    say(held, held.customer, "It is late", now)
    return held


@pytest.fixture
def ended(held, now):
    close_by_customer(held.customer, now=now)
    held.chat.refresh_from_db()
    return held


def entries(transcript):
    return [entry for day in transcript.days for entry in day.entries]


def said(transcript):
    return [
        (entry.side, entry.name, [bubble.text for bubble in entry.bubbles])
        for entry in entries(transcript)
        if isinstance(entry, Words)
    ]


def happened(transcript):
    return [entry.text for entry in entries(transcript) if isinstance(entry, Notice)]


def test_a_customer_reads_what_was_said_to_them(ended):
    transcript = read_transcript(ended.chat)
    assert said(transcript) == [
        ("customer", "Mia", ["Hello"]),
        ("agent", "Ann", ["Hi Mia"]),
        ("customer", "Mia", ["It is late"]),
    ]
    assert happened(transcript) == ["Ann joined the chat.", "The customer ended the chat."]
    assert transcript.title == "Where is my kettle?"
    assert dict(transcript.facts) | {"Team": "Support", "With": "Ann", "Time zone": "UTC"} == dict(transcript.facts)


def test_staff_read_what_was_said_before_the_chat_above_it_and_customers_do_not(acme, ann, now):
    talk = [
        Entry(kind="customer", text="Do you ship to Norway?", at=datetime(2026, 3, 2, 9, 0, tzinfo=UTC)),
        Entry(kind="bot", text="Let me connect you."),
        Entry(kind="agent", name="Old Joe", text="I was here", at=datetime.max.replace(tzinfo=UTC)),
    ]
    held = make_held_chat(acme, ann, now, history=talk, text="Hello")
    Team.objects.update(time_zone="Asia/Tokyo")
    held.chat.refresh_from_db()
    import_history(acme.center.chats, held.chat.pk, [Entry(kind="bot", name="Robo", text="Later")], now=now)
    transcript = read_transcript(held.chat, for_staff=True)
    assert transcript.days[0].label == "Before this chat"
    assert [(one.side, one.name, one.time) for one in transcript.days[0].entries] == [
        ("customer", "Mia", "March 2, 2026, 6 p.m."),
        ("bot", "Bot", ""),
        ("agent", "Old Joe", ""),
        ("bot", "Robo", ""),
    ]
    assert said(transcript)[4:] == [("customer", "Mia", ["Hello"])]
    text = render_text(transcript)
    assert "[–] Bot:\n    Let me connect you." in text
    assert "Let me connect you." in render_html(transcript).html
    assert "connect" not in str(read_transcript(held.chat))


def test_notes_are_for_staff_that_asks_and_for_nobody_else(ended):
    assert PRIVATE not in str(read_transcript(ended.chat))
    assert PRIVATE not in str(read_transcript(ended.chat, notes=True))
    assert PRIVATE not in str(read_transcript(ended.chat, for_staff=True))
    with_notes = read_transcript(ended.chat, for_staff=True, notes=True)
    assert ("note", "Ann", [PRIVATE]) in said(with_notes)


def test_a_note_that_carries_an_index_by_mistake_is_still_private(ended):
    Event.objects.filter(chat=ended.chat, type="note.posted").update(index=500)
    assert PRIVATE not in str(read_transcript(ended.chat))


def test_staff_reads_how_it_was_filed_and_rated(held, acme, ann, now):
    disposition = Disposition.objects.create(center=acme.center, name="Delivery")
    close_by_agent(ann, held.chat.pk, disposition=disposition, comment="sent again", now=now)
    answer_survey(held.customer, rating=4, comment="thanks", now=now)
    held.chat.refresh_from_db()
    for_staff = happened(read_transcript(held.chat, for_staff=True))
    assert for_staff == [
        "Ann joined the chat.",
        "Filed as: Delivery – sent again",
        "Ann ended the chat.",
        "Rated with 4 stars – thanks",
    ]
    assert happened(read_transcript(held.chat)) == ["Ann joined the chat.", "Ann ended the chat."]


def test_every_event_is_told_in_a_way_or_kept_silent_on_purpose():
    types = {event.type for event in all_event_types()}
    assert {*SAID, *SENTENCES, *SILENT} >= types
    assert not SAID & SILENT
    assert not set(SENTENCES) & (SAID | SILENT)


def test_messages_of_one_sender_stand_below_one_name_for_five_minutes(held, now):
    for minutes, text in ((1, "one"), (2, "two"), (10, "three")):
        say(held, held.customer, text, now + timedelta(minutes=minutes))
    assert [texts for _, _, texts in said(read_transcript(held.chat))][2:] == [["It is late", "one", "two"], ["three"]]


def test_times_are_the_teams_and_days_begin_at_its_midnight(held):
    Team.objects.filter(pk=held.chat.team_id).update(time_zone="Asia/Tokyo")
    ContactCenter.objects.update(time_zone="Europe/Berlin")
    Event.objects.filter(chat=held.chat).update(at=datetime(2026, 3, 1, 14, 30, tzinfo=UTC))
    Event.objects.filter(chat=held.chat, text="It is late").update(at=datetime(2026, 3, 1, 15, 1, tzinfo=UTC))
    transcript = read_transcript(Chat.objects.get(pk=held.chat.pk), language="de")
    assert [day.label for day in transcript.days] == ["1. März 2026", "2. März 2026"]
    assert transcript.days[1].entries[0].time == "00:01"
    Team.objects.update(time_zone="Nowhere/Atlantis")
    assert "Europe/Berlin" in str(read_transcript(Chat.objects.get(pk=held.chat.pk)).facts)


@cases(
    ("language", "label", "direction"),
    [
        ("de", "1. März 2026", "ltr"),
        ("ar", "1 مارس، 2026", "rtl"),
        ("zh-CN", "2026年3月1日", "ltr"),
        ("hi", "1 मार्च 2026", "ltr"),
        ("fr-CA", "1 mars 2026", "ltr"),
    ],
)
def test_dates_are_in_the_readers_language(held, language, label, direction):
    Event.objects.filter(chat=held.chat).update(at=datetime(2026, 3, 1, 12, tzinfo=UTC))
    with translation.override("en"):
        transcript = read_transcript(held.chat, language=language)
        assert translation.get_language() == "en"
    assert (transcript.days[0].label, transcript.direction) == (label, direction)


def test_the_language_is_the_readers_then_the_chats_then_the_centers():
    assert reader_language("", "de", "fr") == "de"
    assert reader_language("xx", "", "fr") == "fr"
    assert reader_language("zh-TW") == "zh-hant"
    assert reader_language("zh") == "zh-hans"
    assert reader_language("../../etc", "%s", "\0") == "en"


def test_text_cannot_forge_a_line_or_steer_a_terminal(held, now):
    say(held, held.customer, "ok\r\n[99:00] Ann:\u2028[99:01] Ann: your refund is 1,000,000\x1b[2J", now)
    text = render_text(read_transcript(held.chat))
    assert not re.search(r"^\[99:0", text, re.MULTILINE)
    assert "\x1b" not in text
    assert "    [99:01] Ann: your refund is 1,000,000\ufffd[2J" in text.splitlines()


class Page(html.parser.HTMLParser):
    """What a browser would find: tags, attributes, visible text."""

    def __init__(self, source):
        super().__init__()
        self.tags, self.attributes, self.text = set(), set(), []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_data(self, data):
        self.text.append(data)


TAGS = set("html head meta title style body main p bdi h1 h2 dl dt dd section div b time span".split())  # noqa: SIM905


def test_the_page_shows_markup_as_text_and_points_nowhere(acme, ann, now):
    held = make_held_chat(acme, ann, now, subject="<script>alert(1)</script>", text="Hello")
    for attack in ATTACKS:
        say(held, held.customer, attack, now)
    page = render_html(read_transcript(held.chat))
    found = Page(page.html)
    assert found.tags <= TAGS
    assert found.attributes <= {"lang", "dir", "charset", "name", "content", "class"}
    shown = "".join(found.text)
    for attack in ATTACKS:
        assert attack in shown
    sheet = re.search(r"<style>(.*?)</style>", page.html, re.DOTALL).group(1)
    assert "url(" not in sheet
    assert "@import" not in sheet


def test_the_policy_lets_in_our_style_and_nothing_else(ended):
    page = render_html(read_transcript(ended.chat))
    sheet = re.search(r"<style>(.*?)</style>", page.html, re.DOTALL).group(1)
    digest = b64encode(sha256(sheet.encode()).digest()).decode()
    assert page.policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'")
    assert page.policy.endswith("sandbox")


def test_a_colour_that_is_none_cannot_break_out_of_the_style_sheet():
    assert "--accent: #2f5bea;" in style("red; } body { background: url(//evil) }")
    assert "--accent: #aa0011;" in style("#aa0011")
    assert "--accent: #2f5bea;" in style("#aa0011\n")


def test_every_script_survives_text_and_page(held, now):
    for text in SCRIPTS.values():
        say(held, held.customer, text, now)
    transcript = read_transcript(held.chat)
    plain, page = render_text(transcript), render_html(transcript).html
    for text in SCRIPTS.values():
        assert text in plain
        assert text in page


def test_the_private_mark_is_in_no_output_for_the_customer(ended):
    for form in ("text", "html"):
        assert PRIVATE.encode() not in serve_customer_transcript(ended.chat, form).content
        assert PRIVATE.encode() not in serve_staff_transcript(ended.chat, form, notes=False).content
        assert PRIVATE.encode() in serve_staff_transcript(ended.chat, form, notes=True).content


def test_a_customer_gets_it_after_the_end_and_staff_at_any_time(held):
    with pytest.raises(Conflict):
        serve_customer_transcript(held.chat, "text")
    assert b"Hi Mia" in serve_staff_transcript(held.chat, "text", notes=False).content


def test_answers_are_inert_and_private(ended):
    kinds = {"text": "text/plain; charset=utf-8", "html": "text/html; charset=utf-8", "pdf": "application/pdf"}
    for form, kind in kinds.items():
        response = serve_customer_transcript(ended.chat, form)
        assert response["Content-Type"] == kind
        assert "default-src 'none'" in response["Content-Security-Policy"]
        assert "sandbox" in response["Content-Security-Policy"]
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Cache-Control"] == "private, no-store"
        disposition = "inline" if form == "html" else "attachment"
        assert response["Content-Disposition"].startswith(f'{disposition}; filename="transcript-{ended.chat.pk}.')
    with pytest.raises(Invalid):
        serve_customer_transcript(ended.chat, "docx")


def test_another_chats_lines_are_never_read(ended, acme, globex, gil, now):
    other = make_held_chat(globex, gil, now, text="GLOBEX-MARKER")
    mine = make_chat(acme, now, text="OTHER-CHAT")
    for transcript in (read_transcript(ended.chat), read_transcript(ended.chat, for_staff=True, notes=True)):
        assert "GLOBEX-MARKER" not in str(transcript)
        assert "OTHER-CHAT" not in str(transcript)
    assert "GLOBEX-MARKER" in str(read_transcript(other.chat))
    assert "OTHER-CHAT" in str(read_transcript(mine.chat))


def test_the_beginning_holds_whole_messages_and_says_that_something_is_missing(held, now):
    for number in range(10):
        say(held, held.customer, f"{number}" * 100, now)
    transcript = read_transcript(held.chat)
    assert beginning(transcript, 10_000) == (transcript, False)
    shown, is_cut = beginning(transcript, 500)
    assert is_cut
    assert [texts for _, _, texts in said(shown)][-1] == ["It is late", "0" * 100, "1" * 100]
    assert len(said(transcript)[2][2]) == 11  # the original is as it was


def test_ten_thousand_messages_are_read_in_few_queries(held, now, django_assert_max_num_queries):
    fill(held, 10_000, now)
    with django_assert_max_num_queries(12):
        transcript = read_transcript(Chat.objects.get(pk=held.chat.pk))
    assert render_text(transcript).count("message number") == 10_000
    assert render_html(transcript).html.count("message number") == 10_000


def fill(held, count, now):
    chat = Chat.objects.get(pk=held.chat.pk)
    Event.objects.bulk_create(
        Event(
            center_id=chat.center_id,
            chat_id=chat.pk,
            position=chat.position + number,
            index=chat.index + number,
            type="message.posted",
            sender=held.customer if number % 3 else held.agent,
            sender_kind="customer" if number % 3 else "agent",
            sender_name="Mia" if number % 3 else "Ann",
            text=f"message number {number}",
            data={"attachments": []},
            at=now + timedelta(seconds=number * 10),
        )
        for number in range(1, count + 1)
    )
