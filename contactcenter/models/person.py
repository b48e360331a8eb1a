"""People who sign in, and the passwords of their programs."""

import hashlib
import secrets

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from .ids import new_id


def hash_secret(secret: str) -> str:
    """SHA-256 in hex. Only for secrets of 128 random bits and more, which cannot be guessed from it."""
    return hashlib.sha256(secret.encode()).hexdigest()


class User(AbstractUser):
    """A person (or a bot) of this installation. What they may do in a center is their seat there (agents.Agent)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    session_version = models.PositiveIntegerField(
        _("session version"), default=1, editable=False, help_text=_("Raised to end all sessions and sockets.")
    )

    class Meta(AbstractUser.Meta):
        swappable = "AUTH_USER_MODEL"

    @property
    def is_operator(self) -> bool:
        """Runs the installation, sees all centers."""
        return self.is_active and self.is_superuser

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a session must carry to be this user's: raising `session_version` ends all of them, as a new password does."""
        known = f"{self.password}:{self.session_version}"
        return salted_hmac("contactcenter.User.session", known, secret=secret, algorithm="sha256").hexdigest()


class ApplicationPassword(models.Model):
    """What a program uses instead of its person's password, by HTTP Basic. Shown once, stored hashed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="application_passwords", verbose_name=_("user")
    )
    name = models.CharField(_("name"), max_length=100, help_text=_("Which program uses it."))
    secret_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)

    class Meta:
        ordering = ["created_at"]
        verbose_name = _("application password")
        verbose_name_plural = _("application passwords")

    def __str__(self) -> str:
        return self.name

    @classmethod
    def issue(cls, user: User, name: str) -> tuple["ApplicationPassword", str]:
        """A new one and its secret, which is never shown again."""
        secret = f"ap_{secrets.token_urlsafe(32)}"
        return cls.objects.create(user=user, name=name, secret_hash=hash_secret(secret)), secret
