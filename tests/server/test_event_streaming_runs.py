"""How runs come into the events of a thread that is being read, and how they leave it."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from langgraph_client.server.server import Server
from tests.server.test_event_streaming import ALL, Count, Thread, kinds, of, one_node


class Gate:
    """A graph whose node waits until the test lets it go on."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.open = threading.Event()
        self.graph = one_node(Count, self._node)

    async def _node(self, state: Count) -> dict[str, Any]:
        self.entered.set()
        await asyncio.to_thread(self.open.wait)
        return {"answer": "done"}


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def thread(gate: Gate) -> Iterator[Thread]:
    with (
        Server({"gate": gate.graph}) as server,
        closing(Thread(server.listen())) as thread,
    ):
        yield thread
        gate.open.set()


def read_end(lines: Iterator[str]) -> list[Any]:
    """Read to the end of a run."""
    found: list[Any] = []
    for line in lines:
        if line.startswith("data: "):
            found.append(json.loads(line.removeprefix("data: ")))
            if found[-1]["event_id"].endswith(("lc||completed", "lc||interrupted")):
                break
    return found


@pytest.mark.parametrize("what", ["thread", "run"])
def test_readers_are_told_when_a_running_run_is_deleted(
    thread: Thread, gate: Gate, what: str
) -> None:
    """A deleted run ends for those who read, as one that was cancelled."""
    run_id = thread.start("gate", {"count": 1})
    body = {"channels": ["lifecycle"]}
    with thread.request_stream("POST", "/threads/{t}/stream/events", json=body) as reply:
        assert gate.entered.wait(10)
        path = "/threads/{t}" if what == "thread" else f"/threads/{{t}}/runs/{run_id}"
        assert thread.request("DELETE", path).status_code == 204
        events = read_end(reply.iter_lines())
    assert of(events, "lifecycle")[-1]["reason"] == "cancelled"


@pytest.mark.parametrize("kept", [True, False])
def test_a_reader_comes_in_the_middle_of_an_older_run(
    thread: Thread, gate: Gate, kept: bool
) -> None:
    """The reader sees the rest of the run, and what was before if the run's events are kept."""
    body = {"assistant_id": "gate", "input": {"count": 1}, "if_not_exists": "create"}
    thread.request("POST", "/threads/{t}/runs", json={**body, "stream_resumable": kept})
    assert gate.entered.wait(10)
    body = {"channels": ALL}
    with thread.request_stream("POST", "/threads/{t}/stream/events", json=body) as reply:
        gate.open.set()
        events = read_end(reply.iter_lines())
    assert kinds(events)[0] == "lifecycle running"
    assert kinds(events)[-1] == "lifecycle completed"
    assert of(events, "values")[-1] == {"count": 1, "answer": "done"}
    assert len(of(events, "values")) == (2 if kept else 1)


def test_a_run_that_waits_and_is_cancelled_begins_and_ends(thread: Thread, gate: Gate) -> None:
    """Who has the id of a run is told how it ended, also if it never started."""
    thread.start("gate", {"count": 1})
    assert gate.entered.wait(10)
    run_id = thread.start("gate", {"count": 2})
    thread.request("POST", f"/threads/{{t}}/runs/{run_id}/cancel?wait=1")
    gate.open.set()
    events = [event for event in thread.events(ends=2) if run_id in event["event_id"]]
    assert kinds(events) == ["lifecycle running", "lifecycle interrupted"]


def test_a_command_to_a_busy_thread_does_not_wait(thread: Thread, gate: Gate) -> None:
    """`multitaskStrategy` decides at once."""
    thread.start("gate", {"count": 1})
    assert gate.entered.wait(10)
    params = {"assistant_id": "gate", "input": {"count": 2}, "multitaskStrategy": "reject"}
    reply = thread.command("run.start", **params)
    assert reply["error"] == "unknown_error"
    assert reply["message"].startswith("409: ")
    assert thread.start("gate", {"count": 2}, multitaskStrategy="interrupt")
    gate.open.set()
    ends = [data for data in of(thread.events(ends=2), "lifecycle") if data["event"] != "running"]
    assert [end["event"] for end in ends] == ["interrupted", "completed"]


def test_events_expire_but_numbers_go_on() -> None:
    """What was kept long enough is deleted, but not the number that the next event follows."""
    gate = Gate()
    gate.open.set()
    with (
        Server({"gate": gate.graph}, event_ttl=0.05) as server,
        closing(Thread(server.listen())) as thread,
    ):
        thread.start("gate", {"count": 1})
        first = thread.events()
        thread.start("gate", {"count": 1})
        second = thread.events(ends=1, since=first[-1]["seq"])
        assert second[0]["seq"] == first[-1]["seq"] + 1
        deadline = time.monotonic() + 10
        while (left := thread.events()) and left[0]["seq"] <= first[-1]["seq"]:
            assert time.monotonic() < deadline, "the events did not expire"
        assert left[-1] == second[-1]


def test_the_end_of_a_run_that_took_its_thread_with_it_expires() -> None:
    """It is kept for readers who were cut off; there is no thread whose next number it tells."""
    gate = Gate()
    with (
        Server({"gate": gate.graph}, event_ttl=0.05) as server,
        httpx.Client(transport=server.transport(), base_url="http://server", timeout=10) as http,
    ):
        body = {"assistant_id": "gate", "input": {"count": 1}, "stream_resumable": True}
        thread_id = http.post("/runs", json=body).json()["thread_id"]
        assert gate.entered.wait(10)
        path = f"/threads/{thread_id}/stream/events"
        with http.stream("POST", path, json={"channels": ["lifecycle"]}) as response:
            gate.open.set()
            text = ""
            for part in response.iter_text():
                text += part
                if '"completed"' in text:
                    break
        deadline = time.monotonic() + 10
        while "protocol_events" in exported(server):
            assert time.monotonic() < deadline, "the end did not expire"


def exported(server: Server) -> dict[str, Any]:
    export = server.services.storage.export()
    return asyncio.run_coroutine_threadsafe(export, server.loop).result(10)
