"""Numbers at the edge: whole ones that no database and no float can hold, moments too short to tell."""

import pytest

from chats.doors.parsers import MOST_NUMBER, check_value
from chats.errors import TooMany
from tests.cases import cases

pytestmark = pytest.mark.both


@pytest.mark.django_db
@cases("digits", [20, 400, 4000, 5000])
def test_a_number_without_end_is_refused(client, digits):
    body = '{"key": "pk_x", "n": 1' + "0" * digits + "}"
    answer = client.post("/api/v1/widget/sessions", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"


def test_the_largest_numbers_are_taken():
    check_value({"n": [MOST_NUMBER - 1, 1 - MOST_NUMBER, 1.5e18, True]})


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.0, 0.1), (0.01, 0.1), (0.11, 0.2), (1.0, 1.0), (1.04, 1.1), (59.96, 60.0)]
)
def test_nobody_is_told_to_come_again_too_soon(seconds, told):
    assert TooMany(retry_after=seconds).as_dict()["retry_after"] == told
