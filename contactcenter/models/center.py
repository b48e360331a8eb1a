"""The tenant, and the installation it lives in."""

import uuid

from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contactcenter.prepared import Prepared

from .ids import new_id

COLOR = RegexValidator(r"^#[0-9a-fA-F]{6}$", _("A colour as #rrggbb."))


class Installation(models.Model):
    """One row: facts about this database as a whole."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    epoch = models.UUIDField(
        _("epoch"), default=uuid.uuid4, help_text=_("Changes when the database is restored from a backup.")
    )
    canary_at = models.DateTimeField(_("last sign of life of the workers"), null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="installation_is_one_row")]

    def __str__(self) -> str:
        return str(self.epoch)

    @classmethod
    def current(cls) -> "Installation":
        return _CURRENT.first(1) or cls.objects.get_or_create(id=1)[0]


_CURRENT = Prepared(lambda number: Installation.objects.filter(id=number))


class ContactCenter(models.Model):
    """A tenant: one company's contact center."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(
        _("short name"), unique=True, help_text=_("Used in addresses; letters, digits and hyphens.")
    )
    name = models.CharField(_("name"), max_length=100)
    host = models.CharField(
        _("host name"),
        max_length=253,
        unique=True,
        null=True,
        blank=True,
        help_text=_("Requests to this host belong to this center."),
    )
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    language = models.CharField(_("language"), max_length=10, default="en")
    accent = models.CharField(_("accent colour"), max_length=7, default="#2f6fed", validators=[COLOR])
    logo = models.ImageField(_("logo"), upload_to="logos/", blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name = _("contact center")
        verbose_name_plural = _("contact centers")

    def __str__(self) -> str:
        return self.name
