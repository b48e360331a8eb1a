"""Any sequence of actions: never over capacity, one owner per chat, logs without gaps, and nobody waits beside a free agent once routing has run."""

from collections import Counter

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from agents.models import Agent, Presence
from agents.presence import AGENT_LEASE, end_lease, renew_leases, set_status, sign_in
from agents.seats import set_capacity
from chats.actions.close import close_by_agent, close_by_customer
from chats.actions.hold import assign_chat, pick_chat, reopen_chat
from chats.actions.offer import accept_invitation, decline_invitation
from chats.actions.post import Post, post_message
from chats.actions.search import begin_search
from chats.actions.start import Start, start_chat
from chats.actions.tend import search_again
from chats.actions.transfer import leave_chat, requeue_chat, transfer_to_agent, transfer_to_team
from chats.errors import Refused
from chats.models import Chat, Invitation, Occupation, Participant, Search
from chats.routing import sweeps
from chats.routing.search import continue_search, due_searches, search_agent
from contactcenter.models import Team
from tests.chats.routing.truths import check_all, check_somebody_will_look, moved, overlooked
from tests.conftest import make_agent, make_center, make_customer

pytestmark = [pytest.mark.django_db, pytest.mark.both]

ANY = st.integers(0, 30)  # which chat, counted from the newest
WHO = st.integers(0, 3)
TEAM = st.integers(0, 1)


def make_cast():
    """Three agents and a supervisor; Cem speaks German only; sales searches (direct mode) and closes when nobody is found."""
    acme = make_center("acme")
    acme.center.teams.filter(key="sales").update(mode=Team.Mode.DIRECT, search_seconds=40, on_nobody=Team.Nobody.CLOSE)
    acme.center.teams.filter(key="support").update(strategy=Team.Strategy.LONGEST_IDLE)
    acme.teams = [acme.support, acme.sales]
    acme.agents = [
        make_agent(acme, "Ann", capacity=2, teams=acme.teams, skills=["tax"]),
        make_agent(acme, "Bob", capacity=1),
        make_agent(acme, "Cem", capacity=3, teams=[acme.sales], languages=["de"]),
        make_agent(acme, "Sue", capacity=1, teams=acme.teams, role=Agent.Role.SUPERVISOR),
    ]
    return acme


class Shop(RuleBasedStateMachine):
    """One center's day. Refusals are part of it; whatever is refused must have changed nothing."""

    cast = None

    def __init__(self):
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.now = timezone.now()
        self.count = 0
        self.loads = Counter()
        self.connected = set()
        for agent in self.cast.agents:
            agent.refresh_from_db()

    def teardown(self):
        connection.check_constraints()
        transaction.set_rollback(True)
        self.undo.__exit__(None, None, None)

    def agent(self, who):
        return Agent.objects.select_related("center", "user").get(pk=self.cast.agents[who].pk)

    def chat(self, which, *states):
        chats = Chat.objects.filter(state__in=states) if states else Chat.objects.all()
        found = list(chats.order_by("-started_at", "pk"))
        return found[which % len(found)] if found else None

    def attempt(self, action, *args, **kwargs):
        try:
            return action(*args, **kwargs, now=self.now)
        except Refused:
            return None

    @initialize(rush=st.integers(0, 8))
    def open_the_doors(self, rush):
        """Begin in the middle of a day, not in an empty shop: what is interesting happens when slots are short."""
        for who in range(4):
            self.come(who)
        self.rush(rush, 0)

    @rule(count=st.integers(1, 3), team=TEAM)
    def rush(self, count, team):
        """Chats come, are routed and accepted."""
        for _ in range(count):
            self.start(team, "", [], 0)
        sweeps.sweep(self.now)
        for offer in Invitation.objects.pending().select_related("agent__center"):
            self.attempt(accept_invitation, offer.agent, offer.pk)
        sweeps.sweep(self.now)

    # Agents come and go ---------------------------------------------------------------------------

    @rule(who=WHO)
    def come(self, who):
        sign_in(self.agent(who), self.now)
        set_status(self.agent(who), Presence.Status.ONLINE, self.now)
        self.connected.add(self.cast.agents[who].pk)

    @rule(who=WHO, status=st.sampled_from(["online", "away", "offline"]))
    def choose_status(self, who, status):
        set_status(self.agent(who), status, self.now)

    @rule(who=WHO, hinted=st.booleans())
    def vanish(self, who, hinted):
        self.connected.discard(self.cast.agents[who].pk)
        if hinted:
            end_lease(self.agent(who), self.now)

    @rule(who=WHO, capacity=st.integers(0, 4))
    def change_capacity(self, who, capacity):
        set_capacity(self.agent(who), capacity)
        self.now = max(self.now, timezone.now())

    @rule(who=WHO, which=ANY)
    def tighten(self, who, which):
        """Fewer slots than chats, and then one of these chats ends."""
        held = list(Chat.objects.filter(agent=self.cast.agents[who], state="active").order_by("pk"))
        if held:
            set_capacity(self.agent(who), len(held) - 1)
            self.now = max(self.now, timezone.now())
            self.attempt(close_by_customer, held[which % len(held)].participants.get(kind="customer"))

    # Customers ------------------------------------------------------------------------------------

    @rule(
        team=TEAM,
        language=st.sampled_from(["", "", "de", "fr"]),
        skills=st.sampled_from([[], [], ["tax"]]),
        priority=st.sampled_from([0, 0, 5]),
        steered=st.sampled_from([False, False, True]),
    )
    def start(self, team, language, skills, priority, steered=False):
        self.count += 1
        wish = Start(
            client_id=f"c{self.count}",
            team=self.cast.center.teams.get(pk=self.cast.teams[team].pk),
            language=language,
            skills=skills,
            priority=priority,
            text="Hello" if self.count % 2 else "",
            is_steered=steered,
        )
        start_chat(self.cast.channel, make_customer(self.cast), wish, now=self.now)

    @rule(which=ANY, by_customer=st.booleans())
    def post(self, which, by_customer):
        chat = self.chat(which)
        if chat:
            seats = (
                chat.participants.filter(kind="customer") if by_customer else chat.participants.exclude(kind="customer")
            )
            sender = seats.first()
            if sender:
                self.count += 1
                self.attempt(post_message, Post(chat.pk, sender.pk, f"m{self.count}", "words"))

    @rule(which=ANY)
    def leave(self, which):
        chat = self.chat(which)
        if chat:
            self.attempt(close_by_customer, chat.participants.get(kind="customer"))

    @rule(which=ANY)
    def stay(self, which):
        chat = self.chat(which)
        if chat:
            Participant.objects.filter(chat=chat, kind="customer").update(lease_until=moved(self.now, 90))

    @rule(which=ANY)
    def search(self, which):
        chat = self.chat(which, "searching")
        if chat:
            self.attempt(search_again, chat.participants.get(kind="customer"))

    @rule(which=ANY, attempts=st.sampled_from([None, 1, 2]), at_once=st.booleans())
    def steer(self, which, attempts, at_once):
        """A program begins a search; now and then it dies before it asks the first agent."""
        chat = self.chat(which, "searching") or self.chat(which)
        if chat and self.attempt(begin_search, Chat.objects, chat.pk, attempts=attempts) and at_once:
            search_agent(chat.pk, self.now)

    # Agents and chats -----------------------------------------------------------------------------

    @rule(which=ANY, accept=st.sampled_from([True, True, False]))
    def answer(self, which, accept):
        offers = list(Invitation.objects.order_by("-offered_at", "pk")[:10])
        if offers:
            offer = offers[which % len(offers)]
            self.attempt(accept_invitation if accept else decline_invitation, offer.agent, offer.pk)

    @rule(who=WHO, which=ANY)
    def pick(self, who, which):
        if chat := self.chat(which, "queued", "searching"):
            self.attempt(pick_chat, self.agent(who), chat.pk)

    @rule(who=WHO, which=ANY)
    def assign(self, who, which):
        if chat := self.chat(which):
            self.attempt(assign_chat, self.cast.center.chats, chat.pk, self.agent(who))

    @rule(which=ANY, team=TEAM)
    def hand_to_team(self, which, team):
        if chat := self.chat(which, "active", "queued"):
            by = chat.agent or self.agent(3)
            target = self.cast.center.teams.get(pk=self.cast.teams[team].pk)
            self.attempt(transfer_to_team, by, chat.pk, target, note="see above")

    @rule(which=ANY, who=WHO)
    def hand_to_agent(self, which, who):
        if chat := self.chat(which, "active", "searching"):
            self.attempt(transfer_to_agent, chat.agent or self.agent(3), chat.pk, self.agent(who))

    @rule(which=ANY)
    def close(self, which):
        if chat := self.chat(which, "active"):
            self.attempt(close_by_agent, chat.agent, chat.pk, comment="done")

    @rule(who=WHO, which=ANY)
    def reopen(self, who, which):
        if chat := self.chat(which, "closed"):
            self.attempt(reopen_chat, self.agent(who), chat.pk)

    @rule(which=ANY, reason=st.sampled_from(["agent_gone", "returned", "left"]))
    def requeue(self, which, reason):
        chat = self.chat(which, "active")
        if chat and reason == "left":
            self.attempt(leave_chat, Agent.objects.get(pk=chat.agent_id), chat.pk)
        elif chat:
            self.attempt(requeue_chat, Chat.objects, chat.pk, reason=reason)

    # Time and routing -----------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1, 5, 21, 35, 70, 400]))
    def wait(self, seconds):
        self.now = moved(self.now, seconds)
        renew_leases(self.connected, self.now + AGENT_LEASE)

    @rule()
    def route(self):
        sweeps.route_teams(self.now)
        assert overlooked(self.now) == []

    @rule()
    def sweep(self):
        sweeps.sweep(self.now)
        for search_id in due_searches(self.now):
            continue_search(search_id, self.now)
        assert not Search.objects.due(self.now).exists()
        # A search that ended with nobody has set no time that is over.
        assert overlooked(self.now) == []
        assert not Chat.objects.due(self.now).exists()
        assert not Invitation.objects.overdue(self.now).exists()

    # Always ---------------------------------------------------------------------------------------

    @invariant()
    def everything_fits(self):
        check_all()

    @invariant()
    def somebody_will_look(self):
        check_somebody_will_look(self.now)

    @invariant()
    def nobody_gets_a_chat_past_the_capacity(self):
        loads = Counter(Occupation.objects.values_list("agent_id", flat=True))
        for agent in Agent.objects.all():
            assert loads[agent.pk] <= max(agent.capacity, self.loads[agent.pk]), agent.name
        self.loads = loads


def test_any_sequence_of_actions_keeps_the_promises(settings_of_speed):
    Shop.cast = make_cast()
    run_state_machine_as_test(Shop, settings=settings_of_speed)


@pytest.fixture
def settings_of_speed():
    return settings(
        max_examples=12,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        phases=[Phase.generate],  # a failure is told as it was found: making it smaller takes minutes here
        report_multiple_bugs=False,
        print_blob=True,
    )
