"""What agents have at hand: canned replies and dispositions."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from contactcenter.models.tenancy import CenterRow, addressable, center_key, own_key, same_center


class CannedReply(CenterRow):
    """A text that agents send often. {name} and {agent} in it become the customer's and the agent's name on the desk."""

    center = center_key("canned_replies")
    team = own_key(
        "contactcenter.Team",
        related_name="canned_replies",
        verbose_name=_("team"),
        null=True,
        blank=True,
        help_text=_("Empty = all teams."),
    )
    shortcut = models.SlugField(_("shortcut"), max_length=40)
    title = models.CharField(_("title"), max_length=100)
    text = models.TextField(_("text"), max_length=10_000)
    language = models.CharField(_("language"), max_length=10, blank=True)

    class Meta:
        ordering = ["shortcut"]
        verbose_name = _("canned reply")
        verbose_name_plural = _("canned replies")
        constraints = [
            models.UniqueConstraint(fields=["center", "team", "shortcut", "language"], name="cannedreply_once_in_team"),
            models.UniqueConstraint(
                fields=["center", "shortcut", "language"],
                condition=models.Q(team=None),
                name="cannedreply_once_in_center",
            ),
            *same_center("cannedreply", "team"),
        ]

    def __str__(self) -> str:
        return self.title


class Disposition(CenterRow):
    """How a chat ended, in the center's words."""

    center = center_key("dispositions")
    name = models.CharField(_("name"), max_length=100)
    order = models.PositiveSmallIntegerField(_("order"), default=0)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ["order", "name"]
        verbose_name = _("disposition")
        verbose_name_plural = _("dispositions")
        constraints = [
            addressable("disposition"),
            models.UniqueConstraint(fields=["center", "name"], name="disposition_name_in_center"),
        ]

    def __str__(self) -> str:
        return self.name
