"""The ground floor: centers, people, keys, teams, channels, hours, audit."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ContactCenterConfig(AppConfig):
    name = "contactcenter"
    verbose_name = _("Contact center")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import accounts

        accounts.listen()
