"""What of a mail its sender has just written, and what is quoted below it.

Mail programs mark quotations by habit, not by a rule, so this is a guess that errs towards keeping. It looks at one line at a time: a
stranger's text is never given to a pattern that could take long. (Known parsers of replies take seconds for a page of empty lines.)
"""

import re

# The line above a quotation, "On Monday, Ann wrote:": how it begins in a language, and a word that it holds.
INTRODUCTIONS = (
    ("on ", "wrote"),
    ("am ", "schrieb"),
    ("le ", "écrit"),
    ("el ", "escribió"),
    ("il ", "scritto"),
    ("em ", "escreveu"),
    ("op ", "schreef"),
    ("w dniu ", "pisze"),
    ("w dniu ", "napisał"),
    ("dnia ", "napisał"),
    ("den ", "skrev"),
)
SEPARATOR = re.compile(
    r"-{3,} ?(original message|ursprüngliche nachricht|originalnachricht|message d'origine|mensaje original"
    r"|messaggio originale|mensagem original|oorspronkelijk bericht|forwarded message) ?-{3,}",
    re.IGNORECASE,
)
# Outlook prints a head instead: a sender's line, and a line of the date within the next three.
SENDER_LINES = (
    "from:",
    "von:",
    "de :",
    "de:",
    "da:",
    "van:",
    "od:",
    "från:",
    "fra:",
    "от:",
    "差出人:",
    "发件人:",
    "من:",
)
DATE_LINES: tuple[str, ...] = (
    "sent:",
    "date:",
    "gesendet:",
    "datum:",
    "envoyé :",
    "envoyé:",
    "enviado:",
    "fecha:",
    "data:",
    "inviato:",
)
DATE_LINES += (
    "verzonden:",
    "wysłano:",
    "skickat:",
    "sendt:",
    "дата:",
    "отправлено:",
    "送信日時:",
    "发送时间:",
    "تاريخ:",
)
LONGEST_INTRODUCTION = 3  # lines over which programs break it


def divide(text: str) -> tuple[str, str]:
    """(what was just written, what is quoted below it). A mail that is all quotation stays whole, and so does one that answers between the lines."""
    lines = text.split("\n")
    page = _Page([line.strip().lower().strip("*_ ") for line in lines])
    cut = next((number for number in range(len(lines)) if page.begins_quotation(number)), len(lines))
    written = "\n".join(lines[:cut]).strip()
    return (written, "\n".join(lines[cut:]).strip()) if written else (text.strip(), "")


class _Page:
    """Lines in small letters, and where the last ones of each kind stand: asked for every line, so never searched for."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.last_marked = max((at for at, line in enumerate(lines) if line.startswith(">")), default=-1)
        self.last_new = max((at for at, line in enumerate(lines) if line and not line.startswith(">")), default=-1)

    def begins_quotation(self, number: int) -> bool:
        line = self.lines[number]
        if line.startswith(">"):
            return self.last_new < number
        return bool(SEPARATOR.match(line)) or self._is_head(line, number) or self._is_introduction(line, number)

    def _is_head(self, line: str, number: int) -> bool:
        below = self.lines[number + 1 : number + 4]
        return line.startswith(SENDER_LINES) and any(each.startswith(DATE_LINES) for each in below)

    def _is_introduction(self, line: str, number: int) -> bool:
        for begins, holds in INTRODUCTIONS:
            if line.startswith(begins):
                for last in range(number, min(number + LONGEST_INTRODUCTION, len(self.lines))):
                    words = " ".join(self.lines[number : last + 1])
                    if words.endswith(":") and holds in words and any(char.isdigit() for char in words):
                        return self._nothing_new_follows(last + 1)
        return False

    def _nothing_new_follows(self, number: int) -> bool:
        """What stands below is marked to its end, or not marked at all; otherwise somebody answers between the lines."""
        return self.last_marked < number or self.last_new < number
