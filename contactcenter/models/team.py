"""Teams, their opening hours and how they take chats."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from .tenancy import CenterRow, addressable, center_key, own_key, same_center


class Team(CenterRow):
    """Agents who answer the same kind of chat."""

    class Mode(models.TextChoices):
        QUEUE = "queue", _("Queue: customers wait in line and see their position")
        DIRECT = "direct", _("Direct: search for an agent for a limited time")

    class Strategy(models.TextChoices):
        MOST_FREE = "most_free_slots", _("Most free slots")
        LONGEST_IDLE = "longest_idle", _("Longest idle")
        ROUND_ROBIN = "round_robin", _("Round robin")

    class Nobody(models.TextChoices):
        CLOSE = "close", _("say so and close the chat")
        SEARCH_AGAIN = "search_again", _("say so and let the customer search again")

    center = center_key("teams")
    key = models.SlugField(_("key"), max_length=64, help_text=_("Used by programs; stays when the name changes."))
    name = models.CharField(_("name"), max_length=100)
    is_active = models.BooleanField(_("active"), default=True)
    is_default = models.BooleanField(_("default team"), default=False, help_text=_("Takes chats that name no team."))
    mode = models.CharField(_("mode"), max_length=10, choices=Mode, default=Mode.QUEUE)
    strategy = models.CharField(
        _("who gets the next chat"), max_length=20, choices=Strategy, default=Strategy.MOST_FREE
    )
    languages = models.JSONField(_("languages"), default=list, blank=True, help_text=_("Language codes; empty = all."))
    always_open = models.BooleanField(_("open around the clock"), default=True)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, help_text=_("Empty = the center's."))

    search_seconds = models.PositiveIntegerField(
        _("search for an agent (s)"), default=60, help_text=_("Direct mode: how long to look for somebody.")
    )
    on_nobody = models.CharField(_("when nobody is found"), max_length=20, choices=Nobody, default=Nobody.SEARCH_AGAIN)
    invitation_seconds = models.PositiveIntegerField(
        _("invitation lasts (s)"), default=30, validators=[MinValueValidator(5), MaxValueValidator(600)]
    )
    target_seconds = models.PositiveIntegerField(_("target for the first answer (s)"), default=60)
    grace_seconds = models.PositiveIntegerField(
        _("grace for a lost agent (s)"),
        default=60,
        help_text=_("After this time without the agent's client, an open chat is offered again."),
    )
    away_reminder_seconds = models.PositiveIntegerField(_("remind a customer who left after (s)"), default=60)
    away_close_seconds = models.PositiveIntegerField(_("close when the customer stays away for (s)"), default=300)
    idle_reminder_seconds = models.PositiveIntegerField(_("remind a silent customer after (s)"), default=300)
    idle_close_seconds = models.PositiveIntegerField(_("close a silent chat after (s)"), default=900)
    carried_close_hours = models.PositiveIntegerField(
        _("close a silent chat by SMS, email … after (h)"), default=72, db_default=72
    )

    greeting = models.TextField(_("greeting"), blank=True, help_text=_("Sent when a chat starts."))
    reminder = models.TextField(_("reminder"), blank=True, default="Are you still there?")
    closing = models.TextField(_("closing words"), blank=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        constraints = [
            addressable("team"),
            models.UniqueConstraint(fields=["center", "key"], name="team_key_in_center"),
            models.UniqueConstraint(
                fields=["center"], condition=models.Q(is_default=True), name="team_one_default_in_center"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class OpeningHours(CenterRow):
    """One span of one weekday in which a team answers. A span that crosses midnight is two rows."""

    class Weekday(models.IntegerChoices):
        MONDAY = 0, _("Monday")
        TUESDAY = 1, _("Tuesday")
        WEDNESDAY = 2, _("Wednesday")
        THURSDAY = 3, _("Thursday")
        FRIDAY = 4, _("Friday")
        SATURDAY = 5, _("Saturday")
        SUNDAY = 6, _("Sunday")

    center = center_key("opening_hours")
    team = own_key("contactcenter.Team", related_name="opening_hours", verbose_name=_("team"))
    weekday = models.PositiveSmallIntegerField(_("weekday"), choices=Weekday)
    opens = models.TimeField(_("opens"))
    closes = models.TimeField(_("closes"), help_text=_("00:00 = the end of the day."))

    class Meta:
        ordering = ["team", "weekday", "opens"]
        verbose_name = _("opening hours")
        verbose_name_plural = _("opening hours")
        constraints = same_center("openinghours", "team")

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens:%H:%M}–{self.closes:%H:%M}"


class Holiday(CenterRow):
    """A day on which a team, or the whole center, does not answer."""

    center = center_key("holidays")
    team = own_key(
        "contactcenter.Team",
        related_name="holidays",
        verbose_name=_("team"),
        null=True,
        blank=True,
        help_text=_("Empty = all teams."),
    )
    date = models.DateField(_("date"))
    name = models.CharField(_("name"), max_length=100)

    class Meta:
        ordering = ["date"]
        verbose_name = _("holiday")
        verbose_name_plural = _("holidays")
        constraints = same_center("holiday", "team")

    def __str__(self) -> str:
        return f"{self.date} {self.name}"
