"""Pictures in forms: shown from the addresses at which everybody sees them. Uploaded files themselves have no address."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models.fields.files import FieldFile
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminImageFieldWidget

KINDS = ("PNG", "JPEG", "WEBP")
MAX_BYTES, MAX_PIXELS = 900 * 1024, 4000
ROUTES = {"avatar": "avatar", "logo": "api:logo"}  # by the field's name


def check_picture(file: Any) -> None:
    """Raises ValidationError for what is no small picture of a common kind (what it is has been read, not believed)."""
    picture = getattr(file, "image", None)
    if picture is None or picture.format not in KINDS or max(picture.size) > MAX_PIXELS or file.size > MAX_BYTES:
        raise ValidationError(_("Take a PNG, JPEG or WebP picture of 900 KB and 4000 pixels a side at most."))


class PictureWidget(UnfoldAdminImageFieldWidget):
    """The picture that is there, a way to take another, a way to have none."""

    template_name = "administration/picture.html"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        if context["widget"]["is_initial"] and isinstance(value, FieldFile):
            # The file's name changes with the picture, so that a browser does not show the one before.
            file_name = str(value.name).rpartition("/")[2]
            context["address"] = f"{reverse(ROUTES[value.field.name], args=[value.instance.pk])}?{file_name}"
        return context

    def _render(self, template_name: str, context: dict[str, Any], renderer: Any = None) -> SafeString:
        # Forms look for templates in apps alone; ours stand with the project's.
        return render_to_string(template_name, context)
