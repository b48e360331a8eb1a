"""Messages on their way by our carriers, and customers' addresses there: to read, but for sending again and for lifting a STOP."""

from typing import Any

from django.contrib import messages
from django.contrib.admin import EmptyFieldListFilter, SimpleListFilter, display, register
from django.contrib.admin import action as bulk_action
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from chats.carriers.dispatches import send_again
from chats.models import Account, Dispatch, Event
from contactcenter.administration.base import CenterModelAdmin, ReadOnly
from contactcenter.administration.scope import OwnRelatedFilter
from contactcenter.administration.sites import SITES
from contactcenter.models import Channel

AT_ONCE = 500  # messages of one selection
STATES = {"pending": _("waiting"), "sent": _("sent"), "failed": _("not delivered")}
TONES = {"pending": "waiting", "sent": "live", "failed": "danger"}


def state_of(obj: Dispatch) -> str:
    """One that a network lost after it took it was sent, and has failed all the same."""
    return "failed" if obj.failed_at else obj.state


class StateFilter(SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return tuple(STATES.items())

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Dispatch]") -> "QuerySet[Dispatch]":
        match self.value():
            case "pending":
                return queryset.pending()  # type: ignore[attr-defined,no-any-return]
            case "sent":
                return queryset.filter(failed_at=None).exclude(sent_at=None)
            case "failed":
                return queryset.exclude(failed_at=None)
        return queryset


class ChannelFilter(OwnRelatedFilter):
    """All channels with a carrier: which of them occur among the messages would take too long to find out."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        rows = model_admin.admin_site.limit(request, Channel.objects.exclude(carrier=None), "center")
        return [(channel.pk, channel.name) for channel in rows.order_by("name")[:AT_ONCE]]


@register(Dispatch, site=SITES[0])
@register(Dispatch, site=SITES[1])
class DispatchAdmin(ReadOnly, CenterModelAdmin):
    is_personal = True
    list_display = ("address", "state_shown", "fate_shown", "channel", "filed_at", "chat_shown", "why")
    list_filter = (StateFilter, "fate", ("error", EmptyFieldListFilter), ("channel", ChannelFilter))
    list_select_related = ("channel", "account", "chat__customer")
    search_fields = ("=account__address", "=external_id")
    actions = ("send_chosen_again",)
    actions_detail = ("send_one_again",)
    readonly_fields = ("address", "state_shown", "fate_shown", "chat_shown", "next_at", "text", "why")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("address", "channel"),
                    ("state_shown", "fate_shown"),
                    ("filed_at", "sent_at"),
                    ("attempts_made", "next_at"),
                    "why",
                    ("chat_shown", "external_id"),
                    "text",
                )
            },
        ),
    )

    @display(description=_("address"), ordering="account")
    def address(self, obj: Dispatch) -> Any:
        """A number stays one on pages that read from right to left."""
        return format_html('<bdi dir="ltr">{}</bdi>', obj.account.address)

    @display(description=_("state"))
    def state_shown(self, obj: Dispatch) -> Any:
        state = state_of(obj)
        return format_html('<span class="cc-badge" data-tone="{}">{}</span>', TONES[state], STATES[state])

    @display(description=_("what the network says"), ordering="fate")
    def fate_shown(self, obj: Dispatch) -> Any:
        return obj.get_fate_display() if obj.fate else "–"

    @display(description=_("last error"), ordering="error")
    def why(self, obj: Dispatch) -> Any:
        """In the words of a network, which may not be the page's language."""
        return format_html("<bdi>{}</bdi>", obj.error or "–")

    @display(description=_("tried next"))
    def next_at(self, obj: Dispatch) -> Any:
        return obj.due_at if state_of(obj) == "pending" else "–"

    @display(description=_("chat"))
    def chat_shown(self, obj: Dispatch) -> Any:
        page = reverse("admin:chats_chat_change", args=[obj.chat_id], current_app=self.admin_site.name)
        return format_html('<a class="text-link" href="{}">{}</a>', page, obj.chat)

    @display(description=_("text"))
    def text(self, obj: Dispatch) -> Any:
        event = Event.objects.filter(chat=obj.chat_id, position=obj.position).first()
        return format_html("<bdi>{}</bdi>", (event.text if event else "") or "–")

    @bulk_action(description=_("Send the chosen ones again"))
    def send_chosen_again(self, request: HttpRequest, queryset: "QuerySet[Dispatch]") -> None:
        """In their old order. What has not failed is passed by."""
        count = sum(self._send_again(request, dispatch) for dispatch in queryset.order_by("number")[:AT_ONCE])
        messages.success(request, _("Messages sent again: %d") % count)

    @action(description=_("Send again"), url_path="send-again", icon="replay")
    def send_one_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        dispatch = self.own(request, object_id)
        if request.method != "POST":
            question = _("It is sent once more, the way that its chat goes now. Send it again?")
            return self.ask(request, dispatch, _("Send again"), question)
        if self._send_again(request, dispatch):
            messages.success(request, _("The message is sent again."))
        else:
            messages.error(request, _("It has arrived, is on its way, or the chat is on the website again."))
        page = reverse("admin:chats_dispatch_change", args=[dispatch.pk], current_app=self.admin_site.name)
        return HttpResponseRedirect(page)

    def _send_again(self, request: HttpRequest, dispatch: Dispatch) -> bool:
        if send_again(dispatch.center.chats, dispatch.chat_id, dispatch.index, timezone.now()) is None:
            return False
        self.note(request, "sent again", dispatch)
        return True


class StoppedFilter(SimpleListFilter):
    title = _("wants no more messages")
    parameter_name = "stopped"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return (("1", _("Yes")), ("0", _("No")))

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Account]") -> "QuerySet[Account]":
        return queryset.filter(stopped_at__isnull=self.value() == "0") if self.value() in ("0", "1") else queryset


@register(Account, site=SITES[0])
@register(Account, site=SITES[1])
class AccountAdmin(ReadOnly, CenterModelAdmin):
    is_personal = True
    list_display = ("address_shown", "kind", "customer_shown", "stopped", "last_inbound_at")
    list_filter = ("kind", StoppedFilter)
    list_select_related = ("customer",)
    search_fields = ("^address",)
    readonly_fields = ("address_shown", "customer_shown")
    actions_detail = ("lift_stop",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("address_shown", "kind"),
                    ("customer_shown", "stopped_at"),
                    ("last_inbound_at", "created_at"),
                )
            },
        ),
    )

    @display(description=_("address"), ordering="address")
    def address_shown(self, obj: Account) -> Any:
        return format_html('<bdi dir="ltr">{}</bdi>', obj.address)

    @display(description=_("customer"), ordering="customer")
    def customer_shown(self, obj: Account) -> Any:
        page = reverse("admin:chats_customer_change", args=[obj.customer_id], current_app=self.admin_site.name)
        return format_html('<a class="text-link" href="{}">{}</a>', page, obj.customer)

    @display(description=_("state"), ordering="stopped_at")
    def stopped(self, obj: Account) -> Any:
        tone, word = ("danger", _("stopped")) if obj.stopped_at else ("live", _("may be written to"))
        return format_html('<span class="cc-badge" data-tone="{}">{}</span>', tone, word)

    def has_lift_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """A stranger's row is not found, which is not said here."""
        account = self.get_object(request, str(object_id))
        return account is None or account.stopped_at is not None

    @action(description=_("Allow messages again"), url_path="lift-stop", icon="lock_open", permissions=["lift"])
    def lift_stop(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account = self.own(request, object_id)
        if request.method != "POST":
            question = _(
                "The customer has asked for no more messages. Only go on if it has told you otherwise: many countries' laws punish it. Allow messages again?"
            )
            return self.ask(request, account, _("Allow messages again"), question)
        Account.objects.filter(pk=account.pk).update(stopped_at=None)
        self.note(request, "stop lifted", account, {"stopped_at": [account.stopped_at.isoformat(), None]})
        messages.success(request, _("Messages may be sent there again."))
        page = reverse("admin:chats_account_change", args=[account.pk], current_app=self.admin_site.name)
        return HttpResponseRedirect(page)
