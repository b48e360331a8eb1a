"""Who gets into which admin, and how: sign-in, second factor, the choice of a center, the end of sessions."""

from types import SimpleNamespace
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from agents.models import Agent
from agents.seats import open_seat
from contactcenter.accounts import end_sessions
from contactcenter.models import AuditEntry, User
from tests.cases import cases
from tests.conftest import make_agent
from tests.contactcenter.admin_cast import make_admin, make_operator

pytestmark = [pytest.mark.django_db, pytest.mark.both]
HOME = "/admin/"


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    cache.clear()


def sign_in(client: Client, name: str, password: str = "correct horse", **data: Any) -> Any:
    return client.post(reverse("account_login"), {"login": name, "password": password} | data)


def test_a_stranger_signs_in_first_and_comes_back(client: Client, acme: SimpleNamespace) -> None:
    make_admin(acme, "Ada")
    page = reverse("admin:contactcenter_team_changelist")
    answer = client.get(page, follow=True)
    assert answer.redirect_chain[-1][0].startswith(reverse("account_login"))
    answer = client.post(answer.redirect_chain[-1][0], {"login": "ada", "password": "correct horse"})
    assert (answer.status_code, answer["Location"]) == (302, page)


def test_a_page_asks_once_who_is_there(client: Client, acme: SimpleNamespace) -> None:
    client.force_login(make_admin(acme, "Ada").user)
    client.get(HOME)
    with CaptureQueriesContext(connection) as asked:
        assert client.get(HOME).status_code == 200
    seats = [query for query in asked.captured_queries if "is_bot" in query["sql"] and "center_id" in query["sql"]]
    assert len(seats) <= 5, seats


@cases("role", ["agent", "supervisor"])
def test_only_administrators_get_in(client: Client, acme: SimpleNamespace, role: str) -> None:
    client.force_login(make_agent(acme, "Bob", role=role).user)
    assert client.get(HOME, follow=True).status_code == 403
    assert client.get("/operator/", follow=True).status_code == 403


def test_a_closed_seat_a_closed_center_and_a_bot_do_not_open_it(client: Client, acme: SimpleNamespace) -> None:
    ada = make_admin(acme, "Ada")
    client.force_login(ada.user)
    assert client.get(HOME).status_code == 200
    for change in [{"is_active": False}, {"is_active": True, "is_bot": True}, {"is_bot": False, "role": "agent"}]:
        Agent.objects.filter(pk=ada.pk).update(**change)
        assert client.get(HOME, follow=True).status_code == 403
    Agent.objects.filter(pk=ada.pk).update(role="admin")
    type(acme.center).objects.update(is_active=False)
    assert client.get(HOME, follow=True).status_code == 403


def test_with_several_centers_one_is_chosen_and_kept(
    client: Client, acme: SimpleNamespace, globex: SimpleNamespace
) -> None:
    ada = make_admin(acme, "Ada")
    open_seat(globex.center, ada.user, name="Ada", teams=[], role="admin")
    client.force_login(ada.user)
    answer = client.get(HOME, follow=True)
    assert answer.redirect_chain[-1][0].startswith(reverse("admin:choose"))
    assert client.post(reverse("admin:choose"), {"center": "globex", "next": HOME})["Location"] == HOME
    assert "Globex" in client.get(HOME).content.decode()
    assert client.get(reverse("admin:contactcenter_team_change", args=[acme.support.pk])).status_code == 404
    Agent.objects.filter(center=globex.center, user=ada.user).update(is_active=False)
    assert "Globex" not in client.get(HOME).content.decode()


def test_a_center_that_is_not_ones_own_cannot_be_chosen(
    client: Client, acme: SimpleNamespace, globex: SimpleNamespace
) -> None:
    client.force_login(make_admin(acme, "Ada").user)
    assert client.post(reverse("admin:choose"), {"center": "globex"}).status_code == 404
    for target in ["https://evil.example/", "//evil.example", "javascript:alert(1)"]:
        answer = client.post(reverse("admin:choose"), {"center": "acme", "next": target})
        assert answer["Location"] == HOME


def test_an_operator_chooses_any_center(client: Client, acme: SimpleNamespace, globex: SimpleNamespace) -> None:
    client.force_login(make_operator())
    assert client.get(HOME, follow=True).redirect_chain[-1][0].startswith(reverse("admin:choose"))
    client.post(reverse("admin:choose"), {"center": "globex"})
    assert client.get(reverse("admin:contactcenter_team_change", args=[globex.support.pk])).status_code == 200
    assert client.get(reverse("admin:contactcenter_team_change", args=[acme.support.pk])).status_code == 404


def test_a_second_factor_is_demanded_where_the_settings_say_so(
    client: Client, acme: SimpleNamespace, settings: Any
) -> None:
    settings.REQUIRE_ADMIN_MFA = True
    ada = make_admin(acme, "Ada")
    for user, home in [(ada.user, HOME), (make_operator(), "/operator/")]:
        client.force_login(user)
        answer = client.get(home, follow=False)
        answer = client.get(answer["Location"])
        assert answer["Location"].startswith(reverse("mfa_activate_totp"))
        Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "x"})
        end = client.get(home)
        assert end.status_code == 200 or end["Location"].startswith((HOME, "/operator/"))


def test_who_has_a_second_factor_is_asked_for_it(client: Client, acme: SimpleNamespace) -> None:
    ada = make_admin(acme, "Ada")
    Authenticator.objects.create(user=ada.user, type=Authenticator.Type.TOTP, data={"secret": "x"})
    assert sign_in(client, "ada")["Location"].startswith(reverse("mfa_authenticate"))
    assert client.get(HOME)["Location"].startswith(reverse("admin:login"))


def test_nobody_signs_up(client: Client, db: None) -> None:
    data = {
        "email": "a@example.com",
        "username": "a",
        "password1": "a long pass phrase",
        "password2": "a long pass phrase",
    }
    client.post(reverse("account_signup"), data)
    assert not User.objects.exists()


def test_wrong_passwords_get_one_answer_then_a_pause_and_lines_in_the_log(
    client: Client, acme: SimpleNamespace
) -> None:
    make_admin(acme, "Ada")
    known, unknown = [sign_in(client, name, "wrong").content.decode() for name in ("ada", "nobody")]
    assert "not correct" in known
    assert "not correct" in unknown
    failed = AuditEntry.objects.filter(action="sign-in failed")
    assert set(failed.values_list("actor", flat=True)) == {"ada", "nobody"}
    for _attempt in range(12):
        sign_in(client, "ada", "wrong")
    assert "Too many" in sign_in(client, "ada").content.decode()
    assert failed.count() <= 12


def test_signing_in_and_out_is_written_down(client: Client, acme: SimpleNamespace) -> None:
    make_admin(acme, "Ada")
    sign_in(client, "ada")
    client.post(reverse("admin:logout"))
    actions = list(AuditEntry.objects.filter(center=acme.center).order_by("at").values_list("action", flat=True))
    assert actions == ["signed in", "signed out"]
    assert client.get(HOME).status_code == 302


def test_a_new_password_ends_the_other_sessions(client: Client, acme: SimpleNamespace) -> None:
    user, other = make_admin(acme, "Ada").user, Client()
    other.force_login(user)
    sign_in(client, "ada")
    new = {"oldpassword": "correct horse", "password1": "another long phrase", "password2": "another long phrase"}
    client.post(reverse("account_change_password"), new)
    assert client.get(HOME).status_code == 200
    assert other.get(HOME).status_code == 302
    version = user.session_version
    user.refresh_from_db()
    assert user.session_version == version + 1


def test_ended_sessions_are_signed_out_at_their_next_request(client: Client, acme: SimpleNamespace) -> None:
    user = make_admin(acme, "Ada").user
    client.force_login(user)
    assert client.get(HOME).status_code == 200
    end_sessions(user)
    assert client.get(HOME).status_code == 302


def test_admin_pages_have_the_wider_policy_and_others_do_not(client: Client, acme: SimpleNamespace) -> None:
    client.force_login(make_admin(acme, "Ada").user)
    assert "unsafe-eval" in client.get(HOME)["Content-Security-Policy"]
    assert "unsafe" not in client.get(reverse("account_change_password"))["Content-Security-Policy"]


def test_nobody_changes_an_address_alone(client: Client, acme: SimpleNamespace) -> None:
    """Addresses lead to seats, so they come from the center."""
    client.force_login(make_agent(acme, "Bob").user)
    for answer in (
        client.get("/accounts/email/"),
        client.post("/accounts/email/", {"email": "eve@example.com", "action_add": ""}),
    ):
        assert answer.status_code == 404
    assert client.get("/accounts/password/change/").status_code != 404
