# Generated from tests/_async/test_thread_questions.py by .ci/unasync.py; do not edit.
"""Questions and outputs of thread streams: asked, answered, and waited for."""

from __future__ import annotations

import json
import threading
from time import monotonic
from typing import Any

import pytest

from langgraph_client import SyncLangGraphClient, get_sync_client
from langgraph_client._sync import run_watch, thread_runs
from tests.support.event_streaming import (
    THREAD,
    Event,
    FollowedThread,
    accepted,
    ended,
    frames,
    started,
)
from tests.support.eventually import eventually
from tests.support.raw_server import EVENTS, Asked, Send, http, raw_server

pytestmark = pytest.mark.usefixtures("unhurried")

AGENT = {"assistant_id": "agent"}
ASKED: list[Event] = [
    started("r1"),
    ("input.requested", [], {"interrupt_id": "i1", "payload": "sure?"}),
    ended("interrupted"),
]


def client_of(thread: FollowedThread, **options: Any) -> SyncLangGraphClient:
    return get_sync_client(url="http://server.example", transport=thread, **options)


def test_a_question_ends_the_iteration_and_is_answered_by_its_id() -> None:
    """`output` returns at an interrupt, and `respond` needs no id where one question is open."""
    after = [started("r2"), ("values", [], {"count": 2}), ended()]
    server = FollowedThread(frames(ASKED + after), answers=[accepted("r1"), accepted("r2")])
    with (
        client_of(server) as client,
        client.threads.stream(THREAD, **AGENT) as thread,
    ):
        thread.run.start()
        print(thread.output)
        assert thread.interrupted
        assert thread.interrupts == [{"interrupt_id": "i1", "value": "sure?", "namespace": []}]
        with pytest.raises(RuntimeError, match="interrupt_id 'other' does not match"):
            thread.run.respond("yes", interrupt_id="other")
        thread.run.respond("yes")
        assert [values for values in thread.values] == [{"count": 2}]
        assert not thread.interrupted
    assert server.commands[1]["params"] == {
        "interrupt_id": "i1",
        "namespace": [],
        "response": "yes",
    }


def test_a_new_thread_has_no_output_before_its_first_run() -> None:
    """Waiting for what nobody has started is a mistake, and said to be one."""
    with (
        client_of(FollowedThread(frames([]))) as client,
        client.threads.stream(**AGENT) as thread,
    ):
        with pytest.raises(RuntimeError, match="no run has been started"):
            print(thread.output)


def test_questions_may_be_noted_by_hand() -> None:
    """What is appended to `interrupts` before a run is known is answered, and then forgotten."""
    server = FollowedThread(frames([]), answers=[accepted("r1")])
    with (
        client_of(server) as client,
        client.threads.stream(THREAD, **AGENT) as thread,
    ):
        for name in ("a", "b"):
            thread.interrupts.append({"interrupt_id": name, "value": None, "namespace": []})
        assert thread.interrupted
        with pytest.raises(RuntimeError, match="ambiguous: there are several outstanding"):
            thread.run.respond("yes")
        thread.run.respond("yes", interrupt_id="b")
        assert not thread.interrupted
        thread.interrupts = [{"interrupt_id": "c", "value": None, "namespace": []}]
        assert thread.interrupted
        thread.interrupted = False
        assert thread.interrupts == []
    assert server.commands[0]["params"]["interrupt_id"] == "b"


def test_a_thread_that_is_only_watched_shows_what_it_asks() -> None:
    """`interrupted` and `interrupts` need no projection that is read, and no run of one's own."""
    server = FollowedThread(frames(ASKED))
    with (
        client_of(server) as client,
        client.threads.stream(THREAD, **AGENT) as thread,
    ):
        eventually(lambda: thread.interrupted)
        assert [asked["value"] for asked in thread.interrupts] == ["sure?"]


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a question come as late as a machine that stalls has it."""
    monkeypatch.setattr(thread_runs, "SETTLE_SECONDS", 60.0)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("through", ["output", "values"])
def test_a_question_behind_the_end_of_its_run_is_waited_for(through: str) -> None:
    """The state tells that there is one; `output`, or the end of an iteration, waits for it."""
    running, question, end = ASKED
    values: Event = ("values", [], {"count": 1})
    tasks = [{"id": "t1", "name": "ask", "interrupts": [{"id": "i1", "value": "sure?"}]}]
    begun = [running, values, end]
    server = FollowedThread(
        frames(begun),
        frames([question], first=1 + len(begun)),
        answers=[accepted("r1")],
        stable=True,
        tasks=tasks,
    )
    with (
        client_of(server) as client,
        client.threads.stream(THREAD, **AGENT) as thread,
    ):
        thread.run.start()
        if through == "output":
            print(thread.output)
        else:
            assert [item for item in thread.values] == [{"count": 1}]
        assert [asked["value"] for asked in thread.interrupts] == ["sure?"]


@pytest.mark.usefixtures("patient")
def test_every_question_behind_the_end_of_its_run_is_waited_for() -> None:
    """`output` waits for all that the state tells of, also if some came before the end."""
    other: Event = ("input.requested", [], {"interrupt_id": "i2", "payload": "really?"})
    asked = [{"id": "i1", "value": "sure?"}, {"id": "i2", "value": "really?"}]
    server = FollowedThread(
        frames(ASKED),
        frames([other], first=1 + len(ASKED)),
        answers=[accepted("r1")],
        stable=True,
        tasks=[{"id": one["id"], "name": "ask", "interrupts": [one]} for one in asked],
    )
    with (
        client_of(server) as client,
        client.threads.stream(THREAD, **AGENT) as thread,
    ):
        thread.run.start()
        print(thread.output)
        assert [one["value"] for one in thread.interrupts] == ["sure?", "really?"]


def test_events_of_a_run_that_the_server_does_not_know_end_with_their_connection() -> None:
    """Closed in good order, and of a run that is gone: nothing more can come."""
    events: list[Event] = [started("r1"), ("values", [], {"count": 0})]
    server = FollowedThread(frames(events), answers=[accepted("r1")], ends=True)
    with (
        client_of(server) as client,
        client.threads.stream(THREAD, **AGENT) as thread,
    ):
        thread.run.start()
        events_of = thread.subscribe(["lifecycle", "values"])
        assert [event["method"] for event in events_of] == ["lifecycle", "values"]
        assert [values for values in thread.values] == [{"count": 0}]


def test_a_connection_without_events_of_an_unknown_run_gives_none() -> None:
    """An iteration ends when the connection ends and the server does not know the run."""
    server = FollowedThread(frames([]), answers=[accepted("r1")], ends=True)
    with (
        client_of(server) as client,
        client.threads.stream(THREAD, **AGENT) as thread,
    ):
        thread.run.start()
        assert [event for event in thread.subscribe(["values"])] == []


def test_a_thread_that_never_had_a_run_has_its_state_as_output() -> None:
    """A thread that was made by state updates alone is at rest already."""
    server = FollowedThread(frames([]))
    with (
        client_of(server) as client,
        client.threads.stream(THREAD, **AGENT) as thread,
    ):
        assert thread.output == {"done": True}


def test_the_output_of_a_run_that_was_over_before_is_there_at_once() -> None:
    """Also where the server has kept no event of it."""
    server = FollowedThread(frames([]), runs=[{"run_id": "r1", "status": "success"}])
    with (
        client_of(server) as client,
        client.threads.stream(THREAD, run_start_timeout=0.5, **AGENT) as thread,
    ):
        assert thread.output == {"done": True}


def test_a_run_that_does_not_begin_is_waited_for_no_longer_than_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also if the server does not say what has become of the run."""
    # The time until the server is asked, and then enough for that on a machine that stalls.
    monkeypatch.setattr(run_watch, "_FIRST_CHECK_SECONDS", 0.5)
    over = threading.Event()

    def answer(asked: Asked, send: Send) -> None:
        if asked.line.startswith("POST") and "/commands" in asked.line:
            send(http(json.dumps(accepted("r1")).encode(), "content-type: application/json"))
        elif "/stream/events" in asked.line:
            send(EVENTS + b"5\r\n: a\n\n\r\n")
            over.wait()
        else:
            over.wait()

    with raw_server(answer) as server:
        with (
            get_sync_client(url=server.url, timeout=10) as client,
            client.threads.stream(THREAD, run_start_timeout=5, **AGENT) as thread,
        ):
            thread.run.start(input={})
            begun = monotonic()
            with pytest.raises(TimeoutError, match="run_start_timeout=5 s"):
                print(thread.output)
            assert monotonic() - begun < 40
            over.set()
    assert any(asked.line.startswith("GET") and "/runs/r1" in asked.line for asked in server.asked)
