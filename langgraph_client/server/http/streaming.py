"""Responses whose body is sent in parts: event streams, and results of runs that are not over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from langgraph_client.server.clock import Clock
from langgraph_client.server.encoding import encode
from langgraph_client.server.http.replies import HEARTBEAT_SECONDS
from langgraph_client.server.runs.event_log import END, HEARTBEAT, Reader, frames
from langgraph_client.server.runs.run_states import Job
from langgraph_client.server.storage.protocol import Event
from langgraph_client.server.typed_values import as_plain

_EVENT_HEADERS = {
    "cache-control": "no-store",
    "connection": "keep-alive",
    "x-accel-buffering": "no",
    "content-type": "text/event-stream; charset=utf-8",
}


def event_headers() -> dict[str, str]:
    """Return the headers of an event stream."""
    return dict(_EVENT_HEADERS)


EventPredicate = Callable[[Event], bool]


# Not Starlette's StreamingResponse: that has no heartbeat, and does not call back when the client
# disconnects.
class LongResponse(Response):
    """A response that sends its parts as they become available, and a heartbeat every five seconds.

    It ends after its last part, or when the client disconnects; to HEAD, after its head. Its
    resources are released in all cases, and also if it is cancelled at any point.

    Args:
        headers: The headers.
        heartbeat: The bytes of a heartbeat, so that proxies and clients keep the connection open.
        on_disconnect: Called if the client disconnects before the end.
        on_end: Called at the end, in all cases.
    """

    def __init__(
        self,
        headers: Mapping[str, str],
        *,
        heartbeat: bytes,
        on_disconnect: Callable[[], object] | None = None,
        on_end: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(None, 200, headers)
        del self.headers["content-length"]
        self._heartbeat, self._on_disconnect, self._on_end = heartbeat, on_disconnect, on_end

    def parts(self) -> AsyncGenerator[bytes]:
        """Yield the parts of the body."""
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        clock: Clock = scope["app"].state.services.clock
        begun = clock.time()  # Before the first byte: who has got it may move a test's clock.
        complete = False
        try:
            # Within the `try`: if the client has disconnected already, the first `send` raises.
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            is_head = scope["method"] == "HEAD"
            complete = is_head or await self._send_all(clock, begun, receive, send)
        finally:
            # Without an `await`: this request may be cancelled itself, and must release everything.
            if not complete and self._on_disconnect is not None:
                self._on_disconnect()
            if self._on_end is not None:
                self._on_end()
        if complete:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_all(self, clock: Clock, begun: float, receive: Receive, send: Send) -> bool:
        """Send the parts. Return whether the client has them all, and has not left before."""
        tasks = [
            asyncio.create_task(self._send(send)),
            asyncio.create_task(_until_gone(receive)),
            # Beside `_send`: each passes on whole parts, so no heartbeat is within an event.
            asyncio.create_task(self._beat(send, clock, begun)),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            sending, gone, _ = tasks
            # A client that leaves at the same moment may lack the last part, so it counts as gone.
            if not sending.done() or gone.done():
                return False
            sending.result()  # An error of the server must break the connection.
            return True
        finally:
            for task in tasks:
                task.add_done_callback(_forget)
                task.cancel()

    async def _send(self, send: Send) -> None:
        parts = self.parts()
        try:
            async for part in parts:
                await send({"type": "http.response.body", "body": part, "more_body": True})
        finally:
            await parts.aclose()

    async def _beat(self, send: Send, clock: Clock, begun: float) -> None:
        while True:
            begun = min(begun, clock.time())  # The system's clock may be set back.
            await clock.sleep_until(begun + HEARTBEAT_SECONDS)
            begun = clock.time()
            await send({"type": "http.response.body", "body": self._heartbeat, "more_body": True})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _forget(task: asyncio.Task[None]) -> None:
    """Retrieve a task's exception, or asyncio would log it: it only says that the client left."""
    if not task.cancelled():
        task.exception()


class EventStream(LongResponse):
    """A response that sends the events of a reader.

    Args:
        reader: The reader; it is closed at the end. None for no events after `first`.
        headers: Further headers.
        with_id: Whether events are sent with their id.
        typed_values: Whether the client reads values in envelopes.
        wanted: Returns whether to send an event; None for all events.
        on_disconnect: Called if the client disconnects before the end.
        on_end: Called at the end, in all cases.
        first: Bytes to send before the events.
        marks_end: Whether to send an event at the end if the run is over and all of its events were
            sent. A client then need not ask whether that was the end, as the protocol requires.
    """

    def __init__(
        self,
        reader: Reader | None,
        headers: Mapping[str, str],
        *,
        with_id: bool,
        typed_values: bool = False,
        wanted: EventPredicate | None = None,
        on_disconnect: Callable[[], object] | None = None,
        on_end: Callable[[], object] | None = None,
        first: bytes = b"",
        marks_end: bool = False,
    ) -> None:
        def release() -> None:
            if reader is not None:
                reader.close()
            if on_end is not None:
                on_end()

        super().__init__(
            {**_EVENT_HEADERS, **headers},
            heartbeat=HEARTBEAT,
            on_disconnect=on_disconnect,
            on_end=release,
        )
        self._reader, self._with_id, self._wanted = reader, with_id, wanted
        self._first, self._typed_values, self._marks_end = first, typed_values, marks_end

    async def parts(self) -> AsyncGenerator[bytes]:
        """Yield the events, in batches as they are ready."""
        if self._first:
            yield self._first
        if self._reader is None:
            return
        async for events in self._reader:
            if self._wanted is not None:
                events = [event for event in events if self._wanted(event)]
            if not self._typed_values:
                events = as_plain(events)
            if events:
                yield frames(events, self._with_id)
        if self._marks_end and self._reader.has_all:
            yield END


class RunResultResponse(LongResponse):
    """A response that sends a run's result once the run is over, and newlines before it.

    Args:
        job: The run.
        headers: Further headers.
        result: The value to send instead of the run's result; None for the run's result.
        on_disconnect: Called if the client disconnects before the end.
    """

    def __init__(
        self,
        job: Job,
        headers: Mapping[str, str],
        *,
        result: object,
        on_disconnect: Callable[[], object] | None,
    ) -> None:
        # As on the real server: JSON may begin with white space, so newlines are its heartbeats.
        kind = {"content-type": "application/json"}
        super().__init__({**headers, **kind}, heartbeat=b"\n", on_disconnect=on_disconnect)
        self._job, self._result = job, result

    async def parts(self) -> AsyncGenerator[bytes]:
        """Yield the result."""
        await self._job.over.wait()
        yield encode(self._job.result if self._result is None else self._result)
