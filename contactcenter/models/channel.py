"""Ways in: channels (a website's widget, an app …) and applications (programs with keys)."""

import secrets

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .center import COLOR
from .person import hash_secret
from .tenancy import CenterRow, addressable, center_key, own_key, same_center


def new_public_key() -> str:
    return f"pk_{secrets.token_urlsafe(18)}"


def new_identity_secret() -> str:
    return secrets.token_urlsafe(32)


class Channel(CenterRow):
    """This center's website widget, app, phone number, mailbox or page."""

    class Kind(models.TextChoices):
        WEB = "web", _("Website widget")
        APP = "app", _("App")
        SMS = "sms", _("SMS")
        EMAIL = "email", _("Email")
        FACEBOOK = "facebook", _("Facebook")
        API = "api", _("API")

    center = center_key("channels")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.WEB)
    name = models.CharField(_("name"), max_length=100)
    address = models.CharField(
        _("own address"),
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text=_("Where customers write to: our phone number, mailbox or page."),
    )
    key = models.CharField(_("public key"), max_length=64, unique=True, default=new_public_key)
    team = own_key(
        "contactcenter.Team",
        related_name="channels",
        verbose_name=_("team"),
        null=True,
        blank=True,
        help_text=_("Empty = the customer's choice, else the default team."),
    )
    allowed_origins = models.JSONField(
        _("allowed origins"),
        default=list,
        blank=True,
        help_text=_("Sites that may show the widget, such as https://www.example.com"),
    )
    identity_secret = models.CharField(
        _("identity secret"),
        max_length=64,
        default=new_identity_secret,
        help_text=_("Your site's server signs its customers' ids with it."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        constraints = [
            addressable("channel"),
            models.UniqueConstraint(
                fields=["center", "kind", "address"], condition=~Q(address=""), name="channel_address_in_center"
            ),
            *same_center("channel", "team"),
        ]

    def __str__(self) -> str:
        return self.name


class WidgetSettings(CenterRow):
    """How one web channel's widget looks and what it asks. `greeting` etc. are shown as typed."""

    class Side(models.TextChoices):
        END = "end", _("End (right in English)")
        START = "start", _("Start (left in English)")

    center = center_key("widget_settings")
    channel = models.OneToOneField(
        Channel, on_delete=models.CASCADE, db_constraint=False, related_name="widget", verbose_name=_("channel")
    )
    title = models.CharField(_("title"), max_length=60, blank=True)
    greeting = models.CharField(
        _("greeting"), max_length=200, blank=True, help_text=_("A bubble beside the launcher; empty = none.")
    )
    accent = models.CharField(
        _("accent colour"), max_length=7, blank=True, validators=[COLOR], help_text=_("Empty = the center's.")
    )
    side = models.CharField(_("side"), max_length=5, choices=Side, default=Side.END)
    languages = models.JSONField(
        _("languages"), default=list, blank=True, help_text=_("Language codes; empty = all that we speak.")
    )
    ask_team = models.BooleanField(_("let customers choose a team"), default=False)
    offline_form = models.BooleanField(_("take messages outside opening hours"), default=True)
    survey = models.BooleanField(_("ask for a rating after the end"), default=True)
    uploads = models.BooleanField(_("customers may send files"), default=True)

    class Meta:
        verbose_name = _("widget settings")
        verbose_name_plural = _("widget settings")
        constraints = same_center("widgetsettings", "channel")

    def __str__(self) -> str:
        return f"{self.channel}"


class FormField(CenterRow):
    """One question of a channel's form before the chat. The keys name, email and phone fill the customer's own fields."""

    class Kind(models.TextChoices):
        TEXT = "text", _("Text")
        EMAIL = "email", _("Email")
        PHONE = "phone", _("Phone")
        SELECT = "select", _("Choice")
        TEXTAREA = "textarea", _("Long text")

    center = center_key("form_fields")
    channel = own_key("contactcenter.Channel", related_name="form_fields", verbose_name=_("channel"))
    key = models.SlugField(_("key"), max_length=40)
    label = models.CharField(_("label"), max_length=100)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.TEXT)
    options = models.JSONField(_("choices"), default=list, blank=True)
    is_required = models.BooleanField(_("required"), default=False)
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        ordering = ["channel", "order"]
        verbose_name = _("form field")
        verbose_name_plural = _("form fields")
        constraints = [
            models.UniqueConstraint(fields=["channel", "key"], name="formfield_key_in_channel"),
            *same_center("formfield", "channel"),
        ]

    def __str__(self) -> str:
        return self.label


class Application(CenterRow):
    """A program of the center: a secret key for servers, a public key (with allowed origins) for browsers."""

    center = center_key("applications")
    name = models.CharField(_("name"), max_length=100)
    public_key = models.CharField(_("public key"), max_length=64, unique=True, default=new_public_key)
    secret_hash = models.CharField(max_length=64, unique=True, null=True, editable=False)
    secret_hint = models.CharField(_("secret key begins with"), max_length=12, blank=True, editable=False)
    allowed_origins = models.JSONField(_("allowed origins"), default=list, blank=True)
    teams = models.ManyToManyField(
        "contactcenter.Team",
        through="ApplicationTeam",
        related_name="applications",
        blank=True,
        verbose_name=_("teams"),
        help_text=_("None = all."),
    )
    may_configure = models.BooleanField(_("may change teams, agents and channels"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name = _("application")
        verbose_name_plural = _("applications")
        constraints = [addressable("application")]

    def __str__(self) -> str:
        return self.name

    def renew_secret(self) -> str:
        """A new secret key, which is never shown again; the old one ends at once."""
        secret = f"sk_{secrets.token_urlsafe(32)}"
        self.secret_hash, self.secret_hint = hash_secret(secret), secret[:9]
        self.save(update_fields=["secret_hash", "secret_hint"])
        return secret


class ApplicationTeam(CenterRow):
    """A team that an application may use."""

    center = center_key("application_teams")
    application = own_key("contactcenter.Application", related_name="application_teams", verbose_name=_("application"))
    team = own_key("contactcenter.Team", related_name="application_teams", verbose_name=_("team"))

    class Meta:
        verbose_name = _("team of an application")
        verbose_name_plural = _("teams of an application")
        constraints = [
            models.UniqueConstraint(fields=["application", "team"], name="applicationteam_once"),
            *same_center("applicationteam", "application", "team"),
        ]

    def __str__(self) -> str:
        return f"{self.application} – {self.team}"
