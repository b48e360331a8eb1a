"""When a team answers. Pure but for reading the team's rows; `at` is an aware datetime."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import Q

from .models import Holiday, Team

HORIZON_DAYS = 60  # how far ahead the next opening is looked for


def zone_of(team: Team) -> ZoneInfo:
    """The team's time zone, else the center's, else UTC."""
    for name in (team.time_zone, team.center.time_zone):
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            continue
    return ZoneInfo("UTC")


def is_open(team: Team, at: datetime) -> bool:
    """Whether the team answers at that moment: active, no holiday, within a span of the weekday."""
    if not team.is_active:
        return False
    if team.always_open:
        return True
    local = at.astimezone(zone_of(team))
    if _is_holiday(team, local):
        return False
    return any(
        span.opens <= local.time() and (local.time() < span.closes or span.closes == time(0))
        for span in team.opening_hours.all()
        if span.weekday == local.weekday()
    )


def opens_at(team: Team, after: datetime) -> datetime | None:
    """The next moment at which the team opens, or None when none is in sight (or it is open now)."""
    if not team.is_active or team.always_open or is_open(team, after):
        return None
    local = after.astimezone(zone_of(team))
    spans = sorted(team.opening_hours.all(), key=lambda span: span.opens)
    for offset in range(HORIZON_DAYS):
        day = local + timedelta(days=offset)
        if _is_holiday(team, day):
            continue
        for span in spans:
            start = datetime.combine(day.date(), span.opens, tzinfo=zone_of(team))
            if span.weekday == day.weekday() and start > after:
                return start
    return None


def _is_holiday(team: Team, local: datetime) -> bool:
    days = Holiday.objects.filter(Q(team=team) | Q(team=None), center_id=team.center_id, date=local.date())
    return days.exists()
