"""The tasks of A2A: read from the runs and threads of the server, and cancelled."""

from __future__ import annotations

from typing import NamedTuple

from langgraph_client.models.fields import JsonMapping, JsonObject
from langgraph_client.server.errors import Invalid
from langgraph_client.server.http import a2a_wire as a2a
from langgraph_client.server.http.a2a_wire import A2AError
from langgraph_client.server.http.self_requests import SelfClient, SelfRequestError
from langgraph_client.server.runs.run_document import canonical_uuid

_RUNS = 100
_READS = 5
"""How often a thread and its runs are read, if the thread changes in between."""
_MARKER_SECONDS = 3600


class Task(NamedTuple):
    """A task.

    Attributes:
        ids: `taskId` and `contextId`.
        run: The latest of its runs.
        thread: The thread, which other tasks may have changed since.
        state: The task's state.
        is_latest: Whether its run is the thread's latest.
    """

    ids: JsonObject
    run: JsonObject
    thread: JsonObject
    state: str
    is_latest: bool


def _noted(run: JsonMapping) -> JsonObject:
    """Return what A2A has noted in a run's metadata, which any client may have written."""
    found = run["metadata"].get("a2a")
    return found if isinstance(found, dict) else {}


def _stored_id(run: JsonMapping) -> str:
    """Return the id of the earlier task that a run goes on with; empty if it began a task."""
    found = _noted(run).get("task_id")
    return found if isinstance(found, str) else ""


async def read_context(
    own_server: SelfClient, thread_id: str, thread: JsonObject | None = None
) -> tuple[JsonObject, list[JsonObject]]:
    """Return a thread and its latest runs, the latest first, as they were at one moment.

    A run and its thread end together. With a thread from before and a run from after that, a task
    that waits for input would look completed.

    Args:
        own_server: Sends requests to the server, as the caller.
        thread_id: The thread's id.
        thread: The thread, if it was read already.

    Raises:
        SelfRequestError: They cannot be read.
    """
    place = f"/threads/{thread_id}"
    before = thread or await own_server.request("GET", place)
    for reads in range(1, _READS + 1):
        runs = await own_server.request("GET", f"{place}/runs?limit={_RUNS}")
        after = await own_server.request("GET", place)
        is_same = (before["updated_at"], before["status"]) == (after["updated_at"], after["status"])
        if is_same or reads == _READS:
            return after, runs
        before = after
    raise AssertionError("the loop returns")


async def find(
    own_server: SelfClient, assistant_id: str, task_id: object, context_id: object = None
) -> Task:
    """Return a task of an agent.

    Args:
        own_server: Sends requests to the server, as the caller.
        assistant_id: The agent's id.
        task_id: The task's id, as a client has sent it.
        context_id: The context that a client has sent with it.

    Raises:
        A2AError: There is no such task of this agent.
    """
    missing = A2AError(a2a.TASK_NOT_FOUND, f"Task not found: {task_id}")
    if not isinstance(task_id, str) or not task_id:
        raise A2AError(a2a.INVALID_PARAMS, "Missing required parameter: id (task_id)")
    named, _, run_id = task_id.rpartition(":")
    thread_id = named or context_id
    if not isinstance(thread_id, str) or (context_id and context_id != thread_id):
        raise missing
    try:
        # A text that is not a UUID could name another path.
        thread_id, run_id = canonical_uuid(thread_id, ""), canonical_uuid(run_id, "")
        first = await own_server.request("GET", f"/threads/{thread_id}/runs/{run_id}")
        thread, runs = await read_context(own_server, thread_id)
    except Invalid:
        raise missing from None
    except SelfRequestError as error:
        if error.status in (400, 404, 422):
            raise missing from error
        raise
    if first["assistant_id"] != assistant_id or _stored_id(first) not in ("", task_id):
        raise missing
    latest = next(
        (run for run in runs if run["run_id"] == run_id or _stored_id(run) == task_id), first
    )
    return _task(task_id, latest, thread, runs)


def tasks_in(thread: JsonObject, runs: list[JsonObject], assistant_id: str) -> list[Task]:
    """Return the tasks of an agent in a thread, each with the latest of its runs."""
    tasks: dict[str, Task] = {}
    for run in runs:  # The latest comes first.
        if run["assistant_id"] == assistant_id:
            task_id = _stored_id(run) or f"{run['thread_id']}:{run['run_id']}"
            tasks.setdefault(task_id, _task(task_id, run, thread, runs))
    return [*tasks.values()]


def _task(task_id: str, run: JsonObject, thread: JsonObject, runs: list[JsonObject]) -> Task:
    is_latest = bool(runs) and runs[0]["run_id"] == run["run_id"]
    ids = {"taskId": task_id, "contextId": thread["thread_id"]}
    state = a2a.state_of(run, thread if is_latest else {"status": "idle"})
    return Task(ids, run, thread, state, is_latest)


async def values_of(own_server: SelfClient, task: Task) -> object:
    """Return the state that a task has left, not that of later tasks; None if it is not kept.

    Raises:
        SelfRequestError: It cannot be read.
    """
    if task.is_latest:
        return task.thread.get("values")
    search = {"limit": 1, "metadata": {"run_id": task.run["run_id"]}}
    states = await own_server.request("POST", f"/threads/{task.ids['contextId']}/history", search)
    return states[0]["values"] if states else None


async def withdraw(own_server: SelfClient, task: Task) -> None:
    """End a task that waits for input without an answer.

    A run of the task that is cancelled before it starts keeps the task's state, as in
    langgraph-api 0.16.7. Then the question is taken out of the thread.

    Raises:
        A2AError: It was answered meanwhile.
        SelfRequestError: It cannot be ended; it waits for input as before.
    """
    place = f"/threads/{task.ids['contextId']}"
    marker = {
        "assistant_id": task.run["assistant_id"],
        "metadata": {"a2a": {**_noted(task.run), "task_id": task.ids["taskId"]}},
        # It must not start before it is cancelled: it would run the graph.
        "after_seconds": _MARKER_SECONDS,
        # An answer that came first has a run, and is not to be interrupted: 409.
        "multitask_strategy": "reject",
    }
    try:
        run = await own_server.request("POST", f"{place}/runs", marker)
    except SelfRequestError as error:
        if error.status == 409:
            raise A2AError(a2a.TASK_NOT_CANCELABLE, error.detail) from error
        raise
    of_run = f"{place}/runs/{run['run_id']}"
    try:
        await own_server.request("POST", f"{of_run}/cancel?wait=true")
        # After the end of the run: the state of a thread with an unfinished run cannot be updated.
        await own_server.request("POST", f"{place}/state", {"values": None, "as_node": "__end__"})
    except SelfRequestError:
        await own_server.request("DELETE", of_run)
        raise
