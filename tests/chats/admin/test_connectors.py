"""What administrators see of connectors: whether they are there, what waits for them, and what programs have sent."""

from datetime import datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from chats.actions.connectors import give_up, take_up
from chats.actions.outbound import note_outbound_given, send_outbound
from chats.models import Connector, OutboundMessage
from tests.chats.carried import carry, make_sms
from tests.contactcenter.admin_cast import make_admin

pytestmark = [pytest.mark.django_db, pytest.mark.both]


@pytest.fixture
def desk(acme: SimpleNamespace, client: Client) -> Client:
    client.force_login(make_admin(acme, "Ada").user)
    return client


@pytest.fixture
def sms(acme: SimpleNamespace) -> Connector:
    return make_sms(acme)


def shown(desk: Client, page: str, *args: object, query: str = "") -> str:
    answer = desk.get(reverse(f"admin:chats_{page}", args=args) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def send(sms: Connector, text: str, now: datetime) -> OutboundMessage:
    application = sms.registration.application
    return send_outbound(application, sms, account="+491", text=text, client_id=str(uuid4()), now=now).message


def test_one_sees_whether_a_connector_is_there_and_what_waits_for_it(
    desk: Client, sms: Connector, now: datetime
) -> None:
    carry(sms, "+491", now)
    send(sms, "Sale", now)
    holder = uuid4()
    for page in (["connector_changelist"], ["connector_change", sms.pk]):
        assert ">away</span>" in shown(desk, *page)
        take_up(sms, holder, now=now)
        body = shown(desk, *page)
        assert ">connected</span>" in body
        assert "sms" in body
        assert f"connector__id__exact={sms.pk}&state=waiting" in body.replace("&amp;", "&")
        give_up(sms.pk, holder, now=now)
    take_up(sms, holder, now=now - timedelta(hours=1))
    assert ">away</span>" in shown(desk, "connector_changelist"), "its process died"


def test_a_connector_that_nothing_belongs_to_can_be_deleted_while_it_is_away(
    desk: Client, sms: Connector, now: datetime
) -> None:
    page = reverse("admin:chats_connector_delete", args=[sms.pk])
    take_up(sms, uuid4(), now=now)
    assert desk.post(page, {"post": "yes"}).status_code == 403
    Connector.objects.update(holder=None, held_until=None)
    message = send(sms, "Sale", now)
    assert desk.post(page, {"post": "yes"}).status_code == 403
    message.delete()
    assert desk.post(page, {"post": "yes"}).status_code == 302
    assert not Connector.objects.exists()


def test_texts_are_listed_by_state_and_nobody_changes_them(desk: Client, sms: Connector, now: datetime) -> None:
    waiting, given, expired = (send(sms, text, now) for text in ("Waits", "<b>Arrived</b>", "Too late"))
    note_outbound_given(sms, [given.number], now)
    OutboundMessage.objects.filter(pk=expired.pk).update(expires_at=now - timedelta(hours=1))
    for state, text in (("waiting", "Waits"), ("given", "&lt;b&gt;Arrived"), ("expired", "Too late")):
        body = shown(desk, "outboundmessage_changelist", query=f"?state={state}")
        assert [one for one in ("Waits", "&lt;b&gt;Arrived", "Too late") if one in body] == [text]
    page = shown(desk, "outboundmessage_change", given.pk)
    assert "&lt;b&gt;Arrived&lt;/b&gt;" in page
    assert 'name="_save"' not in page
    for action in ("change", "delete"):
        address = reverse(f"admin:chats_outboundmessage_{action}", args=[waiting.pk])
        assert desk.post(address, {"post": "yes", "text": "Other"}).status_code == 403
    assert OutboundMessage.objects.count() == 3
