"""Every page of a center's admin, tried with the other center's ids: no row, no name, no id of globex comes through."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.forms.models import model_to_dict
from django.test import Client
from django.urls import reverse

from agents.models import Agent
from chats.models import Chat
from contactcenter.administration.sites import center_site, operator_site
from contactcenter.models import Application, Channel, Holiday, Team
from tests.cases import cases
from tests.conftest import MARKER
from tests.contactcenter.admin_cast import furnish, label, make_admin, make_operator, registered
from tests.plugin_figures import Figures

pytestmark = pytest.mark.django_db
PART = MARKER[:-1]  # what is searched for: pages show it again, and the whole marker only if they found something
OF_API_SPACES = ("renew_password", "renew_shared_secret")  # the cast's foreign access is none
MODELS = sorted(label(model_admin) for model_admin in registered())


@pytest.fixture
def ours(acme: SimpleNamespace) -> SimpleNamespace:
    return furnish(acme, make_admin(acme, "Ada"))


@pytest.fixture
def theirs(globex: SimpleNamespace, gil: Agent, figures: Figures) -> SimpleNamespace:
    cast = furnish(globex, gil, MARKER)
    cast.figures = figures
    return cast


@pytest.fixture
def ada(ours: SimpleNamespace, client: Client) -> Client:
    client.force_login(ours.admin.user)
    return client


def admin_of(name: str) -> Any:
    return next(found for found in registered() if label(found) == name)


def path(name: str, page: str, *args: Any) -> str:
    return reverse(f"admin:{name.replace('.', '_')}_{page}", args=args)


def assert_clean(response: Any, theirs: SimpleNamespace) -> None:
    body = response.content.decode().lower()
    theirs.figures.count("admin pages that show the other center", found=MARKER.lower() in body)
    assert MARKER.lower() not in body
    assert "gil@example.com" not in body
    for row in theirs.rows.values():
        assert str(row.pk) not in body.replace(str(response.wsgi_request.path), "")


def detail_pages(name: str) -> list[str]:
    return [f"{name.split('.')[1]}_{action}" for action in admin_of(name).actions_detail]


def filters_of(name: str, row: Any) -> list[str]:
    fields = [field for field in row._meta.fields if field.is_relation]
    return [f"{field.name}__id__exact={getattr(row, field.attname)}" for field in fields]


def test_every_model_of_the_site_is_in_the_cast(ours: SimpleNamespace) -> None:
    assert sorted(ours.rows) == MODELS


@cases("name", MODELS)
def test_lists_show_own_rows_only(name: str, ada: Client, ours: SimpleNamespace, theirs: SimpleNamespace) -> None:
    plain = ada.get(path(name, "changelist"), follow=True)
    assert plain.status_code == 200
    assert_clean(plain, theirs)
    their_filters = filters_of(name, theirs.rows[name])
    for query in [f"q={PART}", "_facets=1", "all=1", "_popup=1", "_to_field=id", *their_filters]:
        response = ada.get(f"{path(name, 'changelist')}?{query}", follow=True)
        body = response.content.decode()
        assert response.status_code in (200, 400), query
        assert str(theirs.rows[name].pk) not in body
        assert MARKER not in body, query


@pytest.mark.both
@cases("name", MODELS)
def test_own_pages_open_and_are_clean(name: str, ada: Client, ours: SimpleNamespace, theirs: SimpleNamespace) -> None:
    row, model_admin = ours.rows[name], admin_of(name)
    for page in ["change", "history", "delete"]:
        response = ada.get(path(name, page, row.pk))
        assert response.status_code in ((200, 403) if page == "delete" else (200,)), page
        assert_clean(response, theirs)
    response = ada.get(path(name, "add"))
    assert response.status_code == (
        200 if response.wsgi_request and model_admin.may_add and name != "contactcenter.contactcenter" else 403
    )
    assert_clean(response, theirs)
    for action in model_admin.actions_detail:
        response = ada.get(reverse(f"admin:{name.replace('.', '_')}_{action}", args=[row.pk]))
        assert response.status_code == (403 if action in OF_API_SPACES else 200)
        assert_clean(response, theirs)


@cases("name", MODELS)
def test_a_strangers_id_is_not_found(name: str, ada: Client, ours: SimpleNamespace, theirs: SimpleNamespace) -> None:
    row = theirs.rows[name]
    before = model_to_dict(type(row).objects.get(pk=row.pk))
    pages = [path(name, page, row.pk) for page in ["change", "history", "delete"]]
    pages += [reverse(f"admin:{name.replace('.', '_')}_{a}", args=[row.pk]) for a in admin_of(name).actions_detail]
    # 403: what nobody may do to any row of this kind, so that it says nothing about this one.
    refused = {404} if admin_of(name).may_delete and admin_of(name).may_change else {404, 403}
    for page in pages:
        for response in [ada.get(page), ada.post(page, {"post": "yes", "name": "stolen", "_save": "1"})]:
            assert response.status_code in refused, page
            assert_clean(response, theirs)
    assert model_to_dict(type(row).objects.get(pk=row.pk)) == before


@cases("name", MODELS)
def test_bulk_actions_pass_by_strangers(name: str, ada: Client, ours: SimpleNamespace, theirs: SimpleNamespace) -> None:
    row = theirs.rows[name]
    before = model_to_dict(type(row).objects.get(pk=row.pk))
    response = ada.get(path(name, "changelist"))
    offered = [value for value, _words in admin_of(name).get_action_choices(response.wsgi_request) if value]
    for action in [*offered, "delete_selected"]:
        data = {"action": action, "_selected_action": [str(row.pk)], "post": "yes", "index": "0"}
        answer = ada.post(path(name, "changelist"), data, follow=True)
        assert_clean(answer, theirs)
    assert model_to_dict(type(row).objects.get(pk=row.pk)) == before


def test_autocomplete_finds_own_rows_only(ada: Client, ours: SimpleNamespace, theirs: SimpleNamespace) -> None:
    tried = 0
    for model_admin in registered():
        for field in model_admin.model._meta.get_fields():
            if not field.is_relation or field.auto_created:
                continue
            query = {"app_label": model_admin.opts.app_label, "model_name": model_admin.opts.model_name}
            for term in ["", PART]:
                response = ada.get(reverse("admin:autocomplete"), query | {"field_name": field.name, "term": term})
                tried += response.status_code == 200
                assert response.status_code in (200, 403)
                assert MARKER not in response.content.decode()
    assert tried > 10


@pytest.mark.both
def test_search_and_other_pages_are_clean(ada: Client, ours: SimpleNamespace, theirs: SimpleNamespace) -> None:
    pages = ["index", "search", "jsi18n", "choose"]
    for page in pages:
        for query in ["", f"?s={PART}&extended=1", "?s=o"]:
            response = ada.get(reverse(f"admin:{page}") + query)
            assert response.status_code == 200
            assert MARKER not in response.content.decode()
    for app in ["contactcenter", "agents", "chats"]:
        response = ada.get(reverse("admin:app_list", args=[app]))
        assert response.status_code == 200
        assert MARKER not in response.content.decode()


@pytest.mark.both
def test_links_to_strangers_cannot_be_saved(ada: Client, ours: SimpleNamespace, theirs: SimpleNamespace) -> None:
    data = {"date": "2030-05-05", "name": "May", "team": str(theirs.support.pk)}
    response = ada.post(path("contactcenter.holiday", "add"), data)
    assert response.status_code == 200
    assert not Holiday.objects.filter(name="May").exists()
    assert_clean(response, theirs)


@pytest.mark.both
def test_a_strangers_row_cannot_be_slipped_into_an_inline(
    ada: Client, ours: SimpleNamespace, theirs: SimpleNamespace
) -> None:
    span = theirs.support.opening_hours.get()
    data = team_form(ours.support) | {
        "opening_hours-TOTAL_FORMS": "1", "opening_hours-INITIAL_FORMS": "1", "opening_hours-0-id": str(span.pk),
        "opening_hours-0-team": str(ours.support.pk), "opening_hours-0-weekday": "6",
        "opening_hours-0-opens": "01:00", "opening_hours-0-closes": "02:00",
    }  # fmt: skip
    response = ada.post(path("contactcenter.team", "change", ours.support.pk), data)
    assert_clean(response, theirs)
    span.refresh_from_db()
    assert (span.weekday, span.team_id) == (0, theirs.support.pk)


def team_form(team: Team) -> dict[str, str]:
    values = {name: value for name, value in model_to_dict(team).items() if value not in (None, False, [])}
    return {name: str(value) for name, value in values.items() if name != "center"} | {
        f"{prefix}-{kind}_FORMS": "0" for prefix in ("opening_hours", "holidays") for kind in ("TOTAL", "INITIAL")
    }


def test_the_operator_sees_all_and_only_the_operator(
    client: Client, ours: SimpleNamespace, theirs: SimpleNamespace
) -> None:
    pages = [reverse(f"operator:{m._meta.app_label}_{m._meta.model_name}_changelist") for m in operator_site._registry]
    for user in [ours.admin.user, theirs.admin.user]:
        client.force_login(user)
        assert {client.get(page, follow=True).status_code for page in [*pages, reverse("operator:index")]} == {403}
    client.force_login(make_operator())
    for page in pages:
        assert client.get(page).status_code == 200
    for name, row in (ours.rows | {f"{name} ": row for name, row in theirs.rows.items()}).items():
        route = f"operator:{name.strip().replace('.', '_')}"
        for page in ["change", "history"]:
            assert client.get(reverse(f"{route}_{page}", args=[row.pk])).status_code == 200
    for model in operator_site._registry:
        add = reverse(f"operator:{model._meta.app_label}_{model._meta.model_name}_add")
        assert client.get(add).status_code in (200, 403)
    assert MARKER in client.get(reverse("operator:contactcenter_team_changelist")).content.decode()
    assert client.get(reverse("operator:index")).status_code == 200


@pytest.mark.both
def test_an_operators_new_row_needs_links_of_its_center(
    client: Client, ours: SimpleNamespace, theirs: SimpleNamespace
) -> None:
    client.force_login(make_operator())
    data = {"center": str(ours.center.pk), "date": "2030-05-05", "name": "May", "team": str(theirs.support.pk)}
    response = client.post(reverse("operator:contactcenter_holiday_add"), data)
    assert response.status_code == 200
    assert not Holiday.objects.filter(name="May").exists()
    response = client.post(reverse("operator:contactcenter_holiday_add"), data | {"team": str(ours.support.pk)})
    assert response.status_code == 302
    assert Holiday.objects.get(name="May").center == ours.center


def test_both_sites_register_the_same_models_but_for_people() -> None:
    more = {model._meta.label_lower for model in set(operator_site._registry) - set(center_site._registry)}
    assert more == {"contactcenter.user", "contactcenter.installation"}
    assert {Agent, Application, Channel, Chat} <= set(center_site._registry)
