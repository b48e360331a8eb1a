"""What customers' browsers fetch of the widget: the loader at its stable address, and the page of the panel's frame."""

import hashlib
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from contactcenter.models import Channel

LOADER = Path(__file__).parent / "static" / "widget" / "loader.js"
# Sites name the loader without a revision: a new release must reach them within minutes.
LOADER_CACHING = "public, max-age=300, stale-while-revalidate=3600"


@require_safe
def loader(request: HttpRequest) -> HttpResponse:
    """/widget.js: a classic script that any site may include, also one that isolates itself (COEP)."""
    source, etag = _loader_source(settings.DEBUG and LOADER.stat().st_mtime_ns)
    if request.headers.get("If-None-Match", "").removeprefix("W/") == etag:
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = HttpResponse(source, content_type="text/javascript; charset=utf-8")
    response["ETag"] = etag
    response["Cache-Control"] = LOADER_CACHING
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    response["Access-Control-Allow-Origin"] = "*"  # for sites that include it with crossorigin and integrity
    return response


@cache
def _loader_source(changed: int) -> tuple[bytes, str]:
    source = LOADER.read_bytes()
    return source, f'"{hashlib.sha256(source).hexdigest()[:20]}"'


@require_safe
@xframe_options_exempt
def frame(request: HttpRequest) -> HttpResponse:
    """/widget/frame/?key=…: the panel's page, to be framed by the channel's allowed origins and by our own pages alone."""
    key = request.GET.get("key", "")[:64].replace("\0", "")
    web = Channel.objects.filter(kind=Channel.Kind.WEB, is_active=True, center__is_active=True)
    channel = web.select_related("center").filter(key=key).first()
    if channel is None:
        raise Http404
    origins = [origin for origin in channel.allowed_origins if is_origin(origin)]
    own = f"{request.scheme}://{request.get_host()}"
    context = {"channel": channel, "center": channel.center, "origins": " ".join([own, *origins])}
    response = render(request, "widget/frame.html", context)
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    # Everything in it is ours, so it can also live on a site that isolates itself: such a site takes no frame without this.
    response["Cross-Origin-Embedder-Policy"] = "require-corp"
    response["Referrer-Policy"] = "no-referrer"
    response._csp_replace = _policy(request, origins)  # type: ignore[attr-defined]  # noqa: SLF001 - django-csp's own way
    return response


def is_origin(text: object) -> bool:
    """Whether it is scheme://host[:port] and nothing else: what stands in a policy may not add a directive to it."""
    if not isinstance(text, str) or any(sign in text for sign in " ;,'\"\\*\t\r\n"):
        return False
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - raises when it is no number
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and text == f"{parts.scheme}://{parts.netloc}"


def _policy(request: HttpRequest, origins: list[str]) -> dict[str, list[str]]:
    # Named because older Safari does not count the websocket of one's own host as 'self'.
    socket = f"{'wss' if request.is_secure() else 'ws'}://{request.get_host()}"
    return {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "blob:"],
        "connect-src": [SELF, socket],
        "form-action": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [SELF, *origins],
        "require-trusted-types-for": ["'script'"],
        "trusted-types": [NONE],
    }
