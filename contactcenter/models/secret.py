"""Secrets that we must be able to say again: kept encrypted, with the keys of the setting FIELD_KEYS."""

from functools import cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models


@cache
def _keyring(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def keyring() -> MultiFernet:
    """The first key encrypts, each of them decrypts: a new one is put in front, and the old one leaves when all rows were saved anew."""
    return _keyring(tuple(settings.FIELD_KEYS))


class SecretField(models.TextField):  # type: ignore[type-arg]
    """A text that nobody reads in a copy of the database. It cannot be searched for, and no form or API shows it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"editable": False, "blank": True, **options})

    def get_prep_value(self, value: Any) -> Any:
        text = super().get_prep_value(value)
        return keyring().encrypt(text.encode()).decode() if text else text

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        if not value:
            return value
        try:
            return keyring().decrypt(value.encode()).decode()
        except InvalidToken:
            raise ImproperlyConfigured("FIELD_KEYS does not hold the key of a secret in the database.") from None
