"""What answers about web hooks and their deliveries hold, for the schema alone."""

from typing import Any

from rest_framework import serializers as s

from .shown import CenterNamed, maybe


class WebhookShown(s.Serializer[Any]):
    id = s.UUIDField()
    application = CenterNamed(help_text="Whose it is.")
    protocol = s.CharField(allow_blank=True, help_text="Whose words it hears; empty: ours.")
    url = s.CharField()
    events = s.ListField(child=s.CharField())
    is_active = s.BooleanField()
    state = s.ChoiceField(["active", "off", "disabled", "unverified"])
    disabled_at = maybe(s.DateTimeField, help_text="Its receiver said that it is gone (410).")
    disabled_reason = s.CharField(allow_blank=True)
    waiting = s.IntegerField(help_text="Deliveries that have not arrived yet.")
    given_up = s.IntegerField()
    created_at = s.DateTimeField()


class WebhookMade(WebhookShown):
    secret = s.CharField(help_text="To verify signatures with; never shown again.")


class WebhookSecret(s.Serializer[Any]):
    secret = s.CharField(help_text="Never shown again.")
    old_secret_until = s.DateTimeField(help_text="Until then each call is signed with the old one, too.")


class AttemptShown(s.Serializer[Any]):
    at = s.DateTimeField()
    milliseconds = s.IntegerField()
    status = maybe(s.IntegerField, help_text="null: no answer came.")
    error = s.CharField(allow_blank=True)
    body = s.CharField(allow_blank=True, help_text="The beginning of the answer.")


class DeliveryShown(s.Serializer[Any]):
    id = s.UUIDField(help_text="As in the header webhook-id; the same over all attempts.")
    webhook = s.UUIDField()
    chat = maybe(s.UUIDField)
    event = s.CharField()
    payload = s.DictField(help_text="What is sent.")
    state = s.ChoiceField(["pending", "sent", "failed"])
    filed_at = s.DateTimeField()
    due_at = maybe(s.DateTimeField, help_text="When it is tried next; null once it was sent or given up.")
    sent_at = maybe(s.DateTimeField)
    failed_at = maybe(s.DateTimeField)
    error = s.CharField(allow_blank=True)
    attempts = AttemptShown(many=True)


class Deliveries(s.Serializer[Any]):
    results = DeliveryShown(many=True)
    next = maybe(s.CharField, help_text="The next page; null where nothing more is filed at the moment.")
    cursor = s.CharField(help_text="`since` of a later request, which then misses and repeats nothing.")


class Retried(s.Serializer[Any]):
    retried = s.IntegerField()
