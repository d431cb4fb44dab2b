"""Event streams: of a new run, of an existing run, and of a thread."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from starlette.responses import Response

from langgraph_client.server.encoding import decode, encode
from langgraph_client.server.errors import Invalid, Refused
from langgraph_client.server.http.endpoint import ValidRequest
from langgraph_client.server.http.remote_graph_headers import envelope_header, reads_envelopes
from langgraph_client.server.http.routes.runs import (
    BAD_UUID,
    begin,
    find_run,
    path_of,
    run_ids_of,
    thread_id_of,
)
from langgraph_client.server.http.streaming import EventPredicate, EventStream
from langgraph_client.server.runs.event_log import parse_event_id
from langgraph_client.server.runs.run_document import canonical_uuid
from langgraph_client.server.runs.run_result import NOT_FOUND
from langgraph_client.server.storage.protocol import Event


async def stream(request: ValidRequest) -> Response:
    """POST /runs/stream, POST /threads/{thread_id}/runs/stream."""
    services = request.services
    thread_id = thread_id_of(request, BAD_UUID, Refused)
    job, reader = await begin(request, thread_id, waited_for=True, streamed=True)
    path = path_of(job.run, stateless=thread_id is None)
    typed_values = reads_envelopes(request.headers)
    cancels = request.body.get("on_disconnect") == "cancel"
    return EventStream(
        reader,
        {
            "location": f"{path}/stream",
            "content-location": path,
            **envelope_header(request.headers),
        },
        with_id=job.run["kwargs"]["resumable"],
        typed_values=typed_values,
        marks_end=typed_values,
        on_disconnect=(lambda: services.engine.stopper.disconnected(job.run_id))
        if cancels
        else None,
    )


async def join_stream(request: ValidRequest) -> Response:
    """GET /threads/{thread_id}/runs/{run_id}/stream."""
    services = request.services
    thread_id, run_id = run_ids_of(request)
    path = f"/threads/{thread_id}/runs/{run_id}"
    headers = {
        "location": f"{path}/stream",
        "content-location": path,
        **envelope_header(request.headers),
    }
    run = await find_run(services, thread_id, run_id)
    if run is None:
        # Without an id, because no event follows after which a client could resume.
        error_frame = b"event: error\r\ndata: %s\r\n\r\n" % encode(NOT_FOUND)
        return EventStream(None, headers, with_id=False, first=error_frame)
    last = request.headers.get("last-event-id")
    cancels = request.query["cancel_on_disconnect"]
    after = None if last is None else parse_event_id(last)
    wanted, with_id = _in_modes(request.query["stream_mode"]), run["kwargs"]["resumable"]
    log = await services.engine.log_of(run)
    return EventStream(
        # All that may fail comes before this: nothing would detach the reader, and the run would
        # wait for it.
        log.read(after),
        headers,
        with_id=with_id,
        typed_values=reads_envelopes(request.headers),
        wanted=wanted,
        on_disconnect=(lambda: services.engine.stopper.disconnected(run_id)) if cancels else None,
    )


def _in_modes(value: str | None) -> EventPredicate | None:
    """Return the filter for a `stream_mode` parameter; None for all events.

    Raises:
        Invalid: It is a list with other things than texts.
    """
    if not value:  # Some clients send an empty value for "not given".
        return None
    modes: list[Any] = [value]
    if value.startswith("["):
        with suppress(ValueError):  # Not JSON: then it is the name of a mode that has no events.
            modes = decode(value)
    if not all(isinstance(mode, str) for mode in modes):
        raise Invalid("stream_mode must be the name of a mode, or a JSON list of names")
    names = {"messages" if mode == "messages-tuple" else mode for mode in modes}

    def wanted(event: Event) -> bool:
        name = event.name.partition("|")[0]
        return name in names or ("messages" in names and name.startswith("messages"))

    return wanted


_EVENT_ID = re.compile(r"-|\d+(-(\d+|\*))?")
_THREAD_MODES = ("lifecycle", "run_modes", "state_update")


async def thread_stream(request: ValidRequest) -> Response:
    """GET /threads/{thread_id}/stream."""
    services = request.services
    thread_id = canonical_uuid(request.path["thread_id"], "Invalid thread ID: must be a UUID")
    modes = (request.query["stream_modes"] or "run_modes").split(",")
    for mode in modes:
        if mode not in _THREAD_MODES:
            raise Invalid(f"Invalid stream mode: {mode}")
    last = request.headers.get("last-event-id")
    if last is not None and not _EVENT_ID.fullmatch(last):
        raise Invalid("Invalid last-event-id: must be a valid Redis stream ID")

    def wanted(event: Event) -> bool:
        if event.name == "state_update":
            return "state_update" in modes
        return "run_modes" in modes or ("lifecycle" in modes and event.name == "metadata")

    after = None if last is None else parse_event_id(last)
    log = await services.engine.watch(thread_id)
    return EventStream(
        request.end_when_denied(log.read(after), thread_id),
        {},
        with_id=True,
        typed_values=reads_envelopes(request.headers),
        wanted=wanted,
        on_end=lambda: services.engine.thread_logs.drop(thread_id),
    )
