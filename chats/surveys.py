"""The page on which a customer rates a chat without our widget: reached by a signed link, which a foreign API's client hands on.

The link is all that it takes, so the page shows nothing of the chat but the center's name and the customer's own rating.
"""

import base64
import binascii
from datetime import timedelta
from urllib.parse import urljoin
from uuid import UUID

from django import forms
from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from contactcenter.colour import text_on
from contactcenter.models.center import COLOR

from .actions.survey import answer_survey
from .doors.throttles import Rate, count
from .errors import Refused
from .models import Chat, Participant

LINK_LIFE = timedelta(days=30)
LONGEST_COMMENT = 2000
BY_CHAT = Rate("surveys", 10)
signer = signing.TimestampSigner(sep=".", salt="chats.surveys")


class LinkOver(Exception):
    """The link was ours; its time is over, or its chat is gone."""


def survey_link(chat: Chat) -> str:
    """Where the chat's customer rates it, for 30 days. Good from now on; the page says so while the chat is open."""
    name = base64.urlsafe_b64encode(chat.pk.bytes).decode().rstrip("=")
    return urljoin(settings.BASE_URL, reverse("survey", args=[signer.sign(name)]))


class Survey(forms.Form):
    rating = forms.TypedChoiceField(
        choices=[(number, number) for number in range(1, 6)],
        coerce=int,
        error_messages={"required": _("Choose 1 to 5."), "invalid_choice": _("Choose 1 to 5.")},
    )
    comment = forms.CharField(max_length=LONGEST_COMMENT, required=False, strip=True)


# What the link allows is all that the page does, with cookies or without: no other site gains by sending somebody's browser here.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def survey(request: HttpRequest, token: str) -> HttpResponse:
    """/survey/<token>/: the form, thanks, or why there is none."""
    try:
        chat = _chat_of(token)
    except signing.BadSignature:
        return render(request, "survey/survey.html", {"state": "wrong"}, status=404)
    except LinkOver:
        return render(request, "survey/survey.html", {"state": "over"}, status=410)
    with translation.override(language_of(chat) or translation.get_language()):
        return _answer(request, chat, token) if request.method == "POST" else _show(request, chat, token)


@require_safe
def colours(request: HttpRequest, token: str) -> HttpResponse:
    """The center's accent as a style sheet of its own: the page may have no inline style."""
    try:
        accent = _chat_of(token).center.accent
    except (signing.BadSignature, LinkOver):
        return HttpResponse(content_type="text/css")
    return accent_sheet(accent)


def accent_sheet(accent: str) -> HttpResponse:
    """Nothing for what is no colour."""
    try:
        COLOR(accent)
    except forms.ValidationError:
        return HttpResponse(content_type="text/css")
    rule = f":root:root {{ --accent: {accent}; --on-accent: {text_on(accent)}; }}\n"
    return HttpResponse(rule, content_type="text/css", headers={"Cache-Control": "private, max-age=300"})


def _answer(request: HttpRequest, chat: Chat, token: str) -> HttpResponse:
    form = Survey(request.POST)
    if chat.is_open or not form.is_valid():
        return _show(request, chat, token, form, status=409 if chat.is_open else 400)
    try:
        count(BY_CHAT, str(chat.pk))
        customer = chat.participants.get(kind=Participant.Kind.CUSTOMER)
        answer_survey(customer, now=timezone.now(), **form.cleaned_data)
    except Refused as refused:
        form.add_error(None, str(refused.message))
        return _show(request, chat, token, form, status=429 if refused.code == "too_many" else 400)
    return HttpResponseRedirect(reverse("survey", args=[token]))


def _show(request: HttpRequest, chat: Chat, token: str, form: Survey | None = None, status: int = 200) -> HttpResponse:
    wants_form = form is not None or chat.rating is None or "again" in request.GET
    known = {"rating": chat.rating, "comment": chat.rating_comment}
    context = {
        "state": "open" if chat.is_open else "form" if wants_form else "thanks",
        "center": chat.center,
        "token": token,
        "form": form or Survey(initial=known),
        "rating": str((form.data.get("rating") if form else chat.rating) or ""),
        "comment": form.data.get("comment", "") if form else chat.rating_comment,
        "longest": LONGEST_COMMENT,
        "marks": [(str(mark), word) for mark, word in MARKS],
    }
    return render(request, "survey/survey.html", context, status=status)


MARKS = [(1, _("Very bad")), (2, _("Bad")), (3, _("All right")), (4, _("Good")), (5, _("Very good"))]


def _chat_of(token: str) -> Chat:
    """The chat that the link names. Raises BadSignature, LinkOver."""
    try:
        name = signer.unsign(token, max_age=LINK_LIFE)
        chat_id = UUID(bytes=base64.urlsafe_b64decode(name + "=="))
    except signing.SignatureExpired:
        raise LinkOver from None
    except (binascii.Error, ValueError):
        raise signing.BadSignature from None
    chat = Chat.objects.select_related("center", "team").filter(pk=chat_id, center__is_active=True).first()
    if chat is None:
        raise LinkOver
    return chat


def language_of(chat: Chat) -> str:
    """The chat's language, if it is one of ours; else empty: the browser's holds."""
    code = chat.language.replace("_", "-").split("-")[0].lower()
    return code if code in dict(settings.LANGUAGES) else ""
