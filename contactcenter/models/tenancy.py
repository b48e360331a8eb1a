"""What makes a row belong to one center, in Python and in the database.

A row of another center must not be reachable even by a mistake in our code: each link between two rows that carry a center
is a foreign key over (center, id), so that the database itself refuses a link across centers.
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.utils.translation import gettext_lazy as _

from .ids import new_id


class CenterRow(models.Model):
    """A row with an opaque id that belongs to one center (the field `center` comes with `center_key`)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)

    class Meta:
        abstract = True


def center_key(related_name: str, **options: Any) -> "models.ForeignKey[Any, Any]":
    """The link to the center that owns the row; the center reaches its rows by `related_name`."""
    options.setdefault("verbose_name", _("contact center"))
    return models.ForeignKey(
        "contactcenter.ContactCenter", on_delete=models.CASCADE, related_name=related_name, **options
    )


def own_key(to: str, **options: Any) -> "models.ForeignKey[Any, Any]":
    """A link to a row of the same center. Its referential integrity is the SameCenter constraint of the model, so the plain one is left out."""
    options.setdefault("on_delete", models.CASCADE)
    return models.ForeignKey(to, db_constraint=False, **options)


def addressable(model: str) -> models.UniqueConstraint:
    """(center, id) as a key, which SameCenter of other tables refers to."""
    return models.UniqueConstraint(fields=["center", "id"], name=f"{model}_center_id")


class SameCenter(models.BaseConstraint):
    """FOREIGN KEY (center_id, <field>_id) REFERENCES <table> (center_id, id), checked at commit. Django 5.2 has no composite foreign keys."""

    def __init__(self, *, field: str, name: str) -> None:
        super().__init__(name=name)
        self.field = field

    def _parts(self, model: type[models.Model], editor: BaseDatabaseSchemaEditor) -> str:
        link: Any = model._meta.get_field(self.field)
        quote = editor.quote_name
        return "FOREIGN KEY ({}, {}) REFERENCES {} ({}, {}) DEFERRABLE INITIALLY DEFERRED".format(
            quote("center_id"),
            quote(link.column),
            quote(link.remote_field.model._meta.db_table),
            quote("center_id"),
            quote("id"),
        )

    def constraint_sql(self, model: Any, schema_editor: Any) -> str:
        return f"CONSTRAINT {schema_editor.quote_name(self.name)} {self._parts(model, schema_editor)}"

    def create_sql(self, model: Any, schema_editor: Any) -> str:
        table = schema_editor.quote_name(model._meta.db_table)
        return f"ALTER TABLE {table} ADD {self.constraint_sql(model, schema_editor)}"

    def remove_sql(self, model: Any, schema_editor: Any) -> str:
        table = schema_editor.quote_name(model._meta.db_table)
        return f"ALTER TABLE {table} DROP CONSTRAINT {schema_editor.quote_name(self.name)}"

    def validate(self, model: Any, instance: Any, exclude: Any = None, using: Any = None) -> None:
        """The same rule for forms: a sentence instead of an IntegrityError."""
        if exclude and self.field in exclude:
            return
        linked = getattr(instance, self.field, None)
        if linked is not None and linked.center_id != instance.center_id:
            raise ValidationError({self.field: _("Choose one of the same contact center.")})

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        return path, tuple(args), kwargs | {"field": self.field}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SameCenter) and (self.name, self.field) == (other.name, other.field)

    __hash__ = models.BaseConstraint.__hash__


def same_center(model: str, *fields: str) -> list[models.BaseConstraint]:
    """One SameCenter for each link of a model."""
    return [SameCenter(field=field, name=f"{model}_{field}_same_center") for field in fields]
