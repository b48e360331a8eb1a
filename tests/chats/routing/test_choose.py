"""The choice as tables: strategies, requirements, reasons. No database, no clock."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from chats.routing.choose import ASK_AGAIN_AFTER, Candidate, Need, choose, words

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NAMES = ("ann", "bob", "cem")
IDS = {name: UUID(int=number) for number, name in enumerate(NAMES, start=1)}


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def agent(name: str, **facts) -> Candidate:
    return Candidate(agent_id=IDS[name], name=name, **{"capacity": 3, "free": 3} | facts)


def decide(*candidates: Candidate, strategy: str = "most_free_slots", now: datetime = NOW, **need):
    return choose(candidates, Need(**need), strategy=strategy, now=now)


def ranked(decision) -> list[str]:
    return [one.name for one in decision.eligible]


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("most_free_slots", ["cem", "bob", "ann"]),
        ("longest_idle", ["bob", "ann", "cem"]),
        ("round_robin", ["ann", "cem", "bob"]),
    ],
)
def test_each_strategy_has_its_own_order(strategy, expected):
    decision = decide(
        agent("ann", free=1, idle_since=ago(50), last_assigned_at=ago(900)),
        agent("bob", free=2, idle_since=ago(90), last_assigned_at=ago(100)),
        agent("cem", free=3, idle_since=ago(10), last_assigned_at=ago(500)),
        strategy=strategy,
    )
    assert ranked(decision) == expected
    assert decision.chosen.name == expected[0]


@pytest.mark.parametrize(
    ("strategy", "ann", "bob"),
    [
        ("most_free_slots", {"idle_since": ago(60)}, {"idle_since": ago(10)}),
        ("most_free_slots", {"idle_since": ago(1)}, {"idle_since": None}),
        ("most_free_slots", {"last_assigned_at": ago(60)}, {"last_assigned_at": ago(10)}),
        ("most_free_slots", {"last_assigned_at": None}, {"last_assigned_at": ago(10)}),
        ("longest_idle", {"idle_since": ago(1)}, {"idle_since": None}),
        ("longest_idle", {"free": 2}, {"free": 1}),
        ("longest_idle", {"last_assigned_at": ago(60)}, {"last_assigned_at": ago(10)}),
        ("longest_idle", {"last_assigned_at": None}, {"last_assigned_at": ago(10)}),
        ("round_robin", {"last_assigned_at": None}, {"last_assigned_at": ago(9999)}),
        ("round_robin", {"idle_since": ago(60)}, {"idle_since": ago(10)}),
        ("round_robin", {"idle_since": ago(1)}, {"idle_since": None}),
        ("round_robin", {"free": 2}, {"free": 1}),
        ("round_robin", {}, {}),
    ],
)
def test_ties_are_broken_the_same_way_whatever_the_order_of_asking(strategy, ann, bob):
    pair = (agent("ann", **ann), agent("bob", **bob))
    assert (
        ranked(decide(*pair, strategy=strategy)) == ranked(decide(*reversed(pair), strategy=strategy)) == ["ann", "bob"]
    )


@pytest.mark.parametrize(
    ("facts", "need", "why"),
    [
        ({"status": "offline"}, {}, "offline"),
        ({"status": "away"}, {}, "away"),
        ({"is_seen": False}, {}, "client_not_seen"),
        ({"in_team": False}, {}, "not_in_team"),
        ({"free": 0}, {}, "no_free_slot"),
        ({"languages": ("en", "fr")}, {"language": "de"}, "language"),
        ({"skills": ("tax",)}, {"skills": ("tax", "law")}, "skill"),
        ({}, {"skills": ("law",)}, "skill"),
        ({}, {"tried": ((IDS["ann"], ago(5)),)}, "declined"),
        ({}, {"asked": frozenset([IDS["ann"]])}, "asked"),
        # Of several, the one that changes least often is told.
        ({"status": "offline"}, {"asked": frozenset([IDS["ann"]])}, "asked"),
        ({"in_team": False}, {"asked": frozenset([IDS["ann"]])}, "not_in_team"),
        ({"status": "offline", "is_seen": False, "free": 0}, {}, "offline"),
        ({"free": 0, "languages": ("en",)}, {"language": "de"}, "language"),
        ({"free": 0}, {"tried": ((IDS["ann"], ago(5)),)}, "no_free_slot"),
    ],
)
def test_who_cannot_is_excluded_with_the_reason(facts, need, why):
    # Cem speaks German, which makes German a requirement, and is at lunch.
    decision = decide(agent("ann", **facts), agent("cem", languages=("de",), status="away"), **need)
    assert decision.chosen is None
    assert {one.name: code for one, code in decision.excluded} == {"ann": why, "cem": "away"}
    assert sum(decision.reasons().values()) == 2


@pytest.mark.parametrize(
    ("languages", "language"),
    [
        ((), "de"),
        (("de",), ""),
        (("de",), "de"),
        (("de",), "de-AT"),
        (("de-DE",), "de-AT"),
        (("de_DE",), "DE"),
        (("en", "pt-br"), "pt"),
    ],
)
def test_a_language_is_spoken_in_all_its_countries(languages, language):
    assert decide(agent("ann", languages=languages), language=language).chosen


@pytest.mark.parametrize(
    ("has", "asked"), [(("Tax", "law"), ("tax",)), (("tax", "law"), ("LAW ", "tax")), (("tax",), ())]
)
def test_all_skills_asked_for_suffice(has, asked):
    assert decide(agent("ann", skills=has), skills=asked).chosen


def test_the_next_agent_is_asked_before_the_one_who_declined_just_now():
    decision = decide(agent("ann", free=3), agent("bob", free=1), tried=((IDS["ann"], ago(1)),))
    assert ranked(decision) == ["bob"]
    assert decision.ask_again_at == ago(1) + ASK_AGAIN_AFTER


def test_who_declined_a_while_ago_comes_last_the_least_recent_first():
    tried = ((IDS["ann"], ago(60)), (IDS["bob"], ago(40)))
    decision = decide(agent("ann", free=2), agent("bob", free=3), agent("cem", free=1), tried=tried)
    assert ranked(decision) == ["cem", "ann", "bob"]


def test_a_lone_decliner_is_asked_again_after_a_pause():
    tried = ((IDS["ann"], NOW),)
    assert decide(agent("ann"), tried=tried).chosen is None
    assert decide(agent("ann"), tried=tried, now=NOW + ASK_AGAIN_AFTER - timedelta(seconds=1)).chosen is None
    assert decide(agent("ann"), tried=tried, now=NOW + ASK_AGAIN_AFTER).chosen.name == "ann"


def test_only_the_last_refusal_of_an_agent_counts():
    tried = ((IDS["ann"], ago(300)), (IDS["bob"], ago(200)), (IDS["ann"], ago(100)))
    assert ranked(decide(agent("ann"), agent("bob"), tried=tried)) == ["bob", "ann"]


def test_when_to_ask_again_is_told_only_of_those_who_could_take_it():
    tried = ((IDS["ann"], ago(5)), (IDS["bob"], ago(2)))
    decision = decide(agent("ann", status="away"), agent("bob"), tried=tried)
    assert decision.ask_again_at == ago(2) + ASK_AGAIN_AFTER


def test_without_candidates_nobody_is_chosen():
    decision = decide()
    assert (decision.chosen, decision.eligible, decision.excluded, decision.ask_again_at) == (None, (), (), None)


def test_the_facts_of_an_eligible_agent_are_plain_values():
    facts = agent("ann", free=2, idle_since=ago(5)).facts()
    assert facts == {
        "agent": str(IDS["ann"]),
        "name": "ann",
        "free": 2,
        "capacity": 3,
        "idle_since": ago(5).isoformat(),
        "last_assigned_at": None,
    }


def test_a_language_that_nobody_of_the_team_speaks_is_no_requirement():
    pair = agent("ann", languages=("en",)), agent("bob", languages=("fr",))
    assert ranked(decide(*pair, language="zh")) == ["ann", "bob"]
    assert decide(*pair, agent("cem", languages=("zh",), status="away"), language="zh").chosen is None


def test_a_record_says_when_an_agent_had_nothing_to_do_and_got_a_chat():
    facts = agent("ann", idle_since=ago(5), last_assigned_at=ago(7)).facts()
    assert (facts["idle_since"], facts["last_assigned_at"]) == (ago(5).isoformat(), ago(7).isoformat())
    facts = agent("ann", idle_since=None, last_assigned_at=None).facts()
    assert (facts["idle_since"], facts["last_assigned_at"]) == (None, None)


@pytest.mark.parametrize(("spoken", "wanted"), [("de", "de-AT"), ("de_CH", "de"), ("DE", "de-at"), ("pt-BR", "pt_PT")])
def test_a_language_is_spoken_across_countries(spoken, wanted):
    decision = decide(agent("ann", languages=(spoken,)), agent("bob", languages=("fr",)), language=wanted)
    assert ranked(decision) == ["ann"]


@pytest.mark.parametrize(
    ("stored", "read"), [(["de", 5], ("de", "5")), ([], ()), ("de", ()), (None, ()), ({"de": 1}, ())]
)
def test_a_column_that_holds_no_list_holds_no_words(stored, read):
    assert words(stored) == read
