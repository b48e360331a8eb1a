"""The page on which customers rate a chat without our widget."""

import re
from datetime import timedelta
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from chats.actions.close import close_chat
from chats.models import Chat, Event
from chats.surveys import LINK_LIFE, LONGEST_COMMENT, signer, survey_link
from contactcenter.models import ContactCenter
from tests.cases import cases
from tests.conftest import MARKER, make_chat


@pytest.fixture(autouse=True)
def fresh_counts():
    cache.clear()


@pytest.fixture
def chat(acme: SimpleNamespace) -> Chat:
    """One that has ended."""
    chat = make_chat(acme, timezone.now(), subject="SECRET-SUBJECT", text="SECRET-TEXT").chat
    return close_chat(Chat.objects, chat.pk, reason=Chat.CloseReason.DONE, now=timezone.now())


def path_of(chat: Chat) -> str:
    return urlsplit(survey_link(chat)).path


def rate(client: Client, chat: Chat, **answer: str):
    return client.post(path_of(chat), answer, follow=True)


def page(answer) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


@pytest.mark.both
def test_a_customer_rates_and_is_thanked(client, chat):
    link = path_of(chat)
    assert "How was the chat?" in page(client.get(link))
    answer = client.post(link, {"rating": "4", "comment": " Quick & kind <3 "}, follow=True)
    assert answer.redirect_chain == [(link, 302)]
    assert "Thank you for telling us" in page(answer)
    assert "Quick &amp; kind &lt;3" in page(answer)
    assert "4 of 5" in page(answer)
    chat.refresh_from_db()
    assert (chat.rating, chat.rating_comment) == (4, "Quick & kind <3")
    event = Event.objects.get(type="survey.answered")
    assert (event.chat_id, event.sender_kind, event.data["rating"]) == (chat.pk, "customer", 4)


def test_no_cookie_is_needed_and_none_is_set(chat):
    strict = Client(enforce_csrf_checks=True)
    assert rate(strict, chat, rating="5").status_code == 200
    assert not strict.cookies
    chat.refresh_from_db()
    assert chat.rating == 5


def test_a_later_rating_replaces_the_earlier_one(client, chat):
    rate(client, chat, rating="1", comment="bad")
    form = page(client.get(path_of(chat) + "?again"))
    assert re.search(r'value="1" required checked', form)
    assert ">bad</textarea>" in form
    rate(client, chat, rating="3")
    chat.refresh_from_db()
    assert (chat.rating, chat.rating_comment) == (3, "")


def test_nothing_of_the_chat_is_told(client, chat):
    said = page(client.get(path_of(chat)))
    assert "SECRET" not in said
    assert "Mia" not in said
    assert str(chat.pk) not in said
    assert "Acme" in said


@pytest.mark.both
def test_an_open_chat_is_rated_when_it_has_ended(client, acme, now):
    chat = make_chat(acme, now).chat
    assert "The chat is still open" in page(client.get(path_of(chat)))
    answer = client.post(path_of(chat), {"rating": "5"})
    assert answer.status_code == 409
    assert "The chat is still open" in page(answer)
    assert Chat.objects.get().rating is None


@cases(
    "answer",
    [{}, {"rating": ""}, {"rating": "0"}, {"rating": "6"}, {"rating": "x"}, {"rating": "4\0"}, {"comment": "only"}],
)
def test_without_a_mark_the_form_says_so_and_keeps_what_was_typed(client, chat, answer):
    said = client.post(path_of(chat), {"comment": "kept words", **answer})
    assert said.status_code == 400
    assert "Choose 1 to 5." in page(said)
    assert answer.get("comment", "kept words") in page(said)
    chat.refresh_from_db()
    assert chat.rating is None


@cases("comment", ["x" * (LONGEST_COMMENT + 1), "a\0b"])
def test_a_comment_that_cannot_be_kept_is_refused(client, chat, comment):
    answer = client.post(path_of(chat), {"rating": "4", "comment": comment})
    assert answer.status_code == 400
    assert 'role="alert"' in page(answer)
    chat.refresh_from_db()
    assert chat.rating is None


def test_odd_bodies_change_nothing(client, chat):
    for body, kind in (
        (b"\xff\xfe", "application/json"),
        (b"--x", "multipart/form-data; boundary=x"),
        (b"", "text/plain"),
    ):
        assert client.generic("POST", path_of(chat), body, content_type=kind).status_code == 400
    chat.refresh_from_db()
    assert chat.rating is None


def test_ratings_without_end_are_slowed_down(client, chat):
    answers = [client.post(path_of(chat), {"rating": str(1 + number % 5)}).status_code for number in range(12)]
    assert answers[0] == 302
    assert answers[-1] == 429
    assert Event.objects.filter(type="survey.answered").count() <= 10


@cases("token", ["x", "x.y.z", "a" * 500, "%00", "AAAA.1abc.sig", "..", "MDAwMDAwMDAwMDAwMDAwMA"])
def test_a_wrong_link_is_no_link(client, db, token):
    answer = client.get(f"/survey/{token}/")
    assert answer.status_code == 404
    assert "This link is not complete" in page(answer)


def test_a_link_of_another_signer_is_wrong(client, chat):
    name = path_of(chat).split("/")[2].partition(".")[0]
    other = f"/survey/{name}.{signer.sign('x').partition('.')[2]}/"
    assert client.get(other).status_code == 404
    assert client.post(other, {"rating": "1"}).status_code == 404


def test_a_signed_name_that_is_no_chats_is_wrong(client, db):
    for name in ("x", "AAAA", "ü"):
        assert client.get(f"/survey/{signer.sign(name)}/").status_code == 404


@pytest.mark.both
def test_a_link_expires(client, chat, monkeypatch):
    link = path_of(chat)
    later = (timezone.now() + LINK_LIFE + timedelta(seconds=2)).timestamp()
    monkeypatch.setattr("django.core.signing.time.time", lambda: later)
    answer = client.get(link)
    assert answer.status_code == 410
    assert "This link has expired" in page(answer)
    assert client.post(link, {"rating": "1"}).status_code == 410


def test_a_chat_that_is_gone_or_whose_center_is_closed_has_no_page(client, chat, acme):
    link = path_of(chat)
    ContactCenter.objects.update(is_active=False)
    assert client.get(link).status_code == 410
    ContactCenter.objects.update(is_active=True)
    assert client.get(path_of(Chat())).status_code == 410


def test_each_link_is_its_chats_alone(client, chat, globex, now):
    other = make_chat(globex, now).chat
    close_chat(Chat.objects, other.pk, reason=Chat.CloseReason.DONE, now=now)
    assert MARKER not in page(client.get(path_of(chat)))
    rate(client, chat, rating="5")
    other.refresh_from_db()
    assert other.rating is None


def test_the_page_speaks_the_chats_language_else_the_browsers(client, chat):
    Chat.objects.update(language="ar")
    assert '<html lang="ar" dir="rtl">' in page(client.get(path_of(chat), headers={"Accept-Language": "de"}))
    Chat.objects.update(language="fr")
    assert '<html lang="de" dir="ltr">' in page(client.get(path_of(chat), headers={"Accept-Language": "de"}))


def test_it_is_looked_for_by_nobody_and_framed_by_nobody(client, chat):
    answer = client.get(path_of(chat))
    assert 'content="noindex"' in page(answer)
    policy = answer["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "style=" not in page(answer)
    assert "<style" not in page(answer)
    assert answer["Cache-Control"] == "private, no-store"


@pytest.mark.both
def test_the_centers_colour_comes_as_a_sheet_of_its_own(client, chat):
    ContactCenter.objects.update(accent="#ffee00")
    link = path_of(chat)
    sheet = client.get(link + "colours.css")
    assert sheet["Content-Type"].startswith("text/css")
    assert b"--accent: #ffee00; --on-accent: #171c28" in sheet.content
    assert link + "colours.css" in page(client.get(link))


def test_a_colour_that_is_none_and_a_wrong_link_give_an_empty_sheet(client, chat):
    ContactCenter.objects.update(accent="red;}")
    assert client.get(path_of(chat) + "colours.css").content == b""
    assert client.get("/survey/wrong/colours.css").content == b""


def test_other_methods_are_refused(client, chat):
    for method in ("PUT", "DELETE", "PATCH"):
        assert client.generic(method, path_of(chat)).status_code == 405
    assert client.head(path_of(chat)).status_code == 200
