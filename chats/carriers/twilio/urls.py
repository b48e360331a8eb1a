"""The addresses that are entered at Twilio, below /carriers/twilio/."""

from django.urls import path

from . import hooks

urlpatterns = [
    path("<slug:key>/messages", hooks.messages, name="twilio_messages"),
    path("<slug:key>/status", hooks.status, name="twilio_status"),
]
