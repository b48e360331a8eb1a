"""What customers' browsers see of us."""

from django.urls import path

from . import demo_site, forms, surveys, widget
from .api.pictures import Avatar

urlpatterns = [
    path("widget.js", widget.loader, name="widget_loader"),
    path("widget/frame/", widget.frame, name="widget_frame"),
    path("avatars/<uuid:row_id>", Avatar.as_view(), name="avatar"),
    path("survey/<str:token>/", surveys.survey, name="survey"),
    path("survey/<str:token>/colours.css", surveys.colours, name="survey_colours"),
    path("form/<str:token>/", forms.form_page, name="form"),
    path("form/<str:token>/colours.css", forms.form_colours, name="form_colours"),
    path("demo/", demo_site.home, name="demo_site"),
    path("demo/boots/", demo_site.boots, name="demo_boots"),
    path("demo/help/", demo_site.help_page, name="demo_help"),
]
