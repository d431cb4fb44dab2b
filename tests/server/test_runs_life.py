"""The life of a run, seen from outside."""

from __future__ import annotations

import threading
from typing import Any

import httpx
import pytest

from langgraph_client import Server
from langgraph_client.server.runs.run_states import TRANSITIONS
from tests.server.conftest import parse
from tests.support.hosted import Gate
from tests.support.kept_rows import rows_of_thread


def begin(http: httpx.Client, thread: str, **body: Any) -> dict[str, Any]:
    response = http.post(f"/threads/{thread}/runs", json={"assistant_id": "gate", **body})
    assert response.status_code == 200, response.text
    return response.json()


def join(http: httpx.Client, run: dict[str, Any]) -> Any:
    return http.get(f"/threads/{run['thread_id']}/runs/{run['run_id']}/join").json()


def status(http: httpx.Client, run: dict[str, Any]) -> Any:
    response = http.get(f"/threads/{run['thread_id']}/runs/{run['run_id']}")
    return response.json()["status"] if response.status_code == 200 else response.status_code


def test_wait_answers_the_last_values(http: httpx.Client, thread: str) -> None:
    """`wait` answers the state at the end, and names the run in its headers."""
    response = http.post(
        f"/threads/{thread}/runs/wait", json={"assistant_id": "row", "input": {"name": "a"}}
    )
    assert response.json() == {"log": ["one:a", "two"], "name": "a"}
    path = response.headers["content-location"]
    assert response.headers["location"] == f"{path}/join"
    assert http.get(path).json()["status"] == "success"
    assert http.get(f"/threads/{thread}").json()["status"] == "idle"


def test_failed_run_is_not_an_http_error(http: httpx.Client, thread: str) -> None:
    """A run that fails answers 200 with the error inside, and the thread says so."""
    response = http.post(f"/threads/{thread}/runs/wait", json={"assistant_id": "fail", "input": {}})
    error = {"error": "Odd", "message": "the secret"}
    assert (response.status_code, response.json()) == (200, {"__error__": error})
    found = http.get(f"/threads/{thread}").json()
    assert (found["status"], found["error"]) == ("error", error)


def test_interrupt_then_resume(http: httpx.Client, thread: str) -> None:
    """A run that stops at an interrupt is a success; `command.resume` answers it."""
    body = {"assistant_id": "ask"}
    first = http.post(f"/threads/{thread}/runs/wait", json={**body, "input": {}}).json()
    assert [item["value"] for item in first["__interrupt__"]] == ["who?"]
    found = http.get(f"/threads/{thread}").json()
    assert found["status"] == "interrupted"
    assert [[i["value"] for i in items] for items in found["interrupts"].values()] == [["who?"]]
    assert [run["status"] for run in http.get(f"/threads/{thread}/runs").json()] == ["success"]
    second = http.post(
        f"/threads/{thread}/runs/wait", json={**body, "command": {"resume": "me"}}
    ).json()
    assert second == {"log": ["one:None", "me"]}
    assert http.get(f"/threads/{thread}").json()["status"] == "idle"


def test_enqueue_is_in_order(http: httpx.Client, thread: str, gate: Gate) -> None:
    """Runs of a thread go one at a time, the oldest first, each seeing what the last one left."""
    runs = [begin(http, thread, input={"name": name}) for name in "ab"]
    gate.arrived()
    assert [status(http, run) for run in runs] == ["running", "pending"]
    assert http.get(f"/threads/{thread}").json()["status"] == "busy"
    gate.open()
    gate.arrived()
    gate.open()
    log = join(http, runs[1])["log"]
    assert log == ["one:a", "held:a", "two", "one:b", "held:b", "two"]


def test_reject_a_second_run(http: httpx.Client, thread: str, gate: Gate) -> None:
    """Strategy `reject` on a busy thread is 409 and leaves the first run alone."""
    run = begin(http, thread, input={})
    gate.arrived()
    response = http.post(
        f"/threads/{thread}/runs", json={"assistant_id": "row", "multitask_strategy": "reject"}
    )
    assert response.status_code == 409
    gate.open()
    assert join(http, run)["log"][-1] == "two"


def test_interrupting_run_takes_over(http: httpx.Client, thread: str, gate: Gate) -> None:
    """Strategy `interrupt` stops the first run at its last checkpoint and goes on from there."""
    first = begin(http, thread, input={"name": "a"})
    gate.arrived()
    second = begin(
        http, thread, assistant_id="row", input={"name": "b"}, multitask_strategy="interrupt"
    )
    assert join(http, second)["log"] == ["one:a", "one:b", "two"]
    assert status(http, first) == "interrupted"


def test_rolling_back_run_undoes(http: httpx.Client, thread: str, gate: Gate) -> None:
    """Strategy `rollback` deletes the first run and all it did."""
    first = begin(http, thread, input={"name": "a"})
    gate.arrived()
    second = begin(
        http, thread, assistant_id="row", input={"name": "b"}, multitask_strategy="rollback"
    )
    assert join(http, second)["log"] == ["one:b", "two"]
    assert status(http, first) == 404


@pytest.mark.parametrize(
    ("action", "after", "thread_after"),
    [("interrupt", "interrupted", "interrupted"), ("rollback", 404, "idle")],
)
def test_cancel_a_running_run(
    http: httpx.Client, thread: str, gate: Gate, action: str, after: Any, thread_after: str
) -> None:
    """A cancelled run ends, and its thread tells the truth about what is left."""
    run = begin(http, thread, input={})
    gate.arrived()
    path = f"/threads/{thread}/runs/{run['run_id']}/cancel"
    response = http.post(path, params={"action": action, "wait": "true"})
    assert (response.status_code, response.json()) == (200, {})
    assert status(http, run) == after
    assert http.get(f"/threads/{thread}").json()["status"] == thread_after
    assert http.post(path).status_code == 404


def test_cancel_a_pending_run(http: httpx.Client, thread: str, gate: Gate) -> None:
    """A pending run is cancelled at once; the one before it goes on."""
    runs = [begin(http, thread, input={"name": name}) for name in "ab"]
    gate.arrived()
    response = http.post(f"/threads/{thread}/runs/{runs[1]['run_id']}/cancel")
    assert response.status_code == 202
    assert status(http, runs[1]) == "interrupted"
    assert http.get(f"/threads/{thread}").json()["status"] == "busy"
    gate.open()
    assert join(http, runs[0])["log"] == ["one:a", "held:a", "two"]


def test_cancel_everything(http: httpx.Client, gate: Gate) -> None:
    """`POST /runs/cancel` with a status ends runs of all threads."""
    threads = [http.post("/threads", json={}).json()["thread_id"] for _ in range(3)]
    runs = [begin(http, thread, input={}) for thread in threads]
    for _ in runs:
        gate.arrived()
    assert http.post("/runs/cancel", json={"status": "all"}).status_code == 204
    for run in runs:
        join(http, run)
    assert {status(http, run) for run in runs} == {"interrupted"}


def test_delayed_run_waits_for_its_time(http: httpx.Client, thread: str) -> None:
    """`after_seconds` keeps a run pending, created in the future, until its time."""
    body = {"assistant_id": "row", "input": {}, "after_seconds": 0.2}
    run = http.post(f"/threads/{thread}/runs", json=body).json()
    assert run["created_at"] > run["updated_at"]
    assert join(http, run)["log"] == ["one:None", "two"]
    # Another one, whose time does not come here.
    run = http.post(f"/threads/{thread}/runs", json={**body, "after_seconds": 3600}).json()
    assert status(http, run) == "pending"


def test_stateless_run_leaves_nothing(http: httpx.Client) -> None:
    """A stateless run's thread goes with it, unless it is to be kept."""
    body = {"assistant_id": "row", "input": {}}
    gone = http.post("/runs/wait", json=body).headers["content-location"].split("/")[2]
    assert http.get(f"/threads/{gone}").status_code == 404
    kept = http.post("/runs/wait", json={**body, "on_completion": "keep"})
    thread = kept.headers["content-location"].split("/")[2]
    assert http.get(f"/threads/{thread}").json()["values"] == {"log": ["one:None", "two"]}


def test_a_run_on_the_thread_of_a_stateless_run_ends_with_it(
    server: Server, http: httpx.Client, gate: Gate
) -> None:
    """The thread is deleted; the run behind it does not begin, and leaves nothing either."""
    first = http.post("/runs", json={"assistant_id": "gate", "input": {}}).json()
    gate.arrived()
    behind = begin(http, first["thread_id"], input={})
    gate.open()
    error = {"error": "HTTPException", "message": "404: Run not found"}
    assert join(http, behind) == {"__error__": error}
    assert rows_of_thread(server, first["thread_id"]) == {}


def test_a_stateless_run_that_ends_while_it_is_joined(
    http: httpx.Client, server: Server, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was found, and is gone when its result is read: that is no empty result."""
    run = http.post("/runs", json={"assistant_id": "gate", "input": {}}).json()
    gate.arrived()
    engine = server.services.engine
    find_job = engine.find_job

    async def late(document: dict[str, Any]) -> Any:
        job = engine.jobs[run["run_id"]]
        gate.open()
        await job.over.wait()
        return await find_job(document)

    monkeypatch.setattr(engine, "find_job", late)
    answer = http.get(f"/threads/{run['thread_id']}/runs/{run['run_id']}/join").json()
    assert answer["__error__"]["message"] == "404: Run not found"


def test_deleting_a_running_run_ends_it(http: httpx.Client, thread: str, gate: Gate) -> None:
    """Whoever streams a run that is deleted is told so, and the thread is free again."""
    heard: list[str] = []

    def listen() -> None:
        body = {"assistant_id": "gate", "input": {}}
        heard.append(http.post(f"/threads/{thread}/runs/stream", json=body).text)

    listener = threading.Thread(target=listen)
    listener.start()
    gate.arrived()
    (run,) = http.get(f"/threads/{thread}/runs").json()
    assert http.delete(f"/threads/{thread}/runs/{run['run_id']}").status_code == 204
    listener.join(60)
    assert parse(heard[0])[-1].data == {"error": "HTTPException", "message": "404: Run not found"}
    assert http.get(f"/threads/{thread}").json()["status"] == "idle"
    assert http.get(f"/threads/{thread}/runs").json() == []


def test_deleting_a_thread_ends_its_runs(http: httpx.Client, thread: str, gate: Gate) -> None:
    """A thread that is deleted takes its running and pending runs with it."""
    runs = [begin(http, thread, input={}) for _ in range(2)]
    gate.arrived()
    assert http.delete(f"/threads/{thread}").status_code == 204
    assert [status(http, run) for run in runs] == [404, 404]


def test_every_transition_leads_somewhere_known() -> None:
    """No state but the last ones is without a way on, and nothing follows those."""
    before = {state for state, _ in TRANSITIONS}
    assert before == {"pending", "running"}
    over = set(TRANSITIONS.values()) - before
    assert over == {"success", "error", "timeout", "interrupted", "deleted"}


def test_builders_and_factories_run(http: httpx.Client) -> None:
    """A graph may be given compiled, as a builder, or as a function that makes it."""
    for name in ("builder", "factory"):
        answer = http.post("/runs/wait", json={"assistant_id": name, "input": {}}).json()
        assert answer == {"log": ["one:None"]}, name


@pytest.mark.parametrize(
    "given",
    [{"config": {"configurable": {"user_id": "ada"}}}, {"context": {"user_id": "ada"}}],
    ids=["configurable", "context"],
)
def test_a_user_id_of_the_application_s_own(http: httpx.Client, given: dict[str, Any]) -> None:
    """It stays as the request has it; without, it is empty."""
    for more, user_id in ((given, "ada"), ({}, "")):
        body = {"assistant_id": "row", "input": {}, "after_seconds": 3600, **more}
        kwargs = http.post("/runs", json=body).json()["kwargs"]
        assert kwargs["config"]["configurable"]["user_id"] == user_id
        assert kwargs["context"].get("user_id", "") == user_id


def test_a_run_that_keeps_no_checkpoint_waits_for_none(http: httpx.Client) -> None:
    """`durability="sync"` says nothing where no checkpoints are written."""
    body = {"assistant_id": "row", "input": {"log": []}, "durability": "sync"}
    answer = http.post("/runs/wait", json=body)
    assert answer.status_code == 200
    assert "__error__" not in answer.json()
