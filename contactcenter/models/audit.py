"""Who changed what: append-only, kept by the database itself (a trigger of the first migration forbids changes)."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .ids import new_id


class AuditEntry(models.Model):
    """One privileged act: a sign-in, a change of settings or rights, a secret, an export. Never message texts."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    center = models.ForeignKey(
        "contactcenter.ContactCenter",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="audit_entries",
        verbose_name=_("contact center"),
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="audit_entries",
        verbose_name=_("user"),
    )
    actor = models.CharField(_("who"), max_length=200)
    action = models.CharField(_("what"), max_length=50)
    subject = models.CharField(_("on what"), max_length=200, blank=True)
    changes = models.JSONField(_("changes"), default=dict, blank=True)
    address = models.GenericIPAddressField(_("from"), null=True)
    at = models.DateTimeField(_("when"), default=timezone.now, db_index=True)

    class Meta:
        ordering = ["-at"]
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor} {self.action} {self.subject}"
