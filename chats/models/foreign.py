"""Customers and chats as a foreign API's clients know them: what such an API must give back and our own rows have no place for."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contactcenter.models.tenancy import CenterRow, addressable, center_key, own_key, same_center


class ForeignCustomer(CenterRow):
    """A customer whom a client of a foreign API made. `external_id` is that client's own and proves nothing to other doors."""

    center = center_key("foreign_customers")
    registration = own_key("contactcenter.Registration", related_name="customers", verbose_name=_("foreign access"))
    customer = own_key("chats.Customer", related_name="foreign", verbose_name=_("customer"))
    external_id = models.CharField(_("external id"), max_length=200, null=True, blank=True)
    facts = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("customer of a foreign API")
        verbose_name_plural = _("customers of foreign APIs")
        constraints = [
            addressable("foreigncustomer"),
            models.UniqueConstraint(fields=["registration", "customer"], name="foreigncustomer_once"),
            models.UniqueConstraint(
                fields=["registration", "external_id"],
                condition=Q(external_id__isnull=False),
                name="foreigncustomer_external_id",
            ),
            *same_center("foreigncustomer", "registration", "customer"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.external_id or ''}"


class ForeignChat(CenterRow):
    """A chat that a client of a foreign API began. `facts` are its own words, given back with the JSON type in which they came."""

    center = center_key("foreign_chats")
    registration = own_key("contactcenter.Registration", related_name="chats", verbose_name=_("foreign access"))
    chat = models.OneToOneField(
        "chats.Chat", on_delete=models.CASCADE, db_constraint=False, related_name="foreign", verbose_name=_("chat")
    )
    external_id = models.CharField(_("external id"), max_length=200, blank=True)
    facts = models.JSONField(default=dict, blank=True)
    head = models.PositiveIntegerField(
        default=0,
        help_text="Of the numbering of its own door (ForeignLine), drawn with the chat's row locked.",
    )
    cursor = models.PositiveIntegerField(
        default=0, help_text="Up to where a client that names no number has been answered."
    )
    account = models.CharField(
        _("account"),
        max_length=200,
        blank=True,
        db_default="",
        default="",
        help_text=_("The customer's on its channel: a phone number, say."),
    )
    connector = own_key(
        "chats.Connector",
        related_name="chats",
        verbose_name=_("connector"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        help_text="Which carries it; empty for a chat whose own client is connected.",
    )
    owed_since = models.DateTimeField(
        _("undelivered since"),
        null=True,
        blank=True,
        editable=False,
        help_text="The log goes on beyond what the connector was given: an obligation.",
    )
    told_position = models.PositiveIntegerField(null=True, blank=True, help_text="In the queue, as last announced.")

    class Meta:
        verbose_name = _("chat of a foreign API")
        verbose_name_plural = _("chats of foreign APIs")
        constraints = [addressable("foreignchat"), *same_center("foreignchat", "registration", "chat", "connector")]
        indexes = [
            models.Index(fields=["registration", "external_id"], name="foreignchat_external_id"),
            models.Index(fields=["registration", "account"], condition=~Q(account=""), name="foreignchat_account"),
            models.Index(
                fields=["connector", "owed_since"], condition=Q(owed_since__isnull=False), name="foreignchat_owed"
            ),
        ]

    def __str__(self) -> str:
        return str(self.chat_id)  # without the external id, which may be the customer's proof


class ForeignLine(models.Model):
    """One line of a chat as a door counts that numbers more than our log does: typing, say. 1, 2, 3 … without holes, written with what causes it."""

    pk = models.CompositePrimaryKey("foreign_chat_id", "number")
    center = center_key("foreign_lines", db_index=False, db_constraint=False)
    foreign_chat = own_key("chats.ForeignChat", related_name="lines", db_index=False)
    number = models.PositiveIntegerField()
    type = models.CharField(max_length=30)
    position = models.PositiveIntegerField(
        null=True, help_text="Of the event that it tells; empty for what the log does not keep."
    )
    data = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        ordering = ["foreign_chat_id", "number"]
        verbose_name = _("line of a foreign API")
        verbose_name_plural = _("lines of foreign APIs")
        constraints = same_center("foreignline", "foreign_chat")

    def __str__(self) -> str:
        return f"{self.number} {self.type}"
