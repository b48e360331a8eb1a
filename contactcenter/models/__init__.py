"""The ground floor's rows."""

from .api_space import ApiSpace
from .audit import AuditEntry
from .center import ContactCenter, Installation
from .channel import Application, ApplicationTeam, Channel, FormField, WidgetSettings
from .person import ApplicationPassword, User, hash_secret
from .registration import Registration, RegistrationTeam
from .team import Holiday, OpeningHours, Team

__all__ = [
    "ApiSpace",
    "Application",
    "ApplicationPassword",
    "ApplicationTeam",
    "AuditEntry",
    "Channel",
    "ContactCenter",
    "FormField",
    "Holiday",
    "Installation",
    "OpeningHours",
    "Registration",
    "RegistrationTeam",
    "Team",
    "User",
    "WidgetSettings",
    "hash_secret",
]
