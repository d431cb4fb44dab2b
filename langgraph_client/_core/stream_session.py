"""Follow one event stream through interruptions, without I/O (in the manner of h11).

A session says what to do next (`next_step`), takes the result (`opened`, `receive`,
`failed`, `answered`, `slept`), and hands out events (`next_part`). Its user is a loop:

    while (part := session.next_part()) is None:
        ...  # Do `session.next_step()`, and call the session with the result.

| step    | what the loop does                          | the call with the result           |
| ------- | ------------------------------------------- | ---------------------------------- |
| `Open`  | sends the request, keeps the connection     | `opened(...)` or `failed(error)`   |
| `Read`  | reads bytes, within the given seconds       | `receive(bytes)` or `failed(...)`  |
| `Ask`   | closes the connection, sends the request    | `answered(value)` or `failed(...)` |
| `Sleep` | closes the connection, waits                | `slept()`                          |
| `Done`  | closes the connection                       |                                    |

A stream is over when the server sends an `end` or `error` event of the protocol, or when the server
closes the connection normally and the run is over. Everything else is an interruption. A stream
whose events have ids is continued after the last one. For any other stream, `StreamIncomplete` is
raised. Three small state machines decide: `Replay` (which events are new), `Outage` (how often to
try), `EndCheck` (whether a close was the end).
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from langgraph_client._core.addresses import Created, RunCreated
from langgraph_client._core.call import ANY, Call, path
from langgraph_client._core.codec import fast_decode
from langgraph_client._core.end_check import EndCheck, Verdict
from langgraph_client._core.events import EventParser, ServerEvent, new_tuple, part_from
from langgraph_client._core.heartbeat import Cadence, Pulse
from langgraph_client._core.outage import Outage, Reconnect, ReconnectPolicy, is_passing
from langgraph_client._core.replay import Replay
from langgraph_client._core.starts import START_HEADERS, without_key
from langgraph_client.errors import (
    APIError,
    APIResponseValidationError,
    NotFoundError,
    StreamIncomplete,
)
from langgraph_client.models.events import StreamPart

logger = logging.getLogger("langgraph_client")

_STREAM_HEADERS = frozenset({"accept", "cache-control", "last-event-id"}) | START_HEADERS
_MEANINGFUL = frozenset({"metadata", "end", "error"})
_QUOTED = 300  # How many bytes of a response an error message quotes.


class Open(NamedTuple):
    """Open the stream, or continue it."""

    call: Call[Any]


class Read(NamedTuple):
    """Read more bytes, within this many seconds; None for the usual read timeout."""

    seconds: float | None


class Ask(NamedTuple):
    """Send a request. `waits` means that it waits for the run's result, which may take long."""

    call: Call[Any]
    waits: bool


class Sleep(NamedTuple):
    """Wait this many seconds."""

    seconds: float


class Done(NamedTuple):
    """The stream is over."""


Step = Open | Read | Ask | Sleep | Done
_DONE = Done()


class StreamSession:
    """Follows one stream.

    Args:
        first: The request that opens the stream.
        thread_id: The thread; None if it is not known yet.
        run_id: The run; None if it is not known yet.
        last_event_id: The stream begins after this event; None for its beginning.
        resumable: Whether the request asks for a stream whose events have ids.
        endless: Whether the stream is a thread's, which does not end with a run.
        subgraphs: Whether events of subgraphs are handed out.
        any_events: Whether events outside the protocol are accepted. Then `end` and `error` may be
            anything, so that only a normal close of the connection ends the stream.
        on_run_created: Called once, when the run's id is known.
        policy: When and how often to reconnect; None for the default policy.

    Attributes:
        is_open: Whether a connection was ever opened.
        is_done: Whether the session has ended.
        cadence: The measured intervals of the server's heartbeats.
        stops_run: Whether the server cancels the run when the connection is closed.
    """

    def __init__(
        self,
        first: Call[Any],
        *,
        thread_id: str | None = None,
        run_id: str | None = None,
        last_event_id: str | None = None,
        resumable: bool = False,
        endless: bool = False,
        subgraphs: bool = True,
        any_events: bool = False,
        on_run_created: RunCreated | None = None,
        policy: ReconnectPolicy | None = None,
    ) -> None:
        self.thread_id = thread_id
        self.run_id = run_id
        self.is_open = self.is_done = False
        self._is_cut = False  # Whether a cancelled read has ended it.
        self.stops_run = _ends_with_connection(first)
        self._first = first
        # A GET can be sent again to continue the stream. A POST would start another run.
        self._joins = first.method == "GET"
        self._endless = endless
        self._subgraphs = subgraphs
        self._on_run_created = on_run_created
        self._policy = policy or ReconnectPolicy()
        self.cadence = Cadence(self._policy.heartbeat_timeout)
        self._location: str | None = None
        self._replay = Replay(
            last_event_id, joined=self._joins and last_event_id is None, resumable=resumable
        )
        self._outage = Outage(self._policy)
        self._end = EndCheck(self._policy.initial, self._policy.max_reconnects)
        self._events: deque[ServerEvent] = deque()  # Received, and not handed out yet.
        # The `error` event of a failed run, made here if the server never sent it.
        self._failure: StreamPart | None = None
        self._begin_connection()
        self._beginning = b""  # The first bytes of the body, for errors, until `_heard`.
        self._any_events = any_events
        self._heard = any_events  # Whether an event of the protocol was received.
        self._said_end = False  # Whether there was an `end` or `error` that is not the end itself.
        self._is_troubled = True  # Whether the next new event must reset `_outage` and `_end`.
        self._is_plain = False  # Whether events without an id can skip all bookkeeping.
        self._step: Step = Open(_after(first, self._replay.begin()))
        self._after_sleep: Step = self._step

    @property
    def last_event_id(self) -> str | None:
        """The id of the last event that was handed out; None if there was none."""
        return self._replay.last_id

    # --- what to do ---

    def next_step(self) -> Step:
        """Return what to do next. Take out all received events first (`next_part`).

        Raises:
            StreamIncomplete: An earlier read was cancelled.
        """
        if not self.is_done:
            return self._step
        if self._is_cut:
            raise self._incomplete(
                "an earlier read of the stream was cancelled, which closed it before its end;"
                " join_stream reads on",
                None,
            )
        return _DONE

    def next_part(self) -> StreamPart | None:
        """Return the next received event; None if there is a step to do first.

        Raises:
            StreamIncomplete: An event is not valid, and the stream cannot be continued.
        """
        events = self._events
        while events:
            event = events.popleft()
            try:
                part = part_from(event)
            except APIResponseValidationError as error:
                self.failed(error)
                return None
            # A shortcut for speed: most events of most streams need no bookkeeping.
            if self._is_plain and part.id is None and part.event not in _MEANINGFUL:
                if self._subgraphs or "|" not in part.event:
                    return part
            elif self._is_new(part):
                return part
        failure, self._failure = self._failure, None
        return failure

    def ready_parts(self) -> Iterator[StreamPart]:
        """Yield the received events, until there is a step to do first; see `next_part`."""
        events, wants_subgraphs = self._events, self._subgraphs
        while True:
            # The shortcut of `next_part`, inlined: a call per event costs more than the rest. An
            # event is removed from the deque only if nothing needs a second look at it.
            while events and self._is_plain:
                name, text, event_id = events[0]
                if event_id is not None or name in _MEANINGFUL:
                    break
                if not wants_subgraphs and "|" in name:
                    break
                try:
                    data = fast_decode(text)
                except ValueError:
                    break
                events.popleft()
                yield new_tuple(StreamPart, (name, data, None))
            part = self.next_part()
            if part is None:
                return
            yield part

    def _is_new(self, part: StreamPart) -> bool:
        """Note an event, and return whether to hand it out."""
        if not self._replay.accept(part):
            if self._replay.doubted:
                self._continue()
            return False
        # An event without an id among others with one comes again with each replay: it is no sign
        # of progress, or a server could be asked for ever.
        if self._is_troubled and (part.id is not None or not self._replay.has_ids):
            self._is_troubled = False
            self._outage.end()
            self._end.news()
        event = part.event
        if event == "metadata":
            self._learn_run(part.data)
        elif event in ("end", "error") and not self._endless:
            if self._any_events:
                self._said_end = True
            else:
                self.finish()
        if not self._heard and event != "message":
            self._heard, self._beginning = True, b""
        self._is_plain = self._heard and not self._replay.has_ids
        return self._subgraphs or "|" not in event

    def _learn_run(self, metadata: object) -> None:
        if isinstance(metadata, dict) and not self._endless:
            run_id = metadata.get("run_id")
            # Any other id is not of a run that could be asked about.
            if isinstance(run_id, str) and run_id.strip() and run_id.isprintable():
                self.run_id = run_id

    def finish(self) -> None:
        """End the session. Events that were not handed out are dropped."""
        self.is_done = True
        self._events.clear()

    def cancelled(self) -> None:
        """Note that a read was cancelled, so that whoever reads on after `finish` gets an error.

        An end would look like the run's end to such a caller, who may have given each event a limit
        with `asyncio.wait_for`.
        """
        self._is_cut = not self.is_done

    # --- what happened ---

    def opened(self, headers: Mapping[str, str], location: str | None) -> None:
        """Note that a connection is open.

        Args:
            headers: The headers of the response; names in lower case.
            location: Where the stream can be continued, as a path below the server's URL; None if
                the response does not say.
        """
        # Only the first response names the run and the `Location`. Those that continue the stream
        # must not call the callback again.
        if not self.is_open:
            self.is_open = True
            self._location = location
            created = Created(self._on_run_created, self.thread_id)
            try:
                created.opened(headers)
            finally:  # If the callback raises an error, the run may have to be cancelled.
                self.thread_id = created.thread_id
                self.run_id = created.run_id or self.run_id
        self._begin_connection()
        self._read_on()

    def found(self, run_id: str) -> None:
        """Note the id of a run that was started although the response was lost."""
        self.is_open = True
        self.run_id = run_id
        Created(self._on_run_created, self.thread_id).opened({"content-location": self._run_path()})

    def _begin_connection(self) -> None:
        self._is_troubled, self._is_plain = True, False
        self._parser = EventParser()
        self._pulse = Pulse(self.cadence)
        self._comments = 0

    def _read_on(self) -> None:
        patience = self._outage.patience(self.cadence.patience, continuable=self._can_be_continued)
        if not isinstance(self._step, Read) or self._step.seconds != patience:
            self._step = Read(patience)

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes of the body; `b""` is its end.

        Raises:
            StreamIncomplete: The stream was cut and cannot be continued.
            APIResponseValidationError: The body contained no event of the protocol, and the server
                has not named a run.
        """
        if self.is_done:  # Another task or thread closed the stream while this one was reading.
            return
        if not data:
            self._closed()
            return
        try:
            events = self._parser.feed(data)
        except APIResponseValidationError as error:
            self.failed(error)
            return
        if events:
            self._events.extend(events)
            self._pulse.other()
        elif self._parser.comments > self._comments:
            self._pulse.beat(now)
            # Both before `_read_on`: its patience depends on the learned interval and on how many
            # connections in a row were silent.
            self._outage.beat()
            self._read_on()
        self._comments = self._parser.comments
        if not self._heard and len(self._beginning) < _QUOTED:
            self._beginning += data[:_QUOTED]

    def failed(self, error: APIError) -> None:
        """Note that a step failed.

        Raises:
            StreamIncomplete: The stream cannot be continued, or all attempts were made.
            APIError: `error` itself, if the stream was never open.
        """
        if self.is_done:  # Another task or thread closed the stream while this one was reading.
            return
        if isinstance(self._step, Ask):
            if self._step.waits:
                raise self._incomplete(
                    f"the run failed, and reading its error failed too: {error.message}", error
                )
            # Rolled back, or deleted with the thread of a stateless run. Either way it is over.
            if isinstance(error, NotFoundError):
                self._answered(None)
                return
        self._broken(error)

    def answered(self, document: object) -> None:
        """Take the response to an `Ask`: the run, or its result.

        Raises:
            StreamIncomplete: The run is not over, but its stream cannot be continued; or it has
                failed, and the response is not its error.
        """
        if self.is_done:
            return
        assert isinstance(self._step, Ask)
        if self._step.waits:
            error = document.get("__error__") if isinstance(document, dict) else None
            if not isinstance(error, dict):
                raise self._incomplete("the run failed, and its result does not say why", None)
            self.finish()
            self._failure = StreamPart("error", error)
            return
        status = document.get("status") if isinstance(document, Mapping) else None
        self._answered(status if isinstance(status, str) else "unknown")

    def slept(self) -> None:
        """Note that the pause is over."""
        self._step = self._after_sleep

    # --- the end of a connection ---

    def _closed(self) -> None:
        if self._replay.lost_its_place:
            raise self._incomplete(
                "the server no longer has the last received event, so events may be missing", None
            )
        if self._parser.pending or self._endless:
            self._broken(None)
        elif not self._heard and not self._joins:
            # A joined stream may be empty: some servers keep no events of a run that is over.
            raise self._unheard()
        elif self.thread_id is None or self.run_id is None or self._said_end:
            # A stateless run has no status to request, so a normal close must count as the end.
            self.finish()
        else:
            self._obey(
                self._end.closed(blank=self._replay.was_blank, continuable=self._can_be_continued)
            )

    def _answered(self, status: str | None) -> None:
        self._obey(self._end.answered(status, continuable=self._can_be_continued))

    def _obey(self, verdict: Verdict) -> None:
        if verdict is Verdict.ASK:
            self._step = Ask(self._question(), waits=False)
        elif verdict is Verdict.CONTINUE:
            self._continue()
        elif verdict is Verdict.RECONNECT:
            self._broken(None)
        elif verdict is Verdict.ASK_LATER:
            if not self._end.has_time():
                raise self._incomplete(
                    f"the stream was closed while the run is {self._end.status}", None
                )
            self._sleep(self._end.pause, Ask(self._question(), waits=False))
        elif self._end.run_failed:
            # No event reported the failure, and servers do not replay it: the run's result does.
            self._step = Ask(self._question("/join"), waits=True)
        else:
            self.finish()

    def _broken(self, error: APIError | None) -> None:
        if error is not None and not self.is_open:
            raise error
        # A replay brings them again: it begins after the last event that was handed out.
        self._events.clear()
        reason = "the stream was cut" if error is None else f"the stream was cut: {error.message}"
        if self.stops_run:
            raise self._incomplete(
                f"{reason}; the server cancels the run with its connection"
                " (on_disconnect='cancel')",
                error,
            )
        if not self._can_be_continued:
            raise self._incomplete(
                f"{reason}; it cannot be continued, because {self._why_not_continued()}",
                error,
            )
        if error is not None and not is_passing(error):
            raise self._incomplete(f"{reason}; continuing it was refused", error)
        if self._outage.is_hopeless:
            attempts = self._outage.attempts
            raise self._incomplete(f"{reason}; given up after {attempts} attempts", error)
        pause = self._outage.attempt(error)
        self._announce(pause, error)
        self._sleep(pause, self._continued())

    def _announce(self, pause: float, error: APIError | None) -> None:
        attempt = self._outage.attempts
        level = logging.INFO if attempt == 1 else logging.WARNING
        reason = "closed" if error is None else type(error).__name__
        logger.log(
            level,
            "stream of run %s was cut (%s); continuing after event %s in %g s, attempt %d",
            self.run_id,
            reason,
            self.last_event_id,
            pause,
            attempt,
        )
        if self._policy.on_reconnect is not None:
            self._policy.on_reconnect(
                Reconnect(attempt, pause, error, self.run_id, self.thread_id, self.last_event_id)
            )

    # --- requests ---

    def _sleep(self, seconds: float, then: Step) -> None:
        self._step, self._after_sleep = (Sleep(seconds), then) if seconds else (then, then)

    def _continue(self) -> None:
        self._events.clear()
        self._step = self._continued()

    def _continued(self) -> Open:
        """Return the step that continues the stream."""
        after = self._replay.resume()
        if self._joins:
            return Open(_after(self._first, after))
        headers = without_key(self._first.headers)
        where = self._location or f"{self._run_path()}/stream"
        call = Call("GET", where, ANY, self._first.params, headers=headers, safe=True)
        return Open(_after(call, after))

    def _question(self, what: str = "") -> Call[Any]:
        """Return a request about the run, with the caller's own headers and parameters."""
        headers = {k: v for k, v in self._first.headers.items() if k not in _STREAM_HEADERS}
        where = self._run_path() + what
        return Call("GET", where, ANY, self._first.params, headers=headers, safe=True)

    def stop_call(self) -> Call[Any] | None:
        """Return the request that cancels the run; None if it is not known or must go on."""
        if not self.stops_run or self.thread_id is None or self.run_id is None:
            return None
        headers = {k: v for k, v in self._first.headers.items() if k not in _STREAM_HEADERS}
        return Call(
            "POST",
            f"{self._run_path()}/cancel",
            ANY,
            [("wait", "0"), ("action", "interrupt"), *self._first.params],
            headers=headers,
            safe=True,
        )

    def _run_path(self) -> str:
        return path(
            "/threads/{thread_id}/runs/{run_id}", thread_id=self.thread_id, run_id=self.run_id
        )

    @property
    def _can_be_continued(self) -> bool:
        if not self._replay.has_ids:
            return False
        if self._joins or self._location is not None:
            return True
        return self.thread_id is not None and self.run_id is not None

    def _why_not_continued(self) -> str:
        if not self._replay.has_ids:
            return "its events have no ids: start the run with stream_resumable=True"
        return "the server named neither its run nor a Location"

    # --- errors ---

    def _incomplete(self, message: str, cause: APIError | None) -> StreamIncomplete:
        error = StreamIncomplete(
            message,
            method=self._first.method,
            url=cause.url if cause is not None else self._first.path,
            run_id=self.run_id,
            thread_id=self.thread_id,
            last_event_id=self.last_event_id,
        )
        error.__cause__ = cause
        return error

    def _unheard(self) -> APIError:
        """Return the error of a stream without an event of the protocol.

        If the server has named the run, it was started and may go on: then the error names it, too.
        """
        body = self._beginning[:_QUOTED].decode("utf-8", "replace").strip()
        problem = "the stream was empty"
        if body:
            problem = f"the stream contained no event of the protocol: {body!r}"
        if self.run_id is not None:
            return self._incomplete(problem, None)
        return APIResponseValidationError(
            problem, method=self._first.method, url=self._first.path, body=body
        )


def _ends_with_connection(first: Call[Any]) -> bool:
    """Return whether the server cancels the run when the connection is closed."""
    if ("cancel_on_disconnect", "true") in first.query:
        return True
    return isinstance(first.body, Mapping) and first.body.get("on_disconnect") == "cancel"


def _after(call: Call[Any], event_id: str | None) -> Call[Any]:
    if event_id is None:
        return call
    return replace(call, headers={**call.headers, "last-event-id": event_id})
