"""Seats, their slots and their teams."""

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contactcenter.models.tenancy import CenterRow, addressable, center_key, own_key, same_center


class AgentQuerySet(models.QuerySet["Agent"]):
    def active(self) -> "AgentQuerySet":
        return self.filter(is_active=True, user__is_active=True, center__is_active=True)


class Agent(CenterRow):
    """A user's seat in one center. A bot is an ordinary seat whose client is a program."""

    class Role(models.TextChoices):
        AGENT = "agent", _("Agent")
        SUPERVISOR = "supervisor", _("Supervisor")
        ADMIN = "admin", _("Administrator")

    center = center_key("agents")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="seats", verbose_name=_("user")
    )
    name = models.CharField(_("name shown to customers"), max_length=100)
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.AGENT)
    is_bot = models.BooleanField(_("bot"), default=False)
    capacity = models.PositiveSmallIntegerField(
        _("capacity"), default=3, validators=[MaxValueValidator(50)], help_text=_("How many chats at once.")
    )
    languages = models.JSONField(_("languages"), default=list, blank=True, help_text=_("Language codes; empty = all."))
    skills = models.JSONField(_("skills"), default=list, blank=True)
    avatar = models.ImageField(_("picture"), upload_to="avatars/", blank=True)
    teams = models.ManyToManyField(
        "contactcenter.Team", through="Membership", related_name="agents", verbose_name=_("teams")
    )
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects = AgentQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("agent")
        verbose_name_plural = _("agents")
        constraints = [
            addressable("agent"),
            models.UniqueConstraint(fields=["center", "user"], name="agent_one_seat_in_center"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_supervisor(self) -> bool:
        """Sees and steers all chats of the center."""
        return self.role in (self.Role.SUPERVISOR, self.Role.ADMIN)

    @property
    def is_admin(self) -> bool:
        return self.role == self.Role.ADMIN


class Slot(CenterRow):
    """One unit of an agent's capacity. What occupies it is a row of its own (chats.Occupation), unique by slot: over-capacity cannot be stored.

    A slot that capacity was taken from while a chat sat in it is retired: it ends with that chat.
    """

    center = center_key("slots")
    agent = own_key("agents.Agent", related_name="slots", verbose_name=_("agent"))
    number = models.PositiveSmallIntegerField(_("number"))
    is_retired = models.BooleanField(_("retired"), default=False)

    class Meta:
        ordering = ["agent", "number"]
        verbose_name = _("slot")
        verbose_name_plural = _("slots")
        constraints = [
            addressable("slot"),
            models.UniqueConstraint(fields=["agent", "number"], name="slot_number_of_agent"),
            *same_center("slot", "agent"),
        ]

    def __str__(self) -> str:
        return f"{self.agent} {self.number}"


class Membership(CenterRow):
    """An agent answers a team's chats."""

    center = center_key("memberships")
    agent = own_key("agents.Agent", related_name="memberships", verbose_name=_("agent"))
    team = own_key("contactcenter.Team", related_name="memberships", verbose_name=_("team"))

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            models.UniqueConstraint(fields=["agent", "team"], name="membership_once"),
            *same_center("membership", "agent", "team"),
        ]

    def __str__(self) -> str:
        return f"{self.agent} – {self.team}"
