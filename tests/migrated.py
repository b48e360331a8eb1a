"""Databases that are migrated once and copied: migrating an empty one takes longer than most tests.

bin/test makes them and names them in TESTS_SQLITE (a file) and TESTS_POSTGRES (a database); without it each run migrates its own.
"""

import os
import shutil
from typing import Any

from django.db import connection

SQLITE = os.environ.get("TESTS_SQLITE", "")
POSTGRES = os.environ.get("TESTS_POSTGRES", "")


def begin_with_copy() -> None:
    """The database of this run's tests begins as a copy; what Django migrates then is nothing."""
    if connection.vendor == "postgresql" and POSTGRES:
        connection.settings_dict["TEST"]["TEMPLATE"] = POSTGRES
    elif connection.vendor == "sqlite" and SQLITE:
        connection.creation._create_test_db = _copied  # type: ignore[method-assign]


def _copied(*_: Any, **__: Any) -> str:
    return str(shutil.copy(SQLITE, connection.creation._get_test_db_name()))
