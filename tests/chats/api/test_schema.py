"""The schema is true: what it allows is answered as it says, what it forbids is refused as it says."""

import pytest
import schemathesis
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from chats.api.urls import urlpatterns
from tests.chats.api.test_boundaries import FREE, IN_ADDRESS
from tests.chats.api.world import callers, furnish

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
MODES = [(schemathesis.GenerationMode.POSITIVE, 3), (schemathesis.GenerationMode.NEGATIVE, 2)]
WHO = ("customer", "supervisor", "application")


@pytest.fixture
def schema(db):
    """Served in this process and in the test's own transaction, which a finished request must not close."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield schemathesis.openapi.from_wsgi("/api/v1/schema/", get_wsgi_application())
    for signal in signals:
        signal.connect(close_old_connections)


def test_every_route_stands_in_the_schema(schema):
    described = {operation.ok().path for operation in schema.get_all_operations()}
    for route in urlpatterns:
        path = "/api/v1/" + str(route.pattern).replace("<uuid:", "{").replace("<int:", "{").replace(">", "}")
        assert path in described or route.name in FREE, path


def test_every_operation_says_how_one_proves_oneself_and_what_may_go_wrong(schema):
    for result in schema.get_all_operations():
        definition = result.ok().definition.raw
        assert definition["summary"], result.ok().label
        assert {"400", "401", "403", "404", "429", "503"} <= set(definition["responses"])


@pytest.mark.slow
def test_any_request_is_answered_as_the_schema_says(schema, acme, now, figures):
    here = furnish(acme, now)
    apis = callers(here, now)
    wrong = []
    for result in schema.get_all_operations():
        for mode, examples in MODES:
            try:
                try_operation(result.ok(), mode, examples, here, apis, figures)
            except FailureGroup as failures:
                wrong.append(f"{result.ok().label} {mode.value}: {failures}")
    assert not wrong, "\n".join(wrong)


def try_operation(operation, mode, examples, here, apis, figures):
    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck), derandomize=True
    )
    def run(case):
        cache.clear()  # this is no test of the rates
        for name in case.path_parameters or {}:
            if name in IN_ADDRESS and mode is schemathesis.GenerationMode.POSITIVE:
                case.path_parameters[name] = str(IN_ADDRESS[name](here))
        for who in WHO:
            response = case.call(headers=apis[who].headers)
            figures.count("REST requests that failed with 5xx", found=response.status_code >= 500)
            case.validate_response(response, checks=CHECKS, headers=apis[who].headers)

    run()


@pytest.mark.parametrize("accept", ["application/json", "application/yaml", "*/*"])
def test_the_schema_comes_in_both_notations(client, accept):
    answer = client.get("/api/v1/schema/", headers={"Accept": accept})
    assert answer.status_code == 200
    assert b"/api/v1/chats/{chat_id}/events" in answer.content


def test_the_page_loads_nothing_from_elsewhere(client):
    page = client.get("/api/v1/docs/")
    text = page.content.decode()
    assert page.status_code == 200
    assert "http://" not in text
    assert "https://" not in text
    assert "<style" not in text
    assert "style=" not in text
    assert "'unsafe" not in page["Content-Security-Policy"]
    script = client.get("/api/v1/docs/?script=")
    assert script["Content-Type"].startswith("application/javascript")
    assert b"/api/v1/schema/" in script.content
