"""What customers' browsers see of us."""

from django.urls import path

from . import demo_site, widget
from .api.pictures import Avatar

urlpatterns = [
    path("widget.js", widget.loader, name="widget_loader"),
    path("widget/frame/", widget.frame, name="widget_frame"),
    path("avatars/<uuid:row_id>", Avatar.as_view(), name="avatar"),
    path("demo/", demo_site.home, name="demo_site"),
    path("demo/boots/", demo_site.boots, name="demo_boots"),
    path("demo/help/", demo_site.help_page, name="demo_help"),
]
