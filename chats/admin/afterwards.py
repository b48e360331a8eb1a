"""Transcripts to mail, and messages left while nobody was there."""

from django.contrib import messages
from django.contrib.admin import EmptyFieldListFilter, display, register
from django.contrib.admin import action as bulk_action
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chats.models import OfflineMessage, TranscriptRequest
from contactcenter.administration.base import CenterModelAdmin, ReadOnly
from contactcenter.administration.sites import SITES


@register(TranscriptRequest, site=SITES[0])
@register(TranscriptRequest, site=SITES[1])
class TranscriptRequestAdmin(ReadOnly, CenterModelAdmin):
    is_personal = True
    list_display = ("chat", "email", "requested_at", "outcome", "attempts")
    list_filter = ("requested_at",)
    list_select_related = ("chat__customer",)
    search_fields = ("email",)
    actions = ("send_again",)
    readonly_fields = ("outcome",)
    fieldsets = ((None, {"fields": (("chat", "email"), ("requested_at", "due_at"), ("outcome", "attempts"), "error")}),)

    @display(description=_("outcome"))
    def outcome(self, obj: TranscriptRequest) -> str:
        if obj.sent_at:
            return str(_("sent"))
        if obj.failed_at:
            return str(_("given up"))
        return str(_("due") if obj.due_at else _("waits for the end of the chat"))

    @bulk_action(description=_("Try those that were given up again"))
    def send_again(self, request: HttpRequest, queryset: "QuerySet[TranscriptRequest]") -> None:
        given_up = queryset.filter(sent_at=None).exclude(failed_at=None)
        count = given_up.update(failed_at=None, attempts=0, due_at=timezone.now())
        messages.success(request, _("%d transcripts will be tried again.") % count)


@register(OfflineMessage, site=SITES[0])
@register(OfflineMessage, site=SITES[1])
class OfflineMessageAdmin(CenterModelAdmin):
    may_add = may_change = False
    is_personal = True
    list_display = ("name", "email", "team", "text_begins", "left_at", "handled_at", "handled_by")
    list_filter = ("team", "channel", ("handled_at", EmptyFieldListFilter))
    list_select_related = ("team", "handled_by")
    search_fields = ("name", "email", "text")
    date_hierarchy = "left_at"
    actions = ("handle",)
    fieldsets = (
        (None, {"fields": (("name", "email", "phone"), "text", ("left_at", "page_url"))}),
        (_("For whom"), {"fields": (("team", "channel", "customer"), ("handled_at", "handled_by"))}),
    )

    @display(description=_("message"))
    def text_begins(self, obj: OfflineMessage) -> str:
        return obj.text[:60]

    @bulk_action(description=_("Mark as handled"))
    def handle(self, request: HttpRequest, queryset: "QuerySet[OfflineMessage]") -> None:
        count = 0
        for message in queryset.filter(handled_at=None).select_related("center"):
            seat = message.center.agents.filter(user=request.user).first()
            OfflineMessage.objects.filter(pk=message.pk, handled_at=None).update(
                handled_at=timezone.now(), handled_by=seat
            )
            count += 1
        messages.success(request, _("%d messages are marked.") % count)
