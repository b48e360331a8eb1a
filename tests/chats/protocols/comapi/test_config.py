"""The chat configuration service."""

from datetime import time
from typing import Any

import pytest

from chats.models import FormTemplate
from chats.protocols.comapi.config import reply_as
from contactcenter.models import Application, ApplicationTeam, AuditEntry, OpeningHours, RegistrationTeam, Team
from tests.cases import cases
from tests.conftest import MARKER

from .conftest import TEAM

pytestmark = pytest.mark.django_db

CONFIG = "chat/config"
ONE = f"{CONFIG}/teams/{TEAM}"
WELCOME = {"replyAs": "individual", "welcomeMessage": {"timeout": 5, "text": "Hello"}}
SETTINGS = {
    "closeMessage": "Goodbye",
    "avatarUrl": "https://shop.example/face.png",
    "outOfHoursMessage": "We are closed",
    "outOfHoursMessageEnabled": True,
}


@pytest.fixture
def editor(space: Any) -> Any:
    """The space, whose application an administrator lets configure."""
    Application.objects.filter(pk=space.application.pk).update(may_configure=True)
    return space


def failures(answer: Any) -> dict[str, str]:
    assert answer.status_code == 400, answer.content
    return {one["paramName"]: one["message"] for one in answer.json()["validationFailures"]}


# Reading --------------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_the_configuration_lists_all_teams_the_same_in_both_dialects(space, acme):
    space.put(f"{ONE}/appMessaging", WELCOME)
    answer = space.get(CONFIG)
    assert answer.status_code == 200
    assert answer.json() == space.basic.get(CONFIG).json()
    assert answer["ETag"] == space.basic.get(CONFIG)["ETag"]
    assert answer["Last-Modified"] == answer.json()["_updatedOn"]
    shown = {team["teamId"]: team for team in answer.json()["teams"]}
    assert set(shown) == {TEAM, "sales"}
    assert shown[TEAM]["channels"] == {"appMessagingConfig": WELCOME}
    assert shown["sales"]["channels"] == {}
    assert shown["sales"]["settings"]["closeMessage"] == ""


def test_a_team_that_was_never_configured_is_as_old_as_the_space(space):
    shown = space.get(ONE).json()
    by = f"access:{space.application.pk}"
    assert (shown["_createdBy"], shown["_updatedBy"]) == (by, by)
    assert shown["_createdOn"] == shown["_updatedOn"]


def test_a_team_shows_its_members(space, ann, bob, gil):
    answer = space.get(ONE)
    assert answer.json()["id"] == TEAM
    assert answer.json()["members"] == [{"username": "ann@example.com"}, {"username": "bob@example.com"}]
    assert answer["ETag"]


def test_a_configuration_of_many_teams_takes_as_many_queries(space, acme, django_assert_max_num_queries):
    for number in range(20):
        team = Team.objects.create(center=acme.center, key=f"t{number}", name=f"T{number}", always_open=False)
        OpeningHours.objects.create(center=acme.center, team=team, weekday=0, opens=time(9), closes=time(17))
    with django_assert_max_num_queries(12):
        assert len(space.get(CONFIG).json()["teams"]) == 22


HOURS = [
    ([], True, [("Monday to Friday", "00:00", "23:59"), ("Weekend", "00:00", "23:59")]),
    ([], False, []),
    (
        [(day, 9, 17) for day in range(5)] + [(5, 10, 14)],
        False,
        [("Monday to Friday", "09:00", "17:00"), ("Saturday", "10:00", "14:00")],
    ),
    ([(6, 20, 0), (0, 8, 12), (0, 13, 18)], False, [
        ("Monday", "08:00", "12:00"), ("Monday", "13:00", "18:00"), ("Sunday", "20:00", "23:59"),
    ]),
]  # fmt: skip


@cases("spans, always, shown", HOURS)
def test_working_hours_are_the_teams_own(space, acme, spans, always, shown):
    Team.objects.filter(pk=acme.support.pk).update(always_open=always)
    for day, opens, closes in spans:
        OpeningHours.objects.create(
            center=acme.center, team=acme.support, weekday=day, opens=time(opens), closes=time(closes)
        )
    answer = space.put(f"{ONE}/settings", {"workingHours": [{"days": "Weekend", "from": "00:00", "to": "01:00"}]})
    assert [(one["days"], one["from"], one["to"]) for one in answer.json()["workingHours"]] == shown


# Writing --------------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_settings_are_kept_and_the_close_message_is_really_said(space, acme):
    answer = space.put(f"{ONE}/settings", SETTINGS)
    assert answer.status_code == 200
    assert answer["ETag"]
    assert answer["Last-Modified"]
    assert {name: answer.json()[name] for name in SETTINGS} == SETTINGS
    acme.support.refresh_from_db()
    assert acme.support.closing == "Goodbye"
    facts = RegistrationTeam.objects.get(registration=space.registration, team=acme.support).facts
    assert facts["createdBy"] == f"access:{space.application.pk}"
    assert AuditEntry.objects.filter(action="team configured", center=acme.center).exists()


def test_a_later_put_replaces_the_whole_part_and_leaves_the_other(space, acme):
    space.put(f"{ONE}/appMessaging", WELCOME)
    space.put(f"{ONE}/settings", SETTINGS)
    shown = space.put(f"{ONE}/settings", {"outOfHoursMessage": None}).json()
    assert (shown["closeMessage"], shown["outOfHoursMessage"], shown["outOfHoursMessageEnabled"]) == ("", "", False)
    assert "avatarUrl" not in shown
    assert reply_as(space.registration, acme.support) == "individual"


def test_a_team_without_a_name_in_the_space_is_configured_by_its_key(space, acme):
    assert space.put(f"{CONFIG}/teams/sales/appMessaging", {"replyAs": "individual"}).status_code == 200
    row = RegistrationTeam.objects.get(registration=space.registration, team=acme.sales)
    assert row.foreign_id == "sales"
    assert reply_as(space.registration, acme.sales) == "individual"
    assert reply_as(space.registration, acme.support) == "team"


def test_a_welcome_without_words_is_none(space):
    shown = space.put(f"{ONE}/appMessaging", {"replyAs": "team", "welcomeMessage": {"timeout": 9, "text": ""}}).json()
    assert shown == {"replyAs": "team"}


ODD_APP: list[Any] = [
    {},
    {"replyAs": "nobody"},
    {"replyAs": None},
    {"replyAs": ["team"]},
    {"replyAs": "team", "welcomeMessage": "hello"},
    {"replyAs": "team", "welcomeMessage": {"timeout": -1, "text": "x"}},
    {"replyAs": "team", "welcomeMessage": {"timeout": 10**30, "text": "x"}},
    {"replyAs": "team", "welcomeMessage": {"timeout": True, "text": "x"}},
    {"replyAs": "team", "welcomeMessage": {"timeout": 1, "text": "a\0b"}},
    {"replyAs": "team", "welcomeMessage": {"timeout": 1, "text": "\ud800"}},
    {"replyAs": "team", "welcomeMessage": {"timeout": 1, "text": "x" * 20_000}},
    {"replyAs": "team", "welcomeMessage": [[[]]]},
    [],
    "team",
]


@cases("body", ODD_APP)
def test_an_odd_app_configuration_is_refused(space, body):
    assert failures(space.put(f"{ONE}/appMessaging", body))
    assert space.get(CONFIG).json()["teams"][0]["channels"] == {}


ODD_SETTINGS = [
    {"closeMessage": 5},
    {"closeMessage": "\0"},
    {"closeMessage": "x" * 20_000},
    {"avatarUrl": "javascript:alert(1)"},
    {"avatarUrl": "face.png"},
    {"outOfHoursMessageEnabled": "yes"},
    {"outOfHoursFormTemplateId": "nowhere"},
    {"outOfHoursFormTemplateId": "a\0b"},
    {"outOfHoursFormTemplateId": {}},
]


@cases("body", ODD_SETTINGS)
def test_odd_settings_are_refused(space, body):
    # What no text may hold is refused before anybody looks at the members.
    assert set(failures(space.put(f"{ONE}/settings", body))) in (set(body), {"body"})


def test_a_form_of_the_center_may_be_named(space, other):
    FormTemplate.objects.create(center=space.center, key="contact", name="Contact", fields=[])
    FormTemplate.objects.create(center=other.center, key="theirs", name=MARKER, fields=[])
    assert space.put(f"{ONE}/settings", {"outOfHoursFormTemplateId": "contact"}).status_code == 200
    assert failures(space.put(f"{ONE}/settings", {"outOfHoursFormTemplateId": "theirs"}))


# Forgetting -----------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_parts_are_forgotten_one_by_one_and_the_team_stays(space, acme):
    space.put(f"{ONE}/appMessaging", WELCOME)
    space.put(f"{ONE}/settings", SETTINGS)
    answer = space.delete(f"{ONE}/settings")
    assert (answer.status_code, answer.content) == (200, b"")
    acme.support.refresh_from_db()
    assert acme.support.closing == ""
    assert space.delete(f"{ONE}/settings").status_code == 404
    assert space.delete(f"{ONE}/appMessaging").status_code == 200
    assert space.delete(f"{ONE}/appMessaging").status_code == 404
    assert space.delete(ONE).status_code == 404
    assert space.get(ONE).status_code == 200
    assert Team.objects.filter(pk=acme.support.pk, is_active=True).exists()


def test_the_whole_configuration_of_a_team_is_forgotten_at_once(space, acme):
    space.put(f"{ONE}/appMessaging", WELCOME)
    space.put(f"{ONE}/settings", SETTINGS)
    assert space.delete(ONE).status_code == 200
    row = RegistrationTeam.objects.get(registration=space.registration, team=acme.support)
    assert (row.facts, row.foreign_id) == ({}, TEAM)
    assert space.delete(ONE).status_code == 404


# if-match -------------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_a_stale_etag_changes_nothing(space):
    first = space.put(f"{ONE}/appMessaging", {"replyAs": "team"})["ETag"]
    second = space.put(f"{ONE}/appMessaging", WELCOME, headers={"If-Match": first})
    assert second.status_code == 200
    for method, path, body in (
        ("PUT", f"{ONE}/appMessaging", {"replyAs": "team"}),
        ("DELETE", f"{ONE}/appMessaging", None),
        ("DELETE", ONE, None),
        ("PUT", f"{ONE}/settings", {}),
    ):
        assert space.call(method, path, body, {"If-Match": first}).status_code == 412, path
    assert reply_as(space.registration, Team.objects.get(key="support", center=space.center)) == "individual"
    assert space.delete(f"{ONE}/appMessaging", headers={"If-Match": second["ETag"]}).status_code == 200


@cases("read", [ONE, CONFIG])
def test_the_etag_of_what_was_read_is_good_until_something_changes(space, read):
    etag = space.get(read)["ETag"]
    assert space.put(f"{ONE}/settings", SETTINGS, headers={"If-Match": etag}).status_code == 200
    assert space.put(f"{ONE}/settings", SETTINGS, headers={"If-Match": etag}).status_code == 412
    etag = space.get(read)["ETag"]
    assert space.delete(ONE, headers={"If-Match": f'"x", W/{etag}'}).status_code == 200


# Teams ----------------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_a_team_is_made_with_its_members_and_used_at_once(editor, acme, ann, bob):
    made = {"name": "Bot", "members": [{"username": "ANN@example.com"}, {"username": "PLATFORMUSER\\bob@example.com"}]}
    answer = editor.put(f"{CONFIG}/teams/Bot", made)
    assert answer.status_code == 201, answer.content
    assert answer.json()["members"] == [{"username": "ann@example.com"}, {"username": "bob@example.com"}]
    team = Team.objects.get(center=acme.center, key="Bot")
    assert set(team.agents.all()) == {ann, bob}
    again = editor.put(f"{CONFIG}/teams/Bot", {"name": "Robots"})
    assert (again.status_code, again.json()["name"], len(again.json()["members"])) == (200, "Robots", 2)
    assert editor.put(f"{CONFIG}/teams/Bot", {"name": "Robots", "members": []}).json()["members"] == []
    assert not team.agents.exists()


@cases("team_id", ["Kundendienst Ü", "Support.2", "SUPPORT", "sales-1", "客服"])
def test_a_teams_id_need_not_be_a_key(editor, team_id):
    answer = editor.put(f"{CONFIG}/teams/{team_id}", {"name": "New"})
    assert (answer.status_code, answer.json()["id"]) == (201, team_id)
    assert editor.get(f"{CONFIG}/teams/{team_id}").status_code == 200
    Team.objects.get(name="New").full_clean()


@cases("username", ["gil@example.com", "nobody", "", "eve", "a\0b", 5, None])
def test_who_has_no_seat_here_is_no_member(editor, gil, eve, username):
    assert failures(editor.put(f"{CONFIG}/teams/New", {"name": "New", "members": [{"username": username}]}))
    assert not Team.objects.filter(name="New").exists()


@cases("body", [{}, {"name": ""}, {"name": "x" * 101}, {"name": "a\nb"}, {"name": "x", "members": "ann"}, []])
def test_an_odd_team_is_refused(editor, body):
    assert failures(editor.put(f"{CONFIG}/teams/New", body))


def test_a_stale_etag_renames_nothing(editor, acme):
    etag = editor.get(ONE)["ETag"]
    assert editor.put(ONE, {"name": "Care"}, headers={"If-Match": etag}).status_code == 200
    assert editor.put(ONE, {"name": "Help"}, headers={"If-Match": etag}).status_code == 412
    acme.support.refresh_from_db()
    assert acme.support.name == "Care"


def test_teams_are_changed_only_by_whom_an_administrator_lets(space, acme):
    assert space.put(f"{CONFIG}/teams/New", {"name": "New"}).status_code == 403
    assert space.put(ONE, {"name": "Care"}).status_code == 403
    Application.objects.update(may_configure=True)
    ApplicationTeam.objects.create(center=acme.center, application=space.application, team=acme.support)
    assert space.put(f"{CONFIG}/teams/New", {"name": "New"}).status_code == 403
    assert space.put(f"{CONFIG}/teams/sales", {"name": "Mine"}).status_code == 403
    assert space.put(ONE, {"name": "Care"}).status_code == 200
    assert [team["teamId"] for team in space.get(CONFIG).json()["teams"]] == [TEAM]


def test_a_team_that_is_switched_off_is_not_made_anew(editor, acme):
    Team.objects.filter(pk=acme.support.pk).update(is_active=False)
    assert editor.get(ONE).status_code == 404
    assert editor.put(ONE, {"name": "Care"}).status_code == 409


# Boundaries -----------------------------------------------------------------------------------------------------------


@cases("team_id", ["nowhere", "%00", "a%00b", "x" * 200, "%ED%A0%80", "..", str(10**40)])
def test_a_team_that_is_not_there_is_404(space, team_id):
    path = f"{space.prefix}/{CONFIG}/teams/{team_id}"
    answers = [
        space.get(path),
        space.delete(path),
        space.put(f"{path}/appMessaging", WELCOME),
        space.delete(f"{path}/appMessaging"),
        space.put(f"{path}/settings", {}),
        space.delete(f"{path}/settings"),
    ]
    assert {answer.status_code for answer in answers} == {404}


def test_another_centers_teams_do_not_exist(space, other, globex):
    globex.sales.key = "theirs"
    globex.sales.save()
    for tail in ("", "/appMessaging", "/settings"):
        assert space.delete(f"{CONFIG}/teams/theirs{tail}").status_code == 404
    assert space.put(f"{CONFIG}/teams/theirs/settings", SETTINGS).status_code == 404
    assert MARKER not in space.get(CONFIG).content.decode()


def test_apps_and_strangers_configure_nothing(space):
    for caller, status in ((space.app(), 403), (space.stranger, 401)):
        assert caller.get(CONFIG).status_code == status
        assert caller.get(ONE).status_code == status
        assert caller.put(f"{ONE}/settings", SETTINGS).status_code == status
        assert caller.put(ONE, {"name": "Mine"}).status_code == status
