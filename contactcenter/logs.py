"""Logs: structured lines, JSON outside DEBUG, without secrets and without what people write to each other."""

import logging
import re
from collections.abc import MutableMapping
from typing import Any

import structlog
from kombu.exceptions import OperationalError as KombuError
from redis import RedisError

# Never written, whatever a caller passes: credentials and the words of a chat.
SECRET = re.compile(
    r"authorization|cookie|password|secret|token|ticket|signature|api_?key|^key$|^body$|^text$|^message_text$"
)
REMOVED = "[removed]"
IN_TEXT = [
    re.compile(r"(?i)((?:authorization|cookie|x-api-key)['\"]?\s*[:=]\s*['\"]?(?:bearer |basic )?)[^\s'\",;]+"),
    re.compile(r"(?i)([?&;\s](?:token|ticket|secret|password|signature|apikey|api_key|key)=)[^\s&'\"]+"),
    re.compile(r"(?i)(\b(?:bearer|basic) )[a-z0-9._~+/=-]{8,}"),
    re.compile(r"(\b(?:sk|ap|cs|st|tk)_)[A-Za-z0-9_-]{16,}"),
    re.compile(r"(://[^:/@\s]*:)[^@/\s]+(?=@)"),
]


def redact_text(text: str) -> str:
    """The same text with what looks like a credential removed."""
    for pattern in IN_TEXT:
        text = pattern.sub(rf"\1{REMOVED}", text)
    return text


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: secret fields by name, secrets within texts by form."""
    for name, value in event.items():
        if name in {"event", "exception", "exc_info", "stack"}:
            event[name] = redact_text(value) if isinstance(value, str) else value
        elif SECRET.search(name.lower()):
            event[name] = REMOVED
        elif isinstance(value, str):
            event[name] = redact_text(value)
    return event


def shorten_outage(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: what Celery says of a database or a Redis that is away is a line, not forty, and no error: the task is due again."""
    raised = event.get("exc_info")
    error = raised[1] if isinstance(raised, tuple) else None
    if str(event.get("logger")).startswith(("celery", "kombu")) and _is_away(error):
        del event["exc_info"]
        event["event"] = str(event["event"]).partition("\n")[0]  # beat adds the stack
        event["level"] = "warning"
    return event


def _is_away(error: BaseException | None) -> bool:
    from celery.beat import SchedulingError  # much, and only wanted here

    from .outage import is_outage  # Django's database errors: not before the settings are there

    if isinstance(error, SchedulingError):  # beat's word for whatever came before it
        error = error.__context__
    return is_outage(error) or isinstance(error, RedisError | KombuError | ConnectionError)


BEFORE: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


def logging_settings(*, level: str, style: str) -> dict[str, Any]:
    """Django's LOGGING: everything to stderr through structlog; `style` is json or console."""
    renderer = structlog.processors.JSONRenderer() if style == "json" else structlog.dev.ConsoleRenderer(colors=False)
    # The exception becomes text before redaction: tracebacks quote lines and values.
    spared = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, shorten_outage]
    last = [*spared, structlog.processors.format_exc_info, redact]
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [*last, renderer],
        "foreign_pre_chain": BEFORE,
    }
    quiet = {"level": "WARNING", "propagate": True}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": formatter},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "propagate": True},
            "django.server": {"handlers": [], "propagate": True},
            # Their INFO lines carry task arguments, paths with queries, or repeat what we say ourselves.
            "uvicorn": quiet,
            "uvicorn.access": quiet,
            "celery": quiet,
            "kombu": quiet,
            # A traceback a second while Redis is away; chats.live.relay says it once.
            "channels_redis": {"level": "CRITICAL", "propagate": True},
            "fontTools": quiet,
            "fpdf": quiet,
        },
    }


def configure_structlog() -> None:
    """structlog's own loggers end in the standard library's, so that one place decides how lines look."""
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *BEFORE, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.captureWarnings(capture=True)
