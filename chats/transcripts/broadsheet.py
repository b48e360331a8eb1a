"""A transcript on A4: the head, the days, who said what. Runs in the press: no Django here."""

import re
from typing import Any

from .faces import Faces
from .layout import Line, Typesetter
from .sheet import INK, MARGIN, MUTED, RULE, Sheet

NOTE_PAPER, NOTE_INK = "#fff6d6", "#6b4c00"
PURPLE = "#7a5cc9"
TEXT, LEADING, SMALL = 10.0, 14.5, 8.5
INDENT = 12.0
COLOR = re.compile(r"#[0-9a-fA-F]{6}\Z")
LINE_ENDS = re.compile("\r\n|[\r\n\x0b\x0c\x85\u2028\u2029]")


def print_transcript(document: dict[str, Any]) -> bytes:
    """The PDF of a transcript (reading.Transcript as plain values)."""
    return Broadsheet(document).print()


class Broadsheet:
    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.is_rtl = document["direction"] == "rtl"
        self.accent = document["accent"] if COLOR.match(document["accent"]) else "#2f5bea"
        self.sheet = Sheet()
        self.setter = Typesetter(Faces(), self.sheet)

    def print(self) -> bytes:
        sheet, document = self.sheet, self.document
        sheet.set_title(document["title"])
        sheet.set_lang(document["language"])
        sheet.set_producer("Contact center")
        sheet.new_page()
        self._head()
        for day in document["days"]:
            self._day(day["label"])
            for entry in day["entries"]:
                self._words(entry) if "bubbles" in entry else self._notice(entry)
        self._end(document["labels"]["end"])
        return self._bound()

    def _bound(self) -> bytes:
        """Number the pages, then write."""
        total = self.sheet.pages_count
        for page in range(1, total + 1):
            self.sheet.page = page
            self.sheet.down = self.sheet.h - 40
            self._aligned(f"{page} / {total}", size=SMALL, color=MUTED, at_end=True)
            self.sheet.down = self.sheet.h - 40
            self._aligned(f"{self.document['center']} · {self.document['reference']}"[:120], size=SMALL, color=MUTED)
        return bytes(self.sheet.output())

    def _head(self) -> None:
        sheet, document = self.sheet, self.document
        self._aligned(document["center"], size=11, color=self.accent, bold=True)
        sheet.down += 20
        for line in self._lines(document["title"], 20):
            self._put(line, size=20, color=INK, bold=True)
            sheet.down += 26
        sheet.down += 4
        for label, value in document["facts"]:
            for line in self._lines(f"{label}: {value}", SMALL + 0.5):
                self._put(line, size=SMALL + 0.5, color=MUTED)
                sheet.down += 13
        sheet.down += 8
        sheet.box(MARGIN, sheet.down, sheet.measure, 0.8, RULE)
        sheet.down += 10

    def _day(self, label: str) -> None:
        self.sheet.need(60)
        self.sheet.down += 10
        self._centered(label, size=SMALL + 0.5, bold=True)
        self.sheet.down += 18

    def _notice(self, entry: dict[str, Any]) -> None:
        self.sheet.down += 6
        for line in self._lines(f"{entry['text']}  {entry['time']}", SMALL, self.sheet.measure - 60):
            self.sheet.need(12)
            self._put(line, size=SMALL, color=MUTED, left=MARGIN + (self.sheet.measure - line.width * SMALL) / 2)
            self.sheet.down += 12
        self.sheet.down += 4

    def _words(self, entry: dict[str, Any]) -> None:
        is_note = entry["side"] == "note"
        self.sheet.need(18 + LEADING)
        self.sheet.down += 8
        self._speaker(entry, is_note)
        for bubble in entry["bubbles"]:
            self._bubble(bubble, is_note)
            self.sheet.down += 2

    def _speaker(self, entry: dict[str, Any], is_note: bool) -> None:
        """The name in the colour of the side, then the time."""
        colors = {"customer": INK, "agent": self.accent, "bot": PURPLE, "system": MUTED, "note": NOTE_INK}
        note = f" · {self.document['labels']['note']}" if is_note else ""
        name = self._lines(entry["name"], TEXT, self.sheet.measure - 200)[0]
        rest = self._lines(f"{entry['time']}{note}", SMALL)[0]
        widths = name.width * TEXT, rest.width * SMALL
        at_name = MARGIN + (self.sheet.measure - widths[0] if self.is_rtl else 0)
        at_rest = at_name - 6 - widths[1] if self.is_rtl else at_name + widths[0] + 6
        self.sheet.put(name, at_name, size=TEXT, color=colors.get(entry["side"], INK), bold=True)
        self.sheet.down += TEXT - SMALL
        self.sheet.put(rest, at_rest, size=SMALL, color=MUTED)
        self.sheet.down += LEADING - TEXT + SMALL

    def _bubble(self, bubble: dict[str, Any], is_note: bool) -> None:
        """A block as wide as its longest line, beside its speaker's rule also where it is written the other way than the page."""
        width = self.sheet.measure - INDENT
        lines = [(line, color) for text, color in _paragraphs(bubble) for line in self._lines(text, TEXT, width)]
        block = max((line.width for line, _color in lines), default=0) * TEXT
        start = MARGIN + (width - block if self.is_rtl else INDENT)
        edge = MARGIN + (self.sheet.measure - 2 if self.is_rtl else 0)
        for line, color in lines:
            self.sheet.need(LEADING)
            if is_note:
                self.sheet.box(MARGIN, self.sheet.down - 2, self.sheet.measure, LEADING, NOTE_PAPER)
            self.sheet.box(edge, self.sheet.down - 2, 2, LEADING, RULE)
            left = start + (block - line.width * TEXT if line.is_rtl else 0)
            self._put(line, size=TEXT, color=NOTE_INK if is_note else color, left=left)
            self.sheet.down += LEADING

    def _end(self, label: str) -> None:
        self.sheet.need(30)
        self.sheet.down += 16
        self._centered(label, size=SMALL)

    # Lines ------------------------------------------------------------------------------------------------------------

    def _lines(self, text: str, size: float, width: float | None = None) -> list[Line]:
        return self.setter.lines(text, (width or self.sheet.measure) / size, self.is_rtl)

    def _put(self, line: Line, *, size: float, color: str, left: float | None = None, bold: bool = False) -> None:
        if left is None:
            left = MARGIN + (self.sheet.measure - line.width * size if self.is_rtl else 0)
        self.sheet.put(line, left, size=size, color=color, bold=bold)

    def _aligned(self, text: str, *, size: float, color: str, bold: bool = False, at_end: bool = False) -> None:
        """One line at the side where reading starts (or ends)."""
        line = self._lines(" ".join(text.split()), size)[0]
        at_right = self.is_rtl != at_end
        left = MARGIN + (self.sheet.measure - line.width * size if at_right else 0)
        self.sheet.put(line, left, size=size, color=color, bold=bold)

    def _centered(self, text: str, *, size: float, bold: bool = False) -> None:
        line = self._lines(" ".join(text.split()), size)[0]
        left = MARGIN + (self.sheet.measure - line.width * size) / 2
        self.sheet.put(line, left, size=size, color=MUTED, bold=bold)


def _paragraphs(bubble: dict[str, Any]) -> list[tuple[str, str]]:
    """What stands in a bubble, each with its colour: the text's lines, files, links."""
    said = [(text, INK) for text in LINE_ENDS.split(bubble["text"])] if bubble["text"] else []
    files = [(f"📎 {file['name']} ({file['size']})", MUTED) for file in bubble["files"]]
    links = [(f"{one['name']}: {one['url']}" if one["name"] else one["url"], MUTED) for one in bubble["links"]]
    return said + files + links
