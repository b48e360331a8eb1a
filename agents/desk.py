"""The desk's page: whose seat it is, and everything that its scripts need to begin."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from csp.decorators import csp_update
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect, render
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils.translation import get_language, get_language_info
from django.views.decorators.cache import never_cache

from .models import Agent

WORDS = Path(__file__).parent / "words"
API = "/api/v1/"
SOCKET = "/ws/v1/agent"
WAITING_TARGET_SECONDS = 60

# Scripts may make HTML only through lit-html's templates, whose static parts are ours and whose values are escaped.
TRUSTED_TYPES = {"require-trusted-types-for": ["'script'"], "trusted-types": ["lit-html"]}


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The way to the desk: straight on for who has one seat, a choice for who has several, a kind word for who has none."""
    seats = list(seats_of(request))
    if len(seats) == 1:
        return redirect("desk", slug=seats[0].center.slug)
    return render(request, "desk/seats.html", {"seats": seats}, status=200 if seats else 403)


@login_required
@never_cache
@csp_update(TRUSTED_TYPES)  # type: ignore[arg-type]  # its types know only views without arguments
def desk(request: HttpRequest, slug: str) -> HttpResponse:
    """One seat's desk. Another's is not found: whether that center exists is nobody's business."""
    seat = get_object_or_404(seats_of(request), center__slug=slug)
    return render(request, "desk/desk.html", {"seat": seat, "config": page_config(request, seat)})


def seats_of(request: HttpRequest) -> QuerySet[Agent]:
    """The seats that the signed-in person may sit down on."""
    seats: QuerySet[Agent] = Agent.objects.active().filter(user_id=str(request.user.pk), is_bot=False)
    return seats.select_related("center").order_by("center__name")


def page_config(request: HttpRequest, seat: Agent) -> dict[str, Any]:
    """What the page's one JSON script holds. No secret but the CSRF token, which the page needs for its own posts."""
    language = get_language() or settings.LANGUAGE_CODE
    center = seat.center
    return {
        "center": {"id": str(center.pk), "slug": center.slug, "name": center.name, "accent": center.accent},
        "agent": {"id": str(seat.pk), "name": seat.name, "role": seat.role},
        "language": language,
        "languages": [
            {"code": code, "name": get_language_info(code)["name_local"]} for code, _name in settings.LANGUAGES
        ],
        "words": words(language.split("-")[0]),
        "icons": static("design/icons.svg"),
        "csrf": get_token(request),
        "api": API,
        "socket": SOCKET,
        "waitingTargetSeconds": WAITING_TARGET_SECONDS,
        "languageUrl": reverse("set_language"),
        "signInUrl": f"{reverse('account_login')}?next={request.path}",
        "signOutUrl": reverse("account_logout"),
        "accountUrl": account_url(),
        "seatsUrl": reverse("desk-home") if seats_of(request).count() > 1 else "",
        "adminUrl": reverse("admin:index") if seat.is_admin or request.user.is_staff else "",
    }


def account_url() -> str:
    """Where a person looks after password and second factor."""
    try:
        return reverse("mfa_index")
    except NoReverseMatch:
        return reverse("account_change_password")


@cache
def words(language: str) -> dict[str, str]:
    """The desk's catalogue in one language; what it lacks stands in English."""
    english: dict[str, str] = json.loads((WORDS / "en.json").read_text(encoding="utf-8"))
    path = WORDS / f"{language}.json"
    return english | json.loads(path.read_text(encoding="utf-8")) if path.exists() else english
