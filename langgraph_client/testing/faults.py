"""Faults of the wire, for tests: cut streams, refusals, resets, silence, delays, damage.

`Faults` is a set of rules that are active now. It sits between a client and a server, in process
(`transport`, `async_transport`) or on a port (`FaultProxy`):

    faults = Faults()
    client = get_client(url=..., transport=faults.async_transport(httpx.AsyncHTTPTransport()))
    with faults.cut_after(events=3) as cut:
        ...  # every stream breaks after its third event
    assert cut.fired == 1
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from fnmatch import fnmatchcase
from types import TracebackType
from typing import TYPE_CHECKING, Self

from langgraph_client.errors import InvalidArgumentError
from langgraph_client.testing.faults_effects import (
    After,
    Answer,
    AtByte,
    AtEvent,
    Before,
    Corrupted,
    Cut,
    Dripped,
    Duplicated,
    Effect,
    Exchange,
    Hold,
    Pause,
    ShuffledHeaders,
)

if TYPE_CHECKING:
    import httpx

__all__ = ["Fault", "Faults"]


class Fault:
    """One rule, active until it is cancelled or has fired `times` times.

    As a context manager it is cancelled on leaving.

    Attributes:
        kind: The method of `Faults` that made it.
        fired: How often it has taken effect.
    """

    def __init__(
        self, kind: str, effect: Effect, method: str | None, path: str | None, times: int | None
    ) -> None:
        if times is not None and (isinstance(times, bool) or times < 1):
            raise InvalidArgumentError("times", f"must be 1 or more, or None, not {times!r}")
        self.kind = kind
        self.effect = effect
        self.fired = 0
        self._method = method
        self._path = path
        self._times = times
        self._lock = threading.Condition()
        self._cancelled = False
        self._waiting: list[Callable[[], None]] = []

    @property
    def active(self) -> bool:
        """Whether it can still take effect."""
        return not self._cancelled and (self._times is None or self.fired < self._times)

    def cancel(self) -> None:
        """End it: what it holds goes on, and nothing further happens. Safe to repeat."""
        with self._lock:
            self._cancelled = True
            waiting, self._waiting = self._waiting, []
        for tell in waiting:
            tell()

    def matches(self, method: str, path: str) -> bool:
        """Whether it is meant for such a request. `path` is without the query."""
        if self._method is not None and method.upper() != self._method.upper():
            return False
        return self._path is None or fnmatchcase(path, self._path)

    def take(self) -> bool:
        """Count one effect; False if there are none left."""
        with self._lock:
            if not self.active:
                return False
            self.fired += 1
            self._lock.notify_all()
            return True

    def wait(self, times: int = 1, *, timeout: float = 10.0) -> None:
        """Wait until it has taken effect so often, in whatever thread or task that happens.

        Raises:
            TimeoutError: it has not after `timeout` seconds.
        """
        with self._lock:
            if not self._lock.wait_for(lambda: self.fired >= times, timeout):
                raise TimeoutError(f"{self!r}, not {times}, within {timeout} s")

    def when_cancelled(self, tell: Callable[[], None]) -> None:
        """Call `tell` when it is cancelled, at once if it is, from whatever thread does it."""
        with self._lock:
            if not self._cancelled:
                self._waiting.append(tell)
                return
        tell()

    def forget(self, tell: Callable[[], None]) -> None:
        """Take back `when_cancelled`."""
        with self._lock:
            if tell in self._waiting:
                self._waiting.remove(tell)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.cancel()

    def __repr__(self) -> str:
        state = "active" if self.active else "over"
        return f"<Fault {self.kind} {state}, fired {self.fired} times>"


class Faults:
    """The faults between a client and a server.

    Every method that makes one takes, besides its own:

        method: Only requests with this HTTP method.
        path: Only paths that match this pattern (`*` for anything, slashes included); without the
            query.
        times: Take effect so often, then no more; None for as long as the fault is active.

    Where several match a request, all take effect, in the order in which they were made, until one
    of them ends the exchange. Safe to use from any thread.
    """

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    # --- between client and server ---

    def refuse(
        self,
        *,
        status: int = 503,
        retry_after: float | str | None = None,
        detail: str = "refused by a fault",
        method: str | None = None,
        path: str | None = None,
        times: int | None = None,
    ) -> Fault:
        """Answer an error status; the server does not get the request.

        Args:
            status: The HTTP status.
            retry_after: The header of that name: seconds, or a date as text; None for none.
            detail: The text in the answer's body.
        """
        headers = {"content-type": "application/json"}
        if retry_after is not None:
            headers["retry-after"] = str(retry_after)
        quoted = detail.replace("\\", "\\\\").replace('"', '\\"')
        answer = Answer(status, headers, f'{{"detail":"{quoted}"}}'.encode())
        return self._add("refuse", Before(lambda fault: answer), method, path, times)

    def unreachable(
        self, *, method: str | None = None, path: str | None = None, times: int | None = None
    ) -> Fault:
        """Let no connection be made, so that it is certain that nothing was sent.

        A `FaultProxy` can only reset the connection: it knows of a request when it has come.
        """
        return self._add("unreachable", Before(lambda f: Cut(unsent=True)), method, path, times)

    def disconnect(
        self,
        *,
        delivered: bool = False,
        method: str | None = None,
        path: str | None = None,
        times: int | None = None,
    ) -> Fault:
        """Reset the connection before anything of the answer arrives.

        Args:
            delivered: Whether the server gets the request, and answers it, before that. A client
                cannot know.
        """
        effect = After(lambda f: Cut()) if delivered else Before(lambda f: Cut())
        return self._add("disconnect", effect, method, path, times)

    def delay(
        self,
        seconds: float,
        *,
        method: str | None = None,
        path: str | None = None,
        times: int | None = None,
    ) -> Fault:
        """Let answers begin so many seconds late."""
        if not 0 <= seconds < float("inf"):
            raise InvalidArgumentError("seconds", "must be a number of seconds, 0 or more")
        return self._add("delay", After(lambda f: Pause(seconds)), method, path, times)

    def stall(
        self,
        *,
        events: int | None = None,
        bytes: int | None = None,
        method: str | None = None,
        path: str | None = None,
        times: int | None = None,
    ) -> Fault:
        """Let answers fall silent, with the connection open, until the fault is cancelled.

        Args:
            events: After so many events of a stream; other answers are let through.
            bytes: After so many bytes of a body. With neither, before the answer.
        """
        effect = _somewhere(events, bytes, Hold)
        return self._add("stall", After(Hold) if effect is None else effect, method, path, times)

    def cut_after(
        self,
        *,
        events: int | None = None,
        bytes: int | None = None,
        clean: bool = False,
        method: str | None = None,
        path: str | None = None,
        times: int | None = None,
    ) -> Fault:
        """Break the connection in the middle of an answer.

        Args:
            events: After so many events of a stream; other answers are let through.
            bytes: After so many bytes of a body. Give one of the two.
            clean: Close it in good order, as if that had been all.
        """
        effect = _somewhere(events, bytes, lambda fault: Cut(clean=clean))
        if effect is None:
            raise InvalidArgumentError("events", "give either events or bytes")
        return self._add("cut_after", effect, method, path, times)

    def duplicate(
        self,
        *,
        event: int | None = None,
        method: str | None = None,
        path: str | None = None,
        times: int | None = None,
    ) -> Fault:
        """Let events of a stream come twice.

        Args:
            event: The number of the event, from 1; None for each.
        """
        return self._add("duplicate", Duplicated(event), method, path, times)

    def corrupt(
        self,
        *,
        byte: int = 0,
        method: str | None = None,
        path: str | None = None,
        times: int | None = None,
    ) -> Fault:
        """Damage one byte of a body: all of its bits are turned round.

        Args:
            byte: Its place, from 0.
        """
        return self._add("corrupt", Corrupted(byte), method, path, times)

    def drip(
        self,
        *,
        bytes: int = 1,
        seconds: float = 0.0,
        method: str | None = None,
        path: str | None = None,
        times: int | None = None,
    ) -> Fault:
        """Let bodies come in small pieces.

        Args:
            bytes: Bytes in each piece.
            seconds: The pause before each.
        """
        if bytes < 1:
            raise InvalidArgumentError("bytes", f"must be 1 or more, not {bytes!r}")
        return self._add("drip", Dripped(bytes, seconds), method, path, times)

    def shuffle_headers(
        self, *, method: str | None = None, path: str | None = None, times: int | None = None
    ) -> Fault:
        """Let the answer's headers come in reverse order, with their names in capitals."""
        return self._add("shuffle_headers", ShuffledHeaders(), method, path, times)

    # --- all of them ---

    @property
    def fired(self) -> dict[str, int]:
        """How often faults have taken effect, by kind, those that are over included."""
        with self._lock:
            faults = list(self._faults)
        counts: dict[str, int] = {}
        for fault in faults:
            counts[fault.kind] = counts.get(fault.kind, 0) + fault.fired
        return counts

    def clear(self) -> None:
        """Cancel all faults, and forget their counts."""
        with self._lock:
            faults, self._faults = self._faults, []
        for fault in faults:
            fault.cancel()

    def exchange(self, method: str, path: str) -> Exchange | None:
        """What befalls a request that is sent now; None if nothing does."""
        with self._lock:
            found = [f for f in self._faults if f.active and f.matches(method, path)]
        return Exchange(found) if found else None

    def transport(self, inner: httpx.BaseTransport) -> httpx.BaseTransport:
        """A blocking transport over `inner` with these faults. Closing it closes `inner`."""
        from langgraph_client.testing.faults_transport import FaultyTransport

        return FaultyTransport(inner, self)

    def async_transport(self, inner: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        """An async transport over `inner` with these faults. Closing it closes `inner`."""
        from langgraph_client.testing.faults_transport import AsyncFaultyTransport

        return AsyncFaultyTransport(inner, self)

    def _add(
        self, kind: str, effect: Effect, method: str | None, path: str | None, times: int | None
    ) -> Fault:
        fault = Fault(kind, effect, method, path, times)
        with self._lock:
            self._faults.append(fault)
        return fault


def _somewhere(
    events: int | None, bytes: int | None, make: Callable[[Fault], Cut | Hold]
) -> Effect | None:
    """The effect at a place in the body; None if no place was given."""
    if events is not None and bytes is not None:
        raise InvalidArgumentError("events", "give either events or bytes")
    for name, count in (("events", events), ("bytes", bytes)):
        if count is not None and (isinstance(count, bool) or count < 0):
            raise InvalidArgumentError(name, f"must be 0 or more, not {count!r}")
    if events is not None:
        return AtEvent(events, make)
    return None if bytes is None else AtByte(bytes, make)
