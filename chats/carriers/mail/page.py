"""A mail's page as text: what is shown, line by line, with the addresses of links; quoted parts begin with ">" as in text.

The page is cut into tags and words here, because html.parser takes minutes for a page of unfinished comments. Every search either
moves on or is the last one.
"""

import re
from collections.abc import Iterator
from html import unescape

MOST = 300_000  # characters that are read
UNSEEN = {"style", "script", "title", "textarea", "template"}  # up to their end nothing else counts
LONGEST_TAG = 4000  # characters in which an address is looked for
TAG = re.compile(r"</?([a-z][a-z0-9]*)", re.IGNORECASE)
HREF = re.compile(r"""\shref=(?:"([^"]*)"|'([^']*)'|([^\s>]+))""", re.IGNORECASE)
BLOCKS = {
    "p",
    "div",
    "br",
    "tr",
    "table",
    "ul",
    "ol",
    "li",
    "blockquote",
    "pre",
    "hr",
    "section",
    "article",
    "h1",
    "h2",
}
BLOCKS |= {"h3", "h4", "h5", "h6", "header", "footer", "dl", "dt", "dd", "form"}
SPACED = {"p", "table", "ul", "ol", "pre", "h1", "h2", "h3"}
DEEPEST = 20  # levels of quotation


def text_of(html: str) -> str:
    page = _Page()
    for tag, words in _cut(html[:MOST]):
        if tag:
            page.end_tag(tag[2:]) if tag.startswith("</") else page.begin_tag(tag[1:], words)
        else:
            page.say(unescape(words))
    page.end_line()
    return re.sub(r"\n{3,}", "\n\n", "\n".join(page.lines)).strip()


def _cut(html: str) -> Iterator[tuple[str, str]]:
    """("<a" or "</a", all of the tag), or ("", words between tags)."""
    at = 0
    while at < len(html):
        begin = html.find("<", at)
        if begin < 0:
            yield "", html[at:]
            return
        if begin > at:
            yield "", html[at:begin]
        at, tag = _after(html, begin)
        match = TAG.match(html, begin)
        if match and tag:
            yield match[0].lower(), tag
        elif tag == "<":
            yield "", tag


def _after(html: str, begin: int) -> tuple[int, str]:
    """(where it goes on, the tag); a tag that does not end takes the rest with it. "<" before anything else is a sign like others."""
    if html.startswith("<!--", begin):
        end = html.find("-->", begin + 4)
        return (end + 3, "") if end >= 0 else (len(html), "")
    if not re.match(r"[a-z/!?]", html[begin + 1 : begin + 2], re.IGNORECASE):
        return begin + 1, "<"
    end = html.find(">", begin)
    if end < 0:
        return len(html), ""
    tag = html[begin : min(end + 1, begin + LONGEST_TAG)]
    match = TAG.match(tag)
    if match and match[1].lower() in UNSEEN and not tag.startswith("</"):
        closing = re.compile(f"</{match[1]}", re.IGNORECASE).search(html, end)
        return (closing.start(), "") if closing else (len(html), "")
    return end + 1, tag


class _Page:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self._words: list[str] = []
        self._quoted = 0
        self._link: tuple[str, int] | None = None  # where it leads, where its words begin

    def begin_tag(self, tag: str, whole: str) -> None:
        if tag in BLOCKS:
            self.end_line()
            self._space(tag)
        if tag == "blockquote":
            self._quoted += 1
        elif tag == "li":
            self._words.append("- ")
        elif tag == "a":
            href = HREF.search(whole)
            self._link = (unescape(next(filter(None, href.groups()), "")) if href else "", len(self._words))

    def end_tag(self, tag: str) -> None:
        if tag == "a":
            self._end_link()
        if tag in BLOCKS:
            self.end_line()
            self._space(tag)
        if tag == "blockquote":
            self._quoted = max(self._quoted - 1, 0)

    def say(self, words: str) -> None:
        self._words.append(re.sub(r"\s+", " ", words))

    def end_line(self) -> None:
        line = re.sub(r" {2,}", " ", "".join(self._words)).strip()
        self._words, self._link = [], None
        if line:
            self.lines.append("> " * min(self._quoted, DEEPEST) + line)

    def _space(self, tag: str) -> None:
        if tag in SPACED and self.lines and self.lines[-1]:
            self.lines.append("")

    def _end_link(self) -> None:
        target, begun = self._link or ("", 0)
        self._link = None
        words = "".join(self._words[begun:]).strip()
        if target.startswith(("http://", "https://")) and target.rstrip("/") != words.rstrip("/"):
            self._words.append(f" ({target})")
