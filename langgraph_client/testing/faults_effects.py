"""The effects of faults on one exchange, without I/O.

A transport or a proxy gets `Step`s from a `FaultedExchange` and performs them. The body of the
response passes through the faults piece by piece.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from http import HTTPMethod
from types import TracebackType
from typing import Protocol, Self

from langgraph_client.errors import InvalidArgumentError
from langgraph_client.testing.arguments import check_seconds, check_whole
from langgraph_client.testing.faults_splitters import (
    Headers,
    MakeSplitter,
    Splitter,
    splitter_of,
)


@dataclass(frozen=True)
class RespondStep:
    """Respond with this. The server does not get the request."""

    status: int
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True)
class PauseStep:
    """Wait."""

    seconds: float


@dataclass(frozen=True)
class HoldStep:
    """Send nothing until the fault is cancelled."""

    fault: Fault


@dataclass(frozen=True)
class CutStep:
    """Break the connection: by a reset, by a close (`clean`), or before it is open (`unsent`)."""

    clean: bool = False
    unsent: bool = False


_PATHS = ("/", "*", "?", "[")
"""What a pattern of paths begins with. Another one matches no path."""
Step = RespondStep | PauseStep | HoldStep | CutStep
Piece = bytes | Step


class Effect:
    """The effect of one kind of fault, with a method for each part of an exchange."""

    def before(self, fault: Fault) -> Iterator[Step]:
        """Return the steps before the server gets the request."""
        return iter(())

    def after(self, fault: Fault) -> Iterator[Step]:
        """Return the steps between the server's response and its arrival at the client."""
        return iter(())

    def headers(self, fault: Fault, headers: Headers) -> Headers:
        """Return the response's headers as they arrive."""
        return headers

    def stage(self, fault: Fault, split: MakeSplitter | None) -> Stage | None:
        """Return the stage of the response's body; `split` cuts it into events, if it has any."""
        return None


class Stage:
    """The effect of one fault on one body."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault

    def feed(self, piece: bytes) -> Iterator[Piece]:
        """Return the pieces and steps that replace a piece."""
        yield piece

    def end(self) -> Iterator[Piece]:
        """Return the bytes that are still held back when the body ends."""
        return iter(())


class Fault:
    """A rule that is active until it is cancelled or has fired `times` times; created by `Faults`.

    As a context manager, it is cancelled at the end of the `with`, and cannot be entered again.

    Attributes:
        kind: The method of `Faults` that made it.
        fired: How often it has taken effect.
    """

    def __init__(
        self, kind: str, effect: Effect, method: str | None, path: str | None, times: int | None
    ) -> None:
        if times is not None:
            check_whole("times", times, 1)
        if method is not None and str(method).upper() not in HTTPMethod.__members__:
            raise InvalidArgumentError("method", f"must be an HTTP method, not {method!r}")
        if path is not None and not (isinstance(path, str) and path.startswith(_PATHS)):
            raise InvalidArgumentError(
                "path", f"must begin with a slash or with a wildcard, not {path!r}"
            )
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
        """End the fault, and let the exchanges that it stalls continue. Safe to repeat."""
        # Under the lock, an exchange is either registered before this, and so resumed, or it sees
        # in `when_cancelled` that the fault is over.
        with self._lock:
            self._cancelled = True
            waiting, self._waiting = self._waiting, []
        for resume in waiting:
            resume()

    def matches(self, method: str, path: str) -> bool:
        """Return whether it applies to a request.

        Args:
            method: The HTTP method.
            path: The path, without the query.
        """
        if self._method is not None and method.upper() != self._method.upper():
            return False
        return self._path is None or fnmatchcase(path, self._path)

    def take(self) -> bool:
        """Count one effect; return False if it has none left."""
        # Checked and counted under the lock: requests in several threads may match at once.
        with self._lock:
            if not self.active:
                return False
            self.fired += 1
            self._lock.notify_all()
            return True

    def wait(self, times: int = 1, *, timeout: float = 10.0) -> None:
        """Wait until it has taken effect, in any thread or task.

        Args:
            times: How often.
            timeout: Seconds.

        Raises:
            TimeoutError: It has taken effect less often after that time.
            InvalidArgumentError: A value is out of range.
        """
        check_whole("times", times, 1)
        check_seconds("timeout", timeout)
        with self._lock:
            if not self._lock.wait_for(lambda: self.fired >= times, timeout):
                raise TimeoutError(f"{self!r}, not {times}, within {timeout} s")

    def when_cancelled(self, resume: Callable[[], None]) -> None:
        """Register a function to call when the fault is cancelled; at once if it is already.

        Args:
            resume: The function. It is called in the thread that cancels the fault.
        """
        with self._lock:
            if not self._cancelled:
                self._waiting.append(resume)
                return
        resume()

    def forget(self, resume: Callable[[], None]) -> None:
        """Undo `when_cancelled`.

        Args:
            resume: The registered function.
        """
        with self._lock:
            if resume in self._waiting:
                self._waiting.remove(resume)

    def __enter__(self) -> Self:
        if self._cancelled:
            raise RuntimeError(f"{self!r} cannot be entered again: make a new one")
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


class FaultSource(Protocol):
    """The part of `Faults` that a transport uses."""

    def exchange(self, method: str, path: str) -> FaultedExchange | None:
        """Return the faults of a request that is sent now; None if there are none."""
        ...


class FaultedExchange:
    """The faults of one request: those that matched it when it was sent."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._faults = faults

    def before(self) -> Iterator[Step]:
        """Return the steps before the request is sent on."""
        for fault in self._faults:
            yield from fault.effect.before(fault)

    def after(self) -> Iterator[Step]:
        """Return the steps before the response is handed on."""
        for fault in self._faults:
            yield from fault.effect.after(fault)

    def headers(self, headers: Headers) -> Headers:
        """Return the response's headers as they arrive."""
        for fault in self._faults:
            headers = fault.effect.headers(fault, headers)
        return headers

    def body(self, headers: Headers) -> Body | None:
        """Return the stages of the response's body; None if no fault changes it."""
        split = splitter_of(headers)
        stages = [fault.effect.stage(fault, split) for fault in self._faults]
        active = [stage for stage in stages if stage is not None]
        return Body(active) if active else None


class Body:
    """A body that passes the stages of several faults."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        self._stages = stages

    def start(self) -> Iterator[Piece]:
        """Return the steps before the first piece, such as a cut after 0 bytes."""
        return self.feed(b"")

    def feed(self, piece: bytes) -> Iterator[Piece]:
        """Return the pieces and steps that replace a piece of the body."""
        return _flow(self._stages, [piece])

    def end(self) -> Iterator[Piece]:
        """Return the bytes that are still held back when the body ends."""
        # What a stage held back still passes the stages after it, and not the ones before it.
        for place, stage in enumerate(self._stages):
            yield from _flow(self._stages[place + 1 :], stage.end())


def _flow(stages: Sequence[Stage], pieces: Iterable[Piece]) -> Iterator[Piece]:
    for piece in pieces:
        # Only bytes are changed by the next stage. A step, such as a pause, passes all of them.
        if stages and isinstance(piece, bytes):
            yield from _flow(stages[1:], stages[0].feed(piece))
        elif piece != b"":
            yield piece


# --- the kinds ---


@dataclass(frozen=True)
class Before(Effect):
    """A step before the server."""

    make: Callable[[Fault], Step]

    def before(self, fault: Fault) -> Iterator[Step]:
        if fault.take():
            yield self.make(fault)


@dataclass(frozen=True)
class After(Effect):
    """A step between the server's response and the client."""

    make: Callable[[Fault], Step]

    def after(self, fault: Fault) -> Iterator[Step]:
        if fault.take():
            yield self.make(fault)


@dataclass(frozen=True)
class ShuffledHeaders(Effect):
    """Headers in reverse order, their names in capitals."""

    def headers(self, fault: Fault, headers: Headers) -> Headers:
        if not fault.take():
            return headers
        return [(name.upper(), value) for name, value in reversed(headers)]


@dataclass(frozen=True)
class AtByte(Effect):
    """A step after a number of bytes of a body."""

    offset: int
    make: Callable[[Fault], Step]

    def stage(self, fault: Fault, split: MakeSplitter | None) -> Stage:
        return _AtByte(fault, self.offset, self.make)


class _AtByte(Stage):
    def __init__(self, fault: Fault, offset: int, make: Callable[[Fault], Step]) -> None:
        super().__init__(fault)
        self.left, self.make, self.done = offset, make, False

    def feed(self, piece: bytes) -> Iterator[Piece]:
        # An empty piece comes first, from `Body.start`: so a step after 0 bytes needs no body.
        if self.done or len(piece) < self.left:
            self.left -= len(piece)
            yield piece
            return
        yield piece[: self.left]
        self.done = True
        if self.fault.take():
            yield self.make(self.fault)
        yield piece[self.left :]


@dataclass(frozen=True)
class AtEvent(Effect):
    """A step after a number of events of a stream."""

    count: int
    make: Callable[[Fault], Step]

    def stage(self, fault: Fault, split: MakeSplitter | None) -> Stage | None:
        if split is None:
            return None
        return _AtEvent(fault, split(), self.count, self.make)


class _ByEvents(Stage):
    """A stage that sees whole events, counted from 1."""

    def __init__(self, fault: Fault, blocks: Splitter) -> None:
        super().__init__(fault)
        self.blocks = blocks
        self.count = 0

    def feed(self, piece: bytes) -> Iterator[Piece]:
        for block in self.blocks.feed(piece):
            if self.blocks.is_event(block):
                self.count += 1
                yield from self.event(block)
            else:
                yield block

    def event(self, block: bytes) -> Iterator[Piece]:
        raise NotImplementedError

    def end(self) -> Iterator[Piece]:
        yield bytes(self.blocks.rest)  # An event that the server did not complete.


class _AtEvent(_ByEvents):
    def __init__(
        self, fault: Fault, blocks: Splitter, count: int, make: Callable[[Fault], Step]
    ) -> None:
        super().__init__(fault, blocks)
        self.wanted, self.make, self.done = count, make, False

    def feed(self, piece: bytes) -> Iterator[Piece]:
        if not self.wanted:  # A step after 0 events comes with the empty piece of `Body.start`.
            yield from self._step()
        yield from super().feed(piece)

    def event(self, block: bytes) -> Iterator[Piece]:
        yield block
        if self.count == self.wanted:
            yield from self._step()

    def _step(self) -> Iterator[Piece]:
        if not self.done:
            self.done = True
            if self.fault.take():
                yield self.make(self.fault)


@dataclass(frozen=True)
class Duplicated(Effect):
    """Repeats the event with this number, or every event."""

    event: int | None

    def stage(self, fault: Fault, split: MakeSplitter | None) -> Stage | None:
        return None if split is None else _Duplicated(fault, split(), self.event)


class _Duplicated(_ByEvents):
    def __init__(self, fault: Fault, blocks: Splitter, wanted: int | None) -> None:
        super().__init__(fault, blocks)
        self.wanted = wanted

    def event(self, block: bytes) -> Iterator[Piece]:
        yield block
        if self.wanted in (None, self.count) and self.fault.take():
            yield block


@dataclass(frozen=True)
class Corrupted(Effect):
    """Inverts the bits of one byte of a body."""

    offset: int

    def stage(self, fault: Fault, split: MakeSplitter | None) -> Stage:
        return _Corrupted(fault, self.offset)


class _Corrupted(Stage):
    def __init__(self, fault: Fault, offset: int) -> None:
        super().__init__(fault)
        self.left = offset

    def feed(self, piece: bytes) -> Iterator[Piece]:
        place, self.left = self.left, self.left - len(piece)  # Negative once the byte has passed.
        if 0 <= place < len(piece) and self.fault.take():
            piece = piece[:place] + bytes([piece[place] ^ 0xFF]) + piece[place + 1 :]
        yield piece


@dataclass(frozen=True)
class Dripped(Effect):
    """Splits a body into pieces of a number of bytes, with a pause before each."""

    size: int
    seconds: float

    def stage(self, fault: Fault, split: MakeSplitter | None) -> Stage | None:
        return _Dripped(fault, self.size, self.seconds) if fault.take() else None


class _Dripped(Stage):
    def __init__(self, fault: Fault, size: int, seconds: float) -> None:
        super().__init__(fault)
        self.size, self.seconds = size, seconds

    def feed(self, piece: bytes) -> Iterator[Piece]:
        for start in range(0, len(piece), self.size):
            if self.seconds:
                yield PauseStep(self.seconds)
            yield piece[start : start + self.size]
