"""The database itself refuses to change or to delete a line of the audit log.

A later migration that rebuilds this table on SQLite (any change of its columns) must call `guard` again: SQLite drops a
table's triggers with it.
"""

from typing import Any

from django.db import migrations

TABLE = "contactcenter_auditentry"
WORDS = "The audit log is append-only."


def guard(apps: Any, editor: Any) -> None:
    """Install the triggers."""
    release(apps, editor)
    if editor.connection.vendor == "postgresql":
        editor.execute(
            f"CREATE FUNCTION {TABLE}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{WORDS}' USING ERRCODE = 'restrict_violation'; END $$"
        )
        editor.execute(
            f"CREATE TRIGGER {TABLE}_keep BEFORE UPDATE OR DELETE ON {TABLE} "
            f"FOR EACH ROW EXECUTE FUNCTION {TABLE}_is_append_only()"
        )
        return
    for act in ("UPDATE", "DELETE"):
        editor.execute(
            f"CREATE TRIGGER {TABLE}_keep_{act.lower()} BEFORE {act} ON {TABLE} "
            f"BEGIN SELECT RAISE(ABORT, '{WORDS}'); END"
        )


def release(apps: Any, editor: Any) -> None:
    """Remove the triggers."""
    if editor.connection.vendor == "postgresql":
        editor.execute(f"DROP TRIGGER IF EXISTS {TABLE}_keep ON {TABLE}")
        editor.execute(f"DROP FUNCTION IF EXISTS {TABLE}_is_append_only()")
        return
    for act in ("update", "delete"):
        editor.execute(f"DROP TRIGGER IF EXISTS {TABLE}_keep_{act}")


class Migration(migrations.Migration):
    dependencies = [("contactcenter", "0001_initial")]
    operations = [migrations.RunPython(guard, release)]
