"""What the ground floor shows in the two admins."""

from . import applications, audit, centers, channels, people, registrations, teams

__all__ = ["applications", "audit", "centers", "channels", "people", "registrations", "teams"]
