"""Nothing that opens a door, and nothing that people wrote, gets into a log."""

import json
import logging
import subprocess
import sys
from typing import Any

import kombu.exceptions
import pytest
import redis
from celery.beat import SchedulingError
from django.db import OperationalError

from contactcenter.logs import logging_settings, redact, redact_text


@pytest.mark.parametrize(
    "line",
    [
        "Authorization: Bearer MARKER0123456789",
        "authorization=Basic MARKER0123456789",
        "{'Cookie': 'session=MARKER0123456789'}",
        "GET /x?a=1&token=MARKER0123456789&b=2",
        "GET /x?ticket=MARKER0123456789",
        "key sk_MARKER0123456789abc was used",
        "connect to redis://user:MARKER0123456789@host/1",
        "POST with bearer MARKER0123456789",
    ],
)
def test_what_looks_like_a_credential_is_removed_from_text(line: str) -> None:
    assert "MARKER" not in redact_text(line)


@pytest.mark.parametrize("line", ["GET /api/v1/chats/42?after=7", "the basic plan", "key: value", "no secret here"])
def test_ordinary_lines_stay(line: str) -> None:
    assert redact_text(line) == line


@pytest.mark.parametrize("name", ["token", "session_token", "Authorization", "password", "secret_key", "text", "body"])
def test_secret_fields_are_removed_by_name(name: str) -> None:
    assert redact(None, "info", {"event": "x", name: "MARKER"})[name] == "[removed]"


def test_fields_with_other_names_stay() -> None:
    event: dict[str, Any] = {"event": "chat closed", "chat": "42", "seconds": 3}
    assert redact(None, "info", dict(event)) == event


def test_lines_are_json_with_exception_and_without_secrets() -> None:
    code = """
import contactcenter.settings, logging, logging.config
logging.config.dictConfig(contactcenter.settings.LOGGING)
try:
    raise ValueError("token=MARKER0123456789 token in ?token=MARKER0123456789")
except ValueError:
    logging.getLogger("anything").exception("failed for %s", "x?token=MARKER0123456789")
import structlog
structlog.get_logger("ours").warning("seen", token="MARKER", chat=4)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["failed for x?token=[removed]", "seen"]
    assert "ValueError" in lines[0]["exception"]
    assert lines[1]["chat"] == 4
    assert lines[1]["level"] == "warning"
    assert "MARKER" not in done.stderr


def test_nobody_turned_on_an_access_log() -> None:
    assert logging.getLogger("uvicorn.access").getEffectiveLevel() >= logging.WARNING


def said_of(record: logging.LogRecord) -> dict[str, Any]:
    formatter = logging_settings(level="INFO", style="json")["formatters"]["line"]
    made = formatter["()"](**{name: value for name, value in formatter.items() if name != "()"})
    said: dict[str, Any] = json.loads(made.format(record))
    return said


@pytest.mark.parametrize(
    ("error", "level", "is_told_whole"),
    [
        (OperationalError("the database is away"), "warning", False),
        (redis.ConnectionError("Redis is away"), "warning", False),
        (kombu.exceptions.OperationalError("Redis is away"), "warning", False),
        (ValueError("a fault of ours"), "error", True),
    ],
)
def test_what_celery_says_of_an_outage_is_one_line(error: Exception, level: str, is_told_whole: bool) -> None:
    for name in ("celery.app.trace", "contactcenter.edge"):
        try:
            raise error
        except Exception:
            record = logging.LogRecord(name, logging.ERROR, "x.py", 1, "Task %s failed", ("route",), sys.exc_info())
        said = said_of(record)
        is_celerys = name.startswith("celery")
        assert said["event"] == "Task route failed"
        assert said["level"] == (level if is_celerys else "error")
        assert ("Traceback" in said.get("exception", "")) == (is_told_whole or not is_celerys)


def test_what_beat_says_of_an_outage_is_one_line_too() -> None:
    try:
        try:
            raise kombu.exceptions.OperationalError("Connection closed by server.")
        except kombu.exceptions.OperationalError:
            raise SchedulingError("Couldn't apply scheduled task sweep")  # noqa: B904 - as beat does
    except SchedulingError as error:
        told = ("Message Error: %s\n%s", (error, ["  File beat.py\n", "  File app.py\n"]), sys.exc_info())
    said = said_of(logging.LogRecord("celery.beat", logging.ERROR, "x.py", 1, *told))
    assert said["event"] == "Message Error: Couldn't apply scheduled task sweep"
    assert said["level"] == "warning"
    assert "exception" not in said
