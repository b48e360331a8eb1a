"""Acme Outdoor: a small shop that exists only to show the widget where customers meet it."""

from dataclasses import dataclass
from typing import Any

from csp.constants import NONE, SELF
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from contactcenter.models import Channel

from .demo.content import CENTERS

DEMO_CENTER = next(iter(CENTERS))  # the second one only shows that centers are apart


@dataclass(frozen=True)
class Product:
    """`picture`: a file of static/demo. `note` is translated when it is shown."""

    name: str
    note: Any
    price: str
    picture: str


RIDGELINE = Product("Ridgeline Mid", _("Waterproof leather, for long days on stony paths"), "€ 189", "boot-ridge.svg")
BOOTS = (
    RIDGELINE,
    Product("Fen Light", _("Breathes, dries overnight, weighs 410 g"), "€ 129", "boot-fen.svg"),
    Product("Alpine Pro", _("Stiff sole, takes semi-automatic crampons"), "€ 279", "boot-alpine.svg"),
)
GEAR = (
    Product("Lark 2", _("A tent for two with two doors, 1.9 kg"), "€ 349", "tent.svg"),
    Product("Brook 35", _("A pack of 35 litres whose back lets air through"), "€ 149", "pack.svg"),
    RIDGELINE,
)
QUESTIONS = (
    (_("How long does delivery take?"), _("Two to four working days. You get a link to follow the parcel.")),
    (_("Can I send boots back?"), _("Within 60 days, also when you have worn them once. We pay the way back.")),
    (
        _("Which size do I need?"),
        _("Stand on a sheet of paper, mark heel and toe, and add 12 mm. Or ask us in the chat."),
    ),
    (_("Do you repair?"), _("Yes: soles, zips and seams of everything that we sell, for life.")),
)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The shop's first page."""
    return _page(request, "demo/site.html", {"products": GEAR, "here": "home"})


@require_safe
def boots(request: HttpRequest) -> HttpResponse:
    """A page of products."""
    return _page(request, "demo/boots.html", {"products": BOOTS, "here": "boots"})


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Questions and answers."""
    return _page(request, "demo/help.html", {"questions": QUESTIONS, "here": "help"})


def _page(request: HttpRequest, template: str, context: dict[str, object]) -> HttpResponse:
    channel = demo_channel() if settings.DEMO_SITE else None
    if channel is None:
        raise Http404
    response = render(request, template, {"key": channel.key, **context})
    response._csp_replace = {  # type: ignore[attr-defined]  # noqa: SLF001 - django-csp's own way
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "connect-src": [SELF],
        "frame-src": [SELF],
        "form-action": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
    return response


def demo_channel() -> Channel | None:
    """The web channel of the demo center, when there is one."""
    channels = Channel.objects.filter(center__slug=DEMO_CENTER, kind=Channel.Kind.WEB, is_active=True)
    return channels.order_by("created_at").first()
