"""The addresses of HyperChat, as a table."""

import pytest

from chats.protocols.hyperchat.door import Nowhere
from chats.protocols.hyperchat.urls import urlpatterns
from tests.cases import cases
from tests.chats.protocols.hyperchat.conftest import is_error

VIEWS = {pattern.name: pattern.callback.view_class for pattern in urlpatterns}
METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.mark.parametrize("name", VIEWS.keys() - {"nowhere"})
def test_each_address_answers_the_methods_whose_proof_it_names_and_no_others(name):
    view = VIEWS[name]
    assert {method for method in METHODS if hasattr(view, method)} == {method.lower() for method in view.access}


def test_only_what_is_nowhere_names_no_proof():
    assert [view for view in VIEWS.values() if not view.access] == [Nowhere]


@pytest.mark.both
@pytest.mark.django_db
@cases("path", ["agents/{}", "apps/{}"])
def test_nothing_is_made_under_an_id(direct, ann, path):
    assert is_error(direct.server.post(path.format(ann.pk), {"name": "Eve"}), 405)
