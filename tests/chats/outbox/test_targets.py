"""Whose turn it is, within everybody's room."""

from uuid import UUID

from chats.outbox.targets import WIDTH, Targets

ONE, TWO, THREE = (UUID(int=number) for number in (1, 2, 3))


def nothing(_):
    return [], False


def begin(targets, webhook_id, count):
    for _ in range(count):
        targets.begin(webhook_id)


def test_nobody_gets_more_than_the_width_at_once():
    targets = Targets(24)
    targets.look([ONE])
    assert targets.serve(lambda _: (list(range(100)), False)) == list(range(WIDTH))
    begin(targets, ONE, WIDTH)
    assert not targets.is_waiting
    targets.end(ONE, was_answered=True)
    assert targets.is_waiting
    assert targets.serve(nothing) == [WIDTH]


def test_all_together_get_no_more_than_there_are_threads():
    targets = Targets(10)
    targets.look([ONE, TWO])
    served = targets.serve(lambda key: ([key.int * 100 + number for number in range(50)], False))
    assert served == [*range(100, 108), 200, 201]
    begin(targets, ONE, 8)
    begin(targets, TWO, 2)
    assert not targets.is_waiting


def test_who_was_served_goes_to_the_end_of_the_line():
    targets = Targets(1)
    targets.look([ONE, TWO, THREE])
    turns = []
    for _ in range(6):
        (number,) = targets.serve(lambda key: ([key.int * 100 + n for n in range(5)], False))
        turns.append(number // 100)
    assert turns == [1, 2, 3, 1, 2, 3]


def test_a_receiver_that_hangs_ends_with_one_call_at_once_and_comes_back_with_its_answers():
    targets = Targets(24)
    targets.look([ONE])
    for number in range(1000):
        targets.add(ONE, number)
    widths = []
    for was_answered in [False] * 6 + [True] * 9:
        targets.begin(ONE)
        targets.end(ONE, was_answered=was_answered)
        widths.append(len(targets.serve(nothing)))
    assert widths == [6, 4, 2, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8]


def test_the_database_is_asked_only_when_there_may_be_more():
    asked = []

    def scan(key):
        asked.append(key)
        return list(range(20)), len(asked) == 1

    targets = Targets(24)
    targets.look([ONE])
    assert targets.serve(scan) == list(range(8))
    assert targets.serve(scan) == list(range(8, 16))
    assert asked == [ONE]
    assert len(targets.serve(scan)) == 8  # four were left, and there might be more
    assert asked == [ONE, ONE]
    while targets.is_waiting:
        targets.serve(scan)
    assert asked == [ONE, ONE]


def test_a_number_is_known_once():
    targets = Targets(24)
    targets.add(ONE, 7)
    targets.add(ONE, 7)
    targets.look([ONE])
    assert targets.serve(lambda _: ([7, 8], False)) == [7, 8]


def test_who_has_nothing_to_do_is_forgotten_and_who_hangs_is_not():
    targets = Targets(24)
    targets.look([ONE, TWO])
    targets.serve(nothing)
    targets.begin(TWO)
    targets.end(TWO, was_answered=False)
    targets.forget_idle()
    assert list(targets._targets) == [TWO]


def test_after_an_outage_everybody_is_looked_at_again():
    targets = Targets(24)
    targets.look([ONE])
    targets.serve(nothing)
    assert not targets.is_waiting
    targets.doubt()
    assert targets.is_waiting
