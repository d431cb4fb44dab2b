"""What one server answers about runs that another one carries out."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from langgraph.graph import START, StateGraph

from langgraph_client.server.server import Server
from tests.cluster.conftest import Pair, http_of
from tests.support.clock import Settable
from tests.support.hosted import Gate, Log, hosted
from tests.support.postgres import cluster


class Background:
    """A call in a thread, whose result a test asks for later."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._result: Any = None
        self._error: BaseException | None = None

        def run() -> None:
            try:
                self._result = call()
            except BaseException as error:
                self._error = error

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()

    def result(self) -> Any:
        self._thread.join(60)
        assert not self._thread.is_alive(), "the call does not return"
        if self._error is not None:
            raise self._error
        return self._result


def thread_of(http: httpx.Client) -> str:
    return str(http.post("/threads", json={}).json()["thread_id"])


def events_of(text: str) -> list[tuple[str, Any]]:
    found = []
    for frame in text.split("\r\n\r\n"):
        fields = dict(
            line.split(": ", 1) for line in frame.split("\r\n") if line[:1] not in ("", ":")
        )
        if fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


ROW: dict[str, Any] = {"assistant_id": "row", "input": {"name": "a"}}
GATE: dict[str, Any] = {"assistant_id": "gate", "input": {"name": "a"}}


@pytest.mark.parametrize("stateless", [True, False])
def test_wait_answers_what_another_server_carried_out(pair: Pair, stateless: bool) -> None:
    """`wait` has the result of the run, also if its thread is gone with it."""
    path = "/runs/wait" if stateless else f"/threads/{thread_of(pair.api)}/runs/wait"
    assert pair.api.post(path, json=ROW).json() == {"log": ["one:a", "two"], "name": "a"}


@pytest.mark.parametrize("resumable", [True, False])
def test_a_stream_has_every_event(pair: Pair, resumable: bool) -> None:
    """All events come, in order and once, from the first one on, and then the end."""
    body = {
        "assistant_id": "many",
        "input": {"count": 1500},
        "stream_mode": ["custom", "values"],
        "stream_resumable": resumable,
    }
    found = events_of(pair.api.post("/runs/stream", json=body).text)
    assert found[0][0] == "metadata"
    assert [data for name, data in found if name == "custom"] == list(range(1500))
    assert found[-1] == ("custom", 1499)


def test_an_error_is_told(pair: Pair) -> None:
    """The stream of a run that fails elsewhere ends with its error, once; `wait` has it, too."""
    body = {"assistant_id": "fail", "input": {}}
    found = events_of(pair.api.post("/runs/stream", json=body).text)
    assert [data["error"] for name, data in found if name == "error"] == ["Odd"]
    assert pair.api.post("/runs/wait", json=body).json()["__error__"]["error"] == "Odd"


def test_a_run_is_joined_in_the_middle(pair: Pair, gate: Any) -> None:
    """Who joins gets what comes from then on, and the result."""
    thread_id = thread_of(pair.api)
    run = pair.api.post(f"/threads/{thread_id}/runs", json={**GATE, "stream_mode": "values"}).json()
    gate.arrived()
    path = f"/threads/{thread_id}/runs/{run['run_id']}"
    joined = Background(lambda: pair.api.get(f"{path}/join").json())
    streamed = Background(lambda: _after_first(pair.api, f"{path}/stream", gate))
    assert ("values", {"log": ["one:a", "held:a", "two"], "name": "a"}) in streamed.result()
    assert joined.result() == {"log": ["one:a", "held:a", "two"], "name": "a"}


def test_a_run_that_was_joined_in_the_middle_is_not_in_the_events_of_its_thread(
    pair: Pair, gate: Any
) -> None:
    """Of a run that is not resumable, only events after the reader are stored: a part of it."""
    thread_id = thread_of(pair.api)
    run = pair.api.post(f"/threads/{thread_id}/runs", json=GATE).json()
    gate.arrived()
    path = f"/threads/{thread_id}/runs/{run['run_id']}"
    _after_first(pair.api, f"{path}/stream", gate)
    events = f"/threads/{thread_id}/stream/events"
    with pair.api.stream("POST", events, json={"channels": ["lifecycle"]}) as response:
        lines = response.iter_lines()
        pair.api.post(f"/threads/{thread_id}/runs/wait", json=ROW)
        first = next(json.loads(line[5:]) for line in lines if line.startswith("data:"))
    assert first["params"]["data"] == {"event": "running", "graph_name": "row"}


def _after_first(http: httpx.Client, path: str, gate: Any) -> list[tuple[str, Any]]:
    with http.stream("GET", path) as response:
        gate.open()
        return events_of("".join(response.iter_text()))


@pytest.mark.parametrize("action", ["interrupt", "rollback"])
def test_cancel(pair: Pair, gate: Any, action: str) -> None:
    """A run is cancelled through any server."""
    thread_id = thread_of(pair.api)
    run = pair.api.post(f"/threads/{thread_id}/runs", json=GATE).json()
    gate.arrived()
    path = f"/threads/{thread_id}/runs/{run['run_id']}"
    assert pair.api.post(f"{path}/cancel?wait=true&action={action}").status_code == 200
    left = pair.api.get(path)
    assert left.status_code == (404 if action == "rollback" else 200)
    if action == "interrupt":
        assert left.json()["status"] == "interrupted"
    assert pair.worker.get(f"/threads/{thread_id}").json()["status"] != "busy"


def test_cancel_without_wait_does_not_wait_for_a_running_run(database: str, gate: Gate) -> None:
    """As on the server that executes it. A pending run is over when the request is answered."""

    async def held(state: Log) -> Log:
        try:
            await gate.hold()
        except asyncio.CancelledError:
            await gate.hold()
            raise
        return {}

    graph = StateGraph(Log).add_node("held", held).add_edge(START, "held").compile()
    with (
        Server({"gate": graph}, path=database, role="api") as api,
        Server({"gate": graph}, path=database, role="worker"),
        http_of(api) as http,
    ):
        thread_id = thread_of(http)
        # This server follows the run since it was pending.
        waiting = Background(lambda: http.post(f"/threads/{thread_id}/runs/wait", json=GATE))
        gate.arrived()
        pending = http.post(f"/threads/{thread_id}/runs", json=GATE).json()["run_id"]
        runs = f"/threads/{thread_id}/runs"
        (running,) = {run["run_id"] for run in http.get(runs).json()} - {pending}
        assert http.post(f"{runs}/{pending}/cancel?wait=0").status_code == 202
        assert http.get(f"{runs}/{pending}").json()["status"] == "interrupted"
        assert http.post(f"{runs}/{running}/cancel?wait=0").status_code == 202
        gate.arrived()
        assert http.get(f"{runs}/{running}").json()["status"] == "running"
        gate.open()
        assert waiting.result().status_code == 200
        assert http.get(f"{runs}/{running}").json()["status"] == "interrupted"


@pytest.mark.parametrize("strategy", ["reject", "enqueue", "interrupt", "rollback"])
def test_multitask_strategies(pair: Pair, gate: Any, strategy: str) -> None:
    """What a second run on a busy thread does holds whichever server is asked."""
    thread_id = thread_of(pair.api)
    first = pair.api.post(f"/threads/{thread_id}/runs", json=GATE).json()
    gate.arrived()
    body = {**ROW, "multitask_strategy": strategy}
    second = pair.api.post(f"/threads/{thread_id}/runs", json=body)
    if strategy == "reject":
        assert second.status_code == 409
        gate.open()
        pair.api.get(f"/threads/{thread_id}/runs/{first['run_id']}/join")
        return
    if strategy == "enqueue":
        gate.open()
    joined = pair.api.get(f"/threads/{thread_id}/runs/{second.json()['run_id']}/join").json()
    expected = {
        "enqueue": ["one:a", "held:a", "two", "one:a", "two"],
        "interrupt": ["one:a", "one:a", "two"],
        "rollback": ["one:a", "two"],
    }
    assert joined["log"] == expected[strategy]


def test_delete_a_run_and_a_thread(pair: Pair, gate: Any) -> None:
    """A run that another server carries out is ended and deleted, and so is its thread."""
    thread_id = thread_of(pair.api)
    run = pair.api.post(f"/threads/{thread_id}/runs", json=GATE).json()
    gate.arrived()
    path = f"/threads/{thread_id}/runs/{run['run_id']}"
    assert pair.api.delete(path).status_code == 204
    assert pair.worker.get(path).status_code == 404
    pair.api.post(f"/threads/{thread_id}/runs", json=GATE)
    gate.arrived()
    assert pair.api.delete(f"/threads/{thread_id}").status_code == 204
    assert pair.worker.get(f"/threads/{thread_id}").status_code == 404


def test_a_thread_stream_follows_another_server(pair: Pair, gate: Any) -> None:
    """Whoever watches a thread sees the runs of other servers on it."""
    thread_id = thread_of(pair.api)
    with pair.api.stream("GET", f"/threads/{thread_id}/stream?stream_modes=run_modes") as response:
        pair.worker.post(f"/threads/{thread_id}/runs", json={**ROW, "stream_mode": "values"})
        text = ""
        for part in response.iter_text():
            text += part
            if '"run_done"' in text:
                break
    names = [name for name, _ in events_of(text)]
    assert names[0] == names[-1] == "metadata"
    assert names.count("values") == 3


def test_a_thread_stream_has_an_update_made_at_another_server(pair: Pair) -> None:
    """Whoever watches a thread sees that its state was updated, wherever; others get it once."""
    thread_id = thread_of(pair.api)
    pair.worker.post(f"/threads/{thread_id}/runs/wait", json=ROW)
    path = f"/threads/{thread_id}/stream?stream_modes=state_update"
    with pair.api.stream("GET", path) as there, pair.worker.stream("GET", path) as here:
        for name in ("b", "c"):
            body = {"values": {"name": name}}
            assert pair.worker.post(f"/threads/{thread_id}/state", json=body).status_code == 200
        for response in (there, here):
            text = ""
            for part in response.iter_text():
                text += part
                if '"name":"c"' in text.replace(": ", ":"):
                    break
            found = [data for name, data in events_of(text) if name == "state_update"]
            assert [one["state"]["values"]["name"] for one in found] == ["b", "c"]


def test_updates_of_two_threads_in_the_same_millisecond(database: str, gate: Gate) -> None:
    """Each of two servers announces an update, and the clocks of both stand at the same time."""
    graphs: dict[str, Any] = hosted(gate)
    with (
        Server(graphs, path=database, role="worker") as runs,
        Server(graphs, path=database, role="api", clock=Settable()) as first,
        Server(graphs, path=database, role="api", clock=Settable()) as second,
        http_of(runs) as worker,
        http_of(first) as one,
        http_of(second) as other,
    ):
        for http in (one, other):
            thread_id = thread_of(worker)
            worker.post(f"/threads/{thread_id}/runs/wait", json=ROW)
            path = f"/threads/{thread_id}/stream?stream_modes=state_update"
            with worker.stream("GET", path) as reader:
                body = {"values": {"name": "b"}}
                assert http.post(f"/threads/{thread_id}/state", json=body).status_code == 200
                for part in reader.iter_text():
                    if "state_update" in part:
                        break


def test_a_thread_stream_goes_on_when_another_server_takes_the_thread(
    database: str, gate: Gate
) -> None:
    """A reader at the server that carries out a run sees the next run, which another one has."""
    graphs: dict[str, Any] = hosted(gate)
    with (
        Server(graphs, path=database) as first,
        Server(graphs, path=database) as second,
        http_of(first) as here,
        http_of(second) as there,
    ):
        thread_id = thread_of(here)
        path = f"/threads/{thread_id}/runs"
        run = here.post(path, json={"assistant_id": "gate", "input": {"name": "a"}}).json()
        gate.arrived()
        stream = f"/threads/{thread_id}/stream?stream_modes=run_modes"
        with here.stream("GET", stream) as response:
            gate.open()
            here.get(f"{path}/{run['run_id']}/join")
            there.post(path, json={**ROW, "stream_mode": "values"})
            text = ""
            for part in response.iter_text():
                text += part
                if text.count('"run_done"') == 2:
                    break
        assert [name for name, _ in events_of(text)].count("values") >= 3


def test_a_thread_stream_has_what_was_stored_before_its_server_took_the_thread(
    database: str, gate: Gate
) -> None:
    """The last holder's events come first, also if no message about them arrived in time."""
    graphs: dict[str, Any] = hosted(gate)
    with Server(graphs, path=database) as server, http_of(server) as http:
        thread_id = thread_of(http)
        stream = f"/threads/{thread_id}/stream?stream_modes=run_modes"
        with http.stream("GET", stream) as response:
            engine = server.services.engine
            shared: Any = engine.cluster
            assert thread_id in shared.following

            async def take() -> None:
                async with engine.locks.hold(thread_id):
                    cluster().execute(
                        "INSERT INTO events (run_id, ms, seq, thread_id, name, data) VALUES"
                        f" ('r', {int(time.time() * 1000)}, 0, '{thread_id}', 'values', '{{}}')",
                        database.rpartition("/")[2],
                    )
                    assert await shared.take_if_possible(thread_id)

            asyncio.run_coroutine_threadsafe(take(), server.loop).result(60)
            http.post(f"/threads/{thread_id}/runs", json={**ROW, "stream_mode": "values"})
            text = ""
            for part in response.iter_text():
                text += part
                if '"run_done"' in text:
                    break
    names = [name for name, _ in events_of(text)]
    assert names[:2] == ["values", "metadata"]


def test_the_event_protocol_follows_another_server(pair: Pair) -> None:
    """The v3 events of a thread are numbered by whoever makes them, and the same everywhere."""
    thread_id = thread_of(pair.api)
    body = {"channels": ["values", "lifecycle"]}
    texts = []
    for number, http in enumerate((pair.api, pair.worker)):
        with http.stream("POST", f"/threads/{thread_id}/stream/events", json=body) as response:
            if number == 0:
                command = {
                    "id": 1,
                    "method": "run.start",
                    "params": {"assistant_id": "row", "input": {"name": "a"}},
                }
                pair.api.post(f"/threads/{thread_id}/commands", json=command)
            text = ""
            for part in response.iter_text():
                text += part
                if '"completed"' in text:
                    break
            texts.append([data for _, data in events_of(text)])
    assert texts[0] == texts[1]
    numbers = [event["seq"] for event in texts[0]]
    assert numbers == sorted(set(numbers))


def test_the_event_protocol_of_a_thread_that_is_read_before_it_exists(pair: Pair) -> None:
    """Who opens the events of a thread at one server sees the run that creates it at another."""
    thread_id = str(uuid.uuid4())
    body = {"channels": ["values", "lifecycle"]}
    with pair.api.stream("POST", f"/threads/{thread_id}/stream/events", json=body) as response:
        command = {
            "id": 1,
            "method": "run.start",
            "params": {"assistant_id": "row", "input": {"name": "a"}},
        }
        answer = pair.worker.post(f"/threads/{thread_id}/commands", json=command)
        assert answer.status_code == 200, answer.text
        text = ""
        for part in response.iter_text():
            text += part
            if '"completed"' in text:
                break
    assert [data["method"] for _, data in events_of(text)].count("values") == 3


def test_what_a_stopped_server_has_is_taken_up_at_once(
    database: str, pair: Pair, gate: Any
) -> None:
    """An orderly stop hands runs back; readers of another server see one run to its end."""
    body = {**GATE, "stream_mode": "values", "stream_resumable": True}
    streamed = Background(lambda: events_of(pair.api.post("/runs/stream", json=body).text))
    gate.arrived()
    pair.servers[1].close()
    with Server(hosted(gate), path=database, role="worker"):
        gate.arrived()
        gate.open()
        found = streamed.result()
    assert found[-1] == ("values", {"log": ["one:a", "held:a", "two"], "name": "a"})
