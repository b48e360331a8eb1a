"""Who may knock: the access token or a session's below /apispaces, Basic below /cpaas, nobody with another space's."""

import pytest
from django.utils import timezone

from contactcenter.models import ApiSpace
from tests.cases import cases

from .conftest import ACCESS, OTHERS_ID, PASSWORD, SPACE_ID, Caller, basic

pytestmark = [pytest.mark.django_db, pytest.mark.both]


def test_both_dialects_reach_what_is_not_there(space):
    assert space.get("nothing").status_code == 404
    assert space.basic.get("nothing").status_code == 404
    assert space.get("nothing").json() == {"message": "There is no such thing."}


@cases(
    "prefix, authorization",
    [
        (f"/apispaces/{SPACE_ID}", ""),
        (f"/apispaces/{SPACE_ID}", "Bearer"),
        (f"/apispaces/{SPACE_ID}", "Bearer wrong"),
        (f"/apispaces/{SPACE_ID}", "Bearer a.b.c"),
        (f"/apispaces/{SPACE_ID}", "Bearer ünïcode"),
        (f"/apispaces/{SPACE_ID}", basic("user-2b3c", PASSWORD)),
        ("/cpaas", f"Bearer {ACCESS}"),
        ("/cpaas", ""),
        ("/cpaas", basic("user-2b3c", "wrong")),
        ("/cpaas", basic("nobody", PASSWORD)),
        ("/cpaas", "Basic !!!"),
    ],
)
def test_who_shows_nothing_that_counts_is_refused(space, prefix, authorization):
    headers = {"Authorization": authorization} if authorization else {}
    answer = Caller(prefix, **headers).get("chats")
    assert answer.status_code == 401, answer.content
    assert set(answer.json()) == {"message"}
    assert answer.headers["WWW-Authenticate"].startswith("Bearer" if "apispaces" in prefix else "Basic")


def test_another_space_is_closed_to_the_token(space, other):
    assert Caller(f"/apispaces/{OTHERS_ID}", Authorization=f"Bearer {ACCESS}").get("chats").status_code == 401
    assert Caller("/apispaces/unknown", Authorization=f"Bearer {ACCESS}").get("chats").status_code == 403
    app = space.app()
    assert Caller(other.prefix, Authorization=f"Bearer {app.token}").get("profiles/mia").status_code == 401


def test_a_sessions_token_ends_with_its_session(space):
    app = space.app()
    assert app.get("nothing").status_code == 404
    app.session.ended_at = timezone.now()
    app.session.save()
    assert app.get("nothing").status_code == 401


def test_who_guesses_is_slowed_down(space):
    stranger = Caller(space.prefix, Authorization="Bearer guess")
    answers = {stranger.get("chats").status_code for _ in range(40)}
    assert answers == {401, 429}
    assert space.get("nothing").status_code == 404


def test_an_access_that_is_switched_off_is_closed(space):
    space.registration.is_active = False
    space.registration.save()
    assert space.get("chats").status_code == 403
    assert space.basic.get("chats").status_code == 401


def test_a_preflight_is_answered_for_allowed_pages_alone(space):
    known = space.stranger.call("OPTIONS", "chats", headers={"Origin": "https://shop.example"})
    assert known.status_code == 204
    assert known.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert "If-Match" in known.headers["Access-Control-Allow-Headers"]
    strange = space.stranger.call("OPTIONS", "chats", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in strange.headers


def test_a_row_is_made_for_an_access_without_one(space):
    space.row.delete()
    assert ApiSpace.of(space.registration).registration_id == space.registration.pk
    assert ApiSpace.of(space.registration).pk == ApiSpace.of(space.registration).pk
