"""The classes that every registration builds on."""

from typing import Any

from django.contrib.admin.utils import get_fields_from_path
from django.core.exceptions import PermissionDenied
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from unfold.admin import ModelAdmin, StackedInline, TabularInline
from unfold.forms import PaginationInlineFormSet

from contactcenter import audit
from contactcenter.models import ContactCenter

from .pages import question_page
from .scope import CenterForm, OwnRelatedFilter, Scoped, center_id_of, has_center
from .trail import HIDDEN_MARK, changes_of, changes_of_rows


class CenterModelAdmin(Scoped, ModelAdmin):
    """Rows of one center on the center's site, of all centers on the operators'. A stranger's id is 404; each change is audited.

    center_lookup   leads from a row to its center
    may_add …       False takes the right away from everybody
    is_personal     its rows are about customers: the audit log, which nobody can erase, gets ids and the names of fields alone
    """

    is_personal = False

    form = CenterForm
    list_per_page = 50
    list_filter_sheet = False
    compressed_fields = True
    show_full_result_count = False
    actions: Any = ()

    @property
    def is_operators(self) -> bool:
        """Whether this is the registration on the operators' site."""
        return self.admin_site.name == "operator"

    @property
    def shows_center(self) -> bool:
        """Operators see which center a row belongs to; a center's admin knows."""
        return self.is_operators and has_center(self.model)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        # Only by primary key: another field would be a second way to ask for rows.
        row = super().get_object(request, object_id)
        vars(request)["_edited_center_id"] = center_id_of(row, self.center_lookup) if row is not None else None
        return row

    def own(self, request: HttpRequest, object_id: str) -> Any:
        """The row, for views of one's own. Raises Http404 for what the request may not see."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return row

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        raise Http404

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.center = self.admin_site.center_of(request)
        return form

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """As declared; operators also see, and choose for a new row, the center it belongs to."""
        return self.with_center(super().get_fieldsets(request, obj))

    def with_center(self, declared: Any) -> Any:
        """Fieldsets with the center first, for operators."""
        if not self.shows_center:
            return declared
        (title, options), *rest = declared
        fields = [name for name in options["fields"] if name != "center"]
        return [(title, options | {"fields": ["center", *fields]}), *rest]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = list(super().get_readonly_fields(request, obj))
        # A row never moves to another center: its links would stay behind.
        return [*fixed, "center"] if self.shows_center and obj is not None else fixed

    def get_list_display(self, request: HttpRequest) -> Any:
        shown = list(super().get_list_display(request))
        return [*shown, "center"] if self.shows_center else shown

    def get_list_filter(self, request: HttpRequest) -> Any:
        """As declared, where a plain name of a link offers only what occurs in the center."""
        filters = list(super().get_list_filter(request))
        if self.shows_center:
            filters.insert(0, "center")
        return [(name, OwnRelatedFilter) if self._is_link(name) else name for name in filters]

    def _is_link(self, name: Any) -> bool:
        return isinstance(name, str) and get_fields_from_path(self.model, name)[-1].is_relation

    def ask(self, request: HttpRequest, obj: Any, title: Any, question: Any) -> HttpResponse:
        """A page with a question and a button that posts to the same address."""
        return question_page(request, self, obj, title=title, question=question)

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm, change: bool) -> None:
        if not self.owns(request, obj):
            raise PermissionDenied
        trail = vars(request).setdefault("_trail", {})
        trail.update(changes_of(form))
        super().save_model(request, obj, form, change)

    def save_formset(self, request: HttpRequest, form: ModelForm, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        vars(request).setdefault("_trail", {}).update(changes_of_rows(formset))

    def note(self, request: HttpRequest, action: str, obj: Any, changes: dict[str, Any] | None = None) -> None:
        """A line of the audit log about a row."""
        center = obj if isinstance(obj, ContactCenter) else getattr(obj, "center", None)
        subject = f"{self.opts.verbose_name}: {obj.pk if self.is_personal else obj}"
        audit.note(action, request=request, center=center, subject=subject, changes=changes)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self.note(request, "added", obj, vars(request).get("_trail"))
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        if trail := vars(request).get("_trail"):
            self.note(request, "changed", obj, dict.fromkeys(trail, HIDDEN_MARK) if self.is_personal else trail)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            self.note(request, "deleted", obj)
        return super().log_deletions(request, queryset)


class CenterInlineFormSet(PaginationInlineFormSet):
    """New rows belong to their parent's center before they are checked."""

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        form = super()._construct_form(i, **kwargs)
        form.instance.center_id = self.instance.center_id
        return form

    def full_clean(self) -> None:
        # The forms may have been made before an operator's choice of the parent's center was read.
        for form in self.forms:
            form.instance.center_id = self.instance.center_id
        super().full_clean()


class CenterInline(Scoped):
    form = CenterForm
    formset = CenterInlineFormSet
    exclude = ("center",)
    extra = 0

    def owns(self, request: HttpRequest, obj: Any) -> bool:
        """`obj` is the parent, whose own admin has decided."""
        return True


class CenterTabularInline(CenterInline, TabularInline):
    pass


class CenterStackedInline(CenterInline, StackedInline):
    pass


class ReadOnly:
    """Rows that only actions write."""

    may_add = may_change = may_delete = False
