"""Network faults for tests: cut streams, refusals, resets, silence, delays, damage.

`Faults` is the set of active rules. It sits between a client and a server, in process
(`transport`, `async_transport`) or on a port (`FaultProxy`):

    faults = Faults()
    client = get_client(url=..., transport=faults.async_transport(httpx.AsyncHTTPTransport()))
    with faults.cut_after(events=3) as cut:
        ...  # every stream breaks after its third event
    assert cut.fired == 1
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from langgraph_client.errors import InvalidArgumentError
from langgraph_client.testing.arguments import check_seconds, check_status, check_whole
from langgraph_client.testing.faults_effects import (
    After,
    AtByte,
    AtEvent,
    Before,
    Corrupted,
    CutStep,
    Dripped,
    Duplicated,
    Effect,
    Fault,
    FaultedExchange,
    HoldStep,
    PauseStep,
    RespondStep,
    ShuffledHeaders,
)

if TYPE_CHECKING:
    import httpx

__all__ = ["Fault", "Faults"]


class Faults:
    """The faults between a client and a server.

    Where several match a request, all take effect, in the order of their creation, until one of
    them ends the exchange. Each changes the body as the one before left it; so of two that stop or
    break it at the same place, the one that was created later does. Safe to use from any thread.

        with faults.refuse(status=503, retry_after=1, path="/threads/*", times=2) as refused:
            ...
        assert refused.fired == 2
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
        """Answer with an error status; the server does not get the request.

        Args:
            status: The HTTP status, 400 to 599.
            retry_after: The header of that name: seconds, or a date as text; None for none.
            detail: The text in the answer's body.
            method: Only requests with this HTTP method.
            path: Only paths that match this pattern, `*` for anything, slashes included.
            times: How often it takes effect; None for as long as it is active.

        Raises:
            InvalidArgumentError: A value is out of range.
        """
        check_status("status", status)
        headers = {"content-type": "application/json"}
        if retry_after is not None:
            headers["retry-after"] = _retry_after(retry_after)
        answer = RespondStep(status, headers, json.dumps({"detail": detail}).encode())
        return self._add("refuse", Before(lambda fault: answer), method, path, times)

    def unreachable(
        self, *, method: str | None = None, path: str | None = None, times: int | None = None
    ) -> Fault:
        """Refuse connections, so that the client knows that nothing was sent.

        A `FaultProxy` can only reset the connection, because it must receive a request first.

        Args:
            method: Only requests with this HTTP method.
            path: Only paths that match this pattern, `*` for anything, slashes included.
            times: How often it takes effect; None for as long as it is active.

        Raises:
            InvalidArgumentError: A value is out of range.
        """
        return self._add("unreachable", Before(lambda f: CutStep(unsent=True)), method, path, times)

    def disconnect(
        self,
        *,
        delivered: bool = False,
        method: str | None = None,
        path: str | None = None,
        times: int | None = None,
    ) -> Fault:
        """Reset the connection before any byte of the answer arrives.

        Args:
            delivered: Whether the server gets the request, and answers it, before that. A client
                cannot know this.
            method: Only requests with this HTTP method.
            path: Only paths that match this pattern, `*` for anything, slashes included.
            times: How often it takes effect; None for as long as it is active.

        Raises:
            InvalidArgumentError: A value is out of range.
        """
        effect = After(lambda f: CutStep()) if delivered else Before(lambda f: CutStep())
        return self._add("disconnect", effect, method, path, times)

    def delay(
        self,
        seconds: float,
        *,
        method: str | None = None,
        path: str | None = None,
        times: int | None = None,
    ) -> Fault:
        """Delay the beginning of answers.

        Args:
            seconds: The delay.
            method: Only requests with this HTTP method.
            path: Only paths that match this pattern, `*` for anything, slashes included.
            times: How often it takes effect; None for as long as it is active.

        Raises:
            InvalidArgumentError: A value is out of range.
        """
        check_seconds("seconds", seconds)
        return self._add("delay", After(lambda f: PauseStep(seconds)), method, path, times)

    def stall(
        self,
        *,
        events: int | None = None,
        bytes: int | None = None,
        method: str | None = None,
        path: str | None = None,
        times: int | None = None,
    ) -> Fault:
        """Stop answers, with the connection open, until the fault is cancelled.

        Args:
            events: After this number of events of a stream; other answers are not affected.
            bytes: After this number of bytes of a body. With neither, before the answer.
            method: Only requests with this HTTP method.
            path: Only paths that match this pattern, `*` for anything, slashes included.
            times: How often it takes effect; None for as long as it is active.

        Raises:
            InvalidArgumentError: A value is out of range.
        """
        effect = _somewhere(events, bytes, HoldStep)
        return self._add(
            "stall", After(HoldStep) if effect is None else effect, method, path, times
        )

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
            events: After this number of events of a stream; other answers are not affected.
            bytes: After this number of bytes of a body. Give one of the two.
            clean: Whether to close the connection normally, as if the answer ended there.
            method: Only requests with this HTTP method.
            path: Only paths that match this pattern, `*` for anything, slashes included.
            times: How often it takes effect; None for as long as it is active.

        Raises:
            InvalidArgumentError: A value is out of range.
        """
        effect = _somewhere(events, bytes, lambda fault: CutStep(clean=clean))
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
        """Repeat events of a stream.

        Args:
            event: The number of the event, from 1; None for each.
            method: Only requests with this HTTP method.
            path: Only paths that match this pattern, `*` for anything, slashes included.
            times: How often it takes effect; None for as long as it is active.

        Raises:
            InvalidArgumentError: A value is out of range.
        """
        if event is not None:
            check_whole("event", event, 1)
        return self._add("duplicate", Duplicated(event), method, path, times)

    def corrupt(
        self,
        *,
        byte: int = 0,
        method: str | None = None,
        path: str | None = None,
        times: int | None = None,
    ) -> Fault:
        """Damage one byte of a body: all of its bits are inverted.

        Args:
            byte: Its position, from 0.
            method: Only requests with this HTTP method.
            path: Only paths that match this pattern, `*` for anything, slashes included.
            times: How often it takes effect; None for as long as it is active.

        Raises:
            InvalidArgumentError: A value is out of range.
        """
        check_whole("byte", byte, 0)
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
        """Send bodies in small pieces.

        Args:
            bytes: Bytes in each piece.
            seconds: The pause before each.
            method: Only requests with this HTTP method.
            path: Only paths that match this pattern, `*` for anything, slashes included.
            times: How often it takes effect; None for as long as it is active.

        Raises:
            InvalidArgumentError: A value is out of range.
        """
        check_whole("bytes", bytes, 1)
        check_seconds("seconds", seconds)
        return self._add("drip", Dripped(bytes, seconds), method, path, times)

    def shuffle_headers(
        self, *, method: str | None = None, path: str | None = None, times: int | None = None
    ) -> Fault:
        """Send the answer's headers in reverse order, with their names in capitals.

        Args:
            method: Only requests with this HTTP method.
            path: Only paths that match this pattern, `*` for anything, slashes included.
            times: How often it takes effect; None for as long as it is active.

        Raises:
            InvalidArgumentError: A value is out of range.
        """
        return self._add("shuffle_headers", ShuffledHeaders(), method, path, times)

    # --- all of them ---

    @property
    def fired(self) -> dict[str, int]:
        """How often faults have taken effect, by kind, including those that are over."""
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

    def cancel_all(self) -> None:
        """Cancel all faults. Their counts stay."""
        with self._lock:
            faults = list(self._faults)
        for fault in faults:
            fault.cancel()

    def exchange(self, method: str, path: str) -> FaultedExchange | None:
        """Return the faults of a request that is sent now; None if there are none.

        Args:
            method: The HTTP method.
            path: The path, without the query.
        """
        with self._lock:
            matching = [f for f in self._faults if f.active and f.matches(method, path)]
        return FaultedExchange(matching) if matching else None

    def transport(self, inner: httpx.BaseTransport) -> httpx.BaseTransport:
        """Return a blocking transport with these faults.

        Args:
            inner: The transport that reaches the server; closed with the returned one.
        """
        from langgraph_client.testing.faults_transport import FaultyTransport

        return FaultyTransport(inner, self)

    def async_transport(self, inner: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        """Return an async transport with these faults.

        Args:
            inner: The transport that reaches the server; closed with the returned one.
        """
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
    events: int | None, bytes: int | None, make: Callable[[Fault], CutStep | HoldStep]
) -> Effect | None:
    """Return the effect at a place in the body; None if no place was given."""
    if events is not None and bytes is not None:
        raise InvalidArgumentError("events", "give either events or bytes")
    for name, count in (("events", events), ("bytes", bytes)):
        if count is not None:
            check_whole(name, count, 0)
    if events is not None:
        return AtEvent(events, make)
    return None if bytes is None else AtByte(bytes, make)


def _retry_after(value: float | str) -> str:
    if not isinstance(value, str):
        check_seconds("retry_after", value)
    elif not value or not value.isprintable() or not value.isascii():
        raise InvalidArgumentError(
            "retry_after", f"must be seconds, or a text for a header, not {value!r}"
        )
    return str(value)
