"""Making the demo, as often as one likes: what is there already stays as it is."""

import json
import secrets
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from agents.models import Agent, CannedReply, Disposition
from agents.seats import open_seat
from contactcenter.models import Application, Channel, ContactCenter, FormField, Team, User, WidgetSettings

from .comapi import build_comapi
from .content import ACCENTS, CENTERS
from .expertflow import build_expertflow
from .genesys import build_genesys
from .hyperchat import build_hyperchat
from .morning import play_morning

DEMO_FILE = "demo.json"  # what `demo --json` prints, for programs that look for it
SECRETS_FILE = "demo-passwords.json"


def build_demo(now: datetime) -> dict[str, Any]:
    """Make the demo where it is missing and say how to reach it (see `describe` for the shape)."""
    known = _known_secrets()
    with transaction.atomic():
        centers = {slug: _build_center(slug, plan, known, now) for slug, plan in CENTERS.items()}
        _operator(centers["acme"], known)
        secret = _application(centers["acme"], known)
        doors = build_hyperchat(centers["acme"], _own_origins(), known)
        doors |= build_genesys(centers["acme"], _own_origins())
        doors |= build_expertflow(centers["acme"], _own_origins(), known)
        doors |= build_comapi(centers["acme"], _own_origins(), known, now)
    described = describe(centers["acme"], known) | {"application": {"secret": secret}} | doors
    _keep(DEMO_FILE, described)
    _keep(SECRETS_FILE, known)
    return described


def describe(center: ContactCenter, known: dict[str, str]) -> dict[str, Any]:
    """The addresses and log-ins of the first demo center. The demo's keys of other doors are added beside these."""
    base = settings.BASE_URL
    seats = center.agents.filter(is_bot=False).select_related("user").order_by("created_at")
    return {
        "url": base,
        "contact_center": {"id": str(center.pk), "slug": center.slug},
        "demo_page_url": f"{base}/demo/",
        "desk_url": f"{base}/desk/",
        "admin_url": f"{base}/admin/",
        "operator_url": f"{base}/operator/",
        "admin": {"username": "admin", "password": known["admin"]},
        "agents": [
            {
                "username": seat.user.username,
                "password": known[seat.user.username],
                "capacity": seat.capacity,
                "name": seat.name,
                "role": seat.role,
            }
            for seat in seats
            if seat.user.username in known and seat.user.username != "admin"
        ],
        "teams": [
            {"id": str(team.pk), "key": team.key, "name": team.name}
            for team in center.teams.order_by("-is_default", "name")
        ],
        "widget_key": center.channels.filter(kind=Channel.Kind.WEB)
        .order_by("created_at")
        .values_list("key", flat=True)[0],
    }


def _build_center(slug: str, plan: dict[str, Any], known: dict[str, str], now: datetime) -> ContactCenter:
    center, is_new = ContactCenter.objects.get_or_create(
        slug=slug, defaults={"name": plan["name"], "accent": ACCENTS[slug]}
    )
    teams = {
        row["key"]: Team.objects.get_or_create(center=center, key=row["key"], defaults=row)[0] for row in plan["teams"]
    }
    for row in plan["agents"]:
        _seat(center, row, list(teams.values()), known)
    channel = _channel(center, plan)
    if is_new:
        Disposition.objects.bulk_create(
            [Disposition(center=center, name=name, order=order) for order, name in enumerate(plan["dispositions"])]
        )
        CannedReply.objects.bulk_create(
            [
                CannedReply(center=center, shortcut=shortcut, title=title, text=text)
                for shortcut, title, text in plan["canned"]
            ]
        )
        play_morning(center, channel, teams, now)
    return center


def _channel(center: ContactCenter, plan: dict[str, Any]) -> Channel:
    channel = center.channels.filter(kind=Channel.Kind.WEB).order_by("created_at").first()
    if channel is None:
        channel = Channel.objects.create(center=center, name="Website")
        WidgetSettings.objects.create(center=center, channel=channel, ask_team=True, **plan["widget"])
        FormField.objects.bulk_create(
            [FormField(center=center, channel=channel, order=order, **row) for order, row in enumerate(plan["form"])]
        )
    origins = sorted(_own_origins().union(channel.allowed_origins))
    if origins != channel.allowed_origins:
        channel.allowed_origins = origins
        channel.save(update_fields=["allowed_origins"])
    return channel


def _own_origins() -> set[str]:
    """The demo site is served by ourselves, at whatever address this start has."""
    return {settings.BASE_URL, settings.BASE_URL.replace("127.0.0.1", "localhost")}


def _seat(center: ContactCenter, row: dict[str, Any], teams: list[Team], known: dict[str, str]) -> None:
    user = _user(row["username"], row["name"], known)
    if not Agent.objects.filter(center=center, user=user).exists():
        fields = {name: value for name, value in row.items() if name not in ("username", "name")}
        open_seat(center, user, name=row["name"], teams=teams, **fields)


def _operator(center: ContactCenter, known: dict[str, str]) -> None:
    user = _user("admin", "Administrator", known)
    if not user.is_superuser:
        user.is_staff = user.is_superuser = True
        user.save(update_fields=["is_staff", "is_superuser"])
    if not Agent.objects.filter(center=center, user=user).exists():
        open_seat(center, user, name="Administrator", teams=[], role=Agent.Role.ADMIN, capacity=1)


def _user(username: str, name: str, known: dict[str, str]) -> User:
    """The user with a password that we can still tell: a new one where nobody kept the old one."""
    user = User.objects.filter(username=username).first() or User(username=username, email=f"{username}@example.com")
    if user._state.adding or username not in known:
        user.first_name, _, user.last_name = name.partition(" ")
        known[username] = secrets.token_urlsafe(9)
        user.set_password(known[username])
        user.save()
    return user


def _application(center: ContactCenter, known: dict[str, str]) -> str:
    application, is_new = Application.objects.get_or_create(
        center=center, name="Shop server", defaults={"may_configure": True}
    )
    if is_new or "application" not in known:
        known["application"] = application.renew_secret()
    return known["application"]


def _known_secrets() -> dict[str, str]:
    """username → password (and application → secret) as the last run kept them; empty where none did."""
    try:
        return dict(json.loads((Path(settings.DATA_DIR) / SECRETS_FILE).read_text()))
    except (OSError, ValueError):
        return {}


def _keep(name: str, content: dict[str, Any]) -> None:
    file = Path(settings.DATA_DIR) / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
