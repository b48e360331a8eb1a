"""What an API space of the Chat API needs beside its access: Basic credentials, and what its apps' sessions are proven by."""

import secrets
from typing import Any

from django.core.validators import MinLengthValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from .person import hash_secret
from .registration import LEAST_SECRET, PLAIN
from .secret import SecretField
from .tenancy import CenterRow, addressable, center_key, same_center

# RFC 7617: the first colon ends the name.
USER_NAME = RegexValidator(r"^[\x21-\x39\x3b-\x7e]+\Z", _("Letters, digits and signs without blanks and colons."))


def new_user_name() -> str:
    return f"apiuser-{secrets.token_hex(6)}"


def new_shared_secret() -> str:
    return secrets.token_urlsafe(32)


class ApiSpace(CenterRow):
    """One to one with a registration of the protocol comapi; the registration's `foreign_id` is the apiSpaceId and its secret the access token."""

    center = center_key("api_spaces")
    registration = models.OneToOneField(
        "contactcenter.Registration",
        on_delete=models.CASCADE,
        db_constraint=False,
        related_name="space",
        verbose_name=_("foreign access"),
    )
    user_name = models.CharField(
        _("user name"),
        max_length=100,
        unique=True,
        default=new_user_name,
        validators=[USER_NAME],
        help_text=_("Of programs that call /cpaas with HTTP Basic."),
    )
    password_hash = models.CharField(max_length=64, blank=True, editable=False)
    password_hint = models.CharField(_("password begins with"), max_length=12, blank=True, editable=False)
    shared_secret = SecretField(
        _("shared secret"),
        default=new_shared_secret,
        help_text=_("With it your site's or app's server signs its customers' tokens (HS256)."),
    )
    issuer = models.CharField(_("issuer"), max_length=200, blank=True, help_text=_("The tokens' iss; empty = any."))
    audience = models.CharField(_("audience"), max_length=200, blank=True, help_text=_("The tokens' aud; empty = any."))
    id_claim = models.CharField(
        _("id claim"),
        max_length=50,
        default="sub",
        help_text=_("The claim in which the tokens carry the profile's id."),
    )
    account_number = models.PositiveIntegerField(
        _("account id"), default=1, help_text=_("The accountId that web hooks name.")
    )
    allows_anonymous = models.BooleanField(
        _("anonymous sessions"),
        default=True,
        help_text=_("Visitors of the allowed origins may chat without signing in."),
    )

    class Meta:
        verbose_name = _("API space")
        verbose_name_plural = _("API spaces")
        constraints = [addressable("apispace"), *same_center("apispace", "registration")]

    def __str__(self) -> str:
        return self.user_name

    def set_password(self, password: str) -> None:
        """Keep a password's fingerprint; the caller saves. Raises ValidationError for one that could be guessed."""
        MinLengthValidator(LEAST_SECRET)(password)
        PLAIN(password)
        self.password_hash, self.password_hint = hash_secret(password), password[:4]

    def renew_password(self) -> str:
        """A new password, which is never shown again; the old one ends at once."""
        password = secrets.token_hex(24)
        self.set_password(password)
        self.save(update_fields=["password_hash", "password_hint"])
        return password

    @staticmethod
    def of(registration: Any) -> "ApiSpace":
        """The registration's, made where it is missing."""
        space, _is_new = ApiSpace.objects.get_or_create(
            registration=registration, defaults={"center_id": registration.center_id}
        )
        return space
