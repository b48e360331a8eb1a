"""The page on which customers fill in a form."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.db import connections
from django.test import Client
from django.utils import timezone

from chats.actions.close import close_chat
from chats.actions.forms import check_fields
from chats.form_links import LINK_LIFE, form_link, signer
from chats.models import Chat, Customer, Event, FormTemplate
from contactcenter.models import ContactCenter
from tests.cases import cases
from tests.conftest import MARKER, make_chat

pytestmark = pytest.mark.django_db

FIELDS = [
    {"key": "name", "label": "Your name"},
    {"key": "email", "label": "Your <email>", "required": True},
    {"key": "phone", "label": "Phone"},
    {"key": "size", "label": "Size", "kind": "select", "options": ["Small", "Large"]},
    {"key": "wish", "label": "What for?", "kind": "textarea"},
]
GOOD = {"q0": "Mia  Miller", "q1": "mia@example.com", "q2": "+49 30 123456", "q3": "Large", "q4": "Two\r\nlines"}


@pytest.fixture(autouse=True)
def fresh_counts() -> None:
    cache.clear()


@pytest.fixture
def form(acme: SimpleNamespace) -> FormTemplate:
    return FormTemplate.objects.create(
        center=acme.center, key="contact", name="How do we reach you?", fields=check_fields(FIELDS)
    )


@pytest.fixture
def chat(acme: SimpleNamespace) -> Chat:
    return make_chat(acme, timezone.now(), subject="SECRET-SUBJECT", text="SECRET-TEXT", data={"order": "17"}).chat


@pytest.fixture
def link(chat: Chat, form: FormTemplate) -> str:
    return urlsplit(form_link(chat.pk, form)).path


def page(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


@pytest.mark.both
def test_what_a_customer_fills_in_is_there_for_staff(client, chat, form, link):
    shown = page(client.get(link))
    assert "How do we reach you?" in shown
    assert "Your &lt;email&gt;" in shown
    assert '<option value="Large">' in shown
    assert shown.count("(optional)") == 4
    answer = client.post(link, GOOD, follow=True)
    assert answer.redirect_chain == [(link, 302)]
    assert "Thank you, this was sent" in page(answer)
    chat.refresh_from_db()
    customer = Customer.objects.get(pk=chat.customer_id)
    assert (customer.name, customer.email, customer.phone) == ("Mia Miller", "mia@example.com", "+49 30 123456")
    assert chat.data == {"order": "17", "size": "Large", "wish": "Two\r\nlines"}
    note = Event.objects.get(chat=chat, type="note.posted")
    assert note.index is None  # for staff alone
    assert note.sender_kind == "customer"
    assert note.text.startswith("How do we reach you?\n\nYour name: Mia Miller\nYour <email>: mia@example.com\n")
    assert [one["key"] for one in note.data["facts"]["form"]["answers"]] == ["name", "email", "phone", "size", "wish"]
    assert Event.objects.filter(chat=chat, type="chat.updated").count() == 1
    assert Event.objects.filter(chat=chat, type="customer.updated").count() == 1


@pytest.mark.both
def test_a_second_sending_shows_what_was_sent_and_changes_nothing(client, chat, link):
    client.post(link, GOOD)
    answer = client.post(link, {**GOOD, "q1": "eve@example.com"}, follow=True)
    assert "mia@example.com" in page(answer)
    assert "eve@example.com" not in page(answer)
    assert Customer.objects.get(pk=chat.customer_id).email == "mia@example.com"
    assert Event.objects.filter(chat=chat, type="note.posted").count() == 1


@pytest.mark.both
@pytest.mark.django_db(transaction=True)
def test_of_many_who_send_at_the_same_moment_one_does(chat, link):
    def send(number: int) -> int:
        try:
            return Client().post(link, {**GOOD, "q1": f"mia{number}@example.com", "q3": "Small"}).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(send, range(4))) == {302}
    note = Event.objects.get(chat=chat, type="note.posted")
    assert f"Your <email>: {Customer.objects.get(pk=chat.customer_id).email}" in note.text


def test_a_form_that_is_sent_again_is_filled_in_again(client, chat, form, link):
    client.post(link, GOOD)
    second = urlsplit(form_link(chat.pk, form)).path
    assert "<form" in page(client.get(second))
    client.post(second, {"q1": "new@example.com"})
    assert Customer.objects.get(pk=chat.customer_id).email == "new@example.com"
    assert Customer.objects.get(pk=chat.customer_id).name == "Mia Miller"
    assert Event.objects.filter(chat=chat, type="note.posted").count() == 2


def test_a_chat_that_has_ended_takes_answers_too(client, chat, link):
    close_chat(Chat.objects, chat.pk, reason=Chat.CloseReason.DONE, now=timezone.now())
    assert client.post(link, GOOD).status_code == 302
    chat.refresh_from_db()
    assert chat.state == Chat.State.CLOSED
    assert chat.data["size"] == "Large"
    assert Event.objects.filter(chat=chat, type="note.posted").exists()


def test_whom_the_centers_server_has_named_stays_who_it_is(client, chat, link):
    Customer.objects.filter(pk=chat.customer_id).update(is_identified=True, email="known@example.com", name="")
    client.post(link, GOOD)
    customer = Customer.objects.get(pk=chat.customer_id)
    assert (customer.email, customer.name) == ("known@example.com", "Mia Miller")
    assert "mia@example.com" in Event.objects.get(chat=chat, type="note.posted").text


def test_answers_for_which_a_chats_data_have_no_room_are_in_the_note(client, chat, link):
    Chat.objects.filter(pk=chat.pk).update(data={"much": "x" * 16_365})
    assert client.post(link, GOOD).status_code == 302
    chat.refresh_from_db()
    assert set(chat.data) == {"much"}
    assert "Size: Large" in Event.objects.get(chat=chat, type="note.posted").text


WRONG: list[tuple[dict[str, str], str]] = [
    ({}, "q1"),
    ({"q1": "no address"}, "q1"),
    ({"q1": "a@b.example", "q2": "call me"}, "q2"),
    ({"q1": "a@b.example", "q3": "Huge"}, "q3"),
    ({"q1": "a@b.example", "q0": "x" * 101}, "q0"),
    ({"q1": "a@b.example", "q4": "a\0b"}, "q4"),
    ({"q1": "a@b.example", "q4": "x" * 4001}, "q4"),
]


@cases("answers, where", WRONG)
def test_what_is_wrong_is_said_where_it_is_and_the_rest_is_kept(client, chat, link, answers, where):
    answer = client.post(link, {"q4": "kept words", **answers})
    assert answer.status_code == 400
    shown = page(answer)
    assert "Nothing is sent yet." in shown
    assert f'id="id_{where}_error"' in shown
    assert re.search(rf'name="{where}"[^>]*aria-invalid="true"', shown)
    assert re.search(rf'name="{where}"[^>]*aria-describedby="id_{where}_error"', shown)
    assert answers.get("q4", "kept words") in shown
    assert not Event.objects.filter(chat=chat, type="note.posted").exists()


def test_a_form_holds_so_much_and_no_more(client, acme, chat):
    fields = [{"key": f"a{number}", "label": "A", "kind": "textarea"} for number in range(3)]
    form = FormTemplate.objects.create(center=acme.center, key="long", name="Long", fields=check_fields(fields))
    link = urlsplit(form_link(chat.pk, form)).path
    answer = client.post(link, {f"q{number}": "x" * 4000 for number in range(3)})
    assert answer.status_code == 400
    assert "more than a form can hold" in page(answer)
    assert client.post(link, {f"q{number}": "x" * 2600 for number in range(3)}).status_code == 302


def test_no_cookie_is_needed_and_none_is_set(chat, link):
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(link, GOOD, follow=True).status_code == 200
    assert not strict.cookies


def test_nothing_of_the_chat_is_told(client, chat, link):
    said = page(client.get(link))
    assert "SECRET" not in said
    assert "17" not in re.sub(r'href="[^"]*"|action="[^"]*"', "", said)
    assert str(chat.pk) not in said
    assert "Acme" in said


def test_tries_without_end_are_slowed_down(client, chat, link):
    statuses = [client.post(link, {"q1": "wrong"}).status_code for _ in range(12)]
    assert (statuses[0], statuses[-1]) == (400, 429)


def test_odd_bodies_change_nothing(client, chat, link):
    for body, kind in ((b"\xff\xfe", "application/json"), (b"--x", "multipart/form-data; boundary=x"), (b"", "")):
        assert client.generic("POST", link, body, content_type=kind).status_code == 400
    assert client.put(link).status_code == 405
    assert not Event.objects.filter(chat=chat, type="note.posted").exists()


@cases("token", ["x", "x.y.z", "a" * 500, "%00", "AAAA.1abc.sig", ".."])
def test_a_wrong_link_is_no_link(client, token):
    answer = client.get(f"/form/{token}/")
    assert answer.status_code == 404
    assert client.post(f"/form/{token}/", GOOD).status_code == 404
    assert client.get(f"/form/{token}/colours.css").content == b""


@cases("name", ["x", "AAAA", "ü", "!!!!", "A" * 22])
def test_a_signed_name_that_names_nothing_is_wrong(client, name):
    assert client.get(f"/form/{signer.sign(name)}/").status_code == 404


@pytest.mark.both
def test_a_link_expires(client, chat, link, monkeypatch):
    later = (timezone.now() + LINK_LIFE + timedelta(seconds=2)).timestamp()
    monkeypatch.setattr("django.core.signing.time.time", lambda: later)
    answer = client.get(link)
    assert answer.status_code == 410
    assert "This link has expired" in page(answer)
    assert client.post(link, GOOD).status_code == 410


def test_what_is_gone_has_no_page(client, chat, form, link, globex):
    ContactCenter.objects.update(is_active=False)
    assert client.get(link).status_code == 410
    ContactCenter.objects.update(is_active=True)
    theirs = FormTemplate.objects.create(center=globex.center, key="x", name=MARKER, fields=check_fields(FIELDS))
    answer = client.get(urlsplit(form_link(chat.pk, theirs)).path)
    assert answer.status_code == 410
    assert MARKER not in page(answer)
    form.delete()
    assert client.post(link, GOOD).status_code == 410


def test_questions_that_changed_meanwhile_are_asked_as_they_are_now(client, chat, form, link):
    form.fields = check_fields([{"key": "color", "label": "Colour", "required": True}])
    form.save()
    assert "Colour" in page(client.get(link))
    assert client.post(link, {"q0": "red"}).status_code == 302
    form.fields = check_fields(FIELDS)
    form.save()
    assert "red" in page(client.get(link))


def test_the_page_speaks_the_chats_language_else_the_browsers(client, chat, link):
    Chat.objects.update(language="ar")
    assert '<html lang="ar" dir="rtl">' in page(client.get(link, headers={"Accept-Language": "de"}))
    Chat.objects.update(language="fr")
    assert '<html lang="de" dir="ltr">' in page(client.get(link, headers={"Accept-Language": "de"}))


def test_it_is_looked_for_by_nobody_and_framed_by_nobody(client, chat, link):
    answer = client.get(link)
    assert 'content="noindex"' in page(answer)
    policy = answer["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "style=" not in page(answer)
    assert "<style" not in page(answer)
    assert answer["Cache-Control"] == "private, no-store"
    assert client.get(f"{link}colours.css")["Content-Type"] == "text/css"
