"""The PDF's pages: where lines stand and how they look. Runs in the press: no Django here."""

from itertools import pairwise
from pathlib import Path

import uharfbuzz as hb
from fpdf import FPDF
from fpdf.fonts import TTFFont

from .layout import Line

MARGIN, TOP, BOTTOM = 56.0, 60.0, 64.0
INK, MUTED, RULE = "#171c28", "#545d70", "#e1e5ed"
BOLD = 0.035  # of the size: how much a stroke round the glyphs thickens them


class Sheet(FPDF):
    """A document in points with our own text operators: fpdf2's cells shape each line three times and know one font fallback per character."""

    def __init__(self) -> None:
        super().__init__(unit="pt", format="A4")
        self.set_auto_page_break(False)
        self.set_margin(0)
        self.down = 0.0  # from the top of the page to where the next line begins
        self._faces: dict[Path, TTFFont] = {}

    @property
    def measure(self) -> float:
        """The width of the text."""
        return self.w - 2 * MARGIN

    def new_page(self) -> None:
        self.add_page()
        self.down = TOP

    def need(self, height: float) -> None:
        """Begin a new page unless so much room is left."""
        if self.down + height > self.h - BOTTOM:
            self.new_page()

    def face(self, path: Path) -> TTFFont:
        if path not in self._faces:
            number = 2 if path.suffix == ".ttc" and "CJK" in path.stem else 0  # the collection's simplified Chinese
            key = f"f{len(self._faces)}"
            self.add_font(key, "", path, collection_font_number=number)
            font = self.fonts[key]
            assert isinstance(font, TTFFont)  # noqa: S101 - add_font makes nothing else
            self._faces[path] = font
        return self._faces[path]

    def shape(self, face: Path, text: str, is_rtl: bool) -> tuple[str, float, str]:
        """The operand of TJ and the width of a run of one face, both for size 1; and its text, if glyphs do not tell it."""
        font = self.face(face)
        buffer = hb.Buffer()
        buffer.cluster_level = hb.BufferClusterLevel.MONOTONE_CHARACTERS
        buffer.add_str(text)
        buffer.guess_segment_properties()
        buffer.direction = "rtl" if is_rtl else "ltr"
        hb.shape(font.hbfont, buffer, {})
        infos, places = buffer.glyph_infos, buffer.glyph_positions
        meaning = _meanings([info.cluster for info in infos], text)
        upem = font.ttfont["head"].unitsPerEm
        shown: list[str] = []
        is_plain = True
        for info, place in zip(infos, places, strict=True):
            name = font.ttfont.getGlyphName(info.codepoint)
            is_plain = is_plain and info.cluster in meaning
            nominal = font.ttfont["hmtx"].metrics[name][0]
            glyph = font.subset.get_glyph(
                glyph=info.codepoint,
                unicode=meaning.pop(info.cluster, ()),
                glyph_name=name,
                glyph_width=round(font.scale * nominal),
            )
            code = font.subset.pick_glyph(glyph)
            if code is not None:
                shown.append(_operand(code, place, nominal, 1000 / upem))
        # From right to left readers turn the glyphs' letters round themselves, and would turn a given text twice.
        told = "" if is_plain or is_rtl else text
        return "".join(shown), sum(place.x_advance for place in places) / upem, told

    def put(self, line: Line, left: float, *, size: float, color: str, bold: bool = False) -> None:
        """Show a line whose baseline stands at `down` + size."""
        base = self.h - self.down - size
        parts = [f"q BT {_rgb(color)} rg"]
        if bold:
            parts.append(f"{_rgb(color)} RG 2 Tr {size * BOLD:.2f} w")
        x = left
        for piece in line.pieces:
            parts.append(self._set_font_for_page(self.face(piece.face), size, wrap_in_text_object=False))
            show = f"1 0 0 1 {x:.2f} {base:.2f} Tm {_raised(piece.show, size)}"
            parts.append(_told(show, piece.meaning) if piece.meaning else show)
            x += piece.width * size
        parts.append("ET Q")
        self._out(" ".join(parts))
        self.current_font_is_set_on_page = False

    def box(self, left: float, top: float, width: float, height: float, color: str) -> None:
        self._out(f"q {_rgb(color)} rg {left:.2f} {self.h - top - height:.2f} {width:.2f} {height:.2f} re f Q")


def _meanings(starts: list[int], text: str) -> dict[int, tuple[int, ...]]:
    """Which characters each cluster of glyphs stands for: what a reader's search and copy find."""
    edges = [*sorted(set(starts)), len(text)]
    return {start: tuple(map(ord, text[start:end])) for start, end in pairwise(edges)}


def _operand(code: int, place: "hb.GlyphPosition", nominal: int, scale: float) -> str:
    """One glyph for TJ: numbers move left by thousandths of the size. A raised glyph is marked for `_raised`."""
    before = -place.x_offset * scale
    after = (nominal - place.x_advance + place.x_offset) * scale
    glyph = f"<{code:04X}>"
    if place.y_offset:
        glyph = f"\x00{place.y_offset * scale / 1000:.4f}\x00{glyph}\x01"
    return f"{_number(before)}{glyph}{_number(after)}"


def _number(value: float) -> str:
    return f" {value:.1f} " if abs(value) >= 0.05 else ""


def _told(show: str, text: str) -> str:
    """With the text that a reader's search and copy shall find: letters that HarfBuzz split or moved have glyphs of no meaning."""
    return f"/Span <</ActualText <FEFF{text.encode('utf-16-be').hex()}>>> BDC {show} EMC"


def _raised(show: str, size: float) -> str:
    """The operand as operators. Marks that stand above or below their letter need the text rise, which TJ cannot say."""
    if "\x00" not in show:
        return f"[{show}] TJ"
    parts: list[str] = []
    for chunk in show.split("\x01"):
        plain, _, rest = chunk.partition("\x00")
        if plain:
            parts.append(f"[{plain}] TJ")
        if rest:
            rise, _, glyph = rest.partition("\x00")
            parts.append(f"{float(rise) * size:.2f} Ts [{glyph}] TJ 0 Ts")
    return " ".join(parts)


def _rgb(color: str) -> str:
    return " ".join(f"{int(color[place : place + 2], 16) / 255:.3f}" for place in (1, 3, 5))
