"""What machines ask: alive (/healthz), able to serve (/readyz), how it goes (/metrics)."""

import hmac
import ipaddress
from collections.abc import Callable

import redis
import structlog
from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from contactcenter import metrics as figures

log = structlog.get_logger(__name__)

_migrated: set[str] = set()


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. Asks nobody else: a database that is away is no reason to restart us."""
    return JsonResponse({"status": "ok", "release": settings.RELEASE})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when requests can be served, 503 otherwise.

    Without its Redis a server is slower, not wrong, so that alone is told and does not take it out of service:
    all servers would leave at once.
    """
    checks = {"database": _database(), "migrations": _migrations(), "layer": _layer()}
    is_ready = checks["database"] == "ok" and checks["migrations"] == "ok"
    status = "ok" if set(checks.values()) == {"ok"} else "degraded" if is_ready else "unavailable"
    return JsonResponse({"status": status, "checks": checks}, status=200 if is_ready else 503)


def _told(check: Callable[[], str], *errors: type[Exception]) -> str:
    try:
        return check()
    except errors as error:
        log.warning("not ready", check=check.__name__, error=type(error).__name__)
        return "away"


def _database() -> str:
    def database() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return "ok"

    return _told(database, Error)


def _migrations() -> str:
    def migrations() -> str:
        # Migrations are never taken back under a running server: once applied is enough.
        if settings.RELEASE not in _migrated:
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                return "missing"
            _migrated.add(settings.RELEASE)
        return "ok"

    return _told(migrations, Error)


def _layer() -> str:
    def layer() -> str:
        if settings.REDIS_URL:
            with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1) as client:
                client.ping()
        return "ok"

    return _told(layer, redis.RedisError, OSError)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text, for the networks of METRICS_ALLOWED and for whoever knows METRICS_TOKEN."""
    if not (_is_near(request) or _knows_token(request)):
        return JsonResponse({"code": "forbidden", "message": "Metrics are not for everyone."}, status=403)
    return HttpResponse(generate_latest(figures.registry), content_type=CONTENT_TYPE_LATEST)


def _is_near(request: HttpRequest) -> bool:
    try:
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(network, strict=False) for network in settings.METRICS_ALLOWED)


def _knows_token(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return bool(settings.METRICS_TOKEN) and hmac.compare_digest(given.encode(), settings.METRICS_TOKEN.encode())
