"""An application as a foreign API knows it: its vendor's ids and keys, which a center may bring along."""

import secrets

from django.conf import settings
from django.core.validators import MinLengthValidator, RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .person import hash_secret
from .tenancy import CenterRow, addressable, center_key, own_key, same_center

# What stands in headers, addresses and query strings of foreign clients.
PLAIN = RegexValidator(r"^[\x21-\x7e]+$", _("Letters, digits and signs without blanks."))
# What people may have named a queue or a subject.
NAMED = RegexValidator(
    r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?\Z", _("A name without blanks around it.")
)
LEAST_SECRET = 12  # characters; it is kept as a fingerprint only


def new_foreign_id() -> str:
    return secrets.token_hex(12)


def new_domain_key() -> str:
    return secrets.token_hex(20)


def demands_secrets() -> bool:
    """In production; where somebody only tries it out, connectors come as they are."""
    return not (settings.DEBUG or settings.EMBEDDED)


class RegistrationQuerySet(models.QuerySet["Registration"]):
    def live(self, protocol: str) -> "RegistrationQuerySet":
        """Those that speak this API, and that nobody has switched off, nor what they belong to."""
        return self.filter(
            protocol=protocol,
            is_active=True,
            application__is_active=True,
            channel__is_active=True,
            center__is_active=True,
        )


class Registration(CenterRow):
    """One application's access to one foreign API. Its allowed origins are the application's own; its teams have the vendor's names here."""

    class Protocol(models.TextChoices):
        HYPERCHAT = "hyperchat", _("Inbenta HyperChat")
        GENESYS = "genesys", _("Genesys customer chat")
        EXPERTFLOW = "expertflow", _("Expertflow customer channel")
        COMAPI = "comapi", _("Comapi Chat API")

    # Their customers prove by a chat's external id that it is theirs, so nobody else may learn it.
    PROVEN_BY_CHAT_ID = frozenset({Protocol.GENESYS, Protocol.EXPERTFLOW})

    center = center_key("registrations")
    application = own_key("contactcenter.Application", related_name="registrations", verbose_name=_("application"))
    channel = own_key(
        "contactcenter.Channel",
        related_name="registrations",
        verbose_name=_("channel"),
        on_delete=models.PROTECT,
        help_text=_("Chats that begin here belong to it."),
    )
    protocol = models.CharField(_("spoken API"), max_length=20, choices=Protocol, default=Protocol.HYPERCHAT)
    foreign_id = models.CharField(
        _("application id"),
        max_length=100,
        default=new_foreign_id,
        validators=[PLAIN],
        help_text=_("Enter the one that your clients send already, or keep this one."),
    )
    secret_hash = models.CharField(max_length=64, blank=True, editable=False)
    secret_hint = models.CharField(_("secret begins with"), max_length=12, blank=True, editable=False)
    public_key = models.CharField(
        _("domain key"),
        max_length=100,
        blank=True,
        default=new_domain_key,
        validators=[PLAIN],
        help_text=_("For web pages of the allowed origins."),
    )
    uses_queue = models.BooleanField(
        _("chats wait in their team's queue"),
        default=True,
        help_text=_(
            "Off: a client asks for an agent itself, and a chat for which it does not ask is offered to nobody."
        ),
    )
    demands_secret = models.BooleanField(
        _("connectors must show the secret"),
        default=demands_secrets,
        db_default=True,
        help_text=_(
            "Off: anybody who reaches this server may register as a connector and so gets the messages of its channel."
        ),
    )
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        ordering = ["protocol", "foreign_id"]
        verbose_name = _("foreign access")
        verbose_name_plural = _("foreign accesses")
        constraints = [
            addressable("registration"),
            models.UniqueConstraint(fields=["protocol", "foreign_id"], name="registration_once"),
            *same_center("registration", "application", "channel"),
        ]

    def __str__(self) -> str:
        return f"{self.get_protocol_display()}: {self.foreign_id}"

    def set_secret(self, secret: str) -> None:
        """Keep a secret's fingerprint; the caller saves. Raises ValidationError for one that could be guessed."""
        MinLengthValidator(LEAST_SECRET)(secret)
        PLAIN(secret)
        self.secret_hash, self.secret_hint = hash_secret(secret), secret[:4]

    def renew_secret(self) -> str:
        """A new secret, which is never shown again; the old one ends at once."""
        secret = secrets.token_hex(24)
        self.set_secret(secret)
        self.save(update_fields=["secret_hash", "secret_hint"])
        return secret


class RegistrationTeam(CenterRow):
    """A team that the access reaches, under the name that its clients use for it (room, endpoint …)."""

    center = center_key("registration_teams")
    registration = own_key("contactcenter.Registration", related_name="rooms", verbose_name=_("foreign access"))
    team = own_key("contactcenter.Team", related_name="registration_teams", verbose_name=_("team"))
    foreign_id = models.CharField(
        _("room id"), max_length=100, validators=[NAMED], help_text=_("As the clients send it.")
    )
    facts = models.JSONField(
        default=dict,
        db_default={},
        blank=True,
        editable=False,
        help_text="What an API configures of a team and we have no field for.",
    )

    class Meta:
        ordering = ["foreign_id"]
        verbose_name = _("room")
        verbose_name_plural = _("rooms")
        constraints = [
            models.UniqueConstraint(fields=["registration", "foreign_id"], name="registrationteam_foreign_id"),
            models.UniqueConstraint(fields=["registration", "team"], name="registrationteam_once"),
            *same_center("registrationteam", "registration", "team"),
        ]

    def __str__(self) -> str:
        return f"{self.foreign_id} – {self.team}"
