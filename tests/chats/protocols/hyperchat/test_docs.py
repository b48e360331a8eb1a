"""docs/protocols/hyperchat.md leaves nothing out, and names nothing that is not there."""

import re
from pathlib import Path

import pytest

from chats.protocols.hyperchat import outgoing, places, whispers
from chats.protocols.hyperchat.callers import PUBLIC, Proof
from chats.protocols.hyperchat.live import calls, service, words
from chats.protocols.hyperchat.moves import ALGORITHMS
from chats.protocols.hyperchat.urls import urlpatterns

PAGE = Path(__file__).parents[4] / "docs/protocols/hyperchat.md"
TEXT = PAGE.read_text()
METHODS = ("GET", "POST", "PUT", "DELETE")
LETTERS = {Proof.APP: "A", Proof.DOMAIN: "K", Proof.SECRET: "S", Proof.USER: "T", Proof.OPERATOR: "O"}


def section(name: str) -> str:
    """From this headline to the next."""
    return TEXT.split(f"\n## {name}\n")[1].split("\n## ")[0]


def rows(name: str) -> list[list[str]]:
    """The cells of all tables of a section, without their heads."""
    lines = [line for line in section(name).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def told_routes() -> dict[tuple[str, str], str]:
    """(method, path with {id}) → the letters of its proofs. A method without a path belongs to the path before it."""
    found: dict[tuple[str, str], str] = {}
    for cells in rows("Routes"):
        path, proofs = "", [part.strip() for part in cells[1].split(" · ")]
        for number, call in enumerate(re.findall(r"`([^`]+)`", cells[0])):
            method, _, named = call.partition(" ") if call.startswith(METHODS) else ("POST", "", call)
            path = re.sub(r"\{\w+\}", "{id}", named) or path
            found[method, path] = proofs[min(number, len(proofs) - 1)]
    return found


def real_routes() -> dict[tuple[str, str], str]:
    found = {}
    for pattern in urlpatterns:
        path = str(pattern.pattern).removeprefix("^").removesuffix("/?$")
        path = re.sub(r"\(\?P<\w+>[^)]*\)", "{id}", path)
        for method, proofs in pattern.callback.view_class.access.items():
            found[method, path] = "".join(sorted(LETTERS[proof] for proof in proofs))
    return found


# A method that is taken because some client might send it, beside the one that is told.
SPARE = {("PUT", "agents/logout"), ("PUT", "invitations/accept"), ("PUT", "invitations/reject")}


def test_every_route_is_told_and_every_told_one_is_there():
    assert set(told_routes()) == set(real_routes()) - SPARE


@pytest.mark.parametrize("route", sorted(set(real_routes()) - SPARE), ids=" ".join)
def test_the_proofs_of_each_route_are_the_real_ones(route: tuple[str, str]):
    letters = "".join(sorted(set(told_routes()[route]) & set(LETTERS.values())))
    assert letters == real_routes()[route]


def test_the_public_routes_are_those_of_the_domain_key():
    keyed = {path for (_method, path), proofs in real_routes().items() if "K" in proofs}
    assert keyed == {"agents/available", "agents/online", "agents/login", "apps/{id}/validate", "settings", "users"}
    assert Proof.DOMAIN in PUBLIC


def test_every_web_hook_is_told():
    said = set(re.findall(r'\("([a-z]+:[a-z]+)"', Path(outgoing.__file__).read_text()))
    said |= {trigger for trigger, _shape in whispers.WORDS.values()} | {places.TRIGGER, "chats:assign"}
    told = {name for cells in rows("Web hooks") for name in re.findall(r"`([a-z]+:[a-z]+)`", cells[0])}
    assert told == said


def test_every_live_event_is_told():
    told = {name for cells in rows("Live events") for name in re.findall(r"`([a-z]+:[a-z]+)`", cells[0])}
    asked = {*calls.CALLS, service.FOCUS}
    assert asked <= told
    said = set(re.findall(r'\("([a-z]+:[a-z]+)"', Path(words.__file__).read_text()))
    assert said <= told
    assert service.LOGIN in section("Live events")


def test_every_algorithm_is_told_by_the_rule_that_it_means():
    told = {
        re.sub("[^a-z]", "", name)
        for name in re.findall(r"`([a-z-]+)`", TEXT.split("\n`algorithm`: ")[1].split("\n")[0])
    }
    assert told <= set(ALGORITHMS)
    assert {ALGORITHMS[name] for name in told} == set(ALGORITHMS.values())


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)\)", TEXT))))
def test_what_it_links_to_exists(link: str):
    assert (PAGE.parent / link).exists()
