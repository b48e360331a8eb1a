"""Small pages between an object's buttons: a question before something is done, and a secret that is shown once."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.html import format_html_join
from django.utils.text import capfirst


def links_to(site: Any, row: Any, *lists: tuple[str, str, Any, int]) -> Any:
    """Links to the lists of what uses a row. Each: model (app_model), lookup, name, count."""
    if row._state.adding:
        return "–"
    found = (
        (reverse(f"admin:{model}_changelist", current_app=site.name), lookup, row.pk, capfirst(name), count)
        for model, lookup, name, count in lists
    )
    return format_html_join(" · ", '<a class="text-link" href="{}?{}={}">{}: {}</a>', found)


def question_page(request: HttpRequest, model_admin: Any, obj: Any, *, title: Any, question: Any) -> HttpResponse:
    """A question with a button that posts to the same address."""
    return _page(request, model_admin, obj, {"title": title, "question": question})


def secret_shown(
    request: HttpRequest, model_admin: Any, obj: Any, *, title: Any, secret: str, hint: Any
) -> HttpResponse:
    """The page with the secret on it; never cached."""
    return _page(request, model_admin, obj, {"title": title, "secret": secret, "hint": hint})


def secret_asked(
    request: HttpRequest, model_admin: Any, obj: Any, *, title: Any, question: Any, hint: Any, make: Callable[[], str]
) -> HttpResponse:
    """A question on GET; on POST what `make` returns is shown, and the audit log says so."""
    if request.method != "POST":
        return question_page(request, model_admin, obj, title=title, question=question)
    secret = make()
    model_admin.note(request, str(title).lower(), obj)
    return secret_shown(request, model_admin, obj, title=title, secret=secret, hint=hint)


def _page(request: HttpRequest, model_admin: Any, obj: Any, own: dict[str, Any]) -> HttpResponse:
    request.current_app = model_admin.admin_site.name  # type: ignore[attr-defined]
    context = model_admin.admin_site.each_context(request) | {"opts": model_admin.opts, "original": obj} | own
    response = TemplateResponse(request, "administration/page.html", context)
    add_never_cache_headers(response)
    return response
