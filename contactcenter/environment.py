"""Reading the environment: one call per variable, a sentence when a value cannot be used."""

import ipaddress
import os
import secrets
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

TRUE, FALSE = {"1", "true", "yes", "on"}, {"", "0", "false", "no", "off"}


def text(name: str, default: str = "") -> str:
    """The variable without surrounding blanks; an empty one counts as absent."""
    return os.environ.get(name, "").strip() or default


def word(name: str) -> str:
    """Letters and digits, or nothing."""
    value = text(name)
    if value and not (value.isascii() and value.isalnum()):
        raise ImproperlyConfigured(f"{name} is {value!r}; say letters and digits only.")
    return value


def flag(name: str, *, default: bool = False) -> bool:
    """A switch: 1/true/yes/on or 0/false/no/off."""
    value = text(name, "1" if default else "0").lower()
    if value not in TRUE | FALSE:
        raise ImproperlyConfigured(f"{name} is {value!r}; say 1 or 0.")
    return value in TRUE


def number(name: str, default: int, *, low: int = 1, high: int = 10_000) -> int:
    """A whole number between low and high."""
    value = text(name, str(default))
    if not value.isdecimal() or not low <= int(value) <= high:
        raise ImproperlyConfigured(f"{name} is {value!r}; say a whole number from {low} to {high}.")
    return int(value)


def choice(name: str, default: str, options: Iterable[str]) -> str:
    """One word of a few."""
    value, allowed = text(name, default), list(options)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} is {value!r}; say one of {', '.join(allowed)}.")
    return value


def listing(name: str, default: str = "") -> list[str]:
    """Comma separated words."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def networks(name: str, default: str) -> list[str]:
    """Comma separated addresses or networks."""
    words = listing(name, default)
    for word in words:
        try:
            ipaddress.ip_network(word, strict=False)
        except ValueError as error:
            raise ImproperlyConfigured(f"{name} holds {word!r}, which is no address or network.") from error
    return words


def web_url(name: str, default: str) -> str:
    """An http(s) URL without path, query and trailing slash."""
    value = text(name, default).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query:
        raise ImproperlyConfigured(f"{name} is {value!r}; say something like https://chat.example.com.")
    return value


def redis_url(name: str, default: str = "") -> str:
    """The URL of a Redis, or nothing."""
    value = text(name, default)
    if value and urlsplit(value).scheme not in {"redis", "rediss", "unix"}:
        raise ImproperlyConfigured(f"{name} is not the URL of a Redis (redis://host:port/number).")
    return value


def secret(name: str, file: Path, *, make: Callable[[], str] | None) -> str:
    """The variable, else the file's content, else a new one that `make` gives and the file keeps, else refusal."""
    if value := text(name):
        return value
    if not file.exists():
        if make is None:
            raise ImproperlyConfigured(f"{name} is not set and {file} does not exist. Set one: there is no default.")
        _write_once(file, make())
    value = file.read_text().strip()
    if not value:
        raise ImproperlyConfigured(f"{file} is empty. Put the secret back or set {name}.")
    return value


def _write_once(file: Path, content: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(content)
    try:
        # A link, not a rename: of two processes that start together the second must take the first one's secret.
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def database(name: str, data: Path, *, pool_max: int, pool_idle: int) -> dict[str, Any]:
    """Django's DATABASES["default"]: our SQLite engine, or PostgreSQL with a pool."""
    url = text(name, f"sqlite:///{data / 'db.sqlite3'}")
    scheme = urlsplit(url).scheme
    if scheme == "sqlite":
        found: dict[str, Any] = {**dj_database_url.parse(url, engine="contactcenter.sqlite")}
        test_file = Path(os.environ.get("TMPDIR", "/tmp")) / f"contactcenter-test-{os.getpid()}.sqlite3"  # noqa: S108
        # Threads share nothing in memory: tests need a file, and one per run.
        return found | {"CONN_MAX_AGE": None, "TEST": {"NAME": str(test_file)}}
    if scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(f"{name} must start with sqlite:// or postgres://.")
    found = {**dj_database_url.parse(url, conn_health_checks=True)}
    # A connection belongs to a thread for one request only; kept ones leak with every thread that ends.
    from contactcenter.pooling import PooledConnection  # an installation on SQLite does not load PostgreSQL's driver

    pool: dict[str, Any] = {"connection_class": PooledConnection}
    pool |= {"min_size": 2, "max_size": pool_max, "timeout": 5, "max_lifetime": 1800, "max_idle": pool_idle}
    options = {"pool": pool, "connect_timeout": 5, **found.get("OPTIONS", {})}
    return found | {"CONN_MAX_AGE": 0, "OPTIONS": options}


def email(name: str, data: Path) -> dict[str, Any]:
    """Django's EMAIL_* settings from one URL (smtp://, smtps://, file:// or console:)."""
    parts = urlsplit(text(name, f"file://{data / 'mail'}"))
    backend = "django.core.mail.backends."
    if parts.scheme == "file":
        return {"EMAIL_BACKEND": f"{backend}filebased.EmailBackend", "EMAIL_FILE_PATH": parts.path}
    if parts.scheme == "console":
        return {"EMAIL_BACKEND": f"{backend}console.EmailBackend"}
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ImproperlyConfigured(
            f"{name} must be smtp://user:password@host:port?tls=1, smtps://…, file:///… or console:."
        )
    return {
        "EMAIL_BACKEND": f"{backend}smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or (465 if parts.scheme == "smtps" else 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": parse_qs(parts.query).get("tls", ["0"])[0] in TRUE,
        "EMAIL_TIMEOUT": 10,
    }


def is_testing() -> bool:
    """Whether pytest has loaded us."""
    return "pytest" in sys.modules
