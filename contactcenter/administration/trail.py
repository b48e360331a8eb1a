"""What an admin form changed, in plain values for the audit log."""

import re
from datetime import date, time
from typing import Any

from django import forms
from django.db.models import Model, QuerySet
from django.db.models.fields.files import FieldFile

# Named, never shown: secrets, and what people wrote.
HIDDEN = re.compile(r"secret|password|token|hash|^notes$|^text$|comment")
HIDDEN_MARK = "•••"


def changes_of(form: forms.BaseForm) -> dict[str, list[Any]]:
    """{field: [old, new]} of the fields that the person changed."""
    cleaned = getattr(form, "cleaned_data", {})
    return {
        name: [HIDDEN_MARK, HIDDEN_MARK]
        if HIDDEN.search(name)
        else [plain(form.get_initial_for_field(form.fields[name], name)), plain(cleaned.get(name))]
        for name in form.changed_data
        if name in form.fields
    }


def changes_of_rows(formset: Any) -> dict[str, Any]:
    """{kind of rows: {added, changed, deleted}} of an inline, or nothing."""
    rows = {
        "added": [plain(row) for row in formset.new_objects],
        "changed": [[plain(row), list(fields)] for row, fields in formset.changed_objects],
        "deleted": [plain(row) for row in formset.deleted_objects],
    }
    rows = {what: which for what, which in rows.items() if which}
    return {str(formset.model._meta.verbose_name_plural): rows} if rows else {}


def plain(value: Any) -> Any:
    """A short JSON value that says the same to a person."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, FieldFile):
        return value.name or ""
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, QuerySet | list | tuple | set):
        return [plain(entry) for entry in list(value)[:50]]
    if isinstance(value, Model):
        return str(value)[:200]
    return str(value)[:200]
