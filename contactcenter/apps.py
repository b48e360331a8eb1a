"""The ground floor: centers, people, keys, teams, channels, hours, audit."""

from django.apps import AppConfig


class ContactCenterConfig(AppConfig):
    name = "contactcenter"
    verbose_name = "Contact center"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import accounts

        accounts.listen()
