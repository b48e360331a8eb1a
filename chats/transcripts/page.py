"""A transcript as one HTML page that needs nothing else: no script, no address, no file beside it."""

import re
from base64 import b64encode
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from .reading import Transcript

COLOR = re.compile(r"#[0-9a-fA-F]{6}\Z")
DEFAULT_ACCENT = "#2f5bea"


@dataclass(frozen=True, slots=True)
class Page:
    """The document, and the only policy under which a browser should show it."""

    html: str
    policy: str


def render_html(transcript: Transcript) -> Page:
    """The whole transcript as a page."""
    context = context_of(transcript)
    html = render_to_string("transcripts/transcript.html", context)
    digest = b64encode(sha256(context["style"].encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
    return Page(html, policy)


def context_of(transcript: Transcript) -> dict[str, Any]:
    """What the templates of page and mail have in common. Everything that people wrote is escaped by the templates."""
    values = {field.name: getattr(transcript, field.name) for field in fields(transcript)}
    return {
        **values,
        "style": style(transcript.accent),
        "lines": SafeString(render_to_string("transcripts/lines.html", values)),
    }


def style(accent: str) -> SafeString:
    """Our look with the center's colour, which is checked again: it stands in a style sheet, where escaping does not help."""
    color = accent if COLOR.match(accent) else DEFAULT_ACCENT
    sheet = render_to_string("transcripts/look.css")
    return mark_safe(f":root {{ --accent: {color}; }}\n{sheet}")  # noqa: S308 - our own file and a checked colour
