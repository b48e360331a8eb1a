"""A database engine: Django's SQLite with one writer at a time."""
