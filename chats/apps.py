"""The upper floor: conversations. Who listens to what is said in a chat is named here."""

from django.apps import AppConfig


class ChatsConfig(AppConfig):
    name = "chats"
    verbose_name = "Chats"
    default_auto_field = "django.db.models.BigAutoField"
