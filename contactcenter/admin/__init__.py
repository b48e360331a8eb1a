"""What the ground floor shows in the two admins."""

from . import applications, audit, centers, channels, people, teams

__all__ = ["applications", "audit", "centers", "channels", "people", "teams"]
