"""A stream of events, followed through interruptions."""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Generator,  # async only
)
from time import monotonic
from types import TracebackType
from typing import (
    Any,  # async only
    Generic,
    Self,
    TypeVar,
)

import httpx

from langgraph_client._async.link import WATCH, Link
from langgraph_client._async.transport import AsyncTransport
from langgraph_client._core.events import EventParser, part_from
from langgraph_client._core.resumption import Resumption, status_of
from langgraph_client._core.silence import Pulse
from langgraph_client.errors import APIError, NotFoundError
from langgraph_client.models.events import StreamPart

PartT = TypeVar("PartT")


class AsyncRunStream(AsyncIterator[PartT], Generic[PartT]):
    """The events of a run, or of a thread, as they happen.

    Iterate over it; leaving the loop for good, by `break` or otherwise, closes the connection as
    soon as the stream is forgotten. As a context manager it is opened on entering and closed on
    leaving. Nothing is sent before the first event is asked for, or the context is entered.

        async with client.runs.stream(thread_id, "agent", input=question) as stream:
            print(stream.run_id)
            async for part in stream:
                print(part.event, part.data)

    An interrupted stream is continued where the server allows it (`stream_resumable=True`).

    Raises:
        StreamIncomplete: while iterating, if the stream was cut and could not be continued.
    """

    def __init__(
        self,
        transport: AsyncTransport,
        state: Resumption,
        convert: Callable[[StreamPart], PartT | None],
    ) -> None:
        self._state = state
        self._link = Link()
        # The generator does not know this object: when it is forgotten, so is the generator, and
        # its `finally` closes the connection.
        self._parts = _follow(transport, state, convert, self._link)
        self._started = False
        self._closed = False

    @property
    def run_id(self) -> str | None:
        """The run, as soon as the stream is open (on some servers: after the first event)."""
        return self._state.run_id

    @property
    def thread_id(self) -> str | None:
        """The thread. Servers may not tell that of a stateless run."""
        return self._state.thread_id

    @property
    def last_event_id(self) -> str | None:
        """The id of the last event, where events have ids: continue after it with `join_stream`."""
        return self._state.last_event_id

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> PartT:
        await self._open()
        try:
            part = await self._parts.__anext__()
        except (RuntimeError, ValueError):
            if not self._closed:
                raise
            # Somebody else is closing it just now.
            raise StopAsyncIteration from None
        assert part is not None
        return part

    async def aclose(self) -> None:
        """Close the connection. What the server then does is for `on_disconnect` to say."""
        self._closed = True
        self._state.finished = True
        self._started = True
        try:
            await self._parts.aclose()
        except (RuntimeError, ValueError):
            # Somebody else is reading from it just now, and stops when there is no connection.
            self._link.hang_up()
            await self._link.aclose()

    async def __aenter__(self) -> Self:
        await self._open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __await__(self) -> Generator[Any, None, Self]:  # async only
        return self.__aenter__().__await__()  # async only

    async def _open(self) -> None:
        if not self._started:
            self._started = True
            await self._parts.__anext__()

    def __repr__(self) -> str:
        state = self._state
        return f"<{type(self).__name__} run_id={state.run_id!r} thread_id={state.thread_id!r}>"


async def _follow(
    transport: AsyncTransport,
    state: Resumption,
    convert: Callable[[StreamPart], PartT | None],
    link: Link,
) -> AsyncGenerator[PartT | None, None]:
    """None when the stream is open, then its parts."""
    opened = False
    while not state.finished:
        call = state.ask()
        try:
            response = link.response = await transport.open(call)
            state.opened(response.headers, transport.location(response))
            patience = state.patience(transport.cadence.patience)
            transport.listen(response, patience)
            if not opened:
                opened = True
                yield None
            parser, pulse, comments = EventParser(), Pulse(transport.cadence), 0
            link.waiting_since = monotonic()
            async for chunk in response.aiter_bytes():
                link.waiting_since = None
                events = parser.feed(chunk)
                if events:
                    pulse.other()
                elif parser.comments > comments:
                    pulse.beat(monotonic())
                    state.alive()
                    if patience is None:
                        patience = state.patience(transport.cadence.patience)
                        if patience is not None:
                            transport.listen(response, patience)  # In process it is not too late.
                            WATCH.expect(link, patience)
                comments = parser.comments
                for event in events:
                    part = state.seen(part_from(event))
                    converted = None if part is None else convert(part)
                    if converted is not None:
                        yield converted
                    if state.doubt:
                        break
                if state.finished:
                    return
                if state.doubt:
                    break
                link.waiting_since = monotonic()
            if link.silent:
                raise httpx.ReadTimeout("the server fell silent")
        except APIError as error:  # Before httpx's: each is one of those as well.
            state.broken(error)
        except (httpx.HTTPError, httpx.StreamError) as error:
            if state.finished:
                return
            state.broken(transport.failure(call, error, silent=link.silent))
        else:
            asking = not state.doubt and state.closed(mid_event=parser.pending)
            while asking:
                asking = await _ask(transport, state)
                if asking:
                    await transport.sleep(state.pause)
        finally:
            WATCH.forget(link)
            link.silent = False
            await link.aclose()
        if state.pause:
            await transport.sleep(state.pause)
    if state.failed:
        failure = await _failure(transport, state)
        converted = None if failure is None else convert(failure)
        if converted is not None:
            yield converted


async def _ask(transport: AsyncTransport, state: Resumption) -> bool:
    """Ask for the run's status after a close; whether to ask again."""
    call = state.status()
    assert call is not None
    status: str | None = None  # The run is gone.
    try:
        status = status_of(await transport.send(call))
    except NotFoundError:
        pass
    except APIError as error:
        state.broken(error)
        return False
    return state.answered(status)


async def _failure(transport: AsyncTransport, state: Resumption) -> StreamPart | None:
    """The `error` event of a run that failed while the stream was cut: servers do not replay it."""
    call = state.failure()
    try:
        result = None if call is None else await transport.wait(call)
    except APIError as error:
        raise state.unexplained(error) from error
    if isinstance(result, dict) and isinstance(result.get("__error__"), dict):
        return StreamPart("error", result["__error__"])
    return None
