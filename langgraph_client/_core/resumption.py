"""The state of one stream: what to ask next, from which event on, when it is over.

A stream is over when the server says so (an `end` or `error` event), or when its connection was
closed in good order and the run is over. The protocol has no end event of its own, so that, where
run and thread are known, a closed stream costs one more request: the run's status. Everything else
is an interruption. A stream whose events have ids is continued after the last one; any other cannot
be, and `StreamIncomplete` says so.

No I/O and no clock: the shell asks (`ask`), reports (`opened`, `seen`, `closed`, `broken`) and
sleeps for as long as it is told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote, urlsplit

from langgraph_client._core.call import ANY, Call, path
from langgraph_client._core.failure import worth_repeating
from langgraph_client.errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    InvalidArgumentError,
    StreamIncomplete,
)
from langgraph_client.models.events import StreamPart
from langgraph_client.models.runs import RunCreateMetadata

RunCreated = Callable[[RunCreateMetadata], None]

_RUN = re.compile(r"(?:/threads/([^/]+))?/runs/([^/?]+)")
_OVER = frozenset({"success", "error", "timeout", "interrupted"})
_OF_STREAMS = frozenset({"accept", "cache-control", "last-event-id", "prefer"})
# Seconds for which a run may be called running after its stream has closed. A run that goes on for
# longer goes on without its stream.
_BEHIND = 1.0
_DOUBTS = 8  # In one stream: each costs a request.
_EVERYTHING = "0"  # As the id of an event: replay from the beginning.


@dataclass(frozen=True)
class Reconnect:
    """An attempt to continue an interrupted stream, which is about to be made.

    Attributes:
        attempt: Its number in this outage, from 1.
        pause: Seconds until it is made.
        error: What broke the connection, or the attempt before; None where it was closed in good
            order, although the stream was not over.
        run_id: The run, where it is known.
        thread_id: Its thread, where it is known.
        last_event_id: The last event that was received.
    """

    attempt: int
    pause: float
    error: APIError | None
    run_id: str | None
    thread_id: str | None
    last_event_id: str | None


@dataclass(frozen=True)
class ReconnectPolicy:
    """How long an interrupted stream is tried to be continued.

    The counts start anew with every sign of life, an event or a heartbeat: the budget is for one
    outage. By default attempts are made at once, and after 0.25, 0.5, 1, 2 and 4 more seconds, each
    repeated as `RetryPolicy` says: a server may be away for some seventeen seconds.

    Attributes:
        max_reconnects: Attempts to continue a stream, until it is given up.
        initial: Seconds before the second attempt; the first is made at once. Doubled for each.
        maximum: Seconds between attempts at most.
        silence: Seconds without event or heartbeat after which a stream that can be continued is
            taken for dead, while the server's heartbeats are not known; doubled for each attempt
            that is silent again. Once they are known, three missing ones are enough, for every
            stream. None: only the timeout for reading counts.
        on_reconnect: Called before each attempt; what it raises ends the stream.
    """

    max_reconnects: int = 6
    initial: float = 0.25
    maximum: float = 4.0
    silence: float | None = 15.0
    on_reconnect: Callable[[Reconnect], None] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.max_reconnects, bool) or self.max_reconnects < 0:
            raise InvalidArgumentError("max_reconnects", "must be 0 or more")
        for name in ("initial", "maximum"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise InvalidArgumentError(name, "must be a number of seconds, 0 or more")
        if self.silence is not None and not 0 < self.silence < float("inf"):
            raise InvalidArgumentError("silence", "must be a number of seconds above 0, or None")


def run_of(headers: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Thread and run that an answer's headers name; None for what they do not."""
    for name in ("content-location", "location"):
        match = _RUN.search(urlsplit(headers.get(name, "")).path)
        if match is not None and match[2] not in ("wait", "stream", "batch", "crons", "cancel"):
            return (unquote(match[1]) if match[1] else None), unquote(match[2])
    return None, None


class Created:
    """Learns from the headers of an answer which run was started, and tells who wants to know."""

    def __init__(self, tell: RunCreated | None, thread_id: str | None) -> None:
        self.run_id: str | None = None
        self.thread_id = thread_id
        self._tell = tell

    def opened(self, headers: Mapping[str, str]) -> None:
        """The answer is there, and it is a good one."""
        thread_id, self.run_id = run_of(headers)
        self.thread_id = thread_id or self.thread_id
        if self._tell is not None and self.run_id is not None:
            self._tell({"run_id": self.run_id, "thread_id": self.thread_id})


class Resumption:
    """Follows one stream through interruptions.

    Args:
        first: The request that opens it.
        endless: The stream is a thread's, which has no end of its own.
        subgraphs: Whether events of subgraphs are handed on.
        resumable: Its events will have ids; known beforehand if it was asked for.
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
        on_run_created: RunCreated | None = None,
        policy: ReconnectPolicy | None = None,
    ) -> None:
        self.thread_id = thread_id
        self.run_id = run_id
        self.last_event_id = last_event_id
        self.finished = False
        self.failed = False  # The run failed, and no event said so.
        self.pause = 0.0
        self._first = first
        self._again = first.method == "GET"
        self._endless = endless
        self._subgraphs = subgraphs
        # Who knows the id of an event, or asked for ids, will get them: until the first event comes
        # without one.
        self._resumable = resumable or last_event_id is not None
        self._on_run_created = on_run_created
        self._policy = policy or ReconnectPolicy()
        self._location: str | None = None
        self.doubt = False  # This connection is to be left, and asked for again; see `_doubtful`.
        self._doubted: str | None = None  # The id of the event that was doubted.
        self._doubts = 0
        self._latest: StreamPart | None = None
        self._replaying = False  # The connection begins with what was kept.
        self._older = last_event_id  # The last id before `last_event_id`: nothing of it is missing.
        self._twins = 0  # How many events with `last_event_id` were seen.
        self._skip = 0  # How many of them a replay will bring again.
        self._joined = self._again and last_event_id is None
        self._from_zero = False
        self._caught_up = False
        self._asked_twice = False
        self._over: str | None = None  # The run's status, once it is over.
        self._opened = False
        # The server cancels the run when it sees the connection go: then nothing is left to follow.
        self._cancelled_by_cut = (
            isinstance(first.body, Mapping) and first.body.get("on_disconnect") == "cancel"
        ) or ("cancel_on_disconnect", "true") in first.query
        self._silences = 0  # Connections in a row that never said anything.
        self._attempts = 0
        self._checks = 0
        self._waited = 0.0  # Seconds between these checks.

    # --- asking ---

    def ask(self) -> Call[Any]:
        """The next request: the one that opens the stream, or one that continues it."""
        self.doubt = False
        self._replaying = self._opened or self.last_event_id is not None
        if not self._opened:
            return self._from(self._first, self.last_event_id)
        self._skip = self._twins
        after = self._older if self._twins else self.last_event_id
        # Joined in the middle, and no id before the last one is known: what a replay from the
        # beginning brings before that one was never ours.
        self._from_zero = self._joined and self._twins > 0 and after is None
        return self._from(self._continuing(), after or _EVERYTHING)

    def _from(self, request: Call[Any], after: str | None) -> Call[Any]:
        if after is None:
            return request
        return replace(request, headers={**request.headers, "last-event-id": after})

    def _continuing(self) -> Call[Any]:
        if self._again:
            return self._first
        headers = {k: v for k, v in self._first.headers.items() if k != "prefer"}
        where = self._location
        if where is None:
            assert self.thread_id is not None
            assert self.run_id is not None
            where = path(
                "/threads/{thread_id}/runs/{run_id}/stream",
                thread_id=self.thread_id,
                run_id=self.run_id,
            )
        return Call("GET", where, ANY, self._first.params, headers=headers, safe=True)

    def status(self) -> Call[Any] | None:
        """The request that asks whether the run is over, None where it cannot be asked for."""
        if self._endless or self.thread_id is None or self.run_id is None:
            return None
        where = path(
            "/threads/{thread_id}/runs/{run_id}", thread_id=self.thread_id, run_id=self.run_id
        )
        return self._question(where)

    def failure(self) -> Call[Any] | None:
        """The request for the error of a run that failed while nobody told us."""
        if self.thread_id is None or self.run_id is None:
            return None
        where = path(
            "/threads/{thread_id}/runs/{run_id}/join", thread_id=self.thread_id, run_id=self.run_id
        )
        return self._question(where)

    def _question(self, where: str) -> Call[Any]:
        # With the caller's own headers and parameters, which may be what lets him in.
        headers = {k: v for k, v in self._first.headers.items() if k not in _OF_STREAMS}
        return Call("GET", where, ANY, self._first.params, headers=headers, safe=True)

    # --- what happened ---

    def opened(self, headers: Mapping[str, str], location: str | None) -> None:
        """The stream is open. `location` is where it can be continued, if it is our server's."""
        first, self._opened = not self._opened, True
        if not first:
            return
        created = Created(self._on_run_created, self.thread_id)
        created.opened(headers)
        self.thread_id = created.thread_id
        self.run_id = created.run_id or self.run_id
        self._location = location

    def patience(self, known: float | None) -> float | None:
        """Seconds of silence after which this connection is dead; None for the usual timeout.

        Args:
            known: What the server's heartbeats say, once they are known.
        """
        if self._policy.silence is None:
            return None
        if known is not None:
            return known
        # A server without heartbeats may be silent for long. Asking again does no harm where the
        # stream can be continued; where not, it would be lost.
        if not self._can_continue:
            return None
        return self._policy.silence * 2.0 ** min(self._silences, 20)

    def alive(self) -> None:
        """A heartbeat has come."""
        self._attempts = self._silences = 0

    def seen(self, part: StreamPart) -> StreamPart | None:
        """An event has come: the part to hand on, None if it was handed on before."""
        if part.id is not None:
            if part.id == self.last_event_id:
                if self._skip:
                    self._skip -= 1
                    return None
                if self._doubtful(part):
                    return None
                self._twins += 1
            else:
                if self._skip and (part.id == self._older or self._from_zero):
                    return None
                self._older, self.last_event_id = self.last_event_id, part.id
                self._twins, self._skip = 1, 0
            self._resumable = True
            self._latest = part
        elif not self._twins and part.event not in ("end", "error"):
            self._resumable = False  # Not this server, or not this run.
        self._attempts = self._checks = self._silences = 0
        self._caught_up = False
        self.pause = 0.0
        if part.event == "metadata" and isinstance(part.data, dict) and not self._endless:
            run_id = part.data.get("run_id")
            self.run_id = run_id if isinstance(run_id, str) else self.run_id
        if part.event in ("end", "error") and not self._endless:
            self.finished = True
        if not self._subgraphs and "|" in part.event:
            return None
        return part

    def _doubtful(self, part: StreamPart) -> bool:
        """Whether an event may have been sent twice, and is to be asked for again to be sure.

        At the seam between what was kept and what happens just now, langgraph-api (0.16.7) may send
        the same event twice. Like events of one millisecond look the same, and must not be lost:
        so a repetition is believed when a second replay has it as well.
        """
        if not self._replaying or part != self._latest:
            return False
        if part.id == self._doubted or self._doubts >= _DOUBTS:
            return False
        self._doubted, self.doubt = part.id, True
        self._doubts += 1
        return True

    def closed(self, *, mid_event: bool) -> bool:
        """The connection was closed in good order.

        Returns whether the run's status decides (`status` gives the request); if not, either
        `finished` is set, or the stream is to be continued.

        Raises:
            StreamIncomplete: if it was cut and cannot be continued.
        """
        if self._from_zero and self._skip:
            raise self._incomplete(
                "the server does not have the stream's last event any more", None
            )
        if mid_event or self._endless:
            self.broken(None)
            return False
        if self._over is not None:
            if not self._asked_twice and (self._skip or not self._twins):
                # A replay that does not even bring what was seen already may have been cut as
                # well. Once is enough: some servers keep no events of a run that is over.
                self._asked_twice = True
                return False
            self.answered(self._over)
            return False
        if self.status() is None:
            # Nobody can be asked about a stateless run; a proper close has to be believed.
            self.finished = True
            return False
        return True

    def answered(self, status: str | None) -> bool:
        """The run's status after a close; None if the run does not exist any more.

        Returns whether to ask for the status again, after `pause`.

        Raises:
            StreamIncomplete: if the run goes on, but its stream cannot be continued.
        """
        if status is None:
            self.finished = True
        elif status in _OVER:
            self._over = status
            # What came after our last event, while we were away, is fetched: until nothing is new.
            if self._can_continue and not self._caught_up:
                self._caught_up = True
            else:
                self.finished = True
                self.failed = status in ("error", "timeout")
        elif self._can_continue:
            self.broken(None)
        elif self._checks < self._policy.max_reconnects and self._waited < _BEHIND:
            # The status may be behind the last event: ask again before calling it a loss.
            pause = self._policy.initial * 2.0**self._checks
            self.pause = min(pause, _BEHIND - self._waited)
            self._checks += 1
            self._waited += self.pause
            return True
        else:
            raise self._incomplete(f"the stream was closed while the run is {status}", None)
        return False

    def broken(self, error: APIError | None) -> None:
        """The connection broke, or could not be made again.

        Raises:
            StreamIncomplete: if the stream cannot be continued, or was given up.
            APIError: `error` itself, if the stream was never open.
        """
        if error is not None and not self._opened:
            raise error
        reason = "the stream was cut" if error is None else f"the stream was cut: {error.message}"
        if self._cancelled_by_cut:
            raise self._incomplete(f"{reason}; its run is cancelled with its connection", error)
        if not self._can_continue:
            raise self._incomplete(f"{reason}; it cannot be continued, not being resumable", error)
        if error is not None and not self._passing(error):
            raise self._incomplete(f"{reason}; continuing it was refused", error)
        if self._attempts >= self._policy.max_reconnects:
            raise self._incomplete(f"{reason}; given up after {self._attempts} attempts", error)
        wait = self._policy.initial * 2.0 ** (self._attempts - 1) if self._attempts else 0.0
        self.pause = min(wait, self._policy.maximum)
        self._attempts += 1
        self._silences += isinstance(error, APITimeoutError)
        if self._policy.on_reconnect is not None:
            self._policy.on_reconnect(
                Reconnect(
                    attempt=self._attempts,
                    pause=self.pause,
                    error=error,
                    run_id=self.run_id,
                    thread_id=self.thread_id,
                    last_event_id=self.last_event_id,
                )
            )

    @staticmethod
    def _passing(error: APIError) -> bool:
        return isinstance(error, APIConnectionError) or worth_repeating(error, safe=True)

    @property
    def _can_continue(self) -> bool:
        if not self._resumable:
            return False
        if self._again or self._location is not None:
            return True
        return self.thread_id is not None and self.run_id is not None

    def unexplained(self, error: APIError) -> StreamIncomplete:
        """The error for a run that failed, and nobody could be asked why."""
        return self._incomplete(f"the run failed, and its error is missing: {error.message}", error)

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


def status_of(run: Any) -> str:
    """The status in a run's document."""
    status = run.get("status") if isinstance(run, Mapping) else None
    return status if isinstance(status, str) else "unknown"
