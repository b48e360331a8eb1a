"""What requests about web hooks may hold: shapes only."""

from typing import Any

from rest_framework import serializers

from chats.actions.hook_rules import MOST_URL

from .asked_users import words


class ChangeWebhook(serializers.Serializer[Any]):
    """`events`: a list, or one text with commas. `url` is taken for `target`."""

    events = words()
    target = serializers.CharField(max_length=MOST_URL, required=False, allow_null=True)
    url = serializers.CharField(max_length=MOST_URL, required=False, allow_null=True)
    active = serializers.BooleanField(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Under the names of actions.hooks, without what was left out."""
        said = {
            "url": attrs.get("target") or attrs.get("url"),
            "events": attrs.get("events"),
            "is_active": attrs.get("active"),
        }
        return {name: value for name, value in said.items() if value is not None}
