"""A person is erased: a mark stands in every column about it, and afterwards nowhere; numbers stay, and so does everybody else."""

import subprocess
from types import SimpleNamespace

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, models
from django.utils import timezone

from chats import erasure
from chats.actions.customers import merge_customers, update_customer
from chats.actions.erase import erase_customer
from chats.actions.hold import reopen_chat
from chats.actions.post import Post, post_message
from chats.actions.sessions import begin_session, find_session
from chats.actions.start import Start, start_chat
from chats.actions.survey import answer_survey
from chats.errors import Closed, Conflict, NotFound
from chats.events import (
    ChatDisposed,
    ChatMoved,
    ChatUpdated,
    CustomerReminded,
    CustomerUpdated,
    HistoryImported,
    MessageFailed,
    MessagePosted,
    NotePosted,
    SurveyAnswered,
    all_event_types,
    record,
)
from chats.files import sweep_removals
from chats.models import (
    Account,
    AppSession,
    Arrival,
    Attachment,
    Attempt,
    Carriage,
    Chat,
    Conversation,
    Customer,
    Delivery,
    Dispatch,
    Event,
    FileRemoval,
    ForeignChat,
    ForeignCustomer,
    ForeignLine,
    OfflineMessage,
    OutboundMessage,
    Participant,
    PushNotice,
    Search,
    SpaceChat,
    SpaceLine,
    TranscriptRequest,
    Webhook,
)
from chats.transcripts.reading import read_transcript
from contactcenter.models import AuditEntry
from contactcenter.models.ids import new_id
from tests.chats.carried import make_sms
from tests.chats.networks import make_carrier
from tests.conftest import make_chat, make_customer, make_held_chat

pytestmark = [pytest.mark.django_db, pytest.mark.both]
WORDS = (models.CharField, models.TextField, models.JSONField, models.FileField, models.BinaryField)


def words_of(model):
    """The columns that could hold words."""
    return [field for field in model._meta.concrete_fields if isinstance(field, WORDS)]


def about_customers():
    """Every model that hangs on a customer or a chat, at whatever distance; agents' and centers' own rows hang on none."""
    found, pending = set(), {Customer, Chat}
    while pending:
        found |= pending
        links = (link for model in pending for link in model._meta.related_objects)
        pending = {link.related_model for link in links} - found
    return found


def deleted():
    return {model for model, _path in (*erasure.GONE, *erasure.FOREIGN)} | erasure.WITH_THEM | erasure.CALLS


# The table ------------------------------------------------------------------------------------------------------------


def test_every_column_about_a_customer_has_a_verdict():
    for model in about_customers() - deleted():
        known = set(erasure.EMPTIED.get(model, ())) | erasure.KEPT.get(model, set())
        assert {field.name for field in words_of(model)} == known, model


def test_nothing_has_two_verdicts_and_none_is_of_nothing():
    assert deleted() <= about_customers()
    for model in set(erasure.EMPTIED) & set(erasure.KEPT):
        assert not erasure.EMPTIED[model].keys() & erasure.KEPT[model], model


def test_every_event_has_a_verdict():
    verdicts = [*erasure.EMPTY_EVENTS, *erasure.PARTLY_EMPTY_EVENTS, *erasure.WORDLESS_EVENTS]
    assert sorted(verdicts) == [kind.type for kind in all_event_types()]


# The mark -------------------------------------------------------------------------------------------------------------


def dump():
    """All that the database holds, as a backup would."""
    if connection.vendor == "postgresql":
        known = connection.get_connection_params()
        address = ["-h", known.get("host") or "localhost", "-p", str(known.get("port") or 5432), "-U", known["user"]]
        command = ["pg_dump", "--data-only", *address, known["dbname"]]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return "\n".join(connection.connection.iterdump())


def furnish(place, agent, mark, now):
    """One of everything about a customer: every event, and a row in every table. Then the mark goes into each column."""
    customer = Customer.objects.create(center=place.center, name=mark, email=f"{mark}@a.example".lower())
    held = make_held_chat(place, agent, now, customer=customer, subject=mark, text=mark, data={mark: mark})
    chat, center = Chat.objects.get(pk=held.chat.pk), place.center
    record_all(chat, held, mark, now)
    attachment = Attachment(
        center=center, chat=chat, uploader=held.customer, name=mark, size=9, content_type="text/plain"
    )
    attachment.file.save("", ContentFile(mark.encode()), save=False)
    attachment.thumbnail.save("", ContentFile(mark.encode()))
    begin_session(place.channel, customer, now)
    OfflineMessage.objects.create(center=center, channel=place.channel, team=place.support, customer=customer)
    TranscriptRequest.objects.create(center=center, chat=chat, email=f"{mark}@a.example")
    Search.objects.create(center=center, chat=chat)
    furnish_ways(place, customer, chat, mark, now)
    furnish_foreign(place, customer, chat, mark, now)
    for row in (customer, chat):
        kind = ContentType.objects.get_for_model(row)
        LogEntry.objects.create(
            user=agent.user, content_type=kind, object_id=row.pk, object_repr=mark, action_flag=CHANGE
        )
    put_mark(customer, chat, mark)
    return SimpleNamespace(
        customer=customer, chat=chat, held=held, files=[attachment.file.name, attachment.thumbnail.name]
    )


def record_all(chat, held, mark, now):
    link, file = {"type": mark, "name": mark, "url": mark}, {"id": mark, "name": mark, "size": 1, "content_type": mark}
    said = {
        "text": mark,
        "attachments": [file],
        "links": [link],
        "to": [{"id": mark, "name": mark}],
        "facts": {mark: mark},
    }
    entry = {"kind": "customer", "name": mark, "text": mark, "at": None}
    record(chat, MessagePosted(client_id=mark, **said), sender=held.customer, now=now)
    record(chat, MessagePosted(**said), NotePosted(**said), sender=held.agent, now=now)
    record(
        chat,
        HistoryImported(entries=[entry]),
        CustomerReminded(text=mark),
        CustomerUpdated(changed={"name": mark}),
        ChatUpdated(changed={mark: mark}),
        ChatMoved(channel="sms", name="Texts", address=mark),
        ChatDisposed(disposition="Done", comment=mark),
        MessageFailed(index=1, error=mark, code="stopped"),
        SurveyAnswered(rating=5, comment=mark),
        now=now,
    )


def furnish_ways(place, customer, chat, mark, now):
    center = place.center
    carrier = make_carrier(place, "twilio", f"+1 {mark[-1]}", name="Texts")
    account = Account.objects.create(center=center, kind="sms", address=mark, customer=customer)
    way = {"center": center, "channel": carrier.channel, "chat": chat, "account": account}
    Carriage.objects.create(**way)
    Dispatch.objects.create(**way, position=1, index=1, error=mark)
    Arrival.objects.create(center=center, channel=carrier.channel, external_id=mark, chat=chat, at=now)


def furnish_foreign(place, customer, chat, mark, now):
    center = place.center
    sms = make_sms(place, name=f"Messaging {mark[-1]}")
    registration = sms.registration
    profile = ForeignCustomer.objects.create(
        center=center, registration=registration, customer=customer, external_id=mark
    )
    session = AppSession.objects.create(center=center, registration=registration, profile=profile, expires_at=now)
    conversation = Conversation.objects.create(
        center=center, registration=registration, profile=profile, external_id=mark
    )
    known = ForeignChat.objects.create(center=center, registration=registration, chat=chat, account=mark)
    ForeignLine.objects.create(center=center, foreign_chat=known, number=1, type="Text", data={mark: mark}, at=now)
    space = SpaceChat.objects.create(center=center, registration=registration, chat=chat, conversation=conversation)
    SpaceLine.objects.create(
        center=center, space_chat=space, conversation=conversation, number=0, kind="sent", message_id=new_id(), index=1,
        position=1, profile=mark, at=now,
    )  # fmt: skip
    PushNotice.objects.create(center=center, session=session, channel=place.channel, chat=chat, position=1, index=1)
    program = registration.application
    OutboundMessage.objects.create(
        center=center, application=program, connector=sms, account=mark, text=mark, client_id=mark
    )
    webhook = Webhook.objects.create(
        center=center, application=program, registration=registration, url="https://x.example/"
    )
    own = Webhook.objects.create(center=center, application=program, url="https://y.example/", events=["*"])
    of_chat = Delivery.objects.create(
        center=center, webhook=own, chat=chat, event="message.posted", payload={mark: mark}
    )
    told = {"payload": {"profile": {"id": mark, "name": f"Mrs {mark}"}}}
    loose = Delivery.objects.create(center=center, webhook=webhook, event="profile.update", payload=told)
    for delivery in (of_chat, loose):
        Attempt.objects.create(center=center, delivery=delivery, at=now, milliseconds=1, error=mark, body=mark)
    chat.is_foreign = chat.is_carried = True
    chat.save()


def put_mark(customer, chat, mark):
    """Into every column that may not be kept, of every row about them."""
    for model in about_customers() - {Event, Delivery, Attempt}:
        rows = rows_about(model, customer, chat)
        assert rows.exists(), f"the test has no row of {model.__name__}"
        for field in words_of(model):
            if (
                field.name not in erasure.KEPT.get(model, ())
                and not isinstance(field, models.FileField)
                and not field.choices
            ):
                value = {mark: mark} if isinstance(field, models.JSONField) else mark
                rows.update(**{field.name: value})


def rows_about(model, customer, chat):
    """The rows of a model that lead to them."""
    if model in (Customer, Chat):
        return model.objects.filter(pk={Customer: customer, Chat: chat}[model].pk)
    if model is Participant:
        return model.objects.filter(chat=chat, kind="customer")
    for path, row in (
        ("chat", chat), ("customer", customer), ("profile__customer", customer), ("foreign_chat__chat", chat),
        ("space_chat__chat", chat), ("session__profile__customer", customer),
    ):  # fmt: skip
        if path.partition("__")[0] in {field.name for field in model._meta.concrete_fields if field.is_relation}:
            return model.objects.filter(**{path: row})
    raise AssertionError(f"{model.__name__}: nothing leads to the customer")


@pytest.mark.django_db(transaction=True)
def test_a_mark_in_every_column_is_nowhere_afterwards(acme, globex, ann, gil, now, figures):
    mia, leo, far = "QXMIA", "QXLEO", "QXFAR"
    erased = furnish(acme, ann, mia, now)
    furnish(acme, ann, leo, now)
    furnish(globex, gil, far, now)
    before = dump()
    log = numbers(erased.chat)
    assert before.count(mia) > 60
    erase_customer(erased.customer, by=ann.user, now=now)
    sweep_removals()
    after = dump()
    figures.count(
        "places of an erased customer's words", found=after.upper().count(mia), tried=before.upper().count(mia)
    )
    assert [line for line in after.upper().splitlines() if mia in line] == []
    assert (after.count(leo), after.count(far)) == (before.count(leo), before.count(far))
    assert numbers(erased.chat)[: len(log)] == log
    assert not any(map(default_storage.exists, erased.files))
    assert not FileRemoval.objects.exists()


def numbers(chat):
    rows = list(chat.events.order_by("position").values_list("position", "index", "type", "sender_kind", "at"))
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    shown = [row[1] for row in rows if row[1] is not None]
    assert shown == list(range(1, len(shown) + 1))
    return rows


# What stays -----------------------------------------------------------------------------------------------------------


def test_an_open_chat_is_closed_without_a_word_and_readers_are_told(acme, ann, now):
    acme.support.closing = "Good bye"
    acme.support.save()
    held = make_held_chat(acme, ann, now, text="Hello")
    erase_customer(held.chat.customer, by=ann.user, now=now)
    chat = Chat.objects.get(pk=held.chat.pk)
    assert (chat.state, chat.close_reason, chat.agent, chat.started_at) == ("closed", "operator", ann, now)
    *_, closed, told = chat.events.order_by("position")
    assert (closed.type, told.type, told.index) == ("chat.closed", "chat.erased", None)
    said = chat.events.get(type="message.posted")
    assert (said.text, said.data, said.sender_name) == ("", {"attachments": [], "erased": True}, "")
    assert not hasattr(chat, "occupation")
    assert "This message was erased." in [
        bubble.text
        for day in read_transcript(chat).days
        for entry in day.entries
        for bubble in getattr(entry, "bubbles", [])
    ]


def test_erasing_again_changes_no_number(acme, ann, now):
    chat = make_held_chat(acme, ann, now, text="Hello").chat
    first = erase_customer(chat.customer, by=ann.user, now=now)
    log = numbers(chat)
    again = erase_customer(first, by=ann.user, now=timezone.now())
    assert (numbers(chat), again.erased_at) == (log, first.erased_at)
    assert AuditEntry.objects.filter(action="erased").count() == 2


def test_the_audit_log_tells_who_erased_which_id_and_no_name(acme, ann, now):
    customer = make_customer(acme, "Mia Miller")
    erase_customer(customer, by=ann.user, now=now)
    entry = AuditEntry.objects.get(action="erased")
    assert (entry.user, entry.center, entry.subject) == (ann.user, acme.center, f"customer {customer.pk}")
    assert entry.changes == {"records": 1, "chats": 0}


def test_all_records_of_a_person_go_together(acme, ann, now):
    old, known, other = (make_customer(acme, name) for name in ("Mia", "Mia Miller", "Leo"))
    chat = make_chat(acme, now, old, text="Hello").chat
    merge_customers(old, known)
    erase_customer(Customer.objects.get(pk=old.pk), by=ann.user, now=now)
    assert set(Customer.objects.exclude(erased_at=None)) == {old, known}
    assert not chat.events.exclude(text="").exists()
    assert Customer.objects.get(pk=other.pk).name == "Leo"


# Who comes at the same moment -----------------------------------------------------------------------------------------


def test_whoever_was_about_to_write_is_refused(acme, ann, now):
    held = make_held_chat(acme, ann, now, text="Hello")
    customer = held.chat.customer
    opened = begin_session(acme.channel, customer, now)
    erase_customer(customer, by=ann.user, now=now)
    assert find_session(opened.token, now) is None
    with pytest.raises(Closed):
        post_message(Post(held.chat.pk, held.customer.pk, "late", "Too late"), now=now)
    with pytest.raises(NotFound):
        start_chat(acme.channel, customer, Start(client_id="new", text="Too late"), now=now)
    with pytest.raises(NotFound):
        update_customer(customer, {"name": "Mia"}, now=now)
    with pytest.raises(NotFound):
        answer_survey(held.customer, rating=1, comment="Too late", now=now)
    with pytest.raises(Conflict):
        reopen_chat(ann, held.chat.pk, now=now)
    with pytest.raises(Conflict):
        merge_customers(Customer.objects.get(pk=customer.pk), make_customer(acme))


def test_a_file_that_cannot_go_now_goes_later(acme, ann, now):
    place = default_storage.save("attachments/one", ContentFile(b"x"))
    FileRemoval.objects.create(center=acme.center, path=place)
    FileRemoval.objects.create(center=acme.center, path="attachments/gone already")
    assert sweep_removals() == 2
    assert not default_storage.exists(place)
    assert sweep_removals() == 0
