"""Files that lie elsewhere, as people are shown them. What may be linked to: actions/links.py."""

from typing import Any
from urllib.parse import urlsplit


def link_name(link: dict[str, Any]) -> str:
    """What it is called: as its sender says, else the host that it leads to. `link`: {type, name, url}."""
    return str(link["name"]).strip() or urlsplit(link["url"]).netloc


def link_text(link: dict[str, Any], between: str) -> str:
    """Name and address in one line, the address alone where nobody gave a name."""
    return between.join(filter(None, [str(link["name"]).strip(), link["url"]]))
