"""What every application of the demo that speaks a foreign API has: its own row, and pages that may call it."""

from collections.abc import Callable, Iterable

from contactcenter.models import Application, ContactCenter, Registration


def build_registration(
    center: ContactCenter,
    name: str,
    protocol: str,
    origins: Iterable[str],
    register: Callable[[Application], Registration],
) -> Registration:
    """The application's access, made by `register` where it is missing. Origins of pages are added, none is taken away."""
    application, _ = Application.objects.get_or_create(center=center, name=name)
    registration = application.registrations.filter(protocol=protocol).first() or register(application)
    allowed = sorted(set(origins).union(application.allowed_origins))
    if allowed != application.allowed_origins:
        application.allowed_origins = allowed
        application.save(update_fields=["allowed_origins"])
    return registration
