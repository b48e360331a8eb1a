"""What machines ask, and what everybody gets with every answer."""

import json
from typing import Any

import pytest
from django.db import InternalError, OperationalError, connection
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.utils import timezone

from contactcenter import health, metrics
from contactcenter.celery import SWEEPS, app, canary
from contactcenter.models import Installation
from contactcenter.outage import is_outage
from tests.cases import cases

pytestmark = [pytest.mark.both, pytest.mark.django_db]


def test_alive_asks_nobody(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        response = client.get("/healthz")
    assert response.status_code == 200
    assert response.json()["status"] == "ok"


def test_ready_names_its_checks(client: Client) -> None:
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "checks": {"database": "ok", "migrations": "ok", "layer": "ok"}}


def test_not_ready_while_the_database_is_away(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(connection, "cursor", away)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["database"] == "away"
    assert client.get("/healthz").status_code == 200


def test_not_ready_while_a_migration_is_missing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_migrated", set())
    with connection.cursor() as cursor:
        # The latest: a history with a hole in it is another fault.
        cursor.execute(
            "DELETE FROM django_migrations WHERE app = 'chats' AND name = (SELECT MAX(name) FROM django_migrations WHERE app = 'chats')"
        )
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["migrations"] == "missing"


def test_redis_away_is_told_but_takes_nobody_out_of_service(client: Client, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["status"] == "degraded"
    assert response.json()["checks"]["layer"] == "away"


def test_metrics_are_for_near_networks(client: Client, settings: Any) -> None:
    text = client.get("/metrics").content.decode()
    assert "contactcenter_figures_failed 0.0" in text
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.1").status_code == 403
    settings.METRICS_ALLOWED = ["192.0.2.0/24"]
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.1").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="").status_code == 403


def test_metrics_open_for_the_token_and_no_token_opens_nothing(client: Client, settings: Any) -> None:
    far = {"REMOTE_ADDR": "192.0.2.1"}
    assert client.get("/metrics", headers={"Authorization": "Bearer "}, **far).status_code == 403
    settings.METRICS_TOKEN = "correct horse"
    assert client.get("/metrics", headers={"Authorization": "Bearer correct horse"}, **far).status_code == 200
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}, **far).status_code == 403
    assert client.get("/metrics", headers={"Authorization": "Bearer café"}, **far).status_code == 403


def test_canary_leaves_its_time_and_metrics_tell_it(client: Client) -> None:
    before = timezone.now()
    canary()
    canary()
    assert Installation.objects.get().canary_at >= before
    assert "contactcenter_task_lag_seconds 0." in client.get("/metrics").content.decode()


def test_a_group_of_figures_that_fails_is_counted_and_hides_no_other(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> Any:
        raise OperationalError

    monkeypatch.setattr(metrics, "GAUGES", [broken, metrics.deliveries])
    text = client.get("/metrics").content.decode()
    assert "contactcenter_figures_failed 1.0" in text
    assert "contactcenter_deliveries_due" in text


def test_every_sweep_of_the_schedule_is_a_task_that_exists() -> None:
    app.loader.import_default_modules()
    assert [name for name in SWEEPS if name not in app.tasks] == []


def test_answers_are_private_and_carry_the_strict_policy(client: Client) -> None:
    response = client.get("/healthz")
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert response["Cache-Control"] == "private, no-store"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"


def test_only_the_admin_has_the_wider_policy(client: Client) -> None:
    assert "'unsafe-eval'" in client.get("/admin/login/")["Content-Security-Policy"]
    assert "unsafe" not in client.get("/accounts/login/")["Content-Security-Policy"]


def test_static_files_carry_the_release_and_may_be_kept_for_ever(client: Client, settings: Any) -> None:
    response = client.get(f"{settings.STATIC_URL}design/tokens.css")
    assert response.status_code == 200
    assert "immutable" in response["Cache-Control"]
    assert client.get("/static/another/design/tokens.css").status_code == 404


def test_unknown_address_is_json_for_programs_and_a_page_for_people(client: Client) -> None:
    response = client.get("/api/v1/nothing-here")
    assert response.status_code == 404
    assert response.json()["code"] == "not_found"
    assert client.get("/nothing-here", headers={"Accept": "text/html"}).content.startswith(b"<!doctype html>")


@cases(("path", "is_json"), [("/api/v1/x", True), ("/desk/", False)])
def test_database_away_is_503_without_a_traceback(path: str, is_json: bool) -> None:
    from contactcenter.errors import server_error

    request = RequestFactory().get(path, headers={"Accept": "text/html"})
    try:
        raise OperationalError("password=hunter2")
    except OperationalError:
        response = server_error(request)
    assert response.status_code == 503
    assert response["Retry-After"] == "2"
    assert b"hunter2" not in response.content
    if is_json:
        assert json.loads(response.content)["code"] == "unavailable"


def test_own_failure_is_500(rf: RequestFactory) -> None:
    from contactcenter.errors import server_error

    request: HttpRequest = rf.get("/api/v1/x")
    try:
        raise ZeroDivisionError("secret")
    except ZeroDivisionError:
        response = server_error(request)
    assert (response.status_code, json.loads(response.content)["code"]) == (500, "failed")


def test_read_only_database_counts_as_an_outage_and_a_bug_does_not() -> None:
    class ReadOnly(Exception):
        sqlstate = "25006"

    try:
        raise InternalError from ReadOnly()
    except InternalError as error:
        assert is_outage(error)
    assert is_outage(OperationalError())
    assert not is_outage(InternalError())
    assert not is_outage(ValueError())
    assert not is_outage(None)
