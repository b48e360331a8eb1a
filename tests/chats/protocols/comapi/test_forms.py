"""Forms over the Chat API: the templates, and sending one."""

from typing import Any

import pytest

from chats.actions.close import close_chat
from chats.models import Chat, Event, FormTemplate
from tests.cases import cases
from tests.conftest import MARKER, make_chat

pytestmark = pytest.mark.django_db

FORMS = "chat/config/forms"
CONTACT: dict[str, Any] = {
    "name": "Contact",
    "text": "Please tell us how to reach you:",
    "fields": [
        {"key": "email", "label": "Your email", "kind": "email", "required": True},
        {"key": "size", "label": "Size", "kind": "select", "options": ["S", "M"]},
    ],
}
FULL = [
    {"key": "email", "label": "Your email", "kind": "email", "options": [], "required": True},
    {"key": "size", "label": "Size", "kind": "select", "options": ["S", "M"], "required": False},
]


@pytest.fixture
def contact(space: Any) -> FormTemplate:
    assert space.put(f"{FORMS}/contact", CONTACT).status_code == 201
    return FormTemplate.objects.get(center=space.center, key="contact")


@pytest.mark.both
def test_a_form_is_made_read_replaced_and_removed(space):
    made = space.put(f"{FORMS}/contact", CONTACT)
    assert made.status_code == 201
    shown = made.json()
    assert (shown["id"], shown["name"], shown["text"], shown["fields"]) == (
        "contact", "Contact", CONTACT["text"], FULL,
    )  # fmt: skip
    assert space.basic.get(f"{FORMS}/contact")["ETag"] == made["ETag"]
    assert space.get(FORMS).json() == [shown]
    again = space.put(f"{FORMS}/contact", {**CONTACT, "name": "Reach"}, headers={"If-Match": made["ETag"]})
    assert (again.status_code, again.json()["name"]) == (200, "Reach")
    assert space.delete(f"{FORMS}/contact", headers={"If-Match": made["ETag"]}).status_code == 412
    assert space.delete(f"{FORMS}/contact").status_code == 204
    assert space.delete(f"{FORMS}/contact").status_code == 404
    assert space.get(f"{FORMS}/contact").status_code == 404


ODD_FIELDS: list[Any] = [
    None,
    "x",
    {},
    [],
    [5],
    [{}],
    [{"key": "a"}],
    [{"key": "", "label": "A"}],
    [{"key": "a b", "label": "A"}],
    [{"key": "a", "label": ""}],
    [{"key": "a", "label": "one\ntwo"}],
    [{"key": "a", "label": "\ud800"}],
    [{"key": "a", "label": "x" * 201}],
    [{"key": "a", "label": ["A"]}],
    [{"key": ["a"], "label": "A"}],
    [{"key": "a", "label": "A", "kind": "file"}],
    [{"key": "a", "label": "A", "kind": {}}],
    [{"key": "a", "label": "A", "kind": "select"}],
    [{"key": "a", "label": "A", "options": ["x"]}],
    [{"key": "a", "label": "A", "kind": "select", "options": [5]}],
    [{"key": "a", "label": "A", "kind": "select", "options": "xy"}],
    [{"key": "a", "label": "A", "required": "yes"}],
    [{"key": "a", "label": "A"}] * 2,
    [{"key": f"a{number}", "label": "A"} for number in range(21)],
]


@cases("fields", ODD_FIELDS)
def test_questions_that_nobody_could_answer_are_refused(space, fields):
    answer = space.put(f"{FORMS}/contact", {**CONTACT, "fields": fields})
    assert answer.status_code == 400, answer.content
    assert answer.json()["validationFailures"]
    assert not FormTemplate.objects.exists()


@cases("body", [{}, {"name": ""}, {"name": 5}, {"name": "x" * 101}, {"name": "a\tb"}, {"text": "x" * 2001}, []])
def test_an_odd_form_is_refused(space, body):
    said = {"fields": CONTACT["fields"], **body} if isinstance(body, dict) else body
    assert space.put(f"{FORMS}/contact", said).status_code == 400


@cases("key", ["a%00", "a%20b", "x" * 101, "%ED%A0%80", "-a", "ü"])
def test_an_id_is_a_word(space, key):
    path = f"{space.prefix}/{FORMS}/{key}"
    assert space.put(path, CONTACT).status_code == 400
    assert space.get(path).status_code == 404
    assert space.delete(path).status_code == 404


def test_labels_may_be_in_any_language(space):
    labels = ["می‌خواهم", "👩‍👩‍👧 Familie", "お名前"]  # with joiners
    fields = [{"key": f"q{number}", "label": label} for number, label in enumerate(labels)]
    shown = space.put(f"{FORMS}/all", {"name": "All", "fields": fields}).json()["fields"]
    assert [field["label"] for field in shown] == labels


# Sending --------------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_a_form_is_said_with_its_link(space, acme, contact, now):
    chat = make_chat(acme, now, text="Hello").chat
    answer = space.post(f"chats/{chat.pk}/form", {"formTemplateId": "contact"})
    assert (answer.status_code, answer.content) == (200, b"")
    said = Event.objects.get(chat=chat, type="message.posted", sender=None)
    words, link = said.text.split("\n")
    assert words == CONTACT["text"]
    assert "/form/" in link
    assert space.basic.post(f"chats/{chat.pk}/form", {"formTemplateId": "contact"}).status_code == 200
    assert Event.objects.filter(chat=chat, type="message.posted", sender=None).count() == 2


@cases("body", [{}, {"formTemplateId": "nowhere"}, {"formTemplateId": 5}, {"formTemplateId": "a\0"}, [], "contact"])
def test_an_unknown_form_is_not_sent(space, acme, contact, now, body):
    chat = make_chat(acme, now).chat
    answer = space.post(f"chats/{chat.pk}/form", body)
    assert answer.status_code == 400
    assert not Event.objects.filter(chat=chat, type="message.posted").exists()


def test_a_closed_chat_gets_no_form(space, acme, contact, now):
    chat = make_chat(acme, now).chat
    close_chat(Chat.objects, chat.pk, reason=Chat.CloseReason.DONE, now=now)
    assert space.post(f"chats/{chat.pk}/form", {"formTemplateId": "contact"}).status_code == 409


def test_another_centers_chats_and_forms_do_not_exist(space, other, acme, globex, contact, now):
    FormTemplate.objects.create(center=globex.center, key="theirs", name=MARKER, fields=[])
    chat, theirs = make_chat(acme, now).chat, make_chat(globex, now).chat
    assert space.post(f"chats/{theirs.pk}/form", {"formTemplateId": "contact"}).status_code == 404
    assert space.post("chats/nowhere/form", {"formTemplateId": "contact"}).status_code == 404
    assert space.post(f"chats/{chat.pk}/form", {"formTemplateId": "theirs"}).status_code == 400
    assert space.get(f"{FORMS}/theirs").status_code == 404
    assert space.delete(f"{FORMS}/theirs").status_code == 404
    assert MARKER not in space.get(FORMS).content.decode()
    assert space.put(f"{FORMS}/theirs", CONTACT).status_code == 201
    assert FormTemplate.objects.get(center=globex.center).name == MARKER


def test_apps_and_strangers_have_no_forms(space, acme, contact, now):
    chat = make_chat(acme, now).chat
    for caller, status in ((space.app(), 403), (space.stranger, 401)):
        assert caller.post(f"chats/{chat.pk}/form", {"formTemplateId": "contact"}).status_code == status
        assert caller.get(FORMS).status_code == status
        assert caller.put(f"{FORMS}/contact", CONTACT).status_code == status
        assert caller.delete(f"{FORMS}/contact").status_code == status
