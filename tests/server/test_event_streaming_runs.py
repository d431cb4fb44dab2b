"""How runs come into the events of a thread that is being read, and how they leave it."""

from __future__ import annotations

import asyncio
import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
from langgraph.config import get_stream_writer

from langgraph_client.encryption import Encryption, EncryptionContext
from langgraph_client.server.runs.event_filter import EventFilter, event_name
from langgraph_client.server.server import Server
from langgraph_client.testing import TestClock, TestServer
from tests.server.test_event_streaming import ALL, Count, Thread, kinds, of, one_node
from tests.support.eventually import eventually


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
    heartbeats = 0
    for line in lines:
        heartbeats += line.startswith(":")
        assert heartbeats < 4, "the events have no end"
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
        assert gate.entered.wait(60)
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
    assert gate.entered.wait(60)
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
    assert gate.entered.wait(60)
    run_id = thread.start("gate", {"count": 2})
    thread.request("POST", f"/threads/{{t}}/runs/{run_id}/cancel?wait=1")
    gate.open.set()
    events = [event for event in thread.events(ends=2) if run_id in event["event_id"]]
    assert kinds(events) == ["lifecycle running", "lifecycle interrupted"]


def test_a_command_to_a_busy_thread_does_not_wait(thread: Thread, gate: Gate) -> None:
    """`multitaskStrategy` decides at once."""
    thread.start("gate", {"count": 1})
    assert gate.entered.wait(60)
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
        TestServer({"gate": gate.graph}, clock=TestClock(), event_ttl=60) as server,
        closing(Thread(server.listen())) as thread,
    ):
        thread.start("gate", {"count": 1})
        first = thread.events()
        thread.start("gate", {"count": 1})
        second = thread.events(ends=1, since=first[-1]["seq"])
        assert second[0]["seq"] == first[-1]["seq"] + 1
        server.clock.advance(minutes=2)
        eventually(lambda: thread.events()[0]["seq"] > first[-1]["seq"])
        assert thread.events()[-1] == second[-1]


def test_the_end_of_a_run_that_took_its_thread_with_it_expires() -> None:
    """It is kept for readers who were cut off; there is no thread whose next number it tells."""
    gate = Gate()
    with (
        TestServer({"gate": gate.graph}, clock=TestClock(), event_ttl=60) as server,
        httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as http,
    ):
        body = {"assistant_id": "gate", "input": {"count": 1}, "stream_resumable": True}
        thread_id = http.post("/runs", json=body).json()["thread_id"]
        assert gate.entered.wait(60)
        path = f"/threads/{thread_id}/stream/events"
        with http.stream("POST", path, json={"channels": ["lifecycle"]}) as response:
            gate.open.set()
            text = ""
            for part in response.iter_text():
                text += part
                if '"completed"' in text:
                    break
        server.wait_idle()
        server.clock.advance(minutes=2)
        eventually(lambda: "protocol_events" not in exported(server))


def exported(server: Server) -> dict[str, Any]:
    export = server.services.storage.export()
    return asyncio.run_coroutine_threadsafe(export, server.loop).result(60)


def test_opening_the_events_does_not_read_runs_that_are_in_them(
    gate: Gate, path: str | None
) -> None:
    """Runs whose events are not kept, or are there already, are not read when a reader comes."""
    gate.open.set()
    read: list[str] = []
    encryption = Encryption()

    @encryption.encrypt.json
    async def encrypt(ctx: EncryptionContext, data: dict[str, Any]) -> dict[str, Any]:
        return data

    @encryption.encrypt.blob
    @encryption.decrypt.blob
    async def same(ctx: EncryptionContext, blob: bytes) -> bytes:
        return blob

    @encryption.decrypt.json
    async def decrypt(ctx: EncryptionContext, data: dict[str, Any]) -> dict[str, Any]:
        read.extend(["run"] if data.get("note") == "earlier" else [])
        return data

    with (
        Server({"gate": gate.graph}, path=path, encryption=encryption) as server,
        closing(Thread(server.listen())) as thread,
    ):
        body = {"assistant_id": "gate", "input": {}, "metadata": {"note": "earlier"}}
        body["if_not_exists"] = "create"
        for kept in (True, False, True, False):
            run = {**body, "stream_resumable": kept}
            reply = thread.request("POST", "/threads/{t}/runs/wait", json=run)
            assert reply.status_code == 200, reply.text
        del read[:]
        assert len(of(thread.events(ends=2), "lifecycle")) == 4
        assert read
        del read[:]
        assert len(of(thread.events(ends=2), "lifecycle")) == 4
        assert read == []


class Outage:
    """An encryption that fails for the events that contain a text, while it is told to."""

    def __init__(self) -> None:
        self.text: bytes | None = None
        self.encryption = Encryption()
        self.encryption.encrypt.blob(self._encrypt)
        self.encryption.decrypt.blob(self._decrypt)

    async def _encrypt(self, ctx: EncryptionContext, blob: bytes) -> bytes:
        if self.text is not None and self.text in blob:
            raise LookupError("the keys are out of reach")
        return blob

    async def _decrypt(self, ctx: EncryptionContext, blob: bytes) -> bytes:
        return blob


def test_readers_find_a_run_although_the_first_one_was_refused(gate: Gate) -> None:
    """The first reader of a running run opens the log; the database fails meanwhile."""
    outage = Outage()
    with (
        Server({"gate": gate.graph}, encryption=outage.encryption) as server,
        closing(Thread(server.listen())) as thread,
    ):
        body = {"assistant_id": "gate", "input": {"count": 1}, "if_not_exists": "create"}
        thread.request("POST", "/threads/{t}/runs", json={**body, "stream_resumable": True})
        assert gate.entered.wait(60)
        outage.text = b'"running"'
        path, body = "/threads/{t}/stream/events", {"channels": ALL}
        assert thread.request("POST", path, json=body).status_code == 503
        outage.text = None
        with thread.request_stream("POST", path, json=body) as reply:
            gate.open.set()
            events = read_end(reply.iter_lines())
    assert [kind for kind in kinds(events) if kind[:9] == "lifecycle"] == [
        "lifecycle running",
        "lifecycle completed",
    ]
    assert len(of(events, "values")) == 2
    assert [event["seq"] for event in events] == [*range(1, len(events) + 1)]


def test_an_end_that_could_not_be_stored_is_added_once(gate: Gate) -> None:
    """The next reader gets it, and later runs of other threads are not disturbed."""
    outage = Outage()
    gate.open.set()
    with (
        Server({"gate": gate.graph}, encryption=outage.encryption) as server,
        closing(Thread(server.listen())) as thread,
    ):
        outage.text = b'"completed"'
        run_id = thread.start("gate", {"count": 1})
        joined = thread.request("GET", f"/threads/{{t}}/runs/{run_id}/join")
        assert joined.json() == {"count": 1, "answer": "done"}
        outage.text = None
        assert kinds(thread.events())[-1] == "lifecycle completed"
        body = {"assistant_id": "gate", "input": {"count": 2}, "if_not_exists": "create"}
        other = thread.request("POST", f"/threads/{uuid.uuid4()}/runs/wait", json=body)
        assert other.json() == {"count": 2, "answer": "done"}


def name_streamed(state: Count) -> Count:
    writer = get_stream_writer()
    for name in ("a|b", "a", "50%7C|%25"):
        writer({"name": name, "is": name})
    return {"answer": "done"}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"channels": ["custom"], "depth": 0}, ["a|b", "a", "50%7C|%25"]),
        ({"channels": ["custom:a|b"]}, ["a|b"]),
        ({"channels": ["custom:a"]}, ["a"]),
        ({"channels": ["custom:50%7C|%25"]}, ["50%7C|%25"]),
    ],
    ids=["all", "bar", "plain", "percent"],
)
def test_a_custom_channel_has_any_name(wanted: dict[str, Any], found: list[str]) -> None:
    """A `|` in the name of a channel does not lead its events to another channel or namespace."""
    graph = one_node(Count, name_streamed)
    with Server({"gate": graph}) as server, closing(Thread(server.listen())) as thread:
        thread.start("gate", {"count": 1})
        thread.events()
        body = {**wanted, "channels": [*wanted["channels"], "lifecycle"]}
        with thread.request_stream("POST", "/threads/{t}/stream/events", json=body) as reply:
            events = read_end(reply.iter_lines())
    assert [data["is"] for data in of(events, "custom")] == found


def test_a_segment_of_a_namespace_has_any_text() -> None:
    """A `|` in a name or a segment is no border, for filters by namespace and by depth."""
    inner = event_name("custom:a|b", ("tools:x|y",))
    for namespace, depth, wanted in (
        (["b"], None, False),
        (["y"], None, False),
        (["tools:x|y"], 0, True),
        (["tools"], 0, True),
        ([], 0, False),
        ([], 1, True),
    ):
        request = {"channels": ["custom"], "namespaces": [namespace], "depth": depth}
        assert EventFilter.of(request).wants(inner) == wanted, request
