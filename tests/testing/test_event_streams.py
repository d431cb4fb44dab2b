"""The testing kit and event streaming: each part of it knows the two endpoints."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from langgraph_client import get_client, get_sync_client
from langgraph_client.testing import (
    Emit,
    Faults,
    LangGraphMock,
    Say,
    ScriptedGraph,
    TestServer,
    recorded,
)

STEPS: list[Any] = [Say(["hi ", "there"]), Emit({"name": "progress", "payload": 50}), {"n": 1}]
THREAD = "0dbad140-3487-42de-bed5-8cd7bdd4c8f9"


def hosted() -> TestServer:
    return TestServer({"agent": ScriptedGraph(STEPS)})


def followed(client: Any, thread_id: str = THREAD) -> tuple[list[str], list[Any], Any]:
    """What a thread stream gives of one run: texts, items of a channel, the number at the end."""
    with client.threads.stream(thread_id, assistant_id="agent") as thread:
        thread.run.start(input={"n": 0})
        texts = [str(message.text) for message in thread.messages]
        items = list(thread.extensions["progress"])
        return texts, items, thread.output["n"]


GIVEN = (["hi there"], [{"name": "progress", "payload": 50}], 1)


def test_scripts_are_followed_and_requests_are_logged() -> None:
    """A scripted graph streams messages and named items; the log has the requests' bodies."""
    with hosted() as server, server.sync_client() as client:
        assert followed(client) == GIVEN
        stream, command, state = server.requests
        assert stream.path == f"/threads/{THREAD}/stream/events"
        assert "messages" in stream.body["channels"]
        assert command.body["method"] == "run.start"
        assert (command.graph, command.input) == ("agent", {"n": 0})
        assert state.path == f"/threads/{THREAD}/state"


async def test_a_held_run_is_not_over() -> None:
    """A hold stops a run of a command before a node, with its events so far."""
    with hosted() as server:
        async with server.client() as client:
            with server.hold(node="step-3") as hold:
                async with client.threads.stream(assistant_id="agent") as thread:
                    run = await thread.run.start(input={"n": 0})
                    assert await hold.reached() == run["run_id"]
                    async for message in thread.messages:
                        assert await message.text == "hi there"
                        break
                    hold.release()
                    output: Any = await thread.output
                    assert output["n"] == 1


def test_faults_cut_event_streams() -> None:
    """A cut behind an event is bridged: nothing is lost."""
    faults = Faults()
    with hosted() as server:
        transport = faults.transport(server.transport())
        with get_sync_client(url="http://server", transport=transport) as client:
            cut = faults.cut_after(events=3, times=2, path="*/stream/events")
            assert followed(client) == GIVEN
            assert cut.fired == 2


def test_a_cassette_plays_a_thread_stream(tmp_path: Path) -> None:
    """The second time nobody is asked; the stream ends where it was left."""
    path = tmp_path / "events.json"
    with hosted() as server, recorded(path) as cassette:
        inner = cassette.transport(server.transport())
        first = followed(cassette.sync_client(url="http://deployment.example", transport=inner))
    with recorded(path) as cassette:
        assert followed(cassette.sync_client(url="http://deployment.example")) == first == GIVEN


def test_a_cassette_plays_a_stream_that_was_cut(tmp_path: Path) -> None:
    """The replay asks for the rest as the recording did: from the last event on."""
    path = tmp_path / "cut.json"
    faults = Faults()
    with hosted() as server, recorded(path) as cassette:
        inner = cassette.transport(faults.transport(server.transport()))
        cut = faults.cut_after(events=3, times=2, path="*/stream/events")
        first = followed(cassette.sync_client(url="http://deployment.example", transport=inner))
        assert cut.fired == 2
    with recorded(path) as cassette:
        client = cassette.sync_client(url="http://deployment.example", sleep=lambda _: None)
        assert followed(client) == first == GIVEN
        assert cassette.unused == []


def test_a_cassette_need_not_know_what_becomes_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client asks for that where a run's events are late, as in a replay on a slow machine."""
    path = tmp_path / "late.json"
    with hosted() as server, recorded(path) as cassette:
        inner = cassette.transport(server.transport())
        first = followed(cassette.sync_client(url="http://deployment.example", transport=inner))
    document = json.loads(path.read_bytes())
    stream = next(one["response"] for one in document["exchanges"] if "events" in one["response"])
    stream["events"][0]["after"] = 0.5
    path.write_text(json.dumps(document), encoding="utf-8")
    monkeypatch.setattr("langgraph_client._sync.run_watch._FIRST_CHECK_SECONDS", 0.01)
    with recorded(path, timing=True) as cassette:
        assert followed(cassette.sync_client(url="http://deployment.example")) == first == GIVEN


async def test_a_mocked_thread_stream() -> None:
    """The mock answers both endpoints; events need no run that is named."""
    finish = {"event": "completed", "graph_name": "agent"}
    run_id = str(uuid.uuid4())
    events = [
        ("lifecycle", {"event": "running", "graph_name": "agent"}, f"synth:{run_id}:lc||running"),
        ("values", {"n": 1}, "1-1"),
        ("lifecycle", finish, f"synth:{run_id}:lc||completed"),
    ]
    sent = [
        {
            "type": "event",
            "event_id": event_id,
            "seq": seq,
            "method": method,
            "params": {"namespace": [], "data": data},
        }
        for seq, (method, data, event_id) in enumerate(events, 1)
    ]
    with LangGraphMock() as mock:
        mock.threads.stream_events(events=sent)
        mock.threads.command(result={"run_id": run_id})
        mock.threads.get_state(values={"n": 1})
        async with (
            get_client(url=mock.url) as client,
            client.threads.stream(THREAD, assistant_id="agent") as thread,
        ):
            assert (await thread.run.start(input={}))["run_id"] == run_id
            assert [values async for values in thread.values] == [{"n": 1}]
            assert await thread.output == {"n": 1}
