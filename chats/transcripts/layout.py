"""From a paragraph to lines of shaped pieces. Runs in the press: no Django here.

Words are shaped by HarfBuzz, their direction comes from the bidirectional algorithm (UAX #9), lines break at
spaces, between ideographs, and anywhere in a word that is longer than the line.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Protocol

from .bidi import levels, starts_right
from .faces import Faces, clusters

# Hebrew to Arabic Extended, the presentation forms, the right-to-left planes, and the marks that steer direction.
RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\u200f\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]")
STEERING = re.compile("[\u202a-\u202e\u2066-\u2069]")  # overrides of the sender would make a page lie about its order
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufeff]")
IDEOGRAPHS = "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
NEVER_FIRST = "、。，．：；！？）】」』〉》〕｝’”…‥ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ,.:;!?)]}%"
NEVER_LAST = "（【「『〈《〔｛‘“([{"
# A word with the spaces behind it. Between two ideographs a line may break, but not before 。 or after 「.
ATOM = re.compile(
    rf"[{re.escape(NEVER_LAST)}]{{0,3}}[{IDEOGRAPHS}][{re.escape(NEVER_FIRST)}]*\s*"
    rf"|[^\s{IDEOGRAPHS}]+?(?=[{re.escape(NEVER_LAST)}]{{0,3}}[{IDEOGRAPHS}])\s*|[^\s{IDEOGRAPHS}]+\s*|\s+"
)

REMEMBERED = 50_000  # words


@dataclass(frozen=True, slots=True)
class Piece:
    """A shaped run: `show` is the argument of the operator TJ at any size, `width` is in units of the size.

    `meaning` is the text where the glyphs alone do not tell it.
    """

    face: Path
    show: str
    width: float
    meaning: str
    level: int
    is_space: bool


@dataclass(frozen=True, slots=True)
class Line:
    """Pieces from left to right. `is_rtl`: the paragraph begins at the right."""

    pieces: tuple[Piece, ...]
    width: float
    is_rtl: bool


class Shaper(Protocol):
    def shape(self, face: Path, text: str, is_rtl: bool) -> tuple[str, float, str]:
        """The operand of TJ and the width, both for size 1, and the text where the glyphs alone do not tell it."""


def clean(text: str) -> str:
    """What can be set: no controls, no overrides of direction, tabs as spaces."""
    return CONTROLS.sub("\ufffd", STEERING.sub("", text)).replace("\t", "    ")


class Typesetter:
    """Breaks paragraphs into lines."""

    def __init__(self, faces: Faces, shaper: Shaper) -> None:
        self.faces = faces
        self.shaper = shaper
        self._shaped: dict[tuple[str, int], tuple[Piece, ...]] = {}

    def lines(self, text: str, width: float, default_rtl: bool = False) -> list[Line]:
        """One paragraph (no line ends within) in lines of at most `width` (in units of the size)."""
        text = clean(text)
        nesting, is_rtl = _levels(text, default_rtl)
        lines: list[Line] = []
        row: list[Piece] = []
        used = 0.0
        for atom in self._atoms(text, nesting, width):
            needed = sum(piece.width for piece in atom if not piece.is_space)
            if row and used + needed > width:
                lines.append(_line(row, is_rtl))
                row, used = [], 0.0
            row.extend(atom)
            used += sum(piece.width for piece in atom)
        lines.append(_line(row, is_rtl))
        return lines

    def _atoms(self, text: str, nesting: Sequence[int] | None, width: float) -> Iterator[list[Piece]]:
        """What must stay together on a line; a word that is wider than the line comes in parts."""
        for found in ATOM.finditer(text):
            pieces = self._pieces(found.group(), found.start(), nesting)
            if sum(piece.width for piece in pieces if not piece.is_space) <= width:
                yield pieces
                continue
            start = found.start()
            for cluster in clusters(found.group()):
                yield self._pieces(cluster, start, nesting)
                start += len(cluster)

    def _pieces(self, text: str, start: int, nesting: Sequence[int] | None) -> list[Piece]:
        if nesting is None:
            return list(self._shape(text, 0))
        pieces: list[Piece] = []
        for level, run in groupby(range(len(text)), key=lambda place: nesting[start + place]):
            places = list(run)
            pieces.extend(self._shape(text[places[0] : places[-1] + 1], level))
        return pieces

    def _shape(self, text: str, level: int) -> tuple[Piece, ...]:
        """Words come again and again: each is shaped once."""
        known = self._shaped.get((text, level))
        if known is None:
            word = text.rstrip()
            parts = [(face, part, False) for face, part in self.faces.split(word)]
            parts += [(face, part, True) for face, part in self.faces.split(" " * (len(text) - len(word)))]
            known = tuple(
                Piece(face, *self.shaper.shape(face, part, bool(level % 2)), level, is_space)
                for face, part, is_space in parts
            )
            if len(self._shaped) >= REMEMBERED:
                self._shaped.clear()
            self._shaped[(text, level)] = known
        return known


def _levels(text: str, default_rtl: bool) -> tuple[list[int] | None, bool]:
    """The embedding level of each character, and whether the paragraph begins at the right. None = all from left to right."""
    if not RIGHT_TO_LEFT.search(text):
        has_letters = any(char.isalpha() for char in text)
        return None, default_rtl and not has_letters
    is_rtl = starts_right(text)
    return levels(text, is_rtl), is_rtl


def _line(row: list[Piece], is_rtl: bool) -> Line:
    while row and row[-1].is_space:  # rule L1: the spaces at a line's end belong to nobody
        row.pop()
    return Line(tuple(_in_visual_order(row)), sum(piece.width for piece in row), is_rtl)


def _in_visual_order(row: list[Piece]) -> list[Piece]:
    """Rule L2: from the highest level down to 1, turn round what stands at that level or above."""
    highest = max((piece.level for piece in row), default=0)
    for level in range(highest, 0, -1):
        turned: list[Piece] = []
        for is_above, run in groupby(row, key=lambda piece: piece.level >= level):
            pieces = list(run)
            turned.extend(reversed(pieces) if is_above else pieces)
        row = turned
    return row
