"""The audit log: read only, also for operators."""

from typing import Any

from django.contrib.admin import display, register
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from contactcenter.administration.base import CenterModelAdmin, ReadOnly
from contactcenter.administration.sites import SITES
from contactcenter.models import AuditEntry


@register(AuditEntry, site=SITES[0])
@register(AuditEntry, site=SITES[1])
class AuditEntryAdmin(ReadOnly, CenterModelAdmin):
    list_display = ("at", "actor", "action", "subject", "address")
    list_filter = ("action",)
    search_fields = ("actor", "subject")
    date_hierarchy = "at"
    fields = ("at", "actor", "action", "subject", "changed", "address")
    readonly_fields = ("changed",)

    def get_list_filter(self, request: HttpRequest) -> Any:
        # The center of an entry may be gone, so there is no list of centers to filter by.
        return self.list_filter

    @display(description=_("changes"))
    def changed(self, obj: AuditEntry) -> str:
        """Field by field: old and new, or what became of rows."""
        lines = [
            {"field": name, "old": change[0], "new": change[1]}
            if isinstance(change, list) and len(change) == 2
            else {"field": name, "new": change, "rows": change if isinstance(change, dict) else None}
            for name, change in obj.changes.items()
        ]
        return render_to_string("administration/changes.html", {"lines": lines})
