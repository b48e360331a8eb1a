"""Where networks call us, below /carriers/; a line for each carrier that is called."""

from django.urls import include, path

from .files import file

urlpatterns = [
    path("files/<str:token>", file, name="carrier_file"),
    path("mail/", include("chats.carriers.mail.service.urls")),
    path("twilio/", include("chats.carriers.twilio.urls")),
    path("messenger/", include("chats.carriers.messenger.urls")),
]
