"""The dashboard: what happens now, and how today went."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Min, Q, QuerySet
from django.db.models.functions import ExtractHour
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from agents.models import Presence
from chats.models import Chat, OfflineMessage
from contactcenter.administration.sites import center_site, operator_site, zone_of
from contactcenter.models import Team

RATING_DAYS = 30
TOP = 100  # height of a plot


@dataclass(frozen=True)
class Plot:
    """Bars, and the value of the highest one in words."""

    bars: "list[Bar]"
    most: str


@dataclass(frozen=True)
class Bar:
    """One bar of a plot: label, value in words, and height in hundredths."""

    label: str
    value: str
    height: float
    is_now: bool = False

    @property
    def top(self) -> float:
        return TOP - self.height


def add_figures(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Called by unfold for the first page of either admin."""
    match = request.resolver_match
    site = operator_site if match and match.namespace == operator_site.name else center_site
    center = site.center_of(request)
    now = timezone.now()
    chats: Any = site.limit(request, Chat.objects.all(), "center")
    zone = zone_of(center)
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    left = site.limit(request, OfflineMessage.objects.filter(handled_at=None), "center").count()
    context["figures"] = [
        *figures(chats, site.limit(request, Presence.objects.all(), "center"), midnight, now),
        {"name": _("Offline messages"), "value": left, "link": ("chats_offlinemessage", "handled_at__isempty=1")},
    ]
    for figure in context["figures"]:
        if "link" in figure:
            model, query = figure["link"]
            figure["link"] = f"{reverse(f'admin:{model}_changelist', current_app=site.name)}?{query}"
    context["hours"] = by_hour(chats.filter(started_at__gte=midnight), now.astimezone(zone))
    context["waits"] = waits_by_hour(chats.filter(started_at__gte=midnight), now.astimezone(zone))
    context["ratings"] = ratings(chats.filter(closed_at__gte=now - timedelta(days=RATING_DAYS)))
    context["teams"] = teams(site.limit(request, Team.objects.filter(is_active=True), "center"), now)
    context["waiting"] = [
        {"chat": chat, "wait": minutes((now - (chat.queued_at or chat.started_at)).total_seconds())}
        for chat in chats.waiting().select_related("customer", "team", "center")[:8]
    ]
    context["all_centers"] = center is None
    context["title"] = center.name if center else _("All contact centers")
    return context


def figures(chats: "QuerySet[Any]", presences: Any, midnight: datetime, now: datetime) -> list[dict[str, Any]]:
    """The row of numbers at the top; `tone` colours what wants somebody."""
    waiting = Q(state__in=Chat.WAITING)
    found = chats.filter(Q(started_at__gte=midnight) | ~Q(state=Chat.State.CLOSED)).aggregate(
        waiting=Count("pk", filter=waiting),
        since=Min("queued_at", filter=waiting),
        active=Count("pk", filter=Q(state=Chat.State.ACTIVE)),
        today=Count("pk", filter=Q(started_at__gte=midnight)),
        wait=Avg(
            ExpressionWrapper(F("first_accepted_at") - F("started_at"), output_field=DurationField()),
            filter=Q(started_at__gte=midnight, first_accepted_at__isnull=False),
        ),
        rating=Avg("rating", filter=Q(started_at__gte=midnight)),
    )
    oldest = (now - found["since"]).total_seconds() if found["since"] else 0
    present = presences.leased(now).exclude(status=Presence.Status.OFFLINE)
    there = present.aggregate(online=Count("pk", filter=Q(status=Presence.Status.ONLINE)), all=Count("pk"))
    away = there["all"] - there["online"]
    return [
        {
            "name": _("Waiting"),
            "value": found["waiting"],
            "tone": "waiting" if found["waiting"] else "",
            "link": ("chats_chat", "state__exact=queued"),
        },
        {
            "name": _("Longest wait"),
            "value": minutes(oldest) if oldest else "–",
            "tone": "danger" if oldest > 300 else "",
        },
        {"name": _("With an agent"), "value": found["active"], "link": ("chats_chat", "state__exact=active")},
        {
            "name": _("Agents online"),
            "value": there["online"],
            "note": _("%d away") % away if away else "",
            "tone": "live" if there["online"] else "danger" if found["waiting"] else "",
        },
        {"name": _("Chats today"), "value": found["today"]},
        {"name": _("Average wait"), "value": minutes(found["wait"].total_seconds()) if found["wait"] else "–"},
        {"name": _("Rating today"), "value": f"{found['rating']:.1f}" if found["rating"] else "–"},
    ]


def minutes(seconds: float) -> str:
    """m:ss, or h:mm:ss."""
    whole = int(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def by_hour(chats: "QuerySet[Any]", local: datetime) -> Plot:
    """Chats that started, by the hour of today."""
    counted = chats.annotate(hour=ExtractHour("started_at", tzinfo=local.tzinfo)).values_list("hour")
    found = dict(counted.annotate(count=Count("pk")).order_by("hour"))
    return _bars(found, local.hour, str)


def waits_by_hour(chats: "QuerySet[Any]", local: datetime) -> Plot:
    """The average wait for an agent, by the hour of today."""
    wait = ExpressionWrapper(F("first_accepted_at") - F("started_at"), output_field=DurationField())
    hours = chats.exclude(first_accepted_at=None).annotate(hour=ExtractHour("started_at", tzinfo=local.tzinfo))
    rows = hours.values_list("hour").annotate(wait=Avg(wait)).order_by("hour")
    return _bars({hour: wait.total_seconds() for hour, wait in rows}, local.hour, minutes)


def _bars(found: dict[int, Any], this_hour: int, words: Any) -> Plot:
    most = max(found.values(), default=0) or 1
    bars = [
        Bar(f"{hour:02}", words(found.get(hour, 0)), round(found.get(hour, 0) / most * TOP, 1), hour == this_hour)
        for hour in range(24)
    ]
    return Plot(bars, words(most) if found else "")


def ratings(chats: "QuerySet[Any]") -> list[Bar]:
    """How many of each rating, the best first."""
    found = dict(chats.exclude(rating=None).values_list("rating").annotate(count=Count("pk")).order_by("rating"))
    most = max(found.values(), default=0)
    return (
        [Bar(str(mark), str(found.get(mark, 0)), round(found.get(mark, 0) / most * TOP, 1)) for mark in range(5, 0, -1)]
        if most
        else []
    )


def teams(rows: "QuerySet[Any]", now: datetime) -> list[dict[str, Any]]:
    """Each team's queue and who is there for it."""
    waiting = Q(chats__state__in=Chat.WAITING)
    counted = rows.select_related("center").annotate(
        waiting=Count("chats", waiting, distinct=True),
        since=Min("chats__queued_at", filter=waiting),
        active=Count("chats", Q(chats__state=Chat.State.ACTIVE), distinct=True),
    )
    available = Presence.objects.available(now).filter(agent__is_active=True, agent__memberships__team__in=rows)
    online = dict(
        available.values_list("agent__memberships__team").annotate(count=Count("agent", distinct=True)).order_by()
    )
    return [
        {
            "team": team,
            "waiting": team.waiting,
            "oldest": minutes((now - team.since).total_seconds()) if team.since else "–",
            "active": team.active,
            "online": online.get(team.pk, 0),
        }
        for team in counted[:50]
    ]
