"""Runs: create, wait, join, list, read, cancel, delete."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial

from starlette.responses import Response

from langgraph_client.models.fields import JsonMapping
from langgraph_client.server.documents.threads import need as need_thread
from langgraph_client.server.errors import (
    Conflict,
    Hidden,
    Invalid,
    NotFound,
    Refused,
    ServerError,
    Unreadable,
)
from langgraph_client.server.http.endpoint import ValidRequest
from langgraph_client.server.http.in_process import STARTED_JOBS
from langgraph_client.server.http.remote_graph_headers import remote_graph_options
from langgraph_client.server.http.replies import (
    empty,
    reply,
)
from langgraph_client.server.http.streaming import RunResultResponse
from langgraph_client.server.runs.create_run import CreatedRun
from langgraph_client.server.runs.run_document import canonical_uuid
from langgraph_client.server.runs.run_result import ERROR, NOT_FOUND, fallback_result
from langgraph_client.server.runs.run_states import Action, Job
from langgraph_client.server.services import Services
from langgraph_client.server.storage.protocol import UNFINISHED, Document

#: Fields that belong to a run on a thread. No schema of a stateless run names them, so they are not
#: checked there, and are left out.
_ON_THREADS = frozenset({"checkpoint", "checkpoint_id", "if_not_exists", "multitask_strategy"})
_SHORT_WAIT_SECONDS = 0.02
"""How long a request waits for a result before its response begins."""
_MAX_KEY = 255
_CANCEL_WAIT_SECONDS = 2.0
"""How long a request waits for the ends of the runs that it has cancelled."""
BAD_UUID = "badly formed hexadecimal UUID string"
FIELDS = [
    "run_id",
    "thread_id",
    "assistant_id",
    "metadata",
    "status",
    "kwargs",
    "multitask_strategy",
    "created_at",
    "updated_at",
    "langsmith_session_name",
]


def thread_id_of(
    request: ValidRequest, detail: str, refused: type[ServerError] = Invalid
) -> str | None:
    """Return the id of the thread in a path; None if the path has none."""
    text = request.path.get("thread_id")
    return None if text is None else canonical_uuid(text, detail, refused)


async def begin(
    request: ValidRequest,
    thread_id: str | None,
    *,
    waited_for: bool = False,
    streamed: bool = False,
) -> CreatedRun:
    """Create the run for a request, or find the run of an earlier request with the same key.

    Args:
        request: The request. With an `Idempotency-Key`, repeated requests create only one run.
        thread_id: The thread to run on; None for a stateless run.
        waited_for: Whether the request stays open until the run is over.
        streamed: Whether to attach a reader to the run's events. The caller must close it.
    """
    path = "/runs" if thread_id is None else f"/threads/{thread_id}/runs"
    kind = "stream" if streamed else "wait" if waited_for else "create"
    created = await request.services.runs.create(
        request.body if thread_id is not None else _stateless(request.body),
        thread_id,
        request_id=request.headers.get("x-request-id"),
        extra_kwargs=remote_graph_options(request.headers),
        waited_for=waited_for,
        streamed=streamed,
        key=idempotency_key(request, f"{path} {kind}"),
    )
    request.connection.scope.get(STARTED_JOBS, []).append(created.job)
    return created


def _stateless(body: JsonMapping) -> JsonMapping:
    return {name: value for name, value in body.items() if name not in _ON_THREADS}


def idempotency_key(request: ValidRequest, what: str) -> str | None:
    """Return the `Idempotency-Key` of a request, unique among all operations; None without one.

    Args:
        request: The request.
        what: The operation, so that the same key may be used for different operations.
    """
    key = request.headers.get("idempotency-key")
    if key is not None and not 0 < len(key) <= _MAX_KEY:
        raise Invalid(f"Idempotency-Key must have 1 to {_MAX_KEY} characters")
    return None if key is None else f"{what} {key}"


async def create(request: ValidRequest) -> Response:
    """POST /runs, POST /threads/{thread_id}/runs."""
    thread_id = thread_id_of(request, "Invalid thread ID")
    run = (await begin(request, thread_id)).job.accepted
    return reply(run, headers={"content-location": path_of(run, stateless=thread_id is None)})


async def create_batch(request: ValidRequest) -> Response:
    """POST /runs/batch."""
    runs = []
    for body in request.body:  # An idempotency key would belong to all runs, so it is ignored.
        created = await request.services.runs.create(
            _stateless(body),
            request_id=request.headers.get("x-request-id"),
            extra_kwargs=remote_graph_options(request.headers),
        )
        runs.append(created.job.accepted)
    return reply(runs)


def path_of(run: Document, stateless: bool = False) -> str:
    """Return a run's path."""
    if stateless:
        return f"/runs/{run['run_id']}"
    return f"/threads/{run['thread_id']}/runs/{run['run_id']}"


async def wait(request: ValidRequest) -> Response:
    """POST /runs/wait, POST /threads/{thread_id}/runs/wait."""
    thread_id = thread_id_of(request, BAD_UUID, Refused)
    job = (await begin(request, thread_id, waited_for=True)).job
    cancel = job.run_id if request.body.get("on_disconnect") == "cancel" else None
    return await answer_when_over(request, job, path_of(job.run), cancel)


async def answer_when_over(
    request: ValidRequest,
    job: Job,
    path: str,
    cancel_on_disconnect: str | None,
    result: object = None,
) -> Response:
    """Return the response with a run's result, which is sent once the run is over.

    If the run is not over in a moment, the status is sent first, and then a newline for every five
    seconds of waiting.

    Args:
        request: The request.
        job: The run.
        path: The run's path, for the headers.
        cancel_on_disconnect: The id of the run to cancel if the client disconnects before the end;
            None to cancel none.
        result: The value to send instead of the run's result; None for the run's result.
    """
    headers = {"location": f"{path}/join", "content-location": path}
    services = request.services
    on_disconnect = None
    if cancel_on_disconnect is not None:
        on_disconnect = partial(services.engine.stopper.disconnected, cancel_on_disconnect)
    # Only a started response notices that the client has disconnected. So the wait here is short.
    with suppress(TimeoutError):
        async with asyncio.timeout(_SHORT_WAIT_SECONDS):
            await job.over.wait()
            return reply(job.result if result is None else result, headers=headers)
    return RunResultResponse(job, headers, result=result, on_disconnect=on_disconnect)


def run_ids_of(request: ValidRequest) -> tuple[str, str]:
    """Return the ids of the thread and the run in a path."""
    return (
        canonical_uuid(request.path["thread_id"], "Invalid thread ID: must be a UUID"),
        canonical_uuid(request.path["run_id"], "Invalid run ID: must be a UUID"),
    )


async def find_run(services: Services, thread_id: str, run_id: str) -> Document | None:
    """Return a run of a thread; None if the thread does not have it.

    A run of another user's thread is None too: `Hidden` would name that thread.
    """
    try:
        run = await services.storage.runs.get(run_id)
    except Hidden:
        return None
    return run if run is not None and run["thread_id"] == thread_id else None


async def join(request: ValidRequest) -> Response:
    """GET /threads/{thread_id}/runs/{run_id}/join."""
    services = request.services
    thread_id, run_id = run_ids_of(request)
    path = f"/threads/{thread_id}/runs/{run_id}"
    run = await find_run(services, thread_id, run_id)
    if run is not None and (job := await services.engine.find_job(run)):
        cancel = request.query["cancel_on_disconnect"]
        return await answer_when_over(request, job, path, run_id if cancel else None)
    headers = {"location": f"{path}/join", "content-location": path}
    thread = None if run is None else await services.storage.threads.get(thread_id)
    if thread is None:  # A run that has just ended may have taken its temporary thread with it.
        return reply({ERROR: NOT_FOUND}, headers=headers)
    return reply(fallback_result(thread), headers=headers)


async def list_runs(request: ValidRequest) -> Response:
    """GET /threads/{thread_id}/runs."""
    services = request.services
    query = request.query
    thread_id = canonical_uuid(request.path["thread_id"], "Invalid thread ID: must be a UUID")
    chosen = query["select"]
    await need_thread(services, thread_id)
    status = {"status": query["status"]} if query["status"] else {}
    runs = await services.storage.runs.search(
        where={"thread_id": thread_id, **status},
        order_by="created_at",
        descending=True,
        offset=max(query["offset"], 0),
        limit=max(query["limit"], 0),
    )
    if chosen:
        runs = [{name: run[name] for name in FIELDS if name in chosen} for run in runs]
    return reply(runs)


async def get_run(request: ValidRequest) -> Response:
    """GET /threads/{thread_id}/runs/{run_id}."""
    services = request.services
    thread_id, run_id = run_ids_of(request)
    await need_thread(services, thread_id)
    run = await find_run(services, thread_id, run_id)
    if run is None:
        raise NotFound("Not Found")
    return reply(run)


async def delete_run(request: ValidRequest) -> Response:
    """DELETE /threads/{thread_id}/runs/{run_id}."""
    await request.services.engine.stopper.delete_run(*run_ids_of(request))
    return empty()


async def cancel(request: ValidRequest) -> Response:
    """POST /threads/{thread_id}/runs/{run_id}/cancel."""
    services = request.services
    thread_id, run_id = run_ids_of(request)
    action: Action = "rollback" if request.query["action"] == "rollback" else "interrupt"
    run = await find_run(services, thread_id, run_id)
    if run is None:
        raise NotFound("No runs found to cancel.")
    job = await services.engine.find_job(run)
    if job is None:
        raise NotFound(_OVER)
    path = path_of(run)
    how = f"{action} requested via POST /threads/{{thread_id}}/runs/{{run_id}}/cancel"
    await services.engine.stopper.cancel([run_id], action, how)
    if not request.query["wait"]:
        return empty(202)
    return await answer_when_over(request, job, path, None, result={})


async def control(request: ValidRequest) -> Response:
    """POST /threads/{thread_id}/runs/{run_id}/control."""
    thread_id, run_id = run_ids_of(request)
    job = request.services.engine.jobs.get(run_id)
    if job is None or job.thread_id != thread_id:
        raise NotFound("No such run is pending or running.")
    body = request.body
    if not request.services.controlled.answer(run_id, body["number"], body.get("drain")):
        raise Conflict("The run was not created with a control, or has not begun.")
    return empty()


_OVER = (
    "No matching runs to cancel. Please verify the thread ID and run IDs are correct,"
    " and the runs haven't been deleted or completed."
)


async def _can_be_found(services: Services, thread_id: str, run_id: str) -> bool:
    try:
        return await find_run(services, thread_id, run_id) is not None
    except Unreadable:  # It keeps no other run from being cancelled.
        return False


async def cancel_many(request: ValidRequest) -> Response:
    """POST /runs/cancel."""
    services = request.services
    body = request.body
    action: Action = "rollback" if request.query["action"] == "rollback" else "interrupt"
    if "status" in body:
        wanted = UNFINISHED if body["status"] == "all" else (body["status"],)
        runs = await services.engine.unfinished()
        ids = [
            run["run_id"]
            for run in runs
            if run["status"] in wanted
            and await _can_be_found(services, run["thread_id"], run["run_id"])
        ]
    else:
        thread_id = canonical_uuid(body["thread_id"], "Invalid thread ID: must be a UUID")
        run_ids = [
            canonical_uuid(run_id, "Invalid run ID: must be a UUID") for run_id in body["run_ids"]
        ]
        ids = [run_id for run_id in run_ids if await _can_be_found(services, thread_id, run_id)]
    if not ids:
        raise NotFound("No runs found to cancel.")
    jobs = await services.engine.stopper.cancel(
        ids, action, f"{action} requested via POST /runs/cancel"
    )
    if not jobs:
        raise NotFound(_OVER)
    # The client's next request should find the runs ended. But a node may ignore its cancellation,
    # so the wait is limited.
    with suppress(TimeoutError):
        async with asyncio.timeout(_CANCEL_WAIT_SECONDS):
            for job in jobs:
                await job.over.wait()
    return empty()
