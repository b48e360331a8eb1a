"""The addresses that are entered at a mail provider, below /carriers/mail/. Mailgun hands a mail on whole to what ends in "mime"."""

from django.urls import path

from . import hooks

urlpatterns = [
    path("<slug:key>/inbound", hooks.inbound, name="mail_inbound"),
    path("<slug:key>/inbound/mime", hooks.inbound, name="mail_inbound_mime"),
    path("<slug:key>/events", hooks.events, name="mail_events"),
]
