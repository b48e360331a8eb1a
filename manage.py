#!/usr/bin/env python3
"""Django's command line."""

import os
import sys


def main() -> None:
    """Run one management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contactcenter.settings")
    from django.core.management import execute_from_command_line

    import contactcenter.celery  # noqa: F401 - so that commands find the broker

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
