"""Customers."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.admin import EmptyFieldListFilter, display, register
from django.contrib.admin import action as bulk_action
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from chats.actions.customers import block_customer, unblock_customer
from chats.actions.erase import erase_customer
from chats.models import Customer
from contactcenter.administration.base import CenterModelAdmin
from contactcenter.administration.pages import links_to
from contactcenter.administration.sites import SITES

BLOCK_DAYS = 30


@register(Customer, site=SITES[0])
@register(Customer, site=SITES[1])
class CustomerAdmin(CenterModelAdmin):
    """People who wrote. Those with chats stay: their chats are records."""

    may_add = False
    is_personal = True
    list_display = ("__str__", "email", "phone", "is_identified", "is_blocked", "last_seen_at", "created_at")
    list_filter = ("is_blocked", "is_identified", "language", ("erased_at", EmptyFieldListFilter))
    search_fields = ("name", "email", "phone", "external_id")
    date_hierarchy = "created_at"
    actions = ("block", "unblock")
    actions_detail = ("block_one", "unblock_one", "erase")
    readonly_fields = (
        "external_id", "is_identified", "is_blocked", "blocked_until", "block_reason", "merged_into", "merged_here",
        "custom", "used_by", "last_seen_at", "created_at", "erased_at",
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": ("name", ("email", "phone"), ("language", "time_zone"), "notes")}),
        (_("Chats"), {"fields": (("used_by", "last_seen_at", "created_at", "erased_at"),)}),
        (_("Who it is"), {"fields": (("external_id", "is_identified"), ("merged_into", "merged_here"), "custom")}),
        (_("Blocking"), {"fields": (("is_blocked", "blocked_until", "block_reason"),)}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        used = obj is not None and obj.chats.exists()
        return not used and super().has_delete_permission(request, obj)

    @display(description=_("used by"))
    def used_by(self, obj: Customer) -> Any:
        return links_to(
            self.admin_site,
            obj,
            ("chats_chat", "customer__id__exact", _("chats"), obj.chats.count()),
            ("chats_offlinemessage", "customer__id__exact", _("offline messages"), obj.offline_messages.count()),
        )

    @display(description=_("merged into this one"))
    def merged_here(self, obj: Customer) -> Any:
        rows = ((self._path(other), other) for other in obj.merged.all())
        return format_html_join(" · ", '<a class="text-link" href="{}">{}</a>', rows) or "–"

    @display(description=_("custom data"))
    def custom(self, obj: Customer) -> str:
        return render_to_string("administration/pairs.html", {"pairs": obj.data})

    @bulk_action(description=_("Block the chosen customers for 30 days"))
    def block(self, request: HttpRequest, queryset: "QuerySet[Customer]") -> None:
        for customer in queryset:
            self._block(request, customer)

    @bulk_action(description=_("Unblock the chosen customers"))
    def unblock(self, request: HttpRequest, queryset: "QuerySet[Customer]") -> None:
        for customer in queryset:
            self._unblock(request, customer)

    @action(description=_("Block for 30 days"), url_path="block", icon="block")
    def block_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        customer = self.own(request, object_id)
        if request.method == "POST":
            self._block(request, customer)
            messages.success(request, _("%s is blocked.") % customer)
            return HttpResponseRedirect(self._path(customer))
        question = _("An open chat ends, and new ones are refused for 30 days. Block this customer?")
        return self.ask(request, customer, _("Block for 30 days"), question)

    @action(description=_("Unblock"), url_path="unblock", icon="check_circle")
    def unblock_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        customer = self.own(request, object_id)
        if request.method == "POST":
            self._unblock(request, customer)
            messages.success(request, _("%s may write again.") % customer)
            return HttpResponseRedirect(self._path(customer))
        return self.ask(request, customer, _("Unblock"), _("Let this customer write again?"))

    @action(description=_("Erase…"), url_path="erase", icon="delete_forever")
    def erase(self, request: HttpRequest, object_id: str) -> HttpResponse:
        customer = self.own(request, object_id)
        if request.method == "POST":
            erased = erase_customer(customer, by=request.user, now=timezone.now())  # type: ignore[arg-type]
            messages.success(request, _("The customer is erased."))
            return HttpResponseRedirect(self._path(erased))
        question = _(
            "Name, addresses, files and every word of all chats go for good, also those of records merged with this one; an open chat ends. "
            "What stays is how many chats there were, when, and who answered. Backups keep their copy until they expire. Erase this customer?"
        )
        return self.ask(request, customer, _("Erase this customer"), question)

    def _block(self, request: HttpRequest, customer: Customer) -> None:
        now = timezone.now()
        reason = str(_("by an administrator"))
        block_customer(customer, until=now + timedelta(days=BLOCK_DAYS), reason=reason, now=now)
        self.note(request, "blocked", customer)

    def _unblock(self, request: HttpRequest, customer: Customer) -> None:
        unblock_customer(customer)
        self.note(request, "unblocked", customer)

    def _path(self, customer: Customer) -> str:
        return reverse("admin:chats_customer_change", args=[customer.pk], current_app=self.admin_site.name)
