"""Customers' apps: their sessions, and the devices that are told of what was said while no app is open."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contactcenter.models.tenancy import CenterRow, addressable, center_key, own_key, same_center

from .errand import Errand, ErrandQuerySet, lane_indexes


class AppSessionQuerySet(models.QuerySet["AppSession"]):
    def live(self, now: datetime) -> "AppSessionQuerySet":
        return self.filter(ended_at=None, expires_at__gt=now)


class AppSession(CenterRow):
    """A customer's app, signed in. Its token is signed and names this row; `push` says how its device is reached: {"fcm": {package, registrationId}} or {"apns": {bundleId, environment, token}}."""

    center = center_key("app_sessions")
    registration = own_key("contactcenter.Registration", related_name="app_sessions", verbose_name=_("foreign access"))
    profile = own_key("chats.ForeignCustomer", related_name="app_sessions", verbose_name=_("profile"))
    device_id = models.CharField(_("device"), max_length=200, blank=True)
    facts = models.JSONField(
        default=dict, blank=True, help_text="platform, platformVersion, sdkType, sdkVersion, sourceIp, as told."
    )
    push = models.JSONField(_("push"), default=dict, blank=True)
    push_error = models.CharField(_("why not reached"), max_length=300, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires"), db_index=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    objects = AppSessionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("app session")
        verbose_name_plural = _("app sessions")
        constraints = [addressable("appsession"), *same_center("appsession", "registration", "profile")]
        indexes = [
            models.Index(fields=["profile"], condition=Q(ended_at__isnull=True), name="appsession_of_profile"),
        ]

    def __str__(self) -> str:
        return self.device_id or str(self.pk)


class PushNotice(Errand):
    """That a device is to be told of one message. `external_id` is the service's; `skipped`: an app had shown it by then."""

    target = "session"

    center = center_key("push_notices")
    session = own_key("chats.AppSession", related_name="push_notices", verbose_name=_("app session"))
    channel = own_key("contactcenter.Channel", related_name="push_notices", verbose_name=_("channel"))
    chat = own_key("chats.Chat", related_name="push_notices", verbose_name=_("chat"), db_index=False)
    position = models.PositiveIntegerField()
    index = models.PositiveIntegerField()
    external_id = models.CharField(max_length=255, blank=True)
    skipped = models.BooleanField(default=False)

    objects = ErrandQuerySet["PushNotice"].as_manager()

    class Meta:
        ordering = ["-number"]
        verbose_name = _("push notice")
        verbose_name_plural = _("push notices")
        constraints = [
            addressable("pushnotice"),
            models.UniqueConstraint(fields=["session", "chat", "position"], name="pushnotice_of_event"),
            *same_center("pushnotice", "session", "channel", "chat"),
        ]
        indexes = lane_indexes("pushnotice", "session")

    def __str__(self) -> str:
        return f"{self.session} {self.index}"
