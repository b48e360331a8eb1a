"""Twenty threads on PostgreSQL, each a worker, an agent's door or a customer's door, all at the same moment.

No deadlock, no over-capacity, no second owner, no hole in a log; and when all is quiet and routing has run once more, nobody waits beside a free agent.
"""

import contextlib
import random
import threading
from collections import Counter
from collections.abc import Callable

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from agents.models import Agent, Presence
from agents.presence import renew_leases, set_status, sign_in
from agents.seats import set_capacity
from chats.actions.begin import Begin, Wish, begin_chats
from chats.actions.close import close_by_agent, close_by_customer
from chats.actions.hold import assign_chat, pick_chat, reopen_chat
from chats.actions.offer import accept_invitation, decline_invitation
from chats.actions.post import Post, post_messages
from chats.actions.search import begin_search
from chats.actions.start import Start, start_chat
from chats.actions.transfer import leave_chat, transfer_to_agent, transfer_to_team
from chats.errors import Refused
from chats.models import Chat, Event, Invitation, Occupation, Queue, Search
from chats.routing import sweeps
from chats.routing.engine import route_team
from chats.routing.search import continue_search, due_searches, search_agent
from tests.chats.routing.truths import check_all, moved, overlooked
from tests.conftest import make_agent, make_center, make_customer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]

THREADS = 20
PATIENCE = 60  # seconds for all threads together


def at_once(jobs: list[Callable[[], object]]) -> list[BaseException]:
    """Run all jobs in threads that start at the same moment; whatever they raised. Refusals are answers, not errors."""
    barrier = threading.Barrier(len(jobs))
    raised: list[BaseException] = []

    def run(job: Callable[[], object]) -> None:
        try:
            barrier.wait(PATIENCE)
            job()
        except BaseException as error:
            raised.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(job,), daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads), "a thread hangs"
    return raised


def make_crew(count, capacity):
    acme = make_center("acme")
    teams = [acme.support, acme.sales]
    acme.teams = teams
    acme.agents = [
        make_agent(acme, f"A{number}", capacity=capacity, teams=teams if number % 2 == 0 else teams[:1])
        for number in range(count)
    ]
    now = timezone.now()
    Presence.objects.update(status="online", status_at=now, lease_until=moved(now, 600))
    return acme


def deadlocks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return cursor.fetchone()[0]


@pytest.mark.parametrize(("agents", "capacity", "chats"), [(2, 10, 60), (30, 1, 60)])
def test_twenty_routers_fill_every_slot_once(agents, capacity, chats):
    acme = make_crew(agents, capacity)
    now = timezone.now()
    for number in range(chats):
        wish = Start(client_id=f"c{number}", team=acme.teams[number % 2])
        start_chat(acme.channel, make_customer(acme), wish, now=now)

    def route(number):
        for turn in range(6):
            # As if asked anew each time, so that the claim alone does not keep the routers apart.
            team_id = acme.teams[(number + turn) % 2].pk
            Queue.objects.filter(team_id=team_id).update(routing_due_at=now)
            route_team(team_id, moved(now, 1))

    before = deadlocks()
    assert at_once([lambda n=number: route(n) for number in range(THREADS)]) == []
    check_all()
    sweeps.sweep(moved(now, 2))
    assert overlooked(moved(now, 2)) == []
    assert Occupation.objects.count() == agents * capacity
    assert deadlocks() == before


@pytest.mark.parametrize(("agents", "capacity"), [(3, 2), (40, 1)])
def test_twenty_busy_people_at_once(agents, capacity):
    """Everything that people, clients and workers do, mixed at random by fixed seeds."""
    acme = make_crew(agents, capacity)
    for number in range(10):
        start_chat(acme.channel, make_customer(acme), Start(client_id=f"s{number}"), now=timezone.now())
    before, failures = deadlocks(), Counter()
    counts = Counter()

    def work(seed):
        dice = random.Random(seed)
        for turn in range(12):
            name, deed = dice.choice(DEEDS)
            try:
                deed(acme, dice, f"{seed}-{turn}")
                counts[name] += 1
            except Refused as refusal:
                failures[refusal.code] += 1

    assert at_once([lambda s=seed: work(s) for seed in range(THREADS)]) == []
    check_all()
    now = moved(timezone.now(), 1)
    Presence.objects.update(status="online", lease_until=moved(now, 600))
    settle(now)
    check_all()
    assert overlooked(now) == []
    assert deadlocks() == before
    # Which deeds find something to do is up to the threads' order: a rare one (reopening, say) may have come too soon each time.
    never = {name for name, _ in DEEDS} - set(counts)
    assert len(never) <= 4, f"hardly a mixture without {never}"


def settle(now):
    Queue.objects.update(routing_due_at=now)
    sweeps.sweep(now)
    do_continue(None, None, "")


def some(dice, rows):
    found = list(rows[:30])
    if not found:
        raise Refused
    return dice.choice(found)


def chat_of(dice, *states):
    return some(dice, Chat.objects.filter(state__in=states).select_related("agent__center", "agent__user"))


def anybody(acme, dice):
    return Agent.objects.select_related("center", "user").get(pk=dice.choice(acme.agents).pk)


def do_start(acme, dice, mark):
    wish = Start(client_id=mark, team=dice.choice(acme.teams), text="Hello", priority=dice.choice([0, 0, 3]))
    start_chat(acme.channel, make_customer(acme), wish, now=timezone.now())


def do_steer(acme, dice, mark):
    wish = Start(client_id=mark, team=dice.choice(acme.teams), is_steered=True)
    chat = start_chat(acme.channel, make_customer(acme), wish, now=timezone.now()).chat
    seek(acme, chat.pk)


def do_seek(acme, dice, mark):
    seek(acme, some(dice, Search.objects.order_by("-pk")).chat_id)


def seek(acme, chat_id):
    """What a program's door does when it is asked for an agent."""
    begin_search(acme.center.chats, chat_id, now=timezone.now())
    return search_agent(chat_id, timezone.now())


def do_continue(acme, dice, mark):
    for search_id in due_searches(timezone.now()):
        continue_search(search_id, timezone.now())


def do_leave(acme, dice, mark):
    chat = chat_of(dice, "active")
    leave_chat(chat.agent, chat.pk, now=timezone.now())


def do_answer(acme, dice, mark):
    offer = some(dice, Invitation.objects.pending().select_related("agent__center"))
    answer = dice.choice([accept_invitation, accept_invitation, decline_invitation])
    answer(offer.agent, offer.pk, now=timezone.now())


def do_close(acme, dice, mark):
    chat = chat_of(dice, "active")
    if dice.random() < 0.5:
        close_by_customer(chat.participants.get(kind="customer"), now=timezone.now())
    else:
        close_by_agent(chat.agent, chat.pk, comment="done", now=timezone.now())


def do_pick(acme, dice, mark):
    pick_chat(anybody(acme, dice), chat_of(dice, "queued", "searching").pk, now=timezone.now())


def do_assign(acme, dice, mark):
    assign_chat(acme.center.chats, chat_of(dice, "active", "queued").pk, anybody(acme, dice), now=timezone.now())


def do_transfer(acme, dice, mark):
    chat = chat_of(dice, "active")
    if dice.random() < 0.5:
        transfer_to_agent(chat.agent, chat.pk, anybody(acme, dice), note="hello", now=timezone.now())
    else:
        transfer_to_team(chat.agent, chat.pk, dice.choice(acme.teams), now=timezone.now())


def do_reopen(acme, dice, mark):
    reopen_chat(anybody(acme, dice), chat_of(dice, "closed").pk, now=timezone.now())


def do_post(acme, dice, mark):
    posts = []
    for chat in Chat.objects.open().order_by("?")[:5]:
        sender = dice.choice(list(chat.participants.all()))
        posts.append(Post(chat.pk, sender.pk, mark, "words"))
    post_messages(posts, now=timezone.now())


def do_status(acme, dice, mark):
    set_status(anybody(acme, dice), dice.choice(["online", "online", "away"]), timezone.now())


def do_capacity(acme, dice, mark):
    set_capacity(anybody(acme, dice), dice.choice([1, 2, 3]))


def do_leases(acme, dice, mark):
    sign_in(anybody(acme, dice), timezone.now())
    ids = [agent.pk for agent in acme.agents]
    dice.shuffle(ids)
    renew_leases(ids, moved(timezone.now(), 600))


def do_route(acme, dice, mark):
    sweeps.route_teams(timezone.now())


def do_sweep(acme, dice, mark):
    sweeps.sweep(timezone.now())


DEEDS = [
    ("start", do_start),
    ("start", do_start),
    ("answer", do_answer),
    ("answer", do_answer),
    ("close", do_close),
    ("steer", do_steer),
    ("seek", do_seek),
    ("continue", do_continue),
    ("leave", do_leave),
    ("pick", do_pick),
    ("assign", do_assign),
    ("transfer", do_transfer),
    ("reopen", do_reopen),
    ("post", do_post),
    ("status", do_status),
    ("capacity", do_capacity),
    ("leases", do_leases),
    ("route", do_route),
    ("route", do_route),
    ("sweep", do_sweep),
]


def test_twenty_hands_at_one_invitation():
    """Accepted, declined, picked and routed at the same moment: one story, told once."""
    acme = make_crew(4, 2)
    for round_number in range(5):
        fight_over_a_chat(acme, f"round {round_number}")


def fight_over_a_chat(acme, mark):
    now = timezone.now()
    chat = start_chat(acme.channel, make_customer(acme), Start(client_id=mark), now=now).chat
    route_team(acme.support.pk, now)
    offer = Invitation.objects.pending().select_related("agent__center").get(chat=chat)
    agents = [Agent.objects.select_related("center").get(pk=agent.pk) for agent in acme.agents]

    def attempt(deed, *args):
        with contextlib.suppress(Refused):
            deed(*args, now=timezone.now())

    jobs = [lambda: attempt(accept_invitation, offer.agent, offer.pk)] * 6
    jobs += [lambda: attempt(decline_invitation, offer.agent, offer.pk)] * 4
    jobs += [lambda who=who: attempt(pick_chat, who, chat.pk) for who in agents]
    jobs += [lambda: sweeps.route_teams(timezone.now())] * 6
    assert at_once(jobs) == []
    check_all()
    log = Counter(Event.objects.filter(chat=chat).values_list("type", flat=True))
    assert log["invitation.accepted"] <= 1
    endings = sum(log[f"invitation.{end}"] for end in ("accepted", "declined", "expired", "withdrawn"))
    assert endings + Invitation.objects.pending().filter(chat=chat).count() == log["invitation.offered"]
    close_by_customer(chat.participants.get(kind="customer"), now=timezone.now())


def test_twenty_programs_that_ask_at_once_hear_of_the_same_agent():
    acme = make_crew(5, 2)
    chat = start_chat(acme.channel, make_customer(acme), Start(client_id="s", is_steered=True), now=timezone.now()).chat
    found = []
    assert at_once([lambda: found.append(seek(acme, chat.pk))] * THREADS) == []
    assert found == [Invitation.objects.get().agent] * THREADS
    log = Counter(Event.objects.filter(chat=chat).values_list("type", flat=True))
    assert (log["invitation.offered"], log["routing.decided"], log["search.failed"]) == (1, 1, 0)
    check_all()


def test_an_offer_declined_while_programs_and_workers_ask_rings_at_the_next_agent():
    acme = make_crew(3, 20)
    for number in range(6):
        wish = Start(client_id=f"s{number}", is_steered=True)
        chat = start_chat(acme.channel, make_customer(acme), wish, now=timezone.now()).chat
        first = seek(acme, chat.pk)
        decline_while_asking(acme, chat, first)


def decline_while_asking(acme, chat, first):
    offer = Invitation.objects.pending().select_related("agent__center").get(chat=chat)
    search_id = Search.objects.get(chat=chat).pk
    found = []
    jobs = [lambda: decline_invitation(offer.agent, offer.pk, now=timezone.now())]
    jobs += [lambda: found.append(seek(acme, chat.pk))] * 9
    jobs += [lambda: continue_search(search_id, timezone.now())] * 9
    assert at_once(jobs) == []
    second = seek(acme, chat.pk)
    assert second not in (None, first)
    assert set(found) <= {first, second}
    assert Invitation.objects.filter(chat=chat).count() == 2
    assert not Event.objects.filter(chat=chat, type="search.failed").exists()
    check_all()


def test_twenty_writers_begin_each_customers_chat_once():
    acme = make_crew(2, 1)
    before, now = deadlocks(), timezone.now()
    customers = [make_customer(acme).pk for _ in range(30)]
    begun: Counter[object] = Counter()

    def begin_some(number: int) -> None:
        some = random.Random(number).sample(customers, 20)
        wishes = [
            Begin(acme.channel, one, Wish(client_id="c", text="Hello", team=acme.teams[number % 2].key)) for one in some
        ]
        for _ in range(5):
            for begin, started in zip(wishes, begin_chats(wishes, now=timezone.now()), strict=True):
                begun[begin.customer_id] += started is not None

    jobs = [lambda number=number: begin_some(number) for number in range(THREADS - 4)]
    jobs += [lambda team=team: route_team(team.pk, timezone.now()) for team in acme.teams * 2]
    assert at_once(jobs) == []
    assert deadlocks() == before
    assert set(begun.values()) == {1}
    assert Chat.objects.count() == len(customers)
    for team in acme.teams:
        Queue.objects.filter(team=team).update(routing_due_at=now)
        route_team(team.pk, timezone.now())
    check_all()


def test_a_chat_that_another_writes_in_is_told_why_nobody_can_when_it_is_free():
    acme = make_center("acme")
    now = timezone.now()
    held, other = [
        start_chat(acme.channel, make_customer(acme), Start(client_id=f"c{number}", team=acme.support), now=now).chat
        for number in range(2)
    ]
    is_held, told = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Chat.objects.filter(pk=held.pk).locked().get()
            is_held.set()
            while not decided(other):  # told before, though it comes later in the queue
                pass
            told.set()

    def route() -> None:
        is_held.wait(PATIENCE)
        route_team(acme.support.pk, timezone.now())

    assert at_once([hold, route]) == []
    assert told.is_set()
    assert decided(held) == 1


def decided(chat: Chat) -> int:
    return Event.objects.filter(chat=chat, type="routing.decided").count()
