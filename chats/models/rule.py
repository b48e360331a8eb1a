"""What happens to a message that comes in over a channel, and the forms that customers are asked to fill in."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contactcenter.models.tenancy import CenterRow, addressable, center_key, own_key, same_center


class InboundRule(CenterRow):
    """For messages that come in over a kind of channel at one of our addresses: to whom they go, what is answered, what is noted.

    keywords: with commas between; one of them must stand in the message. Empty: every message.
    """

    class Action(models.TextChoices):
        START_CHAT = "startChat", _("start a chat with a team")
        REPLY = "replyMessage", _("answer with a text")
        UPDATE = "profileUpdate", _("change the customer's data")

    center = center_key("inbound_rules")
    registration = own_key(
        "contactcenter.Registration",
        related_name="inbound_rules",
        verbose_name=_("foreign access"),
        null=True,
        blank=True,
        help_text=_("Through which it was made; empty = by hand."),
    )
    channel = models.CharField(_("channel"), max_length=20, help_text="sms, email, fbMessenger, appMessaging …")
    inbound = models.CharField(
        _("our address"), max_length=200, default="*", help_text=_("A number, mailbox or page; * = any.")
    )
    keyword = models.CharField(_("keywords"), max_length=500, blank=True)
    action = models.CharField(_("what to do"), max_length=20, choices=Action, default=Action.START_CHAT)
    team = own_key(
        "contactcenter.Team",
        related_name="inbound_rules",
        verbose_name=_("team"),
        null=True,
        blank=True,
        help_text=_("For new chats."),
    )
    action_data = models.JSONField(_("answer or data"), default=dict, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    created_by = models.CharField(max_length=250, blank=True, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_by = models.CharField(max_length=250, blank=True, editable=False)

    class Meta:
        ordering = ["created_at", "id"]
        verbose_name = _("inbound rule")
        verbose_name_plural = _("inbound rules")
        constraints = [addressable("inboundrule"), *same_center("inboundrule", "registration", "team")]

    def __str__(self) -> str:
        return f"{self.channel} {self.inbound} {self.keyword}".strip()


class FormTemplate(CenterRow):
    """A form that is sent to a customer as a link. fields: [{key, label, kind (as FormField.Kind), options, required}]."""

    center = center_key("form_templates")
    key = models.CharField(_("id"), max_length=100, help_text=_("By which programs name it."))
    name = models.CharField(_("name"), max_length=100)
    text = models.TextField(_("words before the link"), blank=True)
    fields = models.JSONField(_("questions"), default=list, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name = _("form")
        verbose_name_plural = _("forms")
        constraints = [
            addressable("formtemplate"),
            models.UniqueConstraint(fields=["center", "key"], name="formtemplate_key_in_center"),
        ]

    def __str__(self) -> str:
        return self.name
