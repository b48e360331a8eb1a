"""Sockets refuse in the reader's language."""

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.utils import timezone

from agents import presence
from chats.models import Customer
from contactcenter.models import ContactCenter, FormField
from tests.conftest import make_customer, make_held_chat

from .conftest import session_token

LONG = "x" * 10_001
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def held(acme, ann, now):
    Customer.objects.filter(pk=make_customer(acme, "Laila").pk).update(language="ar")
    return make_held_chat(acme, ann, now, customer=Customer.objects.get())


async def test_an_arabic_customer_is_refused_in_arabic(acme, held, sockets):
    customer = await sync_to_async(lambda: held.chat.customer)()
    laila = await sockets.customer(acme, customer, chat=str(held.chat.pk))
    chat = {"chat": str(held.chat.pk)}
    # By the thread that stores messages, by a check of fields, by an action in a thread, and by the door itself.
    too_long = await laila.ask("post", client_id="one", text=LONG, **chat)
    assert too_long["message"] == "الحد الأقصى للرسالة 10000 حرف."
    assert (await laila.ask("post", client_id="one", text=" ", **chat))["fields"] == {"text": "اكتب شيئًا أولًا."}
    wrong = await laila.ask("read", index=-1, **chat)
    assert wrong["fields"] == {"index": "اذكر عددًا صحيحًا من 0 إلى 2147483647."}
    assert (await laila.ask("survey", rating=5, **chat))["message"] == "لم تنتهِ المحادثة بعد."
    assert (await laila.ask("dance"))["message"] == "لا يوجد إطار كهذا."


async def test_a_form_is_checked_in_the_customers_language(acme, sockets):
    def prepare() -> Customer:
        FormField.objects.create(center=acme.center, channel=acme.channel, key="name", label="Name", is_required=True)
        return make_customer(acme, "")

    laila = await sockets.customer(acme, await sync_to_async(prepare)(), language="ar")
    answer = await laila.ask("start", client_id="one", form={"email": "x"})
    assert answer["fields"] == {"name": "املأ هذا الحقل.", "email": "هذا ليس عنوان بريد إلكتروني."}


async def test_the_widgets_language_wins_over_the_customers_and_the_browsers_over_the_centers(acme, held, sockets):
    customer = await sync_to_async(lambda: held.chat.customer)()
    laila = await sockets.customer(acme, customer, language="de")
    assert (await laila.ask("dance"))["message"] == "Diesen Frame gibt es nicht."
    await sync_to_async(ContactCenter.objects.update)(language="ar")
    other = await sync_to_async(make_customer)(acme, "Bo")
    for accepted, sentence in {"de-DE,de;q=0.9": "Diesen Frame gibt es nicht.", "fr": "لا يوجد إطار كهذا."}.items():
        client = await sockets.raw("/ws/v1/customer", accept_language=accepted)
        await client.ask("hello", token=await sync_to_async(session_token)(acme.channel, other))
        assert (await client.ask("dance"))["message"] == sentence


async def test_who_is_not_known_yet_is_refused_in_the_browsers_language(sockets):
    client = await sockets.raw("/ws/v1/customer", accept_language="ar")
    await client.send("dance")
    assert (await client.until("bye"))["message"] == "أرسل hello أولًا."


async def test_the_desks_socket_speaks_what_was_chosen_on_the_desk(ann, sockets):
    for headers, sentence in (
        ({"cookie": f"{settings.LANGUAGE_COOKIE_NAME}=ar", "accept_language": "de"}, "لا يوجد إطار كهذا."),
        ({"accept_language": "de"}, "Diesen Frame gibt es nicht."),
        ({}, "There is no such frame."),
    ):
        client = await sockets.raw("/ws/v1/agent", **headers)
        ticket = await sync_to_async(presence.issue_ticket)(ann, "", timezone.now())
        await client.ask("hello", ticket=ticket)
        assert (await client.ask("dance"))["message"] == sentence
