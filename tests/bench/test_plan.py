"""The faults of bin/faults: the same for the same seed, each target's one after the other."""

from collections import defaultdict

from bench.faults.history import longest_outage, pace, percentile, reconnections
from bench.faults.plan import REST, make_plan
from bench.faults.services import Services


def test_a_seed_makes_the_same_plan_and_another_one_another():
    assert make_plan(7, 60, Services.menu) == make_plan(7, 60, Services.menu)
    assert make_plan(7, 60, Services.menu) != make_plan(8, 60, Services.menu)


def test_faults_of_one_target_never_overlap_and_all_are_healed():
    for seed in range(50):
        ends = defaultdict(float)
        for fault in make_plan(seed, 300, Services.menu):
            assert fault.at < 300
            assert fault.at >= ends[fault.target]
            ends[fault.target] = fault.at + fault.seconds + REST - 0.01


def test_ten_minutes_have_every_kind_many_times():
    counts = defaultdict(int)
    for fault in make_plan(1, 600, Services.menu):
        counts[fault.kind] += 1
    assert set(counts) == set(Services.menu)
    assert min(counts.values()) >= 5


def test_the_pace_is_the_median_time_to_an_acknowledgement():
    def entry(t, kind, text):
        return {"t": t, "process": "mia", "type": kind, "f": "post", "value": {"text": text}}

    told = [entry(1, "invoke", "a"), entry(2, "ok", "a"), entry(3, "invoke", "b"), entry(4, "info", "b")]
    told += [entry(5, "invoke", "b"), entry(6, "ok", "b"), entry(7, "invoke", "c")]
    assert pace(told) == 2
    assert pace(told, since=3) == 3
    assert pace([]) == 0


def test_the_times_that_users_feel_are_told_from_the_history():
    def entry(t, kind, f="post", **value):
        return {"t": t, "process": "mia", "type": kind, "f": f, "value": value}

    told = [entry(1, "invoke"), entry(2, "ok"), entry(5, "invoke"), entry(7, "invoke"), entry(9, "ok"), entry(30, "ok")]
    assert longest_outage(told) == 4  # nobody waits for what nobody sends
    assert reconnections([entry(1, "seen", "connected", seconds=0.5), *told]) == [0.5]
    assert [percentile([3.0, 1.0, 2.0], part) for part in (0.5, 0.99)] == [2, 3]
    assert percentile([], 0.5) == 0
