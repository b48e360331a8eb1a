"""The body of a call: {eventId, accountId, apiSpaceId, name, payload, revision, etag, timestamp}, and whether a subscription wants it (pure)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from contactcenter.models import ApiSpace, Registration

from .catalogue import OFFERS
from .names import iso

ALL = "*"  # by hand only: the API offers no such word


@dataclass(frozen=True, kw_only=True)
class Word:
    """One event of one API space. What is None is left out: presence has a `profile` and neither payload nor revision, messages have no etag.

    id: the same in every repeat, by which receivers know what they have; revision: counts per entity.
    """

    name: str
    id: UUID
    at: datetime
    payload: dict[str, Any] | None = None
    profile: str | None = None
    revision: int | None = None
    etag: str | None = None


def envelope(registration: Registration, space: ApiSpace, word: Word) -> dict[str, Any]:
    """The whole body."""
    said: dict[str, Any] = {
        "eventId": str(word.id),
        "accountId": space.account_number,
        "apiSpaceId": registration.foreign_id,
        "name": word.name,
        "profileId": word.profile,
        "payload": word.payload,
        "revision": word.revision,
        "etag": word.etag,
        "timestamp": iso(word.at),
    }
    return {name: value for name, value in said.items() if value is not None}


def hears(events: Iterable[str], facts: dict[str, Any], body: dict[str, Any]) -> bool:
    """Whether a web hook with these `events` and `facts` wants this body: one of its subscriptions to the event fits."""
    if {body["name"], ALL}.isdisjoint(events):
        return False
    own = [one for one in facts.get("subscriptions", []) if one["type"] == body["name"]]
    return not own or any(fits(one.get("filters", []), body) for one in own)


def fits(filters: list[dict[str, str]], body: dict[str, Any]) -> bool:
    """Of each filter that is named, one of its values. Which there are, and where each looks: catalogue.OFFERS."""
    wanted: dict[str, set[str]] = {}
    for one in filters:
        wanted.setdefault(one["name"], set()).add(one["value"])
    return all(_value(body, name) in values for name, values in wanted.items())


def _value(body: dict[str, Any], name: str) -> str | None:
    """What stands in the body where the filter of this name looks; None where nothing does."""
    found: Any = body
    for step in OFFERS[body["name"]].filters.get(name, "-").split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return str(found) if found is not None else None
