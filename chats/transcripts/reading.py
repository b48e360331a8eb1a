"""The log as a reader may see it: plain values, grouped, in the reader's language and the team's time zone."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.conf.locale import LANG_INFO
from django.db.models import QuerySet
from django.template.defaultfilters import filesizeformat
from django.utils import formats, timezone, translation
from django.utils.translation import gettext as _

from chats.erasure import MARK
from chats.models import Chat, Event

from .sentences import SAID, SENTENCES

GROUP_SECONDS = 300  # messages of one sender within this time stand below one name
OVERHEAD = 30  # characters that a line costs beside its text
CHUNK = 2000  # rows read at once

CUSTOMER, AGENT, BOT, SYSTEM, NOTE = "customer", "agent", "bot", "system", "note"


@dataclass(frozen=True, slots=True)
class File:
    name: str
    size: str  # in words of the reader's language


@dataclass(frozen=True, slots=True)
class Link:
    """A file that lies elsewhere; the name may be empty."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Bubble:
    text: str
    files: tuple[File, ...] = ()
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """What one person said in a row. side: customer, agent, bot, system or note; `time` is empty where nobody knows it."""

    side: str
    name: str
    time: str
    bubbles: list[Bubble]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that happened, as a sentence."""

    text: str
    time: str


@dataclass(frozen=True, slots=True)
class Day:
    label: str
    entries: list[Words | Notice]


@dataclass(frozen=True, slots=True)
class Transcript:
    """Everything that a renderer needs. facts: (label, value); labels: the few fixed words of the page by key."""

    reference: str
    language: str
    direction: str  # ltr or rtl
    center: str
    accent: str
    title: str
    facts: list[tuple[str, str]]
    labels: dict[str, str]
    days: list[Day]


def read_transcript(chat: Chat, *, for_staff: bool = False, notes: bool = False, language: str = "") -> Transcript:
    """The chat as its customer, or its staff, may read it. Private notes are there only for staff that asked for them.

    `language`: the reader's; empty = the chat's, else the center's.
    """
    with translation.override(reader_language(language, chat.language, chat.center.language)):
        zone = _zone(chat)
        days = _earlier(chat, zone) if for_staff else []
        days += _days(_events(chat, for_staff=for_staff, notes=notes), chat, zone)
        return Transcript(
            reference=str(chat.pk),
            language=translation.get_language() or settings.LANGUAGE_CODE,
            direction="rtl" if translation.get_language_bidi() else "ltr",
            center=chat.center.name,
            accent=chat.center.accent,
            title=chat.subject or _("Chat with %(center)s") % {"center": chat.center.name},
            facts=_facts(chat, zone, for_staff=for_staff),
            labels={"note": _("Only your team sees this"), "end": _("End of the transcript"), "file": _("File")},
            days=days,
        )


def beginning(transcript: Transcript, characters: int) -> tuple[Transcript, bool]:
    """As much of it as holds about so many characters, and whether something was left out."""
    room = characters
    days: list[Day] = []
    for day in transcript.days:
        days.append(Day(day.label, []))
        for entry in day.entries:
            bubbles: list[Bubble] = []
            for bubble in entry.bubbles if isinstance(entry, Words) else [Bubble(entry.text)]:
                room -= len(bubble.text) + sum(len(link.name) + len(link.url) for link in bubble.links) + OVERHEAD
                if room >= 0:
                    bubbles.append(bubble)
            if bubbles:
                days[-1].entries.append(replace(entry, bubbles=bubbles) if isinstance(entry, Words) else entry)
            if room < 0:
                return replace(transcript, days=days), True
    return transcript, False


def reader_language(*wanted: str) -> str:
    """The first of these tags that Django can speak (at least its dates), else the installation's language."""
    for tag in wanted:
        for known in _fallbacks(tag.strip().lower().replace("_", "-")):
            if known and translation.check_for_language(known):
                return known
    return settings.LANGUAGE_CODE


def _fallbacks(tag: str) -> list[str]:
    """Names to try in turn. Other packages' catalogs know zh-tw; Django's dates are under zh-hant alone, so that goes first."""
    return [*LANG_INFO.get(tag, {}).get("fallback", []), *CHINESE.get(tag, []), tag, tag.partition("-")[0]]


CHINESE = {"zh": ["zh-hans"]}  # the only one that Django's own table lacks


def _zone(chat: Chat) -> tzinfo:
    for name in (chat.team.time_zone, chat.center.time_zone):
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):  # empty, or a name that this machine does not know
            continue
    return ZoneInfo("UTC")


def _events(chat: Chat, *, for_staff: bool, notes: bool) -> "QuerySet[Event]":
    if not for_staff:
        return chat.events.public().exclude(type="note.posted")
    events = chat.events.order_by("position")
    return events if notes else events.exclude(type="note.posted")


def _earlier(chat: Chat, zone: tzinfo) -> list[Day]:
    """What was said before the chat came to us, to a bot say, as a day of its own."""
    said: list[Words | Notice] = []
    for data in chat.events.filter(type="history.imported").order_by("position").values_list("data", flat=True):
        for entry in data["entries"]:
            side = entry["kind"]
            name = entry["name"] or (chat.customer.name if side == CUSTOMER else "") or _nameless(side)
            said.append(Words(side, name, _earlier_time(entry["at"], zone), [Bubble(entry["text"])]))
    return [Day(_("Before this chat"), said)] if said else []


def _earlier_time(at: str | None, zone: tzinfo) -> str:
    with suppress(OverflowError):  # a moment near the end of the calendar, in another zone
        return _moment(datetime.fromisoformat(at), zone) if at else ""
    return ""


def _nameless(side: str) -> str:
    return {CUSTOMER: _("Customer"), BOT: _("Bot")}.get(side, _("Agent"))


def _days(events: "QuerySet[Event]", chat: Chat, zone: tzinfo) -> Iterator[Day]:
    day: Day | None = None
    date = last_at = last_sender = None
    for event in events.iterator(chunk_size=CHUNK):
        local = timezone.localtime(event.at, zone)
        entry = _entry(event, chat, local)
        if entry is None:
            continue
        if day is None or local.date() != date:
            if day is not None:
                yield day
            day, date, last_sender = Day(formats.date_format(local, "DATE_FORMAT"), []), local.date(), None
        sender = (entry.side, event.sender_id, entry.name) if isinstance(entry, Words) else None
        if isinstance(entry, Words) and sender == last_sender and _is_soon(event.at, last_at):
            day.entries[-1].bubbles.extend(entry.bubbles)  # type: ignore[union-attr] # last_sender says that it is Words
        else:
            day.entries.append(entry)
        last_sender, last_at = sender, event.at
    if day is not None:
        yield day


def _is_soon(at: datetime, last_at: datetime | None) -> bool:
    return last_at is not None and (at - last_at).total_seconds() < GROUP_SECONDS


def _entry(event: Event, chat: Chat, local: datetime) -> Words | Notice | None:
    time = formats.time_format(local, "TIME_FORMAT")
    if event.type in SAID:
        files = event.data.get("attachments", [])
        kept = tuple(File(file["name"], filesizeformat(file["size"])) for file in files)
        links = tuple(Link(link["name"].strip(), link["url"]) for link in event.data.get("links", []))
        text = _("This message was erased.") if event.data.get(MARK) else event.text
        return Words(*_speaker(event, chat), time, [Bubble(text, kept, links)])
    sentence = SENTENCES.get(event.type)
    text = sentence(event) if sentence else ""
    return Notice(text, time) if text else None


def _speaker(event: Event, chat: Chat) -> tuple[str, str]:
    if event.type == "note.posted" and event.sender_kind == CUSTOMER:
        return NOTE, _("%(name)s (customer's side)") % {"name": event.sender_name or chat.customer.name}
    if event.type == "note.posted":
        return NOTE, event.sender_name or _("Agent")
    if event.sender_kind == CUSTOMER:
        return CUSTOMER, event.sender_name or chat.customer.name or _nameless(CUSTOMER)
    if event.sender_kind in (AGENT, BOT):
        return event.sender_kind, event.sender_name or _("Agent")
    return SYSTEM, chat.center.name


def _facts(chat: Chat, zone: tzinfo, *, for_staff: bool) -> list[tuple[str, str]]:
    facts = [
        (_("Started"), _moment(chat.started_at, zone)),
        (_("Ended"), _moment(chat.closed_at, zone) if chat.closed_at else _("still open")),
        (_("Team"), chat.team.name),
        (_("With"), ", ".join(_people(chat))),
    ]
    if for_staff:
        facts += [
            (_("Customer"), " · ".join(filter(None, [chat.customer.name, chat.customer.email, chat.customer.phone]))),
            (_("Page"), chat.page_url),
        ]
    facts += [(_("Time zone"), str(zone)), (_("Reference"), str(chat.pk))]
    return [(label, value) for label, value in facts if value]


def _moment(at: datetime, zone: tzinfo) -> str:
    return formats.date_format(timezone.localtime(at, zone), "DATETIME_FORMAT")


def _people(chat: Chat) -> list[str]:
    """Who took part for the center; who only wrote notes did not."""
    seats = chat.participants.exclude(kind=CUSTOMER).exclude(joined_at=None).order_by("joined_at", "id")
    return list(dict.fromkeys(seats.values_list("name", flat=True)))
