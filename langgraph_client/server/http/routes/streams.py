"""Event streams: a new run, a run that exists, everything on a thread."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from langgraph_client.server.clock import Clock
from langgraph_client.server.encoding import decode, encode
from langgraph_client.server.http.replies import (
    HEARTBEAT_SECONDS,
    fail,
    read_json,
    truth,
    uuid_text,
)
from langgraph_client.server.http.routes.runs import (
    BAD_UUID,
    begin,
    find_run,
    path_of,
    run_ids_of,
    thread_id_of,
)
from langgraph_client.server.http.schemas.runs import check_run
from langgraph_client.server.runs.engine import NOT_FOUND
from langgraph_client.server.runs.event_log import HEARTBEAT, Event, Reader, frames, parse_event_id
from langgraph_client.server.services import services_of
from langgraph_client.server.typed_values import agreement, as_plain, is_rich

_HEADERS = {
    "cache-control": "no-store",
    "connection": "keep-alive",
    "x-accel-buffering": "no",
    "content-type": "text/event-stream; charset=utf-8",
}
Wanted = Callable[[Event], bool]


class EventStream(Response):
    """A response that sends what a reader gives, and a heartbeat every five seconds.

    Args:
        reader: Read to its end, and closed.
        headers: Further headers.
        with_id: Whether events carry their id.
        rich: Whether the client reads values in envelopes.
        wanted: Which events are sent; None for all.
        left: Called when the client goes away before the end.
        closed: Called in the end, always.
    """

    def __init__(
        self,
        reader: Reader | None,
        headers: dict[str, str],
        *,
        with_id: bool,
        rich: bool = False,
        wanted: Wanted | None = None,
        left: Callable[[], object] | None = None,
        closed: Callable[[], object] | None = None,
        first: bytes = b"",
    ) -> None:
        super().__init__(None, 200, {**_HEADERS, **headers})
        del self.headers["content-length"]
        self._reader, self._with_id, self._wanted = reader, with_id, wanted
        self._left, self._closed, self._first = left, closed, first
        self._rich = rich

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response; whichever ends first, the log or the client, ends it."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        sending = asyncio.ensure_future(self._send(send))
        gone = asyncio.ensure_future(_until_gone(receive))
        beating = asyncio.ensure_future(_beat(send, scope["app"].state.services.clock))
        complete = False
        try:
            await asyncio.wait([sending, gone, beating], return_when=asyncio.FIRST_COMPLETED)
            complete = sending.done() and sending.exception() is None
        finally:
            for task in (sending, gone, beating):
                task.cancel()
            if self._reader is not None:
                self._reader.close()
            if not complete and self._left is not None:
                self._left()
            if self._closed is not None:
                self._closed()
        if complete:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, send: Send) -> None:
        if self._first:
            await send({"type": "http.response.body", "body": self._first, "more_body": True})
        if self._reader is None:
            return
        async for events in self._reader:
            if self._wanted is not None:
                events = [event for event in events if self._wanted(event)]
            if not self._rich:
                events = as_plain(events)
            if events:
                body = frames(events, self._with_id)
                await send({"type": "http.response.body", "body": body, "more_body": True})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _beat(send: Send, clock: Clock) -> None:
    while True:
        await clock.sleep(HEARTBEAT_SECONDS)
        await send({"type": "http.response.body", "body": HEARTBEAT, "more_body": True})


async def stream(request: Request) -> Response:
    """POST /runs/stream, POST /threads/{thread_id}/runs/stream"""
    services = services_of(request)
    body = await read_json(request)
    thread_id = thread_id_of(request, BAD_UUID, 400)
    check_run(body, stateless=thread_id is None, waiting=True)
    job = begin(request, body, thread_id)
    path = path_of(job.run, stateless=thread_id is None)
    cancels = body.get("on_disconnect") == "cancel"
    return EventStream(
        job.log.read(),
        {"location": f"{path}/stream", "content-location": path, **agreement(request)},
        with_id=job.run["kwargs"]["resumable"],
        rich=is_rich(request),
        left=(lambda: services.engine.cancel([job.run_id], "interrupt")) if cancels else None,
    )


async def join_stream(request: Request) -> Response:
    """GET /threads/{thread_id}/runs/{run_id}/stream"""
    services = services_of(request)
    thread_id, run_id = run_ids_of(request)
    path = f"/threads/{thread_id}/runs/{run_id}"
    headers = {"location": f"{path}/stream", "content-location": path, **agreement(request)}
    run = find_run(services, thread_id, run_id)
    if run is None:
        # Without an id, as nothing will ever follow it.
        gone = b"event: error\r\ndata: %s\r\n\r\n" % encode(NOT_FOUND)
        return EventStream(None, headers, with_id=False, first=gone)
    last = request.headers.get("last-event-id")
    cancels = truth(request.query_params.get("cancel_on_disconnect"))
    return EventStream(
        services.engine.log_of(run).read(None if last is None else parse_event_id(last)),
        headers,
        with_id=run["kwargs"]["resumable"],
        rich=is_rich(request),
        wanted=_in_modes(request.query_params.getlist("stream_mode")),
        left=(lambda: services.engine.cancel([run_id], "interrupt")) if cancels else None,
    )


def _in_modes(given: list[str]) -> Wanted | None:
    """Return the filter that a `stream_mode` parameter asks for."""
    if not given or not given[-1]:  # Some clients send an empty one for none.
        return None
    chosen: Any = given[-1]
    if chosen.startswith("["):
        with suppress(ValueError):  # not JSON: then it is one mode that matches nothing
            chosen = decode(chosen)
    modes = [chosen] if isinstance(chosen, str) else chosen
    names = {"messages" if mode == "messages-tuple" else mode for mode in modes}

    def wanted(event: Event) -> bool:
        name = event.name.partition("|")[0]
        return name in names or ("messages" in names and name.startswith("messages"))

    return wanted


_EVENT_ID = re.compile(r"-|\d+(-(\d+|\*))?")
_THREAD_MODES = ("lifecycle", "run_modes", "state_update")


async def thread_stream(request: Request) -> Response:
    """GET /threads/{thread_id}/stream"""
    services = services_of(request)
    thread_id = uuid_text(request.path_params["thread_id"], "Invalid thread ID: must be a UUID")
    given = (request.query_params.getlist("stream_modes") or [""])[-1] or "run_modes"
    modes = given.split(",")
    for mode in modes:
        if mode not in _THREAD_MODES:
            raise fail(422, f"Invalid stream mode: {mode}")
    last = request.headers.get("last-event-id")
    if last is not None and not _EVENT_ID.fullmatch(last):
        raise fail(422, "Invalid last-event-id: must be a valid Redis stream ID")

    def wanted(event: Event) -> bool:
        if event.name == "state_update":
            return "state_update" in modes
        return "run_modes" in modes or ("lifecycle" in modes and event.name == "metadata")

    feed = services.engine.feeds.open(thread_id)
    return EventStream(
        feed.read(None if last is None else parse_event_id(last)),
        {},
        with_id=True,
        rich=is_rich(request),
        wanted=wanted,
        closed=lambda: services.engine.feeds.drop(thread_id),
    )


routes = [
    Route("/threads/{thread_id}/runs/stream", stream, methods=["POST"]),
    Route("/runs/stream", stream, methods=["POST"]),
    Route("/threads/{thread_id}/runs/{run_id}/stream", join_stream, methods=["GET"]),
    Route("/threads/{thread_id}/stream", thread_stream, methods=["GET"]),
]
