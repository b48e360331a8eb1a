"""Two centers with their seats and keys, made in the run's own database; says them as one JSON object.

    python -m bench.faults.cast '{"acme": "http://127.0.0.1:…/acme", "globex": "…"}'

{center: {id, key, mark, hook, signing, seats: [{name, username, password, center}], genesys | comapi | hyperchat: {id, secret, team}}}
`mark` stands in all that is said there.
"""

import json
import os
import sys
from typing import Any

CAPACITY = 3
SEATS = {"acme": 4, "globex": 2}
RULES: dict[str, Any] = {
    "greeting": "Welcome",
    "invitation_seconds": 15,
    "grace_seconds": 5,
    "away_reminder_seconds": 10,
    "away_close_seconds": 15,
    "idle_reminder_seconds": 15,
    "idle_close_seconds": 25,
}


def mark_of(slug: str) -> str:
    return f"{slug.upper()}-MARK"


def make_center(slug: str, hook: str) -> dict[str, Any]:
    from chats.models import Webhook
    from chats.play.seats import robot_seats
    from contactcenter.models import Application, Channel, ContactCenter, Team

    mark = mark_of(slug)
    center = ContactCenter.objects.create(slug=slug, name=f"{slug.title()} {mark}")
    team = Team.objects.create(center=center, key="support", name=f"Support {mark}", is_default=True, **RULES)
    channel = Channel.objects.create(center=center, name=f"Website {mark}")
    application = Application.objects.create(center=center, name=f"Program {mark}")
    webhook = Webhook.objects.create(center=center, application=application, url=hook, events=["*"])
    seats = robot_seats(center, count=SEATS[slug], capacity=CAPACITY, password_name="faults")  # noqa: S106 - a name
    return {
        "id": str(center.pk),
        "key": channel.key,
        "mark": mark,
        "hook": str(webhook.pk),
        "signing": webhook.secret,
        "seats": [vars(seat) for seat in seats],
    } | make_doors(application, team)


def make_doors(application: Any, team: Any) -> dict[str, Any]:
    """An access to each foreign API: {genesys: id, comapi: {id, secret, team}, hyperchat: {id, secret, room}}."""
    from contactcenter.models import ApiSpace, Channel, Registration, RegistrationTeam

    center, told = application.center, {}
    kinds = {"genesys": Channel.Kind.API, "comapi": Channel.Kind.APP, "hyperchat": Channel.Kind.API}
    for name, kind in kinds.items():
        channel = Channel.objects.create(center=center, kind=kind, name=f"{name} {center.slug}", team=team)
        made = {"center": center, "application": application, "channel": channel, "protocol": name}
        registration = Registration.objects.create(foreign_id=f"{name}-{center.slug}", **made)
        RegistrationTeam.objects.create(center=center, registration=registration, team=team, foreign_id="Support")
        told[name] = {"id": registration.foreign_id, "secret": registration.renew_secret(), "team": "Support"}
        if name == "comapi":
            ApiSpace.of(registration)
    return told


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contactcenter.settings")
    django.setup()
    print(json.dumps({slug: make_center(slug, hook) for slug, hook in json.loads(sys.argv[1]).items()}))


if __name__ == "__main__":
    main()
