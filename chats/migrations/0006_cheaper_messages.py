"""What each message costs the database.

A message, a heartbeat and a read mark write a new version of a row: it stays on the row's page, and out of all indexes, while there is room.
A repeat is looked up by its sender: a sender takes part in one chat only.
"""

from typing import Any

from django.db import migrations, models

FILLED = {"chats_chat": 50, "chats_participant": 70, "chats_foreignchat": 70}  # percent of a page that new rows take


def leave_room(apps: Any, editor: Any) -> None:
    if editor.connection.vendor == "postgresql":
        for table, percent in FILLED.items():
            editor.execute(f"ALTER TABLE {table} SET (fillfactor = {percent})")


def fill(apps: Any, editor: Any) -> None:
    if editor.connection.vendor == "postgresql":
        for table in FILLED:
            editor.execute(f"ALTER TABLE {table} RESET (fillfactor)")


class Migration(migrations.Migration):
    dependencies = [("chats", "0005_api_spaces")]

    operations = [
        migrations.RunPython(leave_room, fill),
        migrations.RemoveConstraint("event", "event_client_id_of_sender"),
        migrations.AddConstraint(
            "event",
            models.UniqueConstraint(
                condition=models.Q(("client_id__isnull", False)),
                fields=("sender", "client_id"),
                name="event_client_id_of_sender",
            ),
        ),
    ]
