"""Spans of time, cut at the hours, days, months or years of a time zone."""

import re
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from chats.errors import Invalid

UNITS = ("hour", "day", "month", "year", "alltime")
MOST_PERIODS = 1000  # of one answer: a month of hours, almost three years of days
LENGTHS = {"hour": 3600, "day": 86_400, "month": 28 * 86_400, "year": 365 * 86_400}  # the shortest, in seconds
FIRST, LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2101, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Periods:
    """`bounds`: where each period begins, and where the last one ends."""

    bounds: list[datetime]

    @property
    def since(self) -> datetime:
        return self.bounds[0]

    @property
    def until(self) -> datetime:
        return self.bounds[-1]

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def of(self, at: datetime) -> int | None:
        """The number of the period that holds the moment."""
        return bisect_right(self.bounds, at) - 1 if self.since <= at < self.until else None


def zone_named(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # also the name of a folder of zones
        return None


def read_zone(name: str) -> ZoneInfo:
    """Raises Invalid."""
    zone = zone_named(name)
    if zone is None:
        raise Invalid(fields={"timezone": "must be the name of a time zone, such as Europe/London."})
    return zone


def read_moment(param: str, text: str, zone: ZoneInfo) -> datetime:
    """ISO 8601; a date alone is its midnight, and what names no offset is in the zone. Raises Invalid."""
    # A plus that was not encoded arrives as a blank.
    text = re.sub(r"(?<=\d) (?=\d\d:?\d\d$)", "+", text.strip()) if "T" in text else text.strip()
    try:
        found = datetime.fromisoformat(text)
        found = (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid(fields={param: "must be a date and time in ISO 8601."}) from None
    if not FIRST <= found < LAST:
        raise Invalid(fields={param: "must be a time of this century."})
    return found


def cut(since: datetime, until: datetime, unit: str, zone: ZoneInfo) -> Periods:
    """The first and the last period may be shorter. Raises Invalid for too many, and for a span that ends before it begins."""
    if since >= until:
        raise Invalid(fields={"to": "must be later than from."})
    if unit == "alltime":
        return Periods([since, until])
    if (until - since).total_seconds() / LENGTHS[unit] > MOST_PERIODS:
        raise Invalid(fields={"by": f"gives more than {MOST_PERIODS} periods. Choose a shorter span."})
    bounds, at = [since], _next(since, unit, zone)
    while at < until:
        bounds.append(at)
        at = _next(at, unit, zone)
    return Periods([*bounds, until])


def _next(after: datetime, unit: str, zone: ZoneInfo) -> datetime:
    """The next beginning of a period, in UTC."""
    local = after.astimezone(zone)
    if unit == "hour":  # counted in UTC: an hour that the clocks repeat is two
        past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        return after - past + timedelta(hours=1)
    midnight = datetime(local.year, local.month, local.day, tzinfo=zone)
    if unit == "day":
        midnight += timedelta(days=1)
    elif unit == "month":
        midnight = (midnight.replace(day=1) + timedelta(days=32)).replace(day=1)
    else:
        midnight = midnight.replace(year=local.year + 1, month=1, day=1)
    return midnight.astimezone(UTC)
