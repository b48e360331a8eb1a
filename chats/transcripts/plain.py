"""A transcript as plain text."""

import unicodedata
from collections.abc import Iterator

from .reading import NOTE, Notice, Transcript, Words

INDENT = "    "  # what people wrote never begins a line, so that nobody can forge a line of the transcript


def render_text(transcript: Transcript) -> str:
    """The whole transcript; lines end in LF. What steers terminals is replaced."""
    return "\n".join(_lines(transcript)) + "\n"


def show(text: str) -> str:
    """Text without control characters (an escape sequence would run in a terminal); tabs and line ends stay."""
    return "".join(char if char in "\n\t" or unicodedata.category(char) != "Cc" else "\ufffd" for char in unified(text))


def unified(text: str) -> str:
    """Every way to end a line as LF."""
    return (
        text.replace("\r\n", "\n")
        .replace("\r", "\n")
        .replace("\u2028", "\n")
        .replace("\u2029", "\n")
        .replace("\x85", "\n")
    )


def one_line(text: str) -> str:
    return " ".join(show(text).split())


def _lines(transcript: Transcript) -> Iterator[str]:
    title = one_line(transcript.title)
    yield title
    yield "=" * min(len(title), 72)
    for label, value in transcript.facts:
        yield f"{label}: {one_line(value)}"
    for day in transcript.days:
        yield from ("", f"-- {day.label} --")
        for entry in day.entries:
            yield ""
            if isinstance(entry, Notice):
                yield f"[{entry.time}] * {one_line(entry.text)}"
            else:
                yield from _said(entry, transcript)
    yield from ("", f"-- {transcript.labels['end']} --")


def _said(words: Words, transcript: Transcript) -> Iterator[str]:
    mark = f" ({transcript.labels['note']})" if words.side == NOTE else ""
    yield f"[{words.time or '–'}] {one_line(words.name)}{mark}:"
    for bubble in words.bubbles:
        if bubble.text:
            yield from (INDENT + line for line in show(bubble.text).split("\n"))
        for file in bubble.files:
            yield f"{INDENT}[{transcript.labels['file']}: {one_line(file.name)}, {file.size}]"
        for link in bubble.links:
            yield INDENT + (f"{one_line(link.name)}: {link.url}" if link.name else link.url)
