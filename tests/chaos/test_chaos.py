"""A short chaos; `make chaos` is the long one."""

from __future__ import annotations

from tests.chaos.plans import Plan, Tally
from tests.chaos.run import every_way, every_way_of_events


def test_what_arrives_is_what_was_logged() -> None:
    """Through random cuts, in six ways, no event is lost, repeated or out of order."""
    tallies = every_way([Plan(number) for number in range(40)])
    together = sum(tallies.values(), Tally())
    assert together.wrong == []
    # It was a chaos, and most of it was bridged.
    assert together.streams == 240
    assert together.faults > 450
    assert together.complete > 180


def test_thread_streams_arrive_as_they_were_logged() -> None:
    """Over server-sent events and WebSockets, no event is lost, repeated or out of order."""
    tallies = every_way_of_events(list(range(8)))
    together = sum(tallies.values(), Tally())
    assert together.wrong == []
    assert together.streams == together.complete == 32
    assert together.faults > 100


def test_the_judge_sees_what_is_wrong() -> None:
    """A lost, a repeated and a displaced event are each counted."""
    plan = Plan(0)
    logged = [("1", "values", 1), ("2", "values", 2), ("3", "values", 3)]
    for got in (logged[:2], [*logged, logged[2]], logged[::-1]):
        tally = Tally()
        tally.judge(plan, got, logged, None, 1)
        assert len(tally.wrong) == 1
    for runs in (1, 2):
        tally = Tally()
        tally.judge(plan, logged, logged, None, runs)
        assert len(tally.wrong) == runs - 1
