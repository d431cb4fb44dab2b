"""How often and how long to try to continue an interrupted stream."""

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
    """How often and how long to try to continue an interrupted stream.

    The counts start again with every sign of life, an event or a heartbeat: the budget is for one
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
        for name, seconds in (("initial", self.initial), ("maximum", self.maximum)):
            if not 0 <= seconds < float("inf"):
                raise InvalidArgumentError(name, "must be a number of seconds, 0 or more")
        if self.silence is not None and not 0 < self.silence < float("inf"):
            raise InvalidArgumentError("silence", "must be a number of seconds above 0, or None")


class Outage:
    """The budget of one outage.

    | what happens        | attempts | silent attempts | then                                  |
    | ------------------- | -------- | --------------- | ------------------------------------- |
    | event or heartbeat  | 0        | 0               |                                       |
    | a break             | + 1      |                 | pause: none, then doubled each time   |
    | a break by silence  | + 1      | + 1             | likewise, with twice the patience     |
    | `max_reconnects`    |          |                 | given up                              |

    Attributes:
        attempts: How often the stream was tried to be continued in this outage.
    """

    def __init__(self, policy: ReconnectPolicy) -> None:
        self.attempts = 0
        self._policy = policy
        self._silences = 0  # Connections in a row that never said anything.

    def end(self) -> None:
        """Note a sign of life."""
        self.attempts = self._silences = 0

    @property
    def is_hopeless(self) -> bool:
        """Whether all attempts were made."""
        return self.attempts >= self._policy.max_reconnects

    def attempt(self, error: APIError | None) -> float:
        """Count an attempt after `error`; return the seconds until it is to be made."""
        wait = self._policy.initial * 2.0 ** (self.attempts - 1) if self.attempts else 0.0
        self.attempts += 1
        self._silences += isinstance(error, APITimeoutError)
        return min(wait, self._policy.maximum)

    def patience(self, known: float | None, *, continuable: bool) -> float | None:
        """Return the seconds of silence after which a connection is dead; None for no such limit.

        Args:
            known: What the server's heartbeats say, once they are known.
            continuable: Whether the stream can be continued. A server without heartbeats may be
                silent for long: asking again does no harm then; else the stream would be lost.
        """
        if self._policy.silence is None:
            return None
        if known is not None:
            return known
        return self._policy.silence * 2.0 ** min(self._silences, 20) if continuable else None


def is_passing(error: APIError) -> bool:
    """Whether a connection that failed like this may be made again."""
    return isinstance(error, APIConnectionError) or worth_repeating(error, safe=True)
