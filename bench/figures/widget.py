"""What a page that carries the widget loads: at once, and when the widget is opened. Bytes as they are, and packed one by one."""

import gzip
import re
from pathlib import Path

from bench.site import ROOT, Site
from bench.sums import Row

name = "widget"
HOME = ROOT / "chats/static/widget"
SHEETS = [ROOT / "contactcenter/static/design/tokens.css", HOME / "panel.css", HOME / "conversation.css"]
IMPORT = re.compile(r"""^(?:import|export)\b[^"';]*["'](\.[^"']+)["']""", re.MULTILINE)


def measure(_site: Site) -> dict[str, Row]:
    panel = sorted(_with_imports(HOME / "panel.js"))
    return {"page": _bytes([HOME / "loader.js"]), "opened": _bytes([*panel, *SHEETS])}


def _with_imports(file: Path, known: frozenset[Path] = frozenset()) -> set[Path]:
    found = {file, *known}
    for named in IMPORT.findall(file.read_text()):
        wanted = (file.parent / named).resolve()
        if wanted not in found:
            found |= _with_imports(wanted, frozenset(found))
    return found


def _bytes(files: list[Path]) -> Row:
    contents = [file.read_bytes() for file in files]
    packed = sum(len(gzip.compress(content)) for content in contents)
    return {"files": len(files), "bytes": sum(map(len, contents)), "gzip": packed}
