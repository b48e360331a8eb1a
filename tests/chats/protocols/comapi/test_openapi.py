"""Our OpenAPI description of the Chat API: every route stands in it, and whatever is sent to one is never our fault."""

import re
from contextlib import contextmanager

import pytest
import schemathesis
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from chats.protocols.comapi.openapi import description
from chats.protocols.comapi.urls import SERVICES

from .conftest import TEAM

pytestmark = pytest.mark.django_db
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance]
MODES = [(schemathesis.GenerationMode.POSITIVE, 2), (schemathesis.GenerationMode.NEGATIVE, 2)]


@contextmanager
def in_this_transaction():
    """Requests are answered in the test's own, which a finished one must not close. The test client ties these knots again after each of its requests."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


def test_every_route_is_described(client):
    paths = client.get("/cpaas/openapi.json").json()["paths"]
    for service in SERVICES:
        for pattern, view, _name in service.ROUTES:
            operations = paths[f"/cpaas/{pattern}"]
            spoken = {name for name in ("get", "post", "put", "patch", "delete") if hasattr(view, name)}
            assert set(operations) == spoken, pattern
            assert all(operation["summary"] for operation in operations.values()), pattern


def test_what_has_a_body_says_what_it_is():
    for path, operations in description()["paths"].items():
        for method, operation in operations.items():
            if method in ("put", "patch"):
                assert "requestBody" in operation, (method, path)


@pytest.mark.slow
def test_nothing_that_is_asked_is_a_server_error(space, ann, figures):
    known = space.chat()
    space.held(known["id"], ann)
    here = {"chat_id": known["id"], "team_id": TEAM, "profile_id": "mia", "conversation_id": f"{TEAM}_mia"}
    wrong = []
    with in_this_transaction():
        schema = schemathesis.openapi.from_wsgi("/cpaas/openapi.json", get_wsgi_application())
        for result in schema.get_all_operations():
            for mode, examples in MODES:
                try:
                    try_operation(result.ok(), mode, examples, here, space.basic.headers, figures)
                except FailureGroup as failures:
                    wrong.append(f"{result.ok().label} {mode.value}: {failures}")
                except Unsatisfiable:
                    assert mode is schemathesis.GenerationMode.NEGATIVE  # there is nothing to get wrong
    assert not wrong, "\n".join(wrong)


def try_operation(operation, mode, examples, here, headers, figures):
    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck), derandomize=True
    )
    def run(case):
        cache.clear()  # this is no test of the rates
        for name in case.path_parameters or {}:
            if name in here and mode is schemathesis.GenerationMode.POSITIVE:
                case.path_parameters[name] = here[name]
        response = case.call(headers=headers)
        figures.count("Chat API requests that failed with 5xx", found=response.status_code >= 500)
        case.validate_response(response, checks=CHECKS, headers=headers)

    run()


def test_names_in_addresses_are_plain():
    for path in description()["paths"]:
        assert re.fullmatch(r"/cpaas(/[A-Za-z]+|/\{[a-z_]+\})+", path), path
