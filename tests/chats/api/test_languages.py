"""REST answers customers in their own language, and keeps their transcripts in it."""

import pytest
from django.core import mail
from django.utils import timezone, translation

from chats.models import Customer, TranscriptRequest
from chats.transcripts.mail import send_transcript
from contactcenter.models import ContactCenter
from tests.cases import cases

from .conftest import as_agent, as_customer

LONG = "x" * 10_001
TOO_LONG = "الحد الأقصى للرسالة 10000 حرف."

pytestmark = pytest.mark.both


@pytest.fixture(autouse=True)
def nobodys_language():
    """What a request speaks stays the thread's language until the next one."""
    with translation.override("en"):
        yield


@pytest.fixture
def laila(acme, ann, now):
    """An Arabic customer of acme with a chat that ann holds."""
    laila = as_customer(acme, now, language="ar")
    laila.chat = laila.post("chats", {"client_id": "one", "text": "مرحبا"}).json()["chat"]["id"]
    as_agent(ann).post(f"chats/{laila.chat}/pick")
    return laila


def test_an_arabic_customer_is_refused_in_arabic(laila):
    answer = laila.post(f"chats/{laila.chat}/messages", {"client_id": "two", "text": LONG})
    assert (answer.status_code, answer.json()["message"]) == (413, TOO_LONG)
    assert answer["Content-Language"] == "ar"
    empty = laila.post(f"chats/{laila.chat}/messages", {"client_id": "two", "text": " "})
    assert empty.json()["fields"] == {"text": "اكتب شيئًا أولًا."}
    laila.post(f"chats/{laila.chat}/close")
    closed = laila.post(f"chats/{laila.chat}/messages", {"client_id": "two", "text": "ok"})
    assert closed.json()["message"] == "انتهت هذه المحادثة."


def test_a_browsers_language_does_not_win_over_the_customers(laila):
    path = f"chats/{laila.chat}/transcript"
    assert laila.get(path, **{"Accept-Language": "de"}).json()["message"] == "يتوفر نص المحادثة بعد انتهائها."


@cases(
    ("known", "accepted", "center", "language"),
    [
        ("", "de-AT,en;q=0.5", "en", "de"),
        ("fr", "de", "ar", "de"),
        ("", "", "ar", "ar"),
        ("", "*", "de", "de"),
        ("de-CH", "ar", "en", "de"),
        ("../../x", "nonsense;;,", "en", "en"),
    ],
)
def test_who_named_no_language_of_ours_gets_the_browsers_then_the_centers(acme, now, known, accepted, center, language):
    ContactCenter.objects.filter(pk=acme.center.pk).update(language=center)
    someone = as_customer(acme, now, language=known)
    answer = someone.post("chats", {"client_id": "", "text": "x"}, **{"Accept-Language": accepted})
    assert (answer.status_code, answer["Content-Language"]) == (400, language)


def test_the_next_caller_on_the_same_thread_speaks_its_own_language(laila, ann_api):
    laila.get(f"chats/{laila.chat}")
    wrong = ann_api.post(f"chats/{laila.chat}/messages", {"client_id": "a", "text": LONG})
    assert wrong.json()["message"] == "A message has at most 10,000 characters."
    german = ann_api.post(f"chats/{laila.chat}/messages", {"client_id": "a", "text": LONG}, **{"Accept-Language": "de"})
    assert german.json()["message"] == "Eine Nachricht hat höchstens 10.000 Zeichen."


def test_an_arabic_customers_transcript_is_arabic(laila):
    laila.post(f"chats/{laila.chat}/close")
    text = laila.get(f"chats/{laila.chat}/transcript?format=text", **{"Accept-Language": "de"}).content.decode()
    assert "أنهى العميل المحادثة." in text
    assert "نهاية نص المحادثة" in text
    assert "ended" not in text
    page = laila.get(f"chats/{laila.chat}/transcript?format=html").content.decode()
    assert '<html lang="ar" dir="rtl">' in page
    wanted = laila.get(f"chats/{laila.chat}/transcript?format=text&language=de").content.decode()
    assert "Der Kunde hat den Chat beendet." in wanted


def test_staff_reads_in_its_own_language_and_mails_in_the_customers(laila, ann):
    Customer.objects.update(email="laila@example.com")
    laila.post(f"chats/{laila.chat}/close")
    api, path = as_agent(ann), f"chats/{laila.chat}/transcript"
    assert "Der Kunde hat den Chat beendet." in api.get(path, **{"Accept-Language": "de"}).content.decode()
    assert api.post(path, {"email": "laila@example.com"}, **{"Accept-Language": "de"}).status_code == 202
    request = TranscriptRequest.objects.get()
    assert request.language == "ar"
    assert send_transcript(request.pk, timezone.now())
    message = mail.outbox[0]
    assert message.subject == "محادثتك مع Acme"
    assert "هذه هي المحادثة التي طلبتها." in message.body
