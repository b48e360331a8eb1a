"""Below /carriers/messenger/."""

from django.urls import re_path

from .views import webhook

urlpatterns = [re_path(r"^(?P<key>[A-Za-z0-9._~-]{1,64})/?\Z", webhook, name="carriers-messenger")]
