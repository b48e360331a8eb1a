"""Which font sets what. Runs in the press: no Django here.

Our own faces come first (contactcenter/fonts, the same on every machine), then those of the server. Whatever nobody has is
shown as U+FFFD, never left out.
"""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from fontTools.ttLib import TTFont, TTLibError

OWN = Path(__file__).resolve().parents[2] / "contactcenter" / "fonts"
SERVER = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
ORDER = [
    "NotoSans",
    "NotoSansArabic",
    "NotoSansHebrew",
    "NotoSansDevanagari",
    "NotoSansCJK",
    "NotoSansThai",
    "NotoSansBengali",
    "NotoSansTamil",
    "NotoSansTelugu",
    "NotoSansGujarati",
    "NotoSansGurmukhi",
    "NotoSansKannada",
    "NotoSansMalayalam",
    "NotoSansSinhala",
    "NotoSansGeorgian",
    "NotoSansArmenian",
    "NotoSansEthiopic",
    "NotoSansKhmer",
    "NotoSansLao",
    "NotoSansMyanmar",
    "NotoSansSymbols2",
    "NotoEmoji",
]
EMOJI = "NotoEmoji"
MISSING = "\ufffd"
MAX_SERVER_FONTS = 600

INVISIBLE = {"Cf", "Cc"}
JOINER, KEYCAP = "\u200d", "\u20e3"
VARIATION = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
EMOJI_STYLE = "\ufe0f"
FLAG = range(0x1F1E6, 0x1F200)
SKIN = range(0x1F3FB, 0x1F400)
PLAIN = re.compile(
    r"[\x20-\x7e\u00a0-\u02ff\u0370-\u0482\u048a-\u058f]*\Z"
)  # one character is one cluster, in NotoSans


def clusters(text: str) -> Iterator[str]:
    """The text in pieces that must not be torn apart: a letter with its marks, a flag, a joined emoji (near enough to UAX #29)."""
    piece = ""
    for char in text:
        if piece and not _extends(char, piece):
            yield piece
            piece = ""
        piece += char
    if piece:
        yield piece


def _extends(char: str, piece: str) -> bool:
    code = ord(char)
    if code < 0x300:
        return False
    if unicodedata.category(char) in ("Mn", "Me", "Mc", "Cf") or code in SKIN:
        return True
    if piece[-1] == JOINER and code > 0x2000:
        return True
    return code in FLAG and len(piece) == 1 and ord(piece) in FLAG


class Faces:
    """Finds the face of a cluster; remembers what it found."""

    def __init__(self) -> None:
        self._covered: dict[Path, frozenset[int]] = {}
        self._found: dict[str, tuple[Path, str]] = {}
        self._own = [path for name in ORDER for path in sorted(OWN.glob(f"{name}.?tf"))]
        self._server: list[Path] | None = None
        if not self._own:
            raise FileNotFoundError(f"There are no fonts in {OWN}.")

    def split(self, text: str) -> list[tuple[Path, str]]:
        """The text as runs of one face each; what no face has is replaced visibly."""
        if PLAIN.match(text):
            return [(self._own[0], text)] if text else []
        runs: list[tuple[Path, str]] = []
        for cluster in clusters(text):
            face, shown = self._face_of(cluster)
            if runs and runs[-1][0] == face:
                runs[-1] = (face, runs[-1][1] + shown)
            else:
                runs.append((face, shown))
        return runs

    def _face_of(self, cluster: str) -> tuple[Path, str]:
        known = self._found.get(cluster)
        if known is None:
            known = self._found[cluster] = self._find(cluster)
        return known

    def _find(self, cluster: str) -> tuple[Path, str]:
        needed = {ord(char) for char in VARIATION.sub("", cluster) if unicodedata.category(char) not in INVISIBLE}
        for path in self._candidates(cluster):
            if needed <= self._cover(path):
                return path, cluster
        if len(cluster) > 1:  # no face has all of it: the letter alone says more than nothing
            head, shown = self._face_of(cluster[0])
            return head, shown + MISSING if shown != MISSING else MISSING
        return self._own[0], MISSING

    def _candidates(self, cluster: str) -> Iterator[Path]:
        if EMOJI_STYLE in cluster or ord(cluster[0]) >= 0x1F000 or KEYCAP in cluster:
            yield from (path for path in self._own if path.stem == EMOJI)
        yield from self._own
        yield from self._server_faces()

    def _server_faces(self) -> list[Path]:
        """The server's own regular faces, Noto first. Looked for only when a character is in none of ours."""
        if self._server is None:
            found = [path for folder in SERVER for path in folder.rglob("*") if path.suffix in (".ttf", ".otf", ".ttc")]
            upright = [path for path in found if not re.search("Bold|Italic|Oblique|Light|Mono|Emoji", path.stem)]
            self._server = sorted(upright, key=lambda path: ("NotoSans" not in path.stem, path.stem))[:MAX_SERVER_FONTS]
        return self._server

    def _cover(self, path: Path) -> frozenset[int]:
        if path not in self._covered:
            try:
                with TTFont(path, lazy=True, fontNumber=0) as font:
                    self._covered[path] = frozenset(font.getBestCmap() or ())
            except (TTLibError, OSError, KeyError, AssertionError, ValueError):
                self._covered[path] = frozenset()  # a broken face of the server is no reason to fail
        return self._covered[path]
