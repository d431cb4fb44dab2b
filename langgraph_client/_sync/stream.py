# Generated from langgraph_client/_async/stream.py by .ci/unasync.py; do not edit.
"""A stream of events, followed through interruptions."""

from __future__ import annotations

from collections.abc import (
    Callable,
    Iterator,
)
from functools import partial
from time import monotonic
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from langgraph_client._core.call import Call
from langgraph_client._core.stream_session import Ask, Done, Open, Read, Sleep, StreamSession
from langgraph_client._io.threads import Background, opened_anyway
from langgraph_client._sync.pools import Answer
from langgraph_client._sync.transport import Transport
from langgraph_client.errors import APIError, APIStatusError
from langgraph_client.models.events import StreamPart
from langgraph_client.models.html_view import table, text

PartT = TypeVar("PartT")

_LEAVING = 5.0  # Seconds that leaving a stream may take.


class RunStream(Iterator[PartT], Generic[PartT]):
    """The events of a run, or of a thread, as they happen.

    Iterate over it; leaving the loop for good, by `break` or otherwise, closes the connection as
    soon as the stream is forgotten. As a context manager it is opened on entering and closed on
    leaving. Nothing is sent before the first event is asked for, or the context is entered.

        with client.runs.stream(thread_id, "agent", input=question) as stream:
            print(stream.run_id)
            for part in stream:
                print(part.event, part.data)

    An interrupted stream is continued where the server allows it (`stream_resumable=True`). With
    `on_disconnect="cancel"`, leaving it before its end tells the server to stop the run: however it
    is left, and before `close` returns.

    Raises:
        StreamIncomplete: while iterating, if the stream was cut and could not be continued.
    """

    def __init__(
        self,
        transport: Transport,
        session: StreamSession,
        convert: Callable[[StreamPart], PartT | None],
    ) -> None:
        session.cadence = transport.cadence
        self._transport = transport
        self._session = session
        self._convert = convert
        self._call: Call[Any] | None = None
        self._answer: Answer | None = None
        self._background: Background | None = None  # Where leaving the stream stops its run.
        self._is_busy = False

    @property
    def run_id(self) -> str | None:
        """The run, as soon as the stream is open (on some servers: after the first event)."""
        return self._session.run_id

    @property
    def thread_id(self) -> str | None:
        """The thread. Servers may not tell that of a stateless run."""
        return self._session.thread_id

    @property
    def last_event_id(self) -> str | None:
        """The id of the last event, where events have ids: continue after it with `join_stream`."""
        return self._session.last_event_id

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> PartT:
        session = self._session
        while True:
            try:
                while (part := session.next_part()) is not None:
                    converted = self._convert(part)
                    if converted is not None:
                        return converted
            except BaseException:
                self.close()
                raise
            if not self.advance():
                raise StopIteration

    def ready(self) -> Iterator[StreamPart]:
        """Yield the parts that have come, as they were sent; for `RemoteGraph`.

        It calls `advance` and this in turn, which takes fewer steps for each part than iterating
        over the stream does, and closes the stream, whatever happens.
        """
        return self._session.ready_parts()

    def advance(self) -> bool:
        """Do the next step of the session, alone; return False if there is none."""
        if self._is_busy:
            if self._session.is_done:  # Somebody else is closing it just now.
                return False
            raise RuntimeError("the stream is read by somebody else just now")
        self._is_busy = True
        try:
            more = self._step()
        except BaseException:
            self._is_busy = False
            self.close()
            raise
        self._is_busy = False
        return more

    def _step(self) -> bool:
        session, step = self._session, self._session.next_step()
        if not isinstance(step, Read):
            self._release(is_over=isinstance(step, Done))
        try:
            match step:
                case Read(seconds):
                    assert self._answer is not None
                    assert self._call is not None
                    data = self._transport.read(self._call, self._answer, seconds)
                    session.receive(data, monotonic())
                case Open(call):
                    self._call, answer = call, self._open(call)
                    self._answer = answer
                    location = self._transport.location(call, answer)
                    session.opened(answer.headers, location, monotonic())
                case Ask(call, waits):
                    ask = self._transport.wait if waits else self._transport.send
                    session.answered(ask(call))
                case Sleep(seconds):
                    self._transport.sleep(seconds)
                    session.slept()
                case Done():
                    return False
        except APIError as error:
            if isinstance(step, Open) and not session.is_open:
                run_id = self._transport.find_run(step.call, error)
                if run_id is not None:
                    session.found(run_id)
            session.failed(error)
        return True

    def _release(self, *, is_over: bool = False) -> None:
        """Close the connection; or keep it for others, if its stream is over."""
        answer, self._answer = self._answer, None
        if answer is None:
            return
        try:
            if is_over:
                answer.finish()
        finally:
            answer.close()

    # --- leaving ---

    def _open(self, call: Call[Any]) -> Answer:
        if not self._session.stops_run:
            return self._transport.open(call)
        # Cancelled now, nobody would know which run to stop: so opening goes on to its end.
        self._background = Background()
        opening = self._transport.open(call)
        return opened_anyway(self._background, opening, self._opened_late, _LEAVING)

    def _opened_late(self, answer: Answer) -> None:
        """The stream is open, and its reader has left meanwhile."""
        self._answer = answer
        self._session.opened(answer.headers, None, monotonic())

    def close(self) -> None:
        """Leave the stream: close the connection, and stop the run with `on_disconnect="cancel"`.

        What a server does with the run of any other stream is for `on_disconnect` to say.
        """
        leave = self._leave()
        try:
            if self._is_busy and self._answer is not None:
                # Somebody else reads from it just now, and stops when there is no connection.
                self._answer.interrupt()
            else:
                self._release()
        finally:
            if leave is not None and self._background is not None:
                self._background.finish(leave, "stopping the run of a stream", _LEAVING)

    def _leave(self) -> Callable[[], Any] | None:
        """End the session; what is still to be done about its run."""
        if self._session.is_done:
            return None
        self._session.finish()
        stop = self._session.stop_call() if self._session.is_open else None
        return None if stop is None else partial(_stop, self._transport, stop)

    def __del__(self) -> None:
        # A finalizer runs in any thread, whatever is locked there: no I/O, nothing to wait for.
        answer, self._answer = self._answer, None
        if answer is not None:
            answer.abandon()
        leave = self._leave()
        if leave is not None and self._background is not None:
            self._background.later(leave, "stopping the run of a stream")

    def __enter__(self) -> Self:
        self._open_now()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _open_now(self) -> None:
        while not self._session.is_open and self.advance():
            pass

    def _repr_html_(self) -> str:
        session = self._session
        place = [("run", text(session.run_id)), ("thread", text(session.thread_id))]
        return table([*place, ("last event", text(session.last_event_id))])

    def __repr__(self) -> str:
        session = self._session
        return f"<{type(self).__name__} run_id={session.run_id!r} thread_id={session.thread_id!r}>"


def _stop(transport: Transport, call: Call[Any]) -> None:
    """Tell the server to stop a run. A server that says no has none to stop any more."""
    try:
        transport.send(call)
    except APIStatusError as error:
        if error.status_code not in (404, 409, 422):
            raise
