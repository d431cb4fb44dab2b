"""Runs: create, wait, join, list, read, cancel, delete."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from langgraph_client.server.encoding import encode
from langgraph_client.server.http.replies import (
    HEARTBEAT_SECONDS,
    fail,
    nothing,
    read_json,
    reply,
    truth,
    uuid_text,
)
from langgraph_client.server.http.schemas.runs import BATCH, CANCEL, DEFINITIONS, check_run
from langgraph_client.server.http.validation import validate
from langgraph_client.server.runs.engine import NOT_FOUND
from langgraph_client.server.runs.run_result import fallback_result
from langgraph_client.server.runs.run_states import Job
from langgraph_client.server.services import Services, services_of
from langgraph_client.server.storage.protocol import Document
from langgraph_client.server.typed_values import agreed

_MOMENT = 0.02
_SOON = 2.0
BAD_UUID = "badly formed hexadecimal UUID string"
_FIELDS = [
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


def thread_id_of(request: Request, detail: str, status: int = 422) -> str | None:
    """Return the thread a path names; None if it names none."""
    text = request.path_params.get("thread_id")
    return None if text is None else uuid_text(text, detail, status)


async def begin(request: Request, body: Any, thread_id: str | None) -> Job:
    """Create the run that a validated body asks for."""
    return await services_of(request).runs.create(
        body,
        thread_id,
        request_id=request.headers.get("x-request-id"),
        agreed=agreed(request),
    )


async def create(request: Request) -> Response:
    """POST /runs, POST /threads/{thread_id}/runs"""
    body = await read_json(request)
    thread_id = thread_id_of(request, "Invalid thread ID")
    check_run(body, stateless=thread_id is None)
    run = (await begin(request, body, thread_id)).run
    return reply(run, headers={"content-location": path_of(run, stateless=thread_id is None)})


async def create_batch(request: Request) -> Response:
    """POST /runs/batch"""
    body = validate(await read_json(request), BATCH, DEFINITIONS)
    return reply([(await begin(request, item, None)).run for item in body])


def path_of(run: Document, stateless: bool = False) -> str:
    """Return a run's path."""
    if stateless:
        return f"/runs/{run['run_id']}"
    return f"/threads/{run['thread_id']}/runs/{run['run_id']}"


async def wait(request: Request) -> Response:
    """POST /runs/wait, POST /threads/{thread_id}/runs/wait"""
    body = await read_json(request)
    thread_id = thread_id_of(request, BAD_UUID, 400)
    check_run(body, stateless=thread_id is None, waiting=True)
    job = await begin(request, body, thread_id)
    cancel = job.run_id if body.get("on_disconnect") == "cancel" else None
    return await answer_when_over(request, job, path_of(job.run), cancel)


async def answer_when_over(
    request: Request, job: Job, path: str, cancel_when_gone: str | None, result: Any = None
) -> Response:
    """Return the response that tells a run's result once it is over.

    If that takes more than a moment the status goes out first, and then a newline for every five
    seconds of waiting.

    Args:
        request: The request.
        job: The run.
        path: The run's path, for the headers.
        cancel_when_gone: The run to cancel when the client goes away before the end.
        result: What to answer in place of the run's result.
    """
    headers = {"location": f"{path}/join", "content-location": path}
    services = services_of(request)
    over = asyncio.ensure_future(job.over.wait())
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait([over, gone], timeout=_MOMENT, return_when=asyncio.FIRST_COMPLETED)
        if over.done():
            return reply(job.result if result is None else result, headers=headers)
        if gone.done():
            if cancel_when_gone is not None:
                services.engine.disconnected(cancel_when_gone)
            return nothing(200)
    finally:
        over.cancel()
        gone.cancel()
    body = _patient(services, job, cancel_when_gone, result)
    return StreamingResponse(body, headers=headers, media_type="application/json")


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _patient(
    services: Services, job: Job, cancel_when_gone: str | None, result: Any
) -> AsyncIterator[bytes]:
    try:
        over = asyncio.ensure_future(job.over.wait())
        try:
            while not job.over.is_set():
                beat = asyncio.ensure_future(services.clock.sleep(HEARTBEAT_SECONDS))
                await asyncio.wait([over, beat], return_when=asyncio.FIRST_COMPLETED)
                if beat.done():
                    yield b"\n"
                beat.cancel()
        finally:
            over.cancel()
        yield encode(job.result if result is None else result)
    finally:
        if cancel_when_gone is not None and not job.over.is_set():
            services.engine.disconnected(cancel_when_gone)


def run_ids_of(request: Request) -> tuple[str, str]:
    """Return the thread and run a path names."""
    return (
        uuid_text(request.path_params["thread_id"], "Invalid thread ID: must be a UUID"),
        uuid_text(request.path_params["run_id"], "Invalid run ID: must be a UUID"),
    )


async def find_run(services: Services, thread_id: str, run_id: str) -> Document | None:
    """Return a run of a thread, if the thread has it."""
    run = await services.storage.runs.get(run_id)
    return run if run is not None and run["thread_id"] == thread_id else None


async def _need_thread(services: Services, thread_id: str) -> Document:
    thread = await services.storage.threads.get(thread_id)
    if thread is None:
        raise fail(404, f"Thread with ID {thread_id} not found")
    return thread


async def join(request: Request) -> Response:
    """GET /threads/{thread_id}/runs/{run_id}/join"""
    services = services_of(request)
    thread_id, run_id = run_ids_of(request)
    path = f"/threads/{thread_id}/runs/{run_id}"
    run = await find_run(services, thread_id, run_id)
    if job := services.engine.jobs.get(run_id if run else ""):
        cancel = truth(request.query_params.get("cancel_on_disconnect"))
        return await answer_when_over(request, job, path, run_id if cancel else None)
    headers = {"location": f"{path}/join", "content-location": path}
    if run is None:
        return reply({"__error__": NOT_FOUND}, headers=headers)
    thread = await services.storage.threads.get(thread_id)
    return reply(fallback_result(thread or {}), headers=headers)


async def list_runs(request: Request) -> Response:
    """GET /threads/{thread_id}/runs"""
    services = services_of(request)
    query = request.query_params
    thread_id = uuid_text(request.path_params["thread_id"], "Invalid thread ID: must be a UUID")
    limit, offset = (_integer(query.get(k, d)) for k, d in (("limit", "10"), ("offset", "0")))
    chosen = query.getlist("select")
    if odd := [name for name in chosen if name not in _FIELDS]:
        raise fail(422, f"Invalid select columns: {odd}. Expected: {set(_FIELDS)}")
    await _need_thread(services, thread_id)
    status = {"status": query["status"]} if query.get("status") else {}
    runs = await services.storage.runs.search(
        where={"thread_id": thread_id, **status},
        order_by="created_at",
        descending=True,
        limit=max(limit, 0),
        offset=max(offset, 0),
    )
    if chosen:
        runs = [{name: run[name] for name in _FIELDS if name in chosen} for run in runs]
    return reply(runs)


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise fail(400, str(error)) from None


async def get_run(request: Request) -> Response:
    """GET /threads/{thread_id}/runs/{run_id}"""
    services = services_of(request)
    thread_id, run_id = run_ids_of(request)
    await _need_thread(services, thread_id)
    run = await find_run(services, thread_id, run_id)
    if run is None:
        raise fail(404, "Not Found")
    return reply(run)


async def delete_run(request: Request) -> Response:
    """DELETE /threads/{thread_id}/runs/{run_id}"""
    services = services_of(request)
    thread_id, run_id = run_ids_of(request)
    run = await find_run(services, thread_id, run_id)
    if run is None:
        raise fail(404, "Run not found")
    if job := services.engine.jobs.get(run_id):
        await services.engine.delete_run(run_id)
        await job.over.wait()
    else:
        await services.engine.forget(run)
    return nothing()


async def cancel(request: Request) -> Response:
    """POST /threads/{thread_id}/runs/{run_id}/cancel"""
    services = services_of(request)
    thread_id, run_id = run_ids_of(request)
    action: Any = "rollback" if request.query_params.get("action") == "rollback" else "interrupt"
    run = await find_run(services, thread_id, run_id)
    if run is None:
        raise fail(404, "No runs found to cancel.")
    job = services.engine.jobs.get(run_id)
    if job is None:
        raise fail(404, _OVER)
    path = path_of(run)
    how = f"{action} requested via POST /threads/{{thread_id}}/runs/{{run_id}}/cancel"
    await services.engine.cancel([run_id], action, how)
    if not truth(request.query_params.get("wait")):
        return nothing(202)
    return await answer_when_over(request, job, path, None, result={})


_OVER = (
    "No matching runs to cancel. Please verify the thread ID and run IDs are correct,"
    " and the runs haven't been deleted or completed."
)


async def cancel_many(request: Request) -> Response:
    """POST /runs/cancel"""
    services = services_of(request)
    body = validate(await read_json(request), CANCEL, DEFINITIONS)
    action: Any = "rollback" if request.query_params.get("action") == "rollback" else "interrupt"
    if "status" in body:
        wanted = ("pending", "running") if body["status"] == "all" else (body["status"],)
        ids = [job.run_id for job in services.engine.jobs.values() if job.run["status"] in wanted]
    else:
        thread_id = uuid_text(body["thread_id"], "Invalid thread ID: must be a UUID")
        given = [uuid_text(one, "Invalid run ID: must be a UUID") for one in body["run_ids"]]
        ids = [one for one in given if await find_run(services, thread_id, one)]
        if not ids:
            raise fail(404, "No runs found to cancel.")
    jobs = await services.engine.cancel(ids, action, f"{action} requested via POST /runs/cancel")
    if not jobs:
        raise fail(404, _OVER)
    # What is asked next should find them ended; a node that will not stop is not waited for long.
    with suppress(TimeoutError):
        async with asyncio.timeout(_SOON):
            for job in jobs:
                await job.over.wait()
    return nothing()


routes = [
    Route("/threads/{thread_id}/runs/wait", wait, methods=["POST"]),
    Route("/runs/wait", wait, methods=["POST"]),
    Route("/threads/{thread_id}/runs", create, methods=["POST"]),
    Route("/threads/{thread_id}/runs", list_runs, methods=["GET"]),
    Route("/runs", create, methods=["POST"]),
    Route("/runs/batch", create_batch, methods=["POST"]),
    Route("/runs/cancel", cancel_many, methods=["POST"]),
    Route("/threads/{thread_id}/runs/{run_id}/join", join, methods=["GET"]),
    Route("/threads/{thread_id}/runs/{run_id}/cancel", cancel, methods=["POST"]),
    Route("/threads/{thread_id}/runs/{run_id}", get_run, methods=["GET"]),
    Route("/threads/{thread_id}/runs/{run_id}", delete_run, methods=["DELETE"]),
]
