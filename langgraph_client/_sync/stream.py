# Generated from langgraph_client/_async/stream.py by .ci/unasync.py; do not edit.
"""The event stream that callers iterate over. It reconnects after interruptions."""

from __future__ import annotations

from collections.abc import (
    Callable,
    Iterator,
)
from dataclasses import replace
from functools import partial
from time import monotonic
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from langgraph_client._core.call import Call
from langgraph_client._core.exchange import Opening
from langgraph_client._core.stream_session import Ask, Done, Open, Read, Sleep, StreamSession
from langgraph_client._io.threads import Background, complete_opening
from langgraph_client._sync.pools import Answer
from langgraph_client._sync.transport import Transport
from langgraph_client.errors import APIError, APIStatusError
from langgraph_client.models.events import StreamPart
from langgraph_client.models.html_view import table, text

PartT = TypeVar("PartT")

_LEAVING = 5.0  # The most seconds that closing a stream may take.
_STOPPING = "stopping the run of a stream"  # For the log.


class RunStream(Iterator[PartT], Generic[PartT]):
    """The events of a run, or of a thread, as they happen.

    Iterate over it, or use it as a context manager, which opens the stream on entry and closes it
    on exit. After `break`, the connection is closed when the object is garbage-collected. No
    request is sent before the first iteration or the entry.

        with client.runs.stream(thread_id, "agent", input=question) as stream:
            print(stream.run_id)
            for part in stream:
                print(part.event, part.data)

    An interrupted stream is continued if it is resumable (`stream_resumable=True`). With
    `on_disconnect="cancel"`, closing the stream before its end, in any way, requests the
    cancellation of its run; `close` returns after that request. While
    another task or thread is still opening the stream, the run's id is not known: that task or
    thread then requests the cancellation.

    Raises:
        StreamIncomplete: While iterating: the stream was cut and could not be continued, or an
            earlier read was cancelled, as by `asyncio.wait_for`, which closes the stream.
        APIError: While iterating or entering: the server cannot be reached or refuses the request.
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
        self._opening = Opening()
        self._background: Background | None = None  # Sends the cancellation of the run.
        self._is_busy = False

    @property
    def run_id(self) -> str | None:
        """The run's id, known when the stream is open (on some servers: after the first event)."""
        return self._session.run_id

    @property
    def thread_id(self) -> str | None:
        """The thread's id. For a stateless run, a server may not send it: then it is None."""
        return self._session.thread_id

    @property
    def last_event_id(self) -> str | None:
        """The id of the last event, for `join_stream`; None if the events have no ids."""
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
        """Yield the parts that were received so far, as they were sent.

        `RemoteGraph` calls this and `advance` in turn, which is faster per part than iterating
        over the stream. It closes the stream itself.
        """
        return self._session.ready_parts()

    def advance(self) -> bool:
        """Do the session's next step; return False if the stream has ended.

        Raises:
            RuntimeError: Another task or thread is reading the stream.
            StreamIncomplete: An earlier read was cancelled, which has closed the stream.
        """
        if self._is_busy:
            if self._session.is_done:  # Another task or thread is closing the stream.
                return False
            raise RuntimeError(
                "another task or thread is reading this stream: a stream has one reader at a time"
            )
        self._is_busy = True
        try:
            more = self._step()
        except BaseException as error:
            # Both before `close`: it would only interrupt a busy reader, and it ends the session,
            # after which `cancelled` has no effect.
            self._is_busy = False
            if not isinstance(error, Exception):
                self._session.cancelled()
            self.close()
            raise
        self._is_busy = False
        return more

    def _step(self) -> bool:
        session, step = self._session, self._session.next_step()
        # Only `Read` needs the open connection; see the table in `stream_session`.
        if not isinstance(step, Read):
            self._release(is_over=isinstance(step, Done))
        was_open = session.is_open
        try:
            match step:
                case Read(seconds):
                    assert self._answer is not None
                    assert self._call is not None
                    data = self._transport.read(self._call, self._answer, seconds)
                    note = partial(session.receive, data, monotonic())
                case Open(call):
                    self._call, answer = call, self._open(call)
                    self._answer = answer
                    location = self._transport.location(call, answer)
                    note = partial(session.opened, answer.headers, location)
                case Ask(call, waits):
                    ask = self._transport.wait if waits else self._transport.send
                    note = partial(session.answered, ask(call))
                case Sleep(seconds):
                    self._transport.sleep(seconds)
                    note = partial(session.slept)
                case Done():
                    return False
        except APIError as error:
            # Perhaps only the response was lost: with the run's id the session continues.
            if isinstance(step, Open) and not was_open:
                run_id = self._transport.find_run(step.call, error)
                if run_id is not None:
                    session.found(run_id)
            session.failed(error)
        else:
            # Not inside `try`: what the session decides, or the caller's callback raises, is no
            # failure of the connection.
            note()
        if session.is_open and not was_open:
            self._stop_if_left()
        return True

    def _release(self, *, is_over: bool = False) -> None:
        """Close the connection; if the stream is over, keep the connection for other requests."""
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
            return self._transport.open(replace(call, opening=self._opening))
        # A cancelled request may have started a run whose id only the response contains. So the
        # opening is completed in the background, and then the run can be cancelled.
        self._background = Background()
        opening = self._transport.open(call)
        return complete_opening(self._background, opening, self._opened_late, _LEAVING)

    def _opened_late(self, answer: Answer) -> None:
        """Note a response that was received after the reader was cancelled."""
        self._answer = answer
        self._session.opened(answer.headers, None)

    def close(self) -> None:
        """Close the stream. With `on_disconnect="cancel"`, also cancel its run.

        With `on_disconnect="continue"`, which is the default, the run goes on.
        """
        # First: the reader that is interrupted below must find the session over, or it would take
        # that for a cut and reconnect.
        leave = self._leave()
        try:
            if not self._is_busy:
                self._release()
            elif self._answer is not None:
                # Another task or thread is reading: interrupting its read makes it stop.
                self._answer.interrupt()
            else:
                self._opening.leave()
        finally:
            if leave is not None and self._background is not None:
                self._background.finish(leave, _STOPPING, _LEAVING)

    def _leave(self) -> Callable[[], Any] | None:
        """End the session; return the function that cancels its run, None if it must go on."""
        if self._session.is_done:
            return None
        self._session.finish()
        stop = self._session.stop_call() if self._session.is_open else None
        return None if stop is None else partial(_stop, self._transport, stop)

    def _stop_if_left(self) -> None:
        """Cancel the run of a stream that another task or thread has closed while it was opened.

        When it was closed, nothing told which run to cancel.
        """
        stop = self._session.stop_call() if self._session.is_done else None
        if stop is not None and self._background is not None:
            self._release()  # First: there may be no other connection for the request.
            leave = partial(_stop, self._transport, stop)
            self._background.finish(leave, _STOPPING, _LEAVING)

    def __del__(self) -> None:
        # A finalizer can run in any thread, which may hold any lock: no I/O and no waiting here.
        answer, self._answer = self._answer, None
        if answer is not None:
            answer.abandon()
        leave = self._leave()
        if leave is not None and self._background is not None:
            self._background.start_soon(leave, _STOPPING)

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
    """Cancel a run. A refusal is ignored: the run is over or does not exist any more."""
    try:
        transport.send(call)
    except APIStatusError as error:
        if error.status_code not in (404, 409, 422):
            raise
