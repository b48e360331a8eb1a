"""Loaded before Django: tests use their own keys and their own directory, never the developer's.

Without DATABASE_URL tests run on SQLite in a file of this run; REDIS_URL is left empty on purpose: a test that needs
Redis asks for it by name.
"""

import atexit
import os
import shutil
import tempfile

_data = tempfile.mkdtemp(prefix="contactcenter-tests-")
atexit.register(shutil.rmtree, _data, ignore_errors=True)

os.environ["DATA_DIR"] = _data
os.environ["DJANGO_SETTINGS_MODULE"] = "contactcenter.settings"
os.environ.setdefault("SECRET_KEY", "only-for-tests-" + "x" * 50)
os.environ.setdefault("FIELD_KEYS", "Zm9yLXRlc3RzLW9ubHktMzItYnl0ZXMtbG9uZy4uLi4=")
os.environ.setdefault("DATABASE_POOL_MAX", "24")  # race tests bring twenty threads
os.environ.setdefault("DATABASE_POOL_IDLE", "5")  # seconds; the parts of the suite share PostgreSQL's hundred
os.environ.setdefault("LOG_LEVEL", "WARNING")
# A commit is seen by all at once and survives whatever tests kill; only PostgreSQL itself, if killed, would lose the last ones.
os.environ.setdefault("PGOPTIONS", "-c synchronous_commit=off")
for name in ("REDIS_URL", "CELERY_BROKER_URL", "BASE_URL", "EMAIL_URL", "DEBUG", "ALLOWED_HOSTS"):
    os.environ.pop(name, None)
