"""What an administrator may delete of what an API space has to do with: it goes with all of its own, or is kept; nothing hangs in the air."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from contactcenter.models import ContactCenter, Team
from tests.cases import cases
from tests.contactcenter.admin_cast import make_operator

from .conftest import Space

pytestmark = [pytest.mark.django_db, pytest.mark.both]

KEPT, GONE = "kept", "gone"
ROWS: dict[str, tuple[Callable[[Space, Any], Any], str]] = {
    "customer": (lambda space, app: app.profile.customer, GONE),
    "team": (lambda space, app: Team.objects.get(key="bots"), GONE),
    "registration": (lambda space, app: space.registration, KEPT),
    "application": (lambda space, app: space.application, KEPT),
    "channel": (lambda space, app: space.registration.channel, KEPT),
    "contactcenter": (lambda space, app: ContactCenter.objects.get(pk=space.center.pk), KEPT),
}


def used(space: Space) -> Any:
    """An app that has signed in, opened a conversation with a team of its own, and said nothing; with its phone's address."""
    Team.objects.create(center=space.center, name="Bots", key="bots")
    app = space.app("mia")
    answers = [
        app.get("conversations/bots_mia"),
        app.put(f"sessions/{app.session.pk}/push", {"fcm": {"package": "shop", "registrationId": "r1"}}),
        space.put("chat/config/teams/bots/appMessaging", {"replyAs": "team"}),
        space.post(
            "automation/inboundrules",
            {"channel": "sms", "keyword": "bot", "action": "startChat", "actionData": {"chatTeamId": "bots"}},
        ),
    ]
    assert [one.status_code for one in answers] == [200] * 4, [one.content for one in answers]
    return app


@cases("name", list(ROWS))
def test_what_an_app_has_used_goes_with_all_of_its_own_or_is_kept(space: Space, client: Client, name: str) -> None:
    app = used(space)
    find, fate = ROWS[name]
    row = find(space, app)
    client.force_login(make_operator())
    page = reverse(f"operator:{row._meta.label_lower.replace('.', '_')}_delete", args=[row.pk])
    assert client.get(page).status_code in (200, 403)
    client.post(page, {"post": "yes"})
    connection.check_constraints()
    is_there = type(row)._default_manager.filter(pk=row.pk).exists()
    assert (KEPT if is_there else GONE) == fate
