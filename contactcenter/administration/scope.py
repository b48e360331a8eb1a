"""What keeps an admin within its center: rows, choices, permissions and forms."""

from typing import Any

from django import forms
from django.contrib.admin import RelatedOnlyFieldListFilter
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field, ForeignKey, ImageField, JSONField, ManyToManyField, Model, QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from contactcenter.models import ContactCenter

from .lists import LISTS, lines_field
from .pictures import PictureWidget, check_picture
from .sites import Site


def center_id_of(row: Any, lookup: str) -> Any:
    """The id of the center that a row belongs to; `lookup` is its admin's: center, or pk for centers themselves."""
    return row.pk if lookup == "pk" else getattr(row, f"{lookup}_id", None)


def has_center(model: type[Model]) -> bool:
    try:
        model._meta.get_field("center")
    except FieldDoesNotExist:
        return False
    return True


class CenterForm(forms.ModelForm):
    """A form whose new row belongs to the center from the start, so that the model's own rules can be checked."""

    center: ContactCenter | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.center is not None and self.instance._state.adding and has_center(type(self.instance)):
            self.instance.center = self.center

    def _get_validation_exclusions(self) -> set[str]:
        """Rules that name the center are checked though the form does not show it."""
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded if getattr(self.instance, "center_id", None) is None else excluded - {"center"}


class Scoped:
    """Shared by admins and inlines: rows, permissions and choices of the request's center alone.

    On the operators' site nothing is limited, but the choices for an existing row are those of its center.
    """

    admin_site: Site
    center_lookup = "center"
    may_add = may_change = may_delete = True

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        return self.admin_site.limit(request, super().get_queryset(request), self.center_lookup)  # type: ignore[misc]

    def owns(self, request: HttpRequest, obj: Any) -> bool:
        """Whether the row is one that the request may see."""
        center = self.admin_site.center_of(request)
        return center is None or center_id_of(obj, self.center_lookup) == center.pk

    def _may(self, request: HttpRequest, obj: Any) -> bool:
        return self.admin_site.has_permission(request) and (obj is None or self.owns(request, obj))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._may(request, None)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_add and self._may(request, None)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_change and self._may(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_delete and self._may(request, obj)

    def formfield_for_foreignkey(self, db_field: "ForeignKey[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["queryset"] = self.choices_of(db_field, request, kwargs.get("queryset"))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        kwargs["queryset"] = self.choices_of(db_field, request, kwargs.get("queryset"))
        return super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[misc]

    def choices_of(self, db_field: Any, request: HttpRequest, rows: "QuerySet[Any] | None") -> "QuerySet[Any]":
        """The related rows that may be chosen: the center's, and none of a model that belongs to no center."""
        model = db_field.remote_field.model
        rows = model._default_manager.all() if rows is None else rows
        lookup = "pk" if model is ContactCenter else "center" if has_center(model) else None
        if lookup is None:
            return rows if self.admin_site.center_of(request) is None else rows.none()
        edited = vars(request).get("_edited_center_id")
        if edited is not None and lookup == "center":
            rows = rows.filter(center=edited)
        return self.admin_site.limit(request, rows, lookup)

    def formfield_for_dbfield(self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        if isinstance(db_field, JSONField) and db_field.name in LISTS:
            return lines_field(
                db_field.name,
                label=capfirst(db_field.verbose_name),
                help_text=db_field.help_text,
                required=not db_field.blank,
            )
        if isinstance(db_field, ImageField):
            kwargs["widget"] = PictureWidget
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if isinstance(db_field, ImageField):
            field.validators = [*field.validators, check_picture]
            field.help_text = field.help_text or _("PNG, JPEG or WebP, 900 KB at most.")
        return field


class OwnRelatedFilter(RelatedOnlyFieldListFilter):
    """Filters by related rows that occur among the rows which the request may see."""
