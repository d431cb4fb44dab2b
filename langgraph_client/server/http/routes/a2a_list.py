"""A2A's `ListTasks`: the tasks of an agent, the latest first."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from langgraph_client.models.fields import JsonObject
from langgraph_client.server.http import a2a_wire as a2a
from langgraph_client.server.http.a2a_wire import A2AError, Wire
from langgraph_client.server.http.routes.a2a_tasks import Task, read_context, tasks_in, values_of
from langgraph_client.server.http.self_requests import SelfClient, SelfRequestError

_THREADS = 100
"""How many threads are searched for tasks: those that changed last."""
_PAGE = 50
_MAX_PAGE = 100
_STATES = (
    "submitted",
    "working",
    "completed",
    "failed",
    "canceled",
    "input-required",
    "rejected",
    "auth-required",
)


class TaskFilter(NamedTuple):
    """The parameters of a request for tasks.

    Attributes:
        context_id: Only tasks of this context; None for all.
        state: Only tasks in this state; None for all.
        after: Only tasks whose state is from this time or later; None for all.
        size: The most tasks to return.
        offset: How many tasks to skip.
        artifacts: Whether to include the results.
    """

    context_id: str | None
    state: str | None
    after: datetime | None
    size: int
    offset: int
    artifacts: bool


def read_filter(params: JsonObject) -> TaskFilter:
    """Return the parameters of a request.

    Raises:
        A2AError: A parameter is malformed.
    """
    size = params.get("pageSize")
    if size is None:
        size = _PAGE
    if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= _MAX_PAGE:
        raise A2AError(a2a.INVALID_PARAMS, f"pageSize must be an integer between 1 and {_MAX_PAGE}")
    token = params.get("pageToken") or "0"
    if not isinstance(token, str) or not (token.isascii() and token.isdigit()) or len(token) > 9:
        raise A2AError(a2a.INVALID_PARAMS, "Invalid pageToken")
    context_id = params.get("contextId") or None
    if not isinstance(context_id, str | None):
        raise A2AError(a2a.INVALID_PARAMS, "contextId must be a string")
    state = params.get("status") or None
    if state is not None:
        state = str(state).removeprefix("TASK_STATE_").replace("_", "-").lower()
        if state not in _STATES:
            raise A2AError(a2a.INVALID_PARAMS, f"Invalid status value: {params['status']!r}")
    artifacts = params.get("includeArtifacts") is True
    after = _time(params.get("statusTimestampAfter") or params.get("lastUpdatedAfter"))
    return TaskFilter(context_id, state, after, size, int(token), artifacts)


def _time(given: object) -> datetime | None:
    if given is None:
        return None
    try:
        if isinstance(given, int) and not isinstance(given, bool):  # Milliseconds, before 1.0.
            return datetime.fromtimestamp(given / 1000).astimezone()
        return datetime.fromisoformat(str(given).replace("Z", "+00:00")).astimezone()
    except (ValueError, OverflowError, OSError):  # The last two for times outside the calendar.
        raise A2AError(
            a2a.INVALID_PARAMS, "statusTimestampAfter must be a valid ISO 8601 timestamp"
        ) from None


def _is_after(stamp: str, time: datetime) -> bool:
    return datetime.fromisoformat(stamp) >= time


async def list_tasks(
    own_server: SelfClient, wire: Wire, assistant_id: str, params: JsonObject, history: int
) -> JsonObject:
    """Return a page of an agent's tasks.

    Args:
        own_server: Sends requests to the server, as the caller.
        wire: Creates the objects of responses.
        assistant_id: The agent's id.
        params: The parameters of the request.
        history: How many messages of each task to include.

    Raises:
        A2AError: A parameter is malformed.
        SelfRequestError: The threads or runs cannot be read.
    """
    wanted = read_filter(params)
    found = [
        task
        for thread in await _threads(own_server, wanted.context_id)
        for task in await _tasks_of(own_server, thread, assistant_id)
        if wanted.state in (None, task.state)
        and (wanted.after is None or _is_after(task.run["updated_at"], wanted.after))
    ]
    found.sort(key=lambda task: str(task.run["updated_at"]), reverse=True)
    end = wanted.offset + wanted.size
    page = found[wanted.offset : end]
    return {
        "tasks": [
            await _shown(own_server, wire, task, artifacts=wanted.artifacts, history=history)
            for task in page
        ],
        "totalSize": len(found),
        "pageSize": len(page),
        "nextPageToken": str(end) if end < len(found) else "",
    }


async def _threads(own_server: SelfClient, context_id: str | None) -> list[JsonObject]:
    if context_id is None:
        body = {"limit": _THREADS, "sort_by": "updated_at", "sort_order": "desc"}
        threads: list[JsonObject] = await own_server.request("POST", "/threads/search", body)
        return threads
    try:
        found: list[JsonObject] = await own_server.request(
            "POST", "/threads/search", {"ids": [context_id], "limit": 1}
        )
    except SelfRequestError as error:
        if error.status in (400, 404, 422):
            return []
        raise
    return found


async def _tasks_of(own_server: SelfClient, thread: JsonObject, assistant_id: str) -> list[Task]:
    """Return the tasks of a thread, each by the latest of its runs."""
    try:
        thread, runs = await read_context(own_server, thread["thread_id"], thread)
    except SelfRequestError as error:
        if error.status in (403, 404):  # It was deleted meanwhile, or the caller may not read it.
            return []
        raise
    return tasks_in(thread, runs, assistant_id)


async def _shown(
    own_server: SelfClient, wire: Wire, task: Task, *, artifacts: bool, history: int
) -> JsonObject:
    values = await values_of(own_server, task) if artifacts or history else None
    more: JsonObject = {"artifacts": []}
    if artifacts:
        assistant_id = task.run["assistant_id"]
        more["artifacts"] = wire.artifacts(task.state, values, task.thread, assistant_id)
    if history:
        more["history"] = wire.history(values, task.ids, history)
    status = {**wire.status(task.state), "timestamp": task.run["updated_at"]}
    return wire.task(task.ids, status, **more)
