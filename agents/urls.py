"""Addresses of the agents' floor."""

from django.urls import path
from django.views.generic import RedirectView
from django.views.i18n import set_language

from . import desk

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="desk-home"), name="home"),
    path("desk/", desk.home, name="desk-home"),
    path("desk/<slug:slug>/", desk.desk, name="desk"),
    path("language/", set_language, name="set_language"),
]
