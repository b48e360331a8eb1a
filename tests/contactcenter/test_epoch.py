"""The epoch changes when, and only when, somebody says that the database was restored."""

import pytest
from django.core.management import call_command

from contactcenter.models import Installation

pytestmark = pytest.mark.django_db


def test_the_epoch_stays_until_it_is_renewed(capsys):
    call_command("epoch")
    call_command("epoch")
    first, second = capsys.readouterr().out.split()
    call_command("epoch", renew=True)
    third = capsys.readouterr().out.strip()
    assert first == second != third == str(Installation.current().epoch)
