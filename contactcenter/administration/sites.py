"""The two admin sites: the operators', over everything, and a center's own."""

import time
from collections.abc import Callable
from functools import update_wrapper
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from unfold.dataclasses import SearchResult
from unfold.sites import UnfoldAdminSite

from contactcenter.models import ContactCenter, User

from .access import centers_of, choose_center, chosen_center, lacks_second_factor, person_of

FOUND_OF_EACH = 8


def zone_of(center: ContactCenter | None) -> ZoneInfo:
    """The center's time zone, else UTC."""
    try:
        return ZoneInfo(center.time_zone if center else "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


class Site(UnfoldAdminSite):
    """What both sites share: sign-in is allauth's, and nothing is found that the site's own lists would not show."""

    def is_entitled(self, user: User) -> bool:
        """Whether the person may use this site at all."""
        raise NotImplementedError

    def center_of(self, request: HttpRequest) -> ContactCenter | None:
        """The one center that the request is about; None = all of them."""
        raise NotImplementedError

    def limit(self, request: HttpRequest, rows: "QuerySet[Any]", lookup: str) -> "QuerySet[Any]":
        """The rows that the request may see; `lookup` leads from a row to its center."""
        raise NotImplementedError

    def has_permission(self, request: HttpRequest) -> bool:
        """Asked anew for each request, and once: a page asks for each kind of row, several times."""
        user = person_of(request)
        if user is None:
            return False
        known: dict[tuple[str, Any], bool] = vars(request).setdefault("_admitted", {})
        if (self.name, user.pk) not in known:
            known[self.name, user.pk] = self.is_entitled(user) and not lacks_second_factor(user)
        return known[self.name, user.pk]

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        """Times are the center's, on pages and in forms; so the page is rendered before the zone is left."""
        inner = super().admin_view(view, cacheable)

        def in_zone(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            with timezone.override(zone_of(self.center_of(request))):
                response = inner(request, *args, **kwargs)
                if hasattr(response, "render") and not response.is_rendered:
                    response.render()
                return response

        return update_wrapper(in_zone, inner)

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Where somebody lands whom the site does not let in (as allauth's secure_admin_login, but seats decide, not is_staff)."""
        target = self._next(request)
        user = person_of(request)
        if user is None:
            return redirect(f"{reverse('account_login')}?{urlencode({'next': target})}")
        if not self.is_entitled(user):
            raise PermissionDenied
        if lacks_second_factor(user):
            messages.warning(request, _("Administrators sign in with a second factor. Set yours up to go on."))
            return redirect(f"{reverse('mfa_activate_totp')}?{urlencode({'next': target})}")
        return self.login_entitled(request, target)

    def login_entitled(self, request: HttpRequest, target: str) -> HttpResponse:
        return HttpResponseRedirect(target)

    def _next(self, request: HttpRequest) -> str:
        home = reverse("admin:index", current_app=self.name)
        wanted = request.POST.get("next") or request.GET.get("next") or home
        is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
        return wanted if is_ours and not wanted.startswith(reverse("admin:login", current_app=self.name)) else home

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return redirect("account_change_password")

    def get_urls(self) -> list[URLPattern | URLResolver]:
        # "View on site" would open any row of any model by its id, and nothing here links to it.
        return [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """As unfold's, but not cached: its cache knows neither the site nor the center."""
        term = request.GET.get("s", "").strip()[:100]
        if not term:
            return HttpResponse()
        started = time.monotonic()
        results = self._search_apps(self.get_app_list(request), term.lower()) + self._rows_found(request, term)
        pages = Paginator(results, 100)
        name = "command_results" if "extended" in request.GET else "search_results"
        request.current_app = self.name  # type: ignore[attr-defined]
        context = {
            "page_obj": pages,
            "results": pages.get_page(1),
            "page_counter": 0,
            "execution_time": time.monotonic() - started,
        }
        return TemplateResponse(request, f"unfold/helpers/{name}.html", context, headers={"HX-Trigger": "search"})

    def _rows_found(self, request: HttpRequest, term: str) -> list[SearchResult]:
        found = []
        for model, model_admin in self._registry.items():
            if not model_admin.get_search_fields(request) or not model_admin.has_view_permission(request):
                continue
            rows = model_admin.get_search_results(request, model_admin.get_queryset(request), term)[0]
            route = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
            found += [
                SearchResult(
                    title=str(row),
                    description=str(model._meta.verbose_name),
                    link=reverse(route, args=[row.pk], current_app=self.name),
                    icon="arrow_outward",
                )
                for row in rows[:FOUND_OF_EACH]
            ]
        return found


class CenterSite(Site):
    """A center's admin: that center's rows and no others."""

    index_template = "administration/dashboard.html"

    def is_entitled(self, user: User) -> bool:
        return centers_of(user, as_admin=True).exists()

    def center_of(self, request: HttpRequest) -> ContactCenter | None:
        return chosen_center(request)

    def limit(self, request: HttpRequest, rows: "QuerySet[Any]", lookup: str) -> "QuerySet[Any]":
        center = chosen_center(request)
        return rows.none() if center is None else rows.filter(**{lookup: center.pk})

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and chosen_center(request) is not None

    def login_entitled(self, request: HttpRequest, target: str) -> HttpResponse:
        if chosen_center(request) is None:
            return redirect(f"{reverse('admin:choose', current_app=self.name)}?{urlencode({'next': target})}")
        return super().login_entitled(request, target)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        return [path("choose/", self.choose, name="choose"), *super().get_urls()]

    @method_decorator(never_cache)
    def choose(self, request: HttpRequest) -> HttpResponse:
        """Choose one of the centers that one administers."""
        user = person_of(request)
        if user is None or not self.is_entitled(user) or lacks_second_factor(user):
            return self.login(request)
        centers = centers_of(user, as_admin=True)
        if request.method == "POST":
            choose_center(request, get_object_or_404(centers, slug=request.POST.get("center", "")))
            return HttpResponseRedirect(self._next(request))
        context = {"centers": centers, "chosen": chosen_center(request), "next": self._next(request)}
        return TemplateResponse(request, "administration/choose.html", context)


class OperatorSite(Site):
    """Everything, for those who run the installation."""

    settings_name = "UNFOLD_OPERATOR"
    index_template = "administration/dashboard.html"

    def is_entitled(self, user: User) -> bool:
        return user.is_operator

    def center_of(self, request: HttpRequest) -> ContactCenter | None:
        return None

    def limit(self, request: HttpRequest, rows: "QuerySet[Any]", lookup: str) -> "QuerySet[Any]":
        return rows


center_site = CenterSite(name="admin")
operator_site = OperatorSite(name="operator")
SITES = (center_site, operator_site)
