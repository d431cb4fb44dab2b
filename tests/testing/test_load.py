"""A server into which a dump is loaded: its ids, its clock, and what belongs to the test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from langgraph_client.testing import Dump, Fail, ScriptedGraph, TestClock, TestServer, Wait

GRAPHS = {
    "agent": ScriptedGraph([{"answer": "!"}]),
    "broken": ScriptedGraph([Fail(ValueError("no"))]),
    "slow": ScriptedGraph([Wait(3600)]),
}
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[TestServer]:
    with TestServer(GRAPHS, clock=TestClock()) as running:
        yield running


def new_ids(server: TestServer) -> set[str]:
    """Make one thing of each kind; return their ids."""
    client = server.sync_client()
    thread_id = client.threads.create().thread_id
    client.runs.wait(thread_id, "agent", input={})
    (run,) = client.runs.list(thread_id)
    copy = client.threads.copy(thread_id)
    assistant = client.assistants.create("agent")
    cron = client.crons.create("agent", schedule="0 * * * *", input={})
    (state, *_) = client.threads.get_history(thread_id)
    return {
        thread_id,
        run.run_id,
        copy.thread_id,
        assistant.assistant_id,
        cron.cron_id,
        str(state.checkpoint["checkpoint_id"]),
    }


def test_new_ids_are_none_of_those_that_were_loaded(server: TestServer) -> None:
    """In the server that wrote the dump, in another one, and in one with a dump of that one."""
    seen = new_ids(server)
    dump = server.dump()
    for _ in range(2):
        server.load(dump)
        ids = new_ids(server)
        assert seen.isdisjoint(ids)
    for _ in range(3):
        with TestServer(GRAPHS, clock=TestClock()) as other:
            other.load(dump)
            ids = new_ids(other)
            assert seen.isdisjoint(ids)
            seen |= ids
            dump = other.dump()


def test_ids_after_a_load_are_the_same_each_time(server: TestServer) -> None:
    """They are made of the clock's seed, as before it."""
    new_ids(server)
    dump = server.dump()
    found = []
    for _ in range(2):
        with TestServer(GRAPHS, clock=TestClock()) as other:
            other.load(dump)
            found.append(new_ids(other))
    assert found[0] == found[1]


def test_what_is_done_after_a_load_is_newer_than_what_was_loaded(server: TestServer) -> None:
    """States come after the loaded ones, also if both were written at nearly the same time."""

    def run(server: TestServer, thread_id: str, number: int) -> None:
        server.sync_client().runs.wait(thread_id, "agent", input={"number": number})

    thread_id = server.sync_client().threads.create().thread_id
    for number in range(3):
        run(server, thread_id, number)
    with TestServer(GRAPHS, clock=TestClock()) as other:
        other.load(server.dump())
        for number in range(3, 6):
            run(other, thread_id, number)
        history = other.sync_client().threads.get_history(thread_id, limit=100)
    assert [state.values["number"] for state in history[::2]] == [5, 4, 3, 2, 1, 0]


def test_a_load_does_not_set_the_clock_back(server: TestServer) -> None:
    """Neither in the server that wrote the dump, nor in one whose clock has not come so far."""
    client = server.sync_client()
    thread_id = client.threads.create().thread_id
    server.clock.advance(days=3)
    client.runs.wait(thread_id, "agent", input={})
    dump = server.dump()
    server.clock.advance(days=1)
    server.load(dump)
    assert server.clock.now() == NEW_YEAR + timedelta(days=4)
    with TestServer(GRAPHS, clock=TestClock()) as other:
        other.load(dump)
        assert other.clock.now() == NEW_YEAR + timedelta(days=3, milliseconds=1)


def test_what_is_planned_does_not_move_the_clock_on(server: TestServer) -> None:
    """A cron is next due later; a run that was cancelled was to begin later."""
    client = server.sync_client()
    client.crons.create("agent", schedule="0 0 1 6 *", input={})
    thread_id = client.threads.create(ttl=100).thread_id
    run = client.runs.create(thread_id, "agent", input={}, after_seconds=86400)
    client.runs.cancel(thread_id, run.run_id, wait=True)
    with TestServer(GRAPHS, clock=TestClock()) as other:
        other.load(server.dump())
        assert other.clock.now() < NEW_YEAR + timedelta(seconds=1)


def test_a_loaded_cron_is_due_at_its_time(server: TestServer) -> None:
    """Nothing that was due before the load keeps it."""
    client = server.sync_client()
    thread_id = client.threads.create().thread_id
    client.crons.create_for_thread(thread_id, "agent", schedule="0 * * * *", input={})
    dump = server.dump()
    server.clock.advance(minutes=10)
    server.load(dump)
    server.clock.advance(hours=2)
    server.wait_idle()
    assert len(client.runs.list(thread_id)) == 2


def test_a_load_keeps_what_belongs_to_the_test(server: TestServer) -> None:
    """Requests, failures, holds and faults: only data is replaced."""
    client = server.sync_client()
    dump = server.dump()
    client.runs.wait(None, "broken", input={}, raise_error=False)
    hold, fault = server.hold(status="pending"), server.faults.refuse(path="/runs/*")
    server.load(dump)
    assert [str(failure.error) for failure in server.unexpected_errors] == ["no"]
    assert [request.path for request in server.requests] == ["/runs/wait"]
    assert fault.active
    run = client.runs.create(client.threads.create().thread_id, "agent", input={})
    assert hold.wait() == run.run_id
    hold.release()
    server.wait_idle()
    assert client.runs.get(run.thread_id, run.run_id).status == "success"


@pytest.mark.parametrize("status", ["pending", "running"])
def test_a_load_ends_runs_that_are_held(server: TestServer, status: Any) -> None:
    """They are no failures, and nothing is left of them when the hold is released."""
    client = server.sync_client()
    dump = server.dump()
    with server.hold(status=status) as hold:
        client.runs.create(client.threads.create().thread_id, "slow", input={})
        hold.wait()
        server.load(dump)
    server.wait_idle()
    assert server.errors == []
    assert server.dump() == dump


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({}, "not a dump"),
        ({"format": 1}, "not a dump"),
        ({"format": 2, "tables": {}}, "has format 2"),
        ({"format": 1, "tables": []}, "cannot be read"),
        ({"format": 1, "tables": {"threads": {"columns": ["created_at"]}}}, "cannot be read"),
    ],
)
def test_what_is_no_dump_replaces_nothing(
    server: TestServer, document: dict[str, Any], problem: str
) -> None:
    """It is checked before the data is deleted."""
    thread = server.sync_client().threads.create()
    with pytest.raises(ValueError, match=problem):
        server.load(Dump(document))
    assert server.sync_client().threads.search() == [thread]


def test_a_dump_without_anything_is_loaded() -> None:
    """There is no time in it, and the clock stays."""
    with TestServer({}, clock=TestClock()) as server:
        dump = server.dump()
        server.load(Dump(json.loads(json.dumps(dump.document))))
        assert server.clock.now() == NEW_YEAR
        assert server.dump() == dump
