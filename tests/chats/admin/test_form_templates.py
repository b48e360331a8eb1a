"""Forms in the admin: questions as lines."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from chats.actions.forms import check_fields
from chats.models import FormTemplate
from contactcenter.models import AuditEntry
from tests.cases import cases
from tests.contactcenter.admin_cast import make_admin

pytestmark = [pytest.mark.django_db, pytest.mark.both]

LINES = "email | Your email *\nsize | Which size? | select | Small | 1,000 g\n\nwish|What else?|textarea\nnote | Note"
FIELDS = [
    {"key": "email", "label": "Your email", "kind": "email", "options": [], "required": True},
    {"key": "size", "label": "Which size?", "kind": "select", "options": ["Small", "1,000 g"], "required": False},
    {"key": "wish", "label": "What else?", "kind": "textarea", "options": [], "required": False},
    {"key": "note", "label": "Note", "kind": "text", "options": [], "required": False},
]
ADD = "admin:chats_formtemplate_add"


@pytest.fixture
def ada(acme: SimpleNamespace, client: Client) -> Client:
    client.force_login(make_admin(acme, "Ada").user)
    return client


def submit(ada: Client, **fields: str) -> Any:
    return ada.post(reverse(ADD), {"name": "Contact", "key": "contact", "text": "Hello", "fields": LINES} | fields)


def test_questions_are_written_as_lines_and_shown_as_lines(ada, acme):
    assert submit(ada).status_code == 302
    form = FormTemplate.objects.get()
    assert (form.center, form.fields) == (acme.center, FIELDS)
    page = reverse("admin:chats_formtemplate_change", args=[form.pk])
    shown = ada.get(page).content.decode()
    assert (
        "size | Which size? | select | Small | 1,000 g\nwish | What else? | textarea\nnote | Note</textarea>" in shown
    )
    before = form.updated_at
    assert ada.post(page, {"name": "Reach", "key": "contact", "text": "", "fields": LINES}).status_code == 302
    form.refresh_from_db()
    assert (form.name, form.fields) == ("Reach", FIELDS)
    assert form.updated_at > before
    assert set(AuditEntry.objects.filter(action="changed").latest("at").changes) == {"name", "text"}


WRONG = [
    {"fields": ""},
    {"fields": "email"},
    {"fields": "a b | Label"},
    {"fields": "size | Size | select"},
    {"fields": "a | A\na | A"},
    {"fields": "a | A | file"},
    {"key": "two words"},
    {"text": "x" * 2001},
]


@cases("fields", WRONG)
def test_what_no_customer_could_answer_is_refused_at_its_field(ada, fields):
    answer = submit(ada, **fields)
    assert answer.status_code == 200
    assert set(answer.context["adminform"].form.errors) == set(fields)
    assert not FormTemplate.objects.exists()


def test_what_programs_have_made_is_kept_as_it_is(ada, acme):
    made = [{"key": "phone", "label": "Phone *"}, {"key": "x", "label": "X, Y", "kind": "select", "options": ["a, b"]}]
    form = FormTemplate.objects.create(center=acme.center, key="k", name="K", fields=check_fields(made))
    page = reverse("admin:chats_formtemplate_change", args=[form.pk])
    lines = ada.get(page).context["adminform"].form["fields"].value()
    ada.post(page, {"name": "K", "key": "k", "text": "", "fields": lines})
    kept = FormTemplate.objects.get().fields
    assert kept == form.fields
