"""The event protocol over HTTP: commands, and the events of a thread."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Any

from starlette.responses import Response

from langgraph_client.models.fields import JsonObject
from langgraph_client.server.errors import Refused, Unavailable
from langgraph_client.server.http.endpoint import ValidRequest
from langgraph_client.server.http.replies import reply
from langgraph_client.server.http.routes.runs import idempotency_key
from langgraph_client.server.http.streaming import LongResponse, event_headers
from langgraph_client.server.runs.commands import (
    NO_RUN,
    CommandError,
    failure,
    read_command,
    since_of,
    subscription,
    success,
)
from langgraph_client.server.runs.event_filter import (
    CHANNELS,
    MAX_NAMESPACES,
    EventFilter,
    has_many_namespaces,
    unknown_channels,
)
from langgraph_client.server.runs.event_log import HEARTBEAT, Reader
from langgraph_client.server.runs.protocol_log import Framing
from langgraph_client.server.runs.run_document import canonical_uuid

STABLE = {"x-langgraph-event-ids": "stable"}
"""The header for stable numbers and ids of events: a reader can continue after the last one."""


async def command(request: ValidRequest) -> Response:
    """POST /threads/{thread_id}/commands."""
    given = request.body
    number = given.get("id") if isinstance(given, dict) else None
    try:
        number, method, params = read_command(given)
    except CommandError as error:
        return reply(failure(number, error), 400)
    try:
        if method.startswith("subscription."):
            result: object = _subscription(request, method, params)
        else:
            thread_id = request.path["thread_id"]
            result = await request.services.commands.execute(
                thread_id,
                method,
                params,
                request.headers.get("x-request-id"),
                idempotency_key(request, f"/threads/{thread_id}/commands {method}"),
            )
    except CommandError as error:
        if isinstance(error.__cause__, Unavailable):
            raise error.__cause__ from None  # An HTTP status, so that clients and proxies retry.
        return reply(failure(number, error))
    return reply(success(number, result))


def _subscription(request: ValidRequest, method: str, params: Any) -> JsonObject:
    """Reply to a subscription command, which has no effect without a socket."""
    if method == "subscription.subscribe":
        subscription(method, params)
        return {"subscription_id": request.services.clock.uuid4(), "replayed_events": 0}
    if method == "subscription.unsubscribe":
        subscription_id = params.get("subscription_id")
        if not isinstance(subscription_id, str):
            raise CommandError("invalid_argument", f"{method} requires a subscription_id.")
        raise CommandError("no_such_subscription", f"Unknown subscription: {subscription_id}")
    if method == "subscription.reconnect":
        raise CommandError("no_such_run", NO_RUN)
    raise CommandError("unknown_command", f"Unknown protocol command: {method}")


async def events(request: ValidRequest) -> Response:
    """POST /threads/{thread_id}/stream/events."""
    body = request.body if isinstance(request.body, dict) else {}
    channels = body.get("channels")
    if not isinstance(channels, list) or not channels:
        raise Refused("channels is required and must be a non-empty array")
    if unknown := unknown_channels(channels):
        shown = ", ".join(str(name) for name in unknown[:5])
        raise Refused(
            f"channels contains unsupported entries: {shown}. Allowed: {', '.join(CHANNELS)}, or"
            " any `custom:<name>`."
        )
    if has_many_namespaces(body):
        raise Refused(f"namespaces may have at most {MAX_NAMESPACES} entries")
    thread_id = canonical_uuid(request.path["thread_id"], "Invalid thread ID: must be a UUID")
    wanted, since = EventFilter.of(body), since_of(body) or 0
    runs = request.services.engine.protocol_runs
    log = await runs.open(thread_id)
    try:
        after = await log.known(since)
    except BaseException:
        runs.release(log)
        raise
    # From here on, only the end of the response releases the log and its reader.
    reader = request.end_when_denied(log.read(after), thread_id)
    return _Events(reader, wanted, lambda: runs.release(log))


class _Events(LongResponse):
    """A response that sends the events of a thread, and does not end by itself."""

    def __init__(self, reader: Reader, wanted: EventFilter, released: Callable[[], object]) -> None:
        def release() -> None:
            reader.close()
            released()

        headers = {**event_headers(), **STABLE}
        super().__init__(headers, heartbeat=HEARTBEAT, on_end=release)
        self._reader, self._framing = reader, Framing(wanted.wants)

    async def parts(self) -> AsyncGenerator[bytes]:
        """Yield the events, in batches as they are ready."""
        async for batch in self._reader:
            if part := self._framing.frames(batch):
                yield part
