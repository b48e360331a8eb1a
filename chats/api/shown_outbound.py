"""What answers about texts outside of chats hold, for the schema alone."""

from typing import Any

from rest_framework import serializers as s

from .shown import CenterNamed, maybe


class OutboundShown(s.Serializer[Any]):
    id = s.UUIDField()
    state = s.ChoiceField(["waiting", "given", "expired"], help_text="given: its connector has received it.")
    channel = CenterNamed(help_text="Its id with us, and as its connector calls it.")
    account = s.CharField()
    client_id = s.CharField()
    created_at = s.DateTimeField()
    expires_at = s.DateTimeField()
    given_at = maybe(s.DateTimeField)
