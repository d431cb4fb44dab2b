"""Reads the protocol events of one thread, over one connection at a time, into a log."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from langgraph_client._async.pools import AsyncAnswer
from langgraph_client._async.transport import AsyncTransport
from langgraph_client._core.call import ANY, Call, path
from langgraph_client._core.codec import decode
from langgraph_client._core.event_filter import EventFilter
from langgraph_client._core.events import EventParser
from langgraph_client._core.outage import Outage, ReconnectPolicy, is_passing
from langgraph_client._core.requests import STREAM_HEADERS
from langgraph_client._core.run_log import Log, ThreadLog
from langgraph_client._io.chat_model_streams import async_messages
from langgraph_client._io.tasks import Job, Signal
from langgraph_client.errors import APIError, APIResponseValidationError, StreamIncomplete
from langgraph_client.models.fields import JsonObject

logger = logging.getLogger("langgraph_client")

T = TypeVar("T")
Wait = Callable[[Callable[[], bool]], Awaitable[None]]

STABLE_IDS = ("x-langgraph-event-ids", "stable")
"""What a server answers whose numbers of events stay, so that `since` may be relied on."""


class AsyncFeed:
    """The events of a thread as they come, and all that came before them.

    Opened again after every cut, until the budget of the policy is used up; then everything that
    waits on the log gets a `StreamIncomplete`.

    Args:
        transport: Sends the requests.
        thread_id: The thread; it need not exist.
        wanted: Which events.
        headers: Headers of the requests.
        policy: How often the connection is opened again.

    Attributes:
        wanted: Which events it has.
        log: What happened so far.
        changed: Notified after the log has changed.
        is_open: Whether the server has answered at some time.
    """

    def __init__(
        self,
        transport: AsyncTransport,
        thread_id: str,
        wanted: EventFilter,
        headers: Mapping[str, str],
        policy: ReconnectPolicy,
    ) -> None:
        self.changed = Signal()
        self.log = ThreadLog(async_messages(self.changed))
        self.is_open = False
        self._transport = transport
        self._thread_id = thread_id
        self.wanted = wanted
        self._headers = {**STREAM_HEADERS, **headers}
        self._policy = policy
        self._job: Job | None = None
        self._answer: AsyncAnswer | None = None
        self._is_closed = False
        self._is_stable = False
        self._last_seq = 0

    async def start(self) -> None:
        """Begin to read, if that has not begun, and wait until the server has answered.

        Raises:
            APIError: The server refuses the stream, or cannot be reached.
        """
        if self._job is None and not self._is_closed:
            self._job = Job(self._run)
        await self.changed.wait(lambda: self.is_open or self.log.events.ended)
        if not self.is_open and self.log.events.error is not None:
            raise self.log.events.error

    async def close(self) -> None:
        """Stop reading. Whatever waits on the log comes to its end."""
        self._is_closed = True
        job, self._job = self._job, None
        if (answer := self._answer) is not None:
            await answer.aclose()
        if job is not None:
            await job.stop()
        self._end(None)

    async def read(self, log: Log[T], wait: Wait) -> AsyncIterator[T]:
        """Return the items of a projection, from the first one on, as they come.

        Args:
            log: The projection.
            wait: Waits until something is there to be read, or the projection has ended.

        Raises:
            BaseException: What the projection ended with.
        """
        position = 0
        while True:
            while position < len(log.items):
                position += 1
                yield log.items[position - 1]
            if log.ended:
                if log.error is not None:
                    raise log.error
                return
            seen = position
            await wait(lambda: len(log.items) > seen or log.ended)  # noqa: B023

    async def _run(self) -> None:
        try:
            await self._keep_reading()
        except Exception as error:  # Whatever it is, nobody may wait for a reader that has ended.
            self._end(error)

    async def _keep_reading(self) -> None:
        outage = Outage(self._policy)
        while not self._is_closed:
            error: APIError | None = None
            try:
                await self._follow(outage)
            except APIError as raised:
                error = raised
            if self._is_closed:
                return
            if error is not None and not is_passing(error):
                self._end(error)
                return
            if outage.is_hopeless:
                self._end(self._incomplete(error))
                return
            logger.info("the events of thread %s were cut; asking again", self._thread_id)
            await self._transport.sleep(outage.attempt(error))

    async def _follow(self, outage: Outage) -> None:
        """Read one connection to its end. A thread's stream has none, so that is always a cut."""
        body = self.wanted.body()
        if self._is_stable and self._last_seq:
            body["since"] = self._last_seq
        where = path("/threads/{thread_id}/stream/events", thread_id=self._thread_id)
        call = Call("POST", where, ANY, body=body, headers=self._headers, safe=True)
        answer = self._answer = await self._transport.open(call)
        try:
            name, value = STABLE_IDS
            self._is_stable = answer.headers.get(name) == value
            if self._last_seq and "since" not in body:
                self.log.reconnected()
            self.is_open = True
            self.changed.notify()
            parser = EventParser()
            while data := await self._transport.read(call, answer, self._policy.silence):
                outage.end()
                events = parser.feed(data)
                if events:
                    self._take([_protocol_event(event.data) for event in events])
        finally:
            self._answer = None
            await answer.aclose()

    def _take(self, events: Sequence[JsonObject]) -> None:
        for event in events:
            self.log.feed(event)
            self._last_seq = max(self._last_seq, event["seq"])
        self.changed.notify()

    def _incomplete(self, error: APIError | None) -> StreamIncomplete:
        incomplete = StreamIncomplete(
            "the events of the thread were cut and could not be continued",
            thread_id=self._thread_id,
            last_event_id=str(self._last_seq) if self._last_seq else None,
        )
        incomplete.__cause__ = error
        return incomplete

    def _end(self, error: BaseException | None) -> None:
        self.log.end(error)
        self.changed.notify()


def _protocol_event(data: bytes) -> JsonObject:
    event = decode(data)
    if not isinstance(event, dict) or not isinstance(event.get("params"), dict):
        raise APIResponseValidationError(
            f"not an event of the protocol: {data[:200].decode('utf-8', 'replace')}"
        )
    return event
