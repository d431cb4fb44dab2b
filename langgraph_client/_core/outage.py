"""Decide how often, and after which pauses, an interrupted stream is continued."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from langgraph_client._core.failure import worth_repeating
from langgraph_client.errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    InvalidArgumentError,
)


@dataclass(frozen=True)
class Reconnect:
    """The next attempt to continue an interrupted stream, passed to `on_reconnect`.

    Attributes:
        attempt: Its number in this outage, from 1.
        pause: Seconds until the attempt.
        error: The error of the connection, or of the previous attempt; None if the server closed
            the connection normally although the stream was not over.
        run_id: The run; None if it is not known.
        thread_id: Its thread; None if it is not known.
        last_event_id: The id of the last event that was received; None if there was none.
    """

    attempt: int
    pause: float
    error: APIError | None
    run_id: str | None
    thread_id: str | None
    last_event_id: str | None


@dataclass(frozen=True)
class ReconnectPolicy:
    """How often, and after which pauses, an interrupted stream is continued.

    The policy is for one outage: every event or heartbeat resets the count of attempts. Only an
    event resets the pauses, because a server that closes each connection after a heartbeat must not
    be called without pause. By default the first attempt is made at once, and the others after
    0.25, 0.5, 1, 2 and 4 more seconds. Each attempt is one request, repeated as `RetryPolicy` says.
    With both defaults, a stream survives a server that cannot be reached for about seventeen
    seconds.

    Attributes:
        max_reconnects: The most attempts to continue a stream in one outage; 0 turns it off.
        initial: Seconds before the second attempt; doubled for each further one. The first attempt
            is made at once.
        maximum: The longest pause between attempts in seconds.
        heartbeat_timeout: After how many seconds without an event or a heartbeat the connection
            counts as lost, before the client has learned how often the server sends heartbeats. It
            applies to streams that can be continued, and doubles after each attempt that is silent
            too. Later, three missing heartbeats are enough, for every stream. None: only the
            timeout for reading applies.
        on_reconnect: Called before each attempt. An exception from it ends the stream.
    """

    max_reconnects: int = 6
    initial: float = 0.25
    maximum: float = 4.0
    heartbeat_timeout: float | None = 15.0
    on_reconnect: Callable[[Reconnect], None] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.max_reconnects, bool) or self.max_reconnects < 0:
            raise InvalidArgumentError("max_reconnects", "must be 0 or more")
        for name, seconds in (("initial", self.initial), ("maximum", self.maximum)):
            if not 0 <= seconds < float("inf"):
                raise InvalidArgumentError(name, "must be a number of seconds, 0 or more")
        if self.heartbeat_timeout is not None and not 0 < self.heartbeat_timeout < float("inf"):
            raise InvalidArgumentError(
                "heartbeat_timeout", "must be a number of seconds above 0, or None"
            )


class Outage:
    """Counts the attempts of one outage.

    | what happens        | attempts | silent attempts | then                                  |
    | ------------------- | -------- | --------------- | ------------------------------------- |
    | event               | 0        | 0               | the next pause is none                |
    | heartbeat           | 0        | 0               |                                       |
    | connection lost     | + 1      |                 | pause: none, then doubled each time   |
    | ... by silence      | + 1      | + 1             | likewise, with twice the patience     |
    | `max_reconnects`    |          |                 | given up                              |

    Attributes:
        attempts: The number of attempts in this outage.
    """

    def __init__(self, policy: ReconnectPolicy) -> None:
        self.attempts = 0
        self._policy = policy
        self._silences = 0  # How many connections in a row timed out without an event.
        self._pauses = 0  # How many attempts were made since the last event.

    def end(self) -> None:
        """Note an event: the outage is over."""
        self.attempts = self._silences = self._pauses = 0

    def beat(self) -> None:
        """Note a heartbeat: the connection is good, but there may be another cut soon."""
        self.attempts = self._silences = 0

    @property
    def is_hopeless(self) -> bool:
        """Whether all attempts were made."""
        return self.attempts >= self._policy.max_reconnects

    def attempt(self, error: APIError | None) -> float:
        """Count an attempt after `error`; return the seconds to wait before it."""
        # The exponent is bounded: 2.0 ** 1024 is an OverflowError.
        wait = self._policy.initial * 2.0 ** min(self._pauses - 1, 20) if self._pauses else 0.0
        self.attempts += 1
        self._pauses += 1
        self._silences += isinstance(error, APITimeoutError)
        return min(wait, self._policy.maximum)

    def patience(self, known: float | None, *, continuable: bool) -> float | None:
        """Return the seconds of silence after which a connection counts as lost; None for no limit.

        Args:
            known: The limit learned from the server's heartbeats; None if not known yet.
            continuable: Whether the stream can be continued. A server without heartbeats may be
                silent for long. To leave such a connection does no harm if the stream can be
                continued, but would lose it otherwise.
        """
        timeout = self._policy.heartbeat_timeout
        if timeout is None:
            return None
        if known is not None:
            return known
        return timeout * 2.0 ** min(self._silences, 20) if continuable else None


def is_passing(error: APIError) -> bool:
    """Return whether a new connection may succeed after this error."""
    if isinstance(error, APIConnectionError):
        return not error.is_final
    return worth_repeating(error, safe=True)
