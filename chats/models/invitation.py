"""Offers of chats to agents, and what occupies a slot."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contactcenter.models.tenancy import CenterRow, addressable, center_key, own_key, same_center


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def pending(self) -> "InvitationQuerySet":
        return self.filter(state=Invitation.State.PENDING)

    def overdue(self, now: datetime) -> "InvitationQuerySet":
        return self.pending().filter(expires_at__lte=now)


class Invitation(CenterRow):
    """An offer of one chat to one agent."""

    class State(models.TextChoices):
        PENDING = "pending", _("Pending")
        ACCEPTED = "accepted", _("Accepted")
        DECLINED = "declined", _("Declined")
        EXPIRED = "expired", _("Not answered in time")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    center = center_key("invitations")
    chat = own_key("chats.Chat", related_name="invitations", verbose_name=_("chat"))
    agent = own_key("agents.Agent", related_name="invitations", verbose_name=_("agent"))
    team = own_key("contactcenter.Team", related_name="invitations", verbose_name=_("team"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PENDING)
    reason = models.CharField(_("why this agent"), max_length=50, blank=True)
    offered_at = models.DateTimeField(_("offered"))
    expires_at = models.DateTimeField(_("expires"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-offered_at"]
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [
            addressable("invitation"),
            models.UniqueConstraint(
                fields=["chat"], condition=Q(state="pending"), name="invitation_one_pending_of_chat"
            ),
            *same_center("invitation", "chat", "agent", "team"),
        ]
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(state="pending"), name="invitation_overdue"),
            models.Index(fields=["chat", "-offered_at"], name="invitation_of_chat"),
        ]

    def __str__(self) -> str:
        return f"{self.agent}: {self.get_state_display()}"


class Occupation(CenterRow):
    """What sits in a slot: a chat that its agent holds, or one that is only offered (then `invitation` says by which offer).

    A slot can occur once and a chat can occur once: an agent over capacity, or a chat with two owners, cannot be stored.
    """

    center = center_key("occupations")
    slot = models.OneToOneField(
        "agents.Slot", on_delete=models.PROTECT, db_constraint=False, related_name="occupation", verbose_name=_("slot")
    )
    chat = models.OneToOneField(
        "chats.Chat", on_delete=models.CASCADE, db_constraint=False, related_name="occupation", verbose_name=_("chat")
    )
    agent = own_key("agents.Agent", related_name="occupations", verbose_name=_("agent"), on_delete=models.PROTECT)
    invitation = models.OneToOneField(
        Invitation,
        on_delete=models.CASCADE,
        db_constraint=False,
        related_name="occupation",
        null=True,
        blank=True,
        verbose_name=_("invitation"),
    )
    since = models.DateTimeField(_("since"))

    class Meta:
        verbose_name = _("occupied slot")
        verbose_name_plural = _("occupied slots")
        constraints = same_center("occupation", "slot", "chat", "agent", "invitation")

    def __str__(self) -> str:
        return f"{self.agent}: {self.chat}"

    @property
    def is_held(self) -> bool:
        return self.invitation_id is None
