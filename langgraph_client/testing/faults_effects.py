"""What a fault does to one exchange, without I/O.

A transport or a proxy asks an `Exchange` what befalls the request, and carries out what it is told:
the `Step`s. The body of the answer flows through the faults piece by piece.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langgraph_client.testing.faults import Fault

Headers = list[tuple[bytes, bytes]]

_BLOCK_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")


@dataclass(frozen=True)
class Answer:
    """Answer this; the server does not get the request."""

    status: int
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True)
class Pause:
    """Wait for so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Hold:
    """Be silent until the fault is cancelled."""

    fault: Fault


@dataclass(frozen=True)
class Cut:
    """Break the connection; `clean` closes it in good order. `unsent`: there never was one."""

    clean: bool = False
    unsent: bool = False


Step = Answer | Pause | Hold | Cut
Piece = bytes | Step


class Effect:
    """What one kind of fault does. Each part of an exchange has its method; most do nothing."""

    def before(self, fault: Fault) -> Iterator[Step]:
        """What happens before the server gets the request."""
        return iter(())

    def after(self, fault: Fault) -> Iterator[Step]:
        """What happens when the server has answered, and nothing of that has arrived."""
        return iter(())

    def headers(self, fault: Fault, headers: Headers) -> Headers:
        """The answer's headers as they arrive."""
        return headers

    def stage(self, fault: Fault, *, events: bool) -> Stage | None:
        """What the answer's body flows through; `events` says that it is an event stream."""
        return None


class Stage:
    """One fault at work on one body."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault

    def feed(self, piece: bytes) -> Iterator[Piece]:
        """What becomes of a piece."""
        yield piece

    def end(self) -> Iterator[Piece]:
        """What is still held back when the body ends."""
        return iter(())


class Exchange:
    """What befalls one request. The faults are those that matched it when it was sent."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._faults = faults

    def before(self) -> Iterator[Step]:
        """What to do before the request is sent on."""
        for fault in self._faults:
            yield from fault.effect.before(fault)

    def after(self) -> Iterator[Step]:
        """What to do before anything of the answer is handed on."""
        for fault in self._faults:
            yield from fault.effect.after(fault)

    def headers(self, headers: Headers) -> Headers:
        """The answer's headers as they arrive."""
        for fault in self._faults:
            headers = fault.effect.headers(fault, headers)
        return headers

    def body(self, headers: Headers) -> Body | None:
        """What the answer's body flows through; None where nothing happens to it."""
        kinds = [value for name, value in headers if name.lower() == b"content-type"]
        events = any(kind.startswith(b"text/event-stream") for kind in kinds)
        stages = [fault.effect.stage(fault, events=events) for fault in self._faults]
        active = [stage for stage in stages if stage is not None]
        return Body(active) if active else None


class Body:
    """A body on its way through the faults."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        self._stages = stages

    def start(self) -> Iterator[Piece]:
        """What happens before the first piece: a cut after nothing needs none."""
        return self.feed(b"")

    def feed(self, piece: bytes) -> Iterator[Piece]:
        """What becomes of a piece of the body."""
        return _flow(self._stages, [piece])

    def end(self) -> Iterator[Piece]:
        """What is still to come when the body has ended."""
        for place, stage in enumerate(self._stages):
            yield from _flow(self._stages[place + 1 :], stage.end())


def _flow(stages: Sequence[Stage], pieces: Iterable[Piece]) -> Iterator[Piece]:
    for piece in pieces:
        if stages and isinstance(piece, bytes):
            yield from _flow(stages[1:], stages[0].feed(piece))
        elif piece != b"":
            yield piece


# --- the kinds ---


@dataclass(frozen=True)
class Before(Effect):
    """A step in front of the server."""

    make: Callable[[Fault], Step]

    def before(self, fault: Fault) -> Iterator[Step]:
        if fault.take():
            yield self.make(fault)


@dataclass(frozen=True)
class After(Effect):
    """A step between the server's answer and whoever waits for it."""

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
    """A step after so many bytes of a body."""

    offset: int
    make: Callable[[Fault], Step]

    def stage(self, fault: Fault, *, events: bool) -> Stage:
        return _AtByte(fault, self.offset, self.make)


class _AtByte(Stage):
    def __init__(self, fault: Fault, offset: int, make: Callable[[Fault], Step]) -> None:
        super().__init__(fault)
        self.left, self.make, self.done = offset, make, False

    def feed(self, piece: bytes) -> Iterator[Piece]:
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
    """A step after so many events of a stream."""

    count: int
    make: Callable[[Fault], Step]

    def stage(self, fault: Fault, *, events: bool) -> Stage | None:
        return _AtEvent(fault, self.count, self.make) if events else None


@dataclass
class _Blocks:
    """Cuts an event stream into what stands between blank lines, blank line included."""

    rest: bytearray = field(default_factory=bytearray)
    seen: int = 0  # Up to here there is no blank line, so that time is linear in the bytes.

    def feed(self, piece: bytes) -> list[bytes]:
        self.rest += piece
        blocks = []
        while match := _BLOCK_END.search(self.rest, max(self.seen - 3, 0)):
            blocks.append(bytes(self.rest[: match.end()]))
            del self.rest[: match.end()]
            self.seen = 0
        self.seen = len(self.rest)
        return blocks


def _is_event(block: bytes) -> bool:
    """Whether it is an event; heartbeats are comments, and are not."""
    return any(line and not line.startswith(b":") for line in block.splitlines())


class _ByEvents(Stage):
    """A stage that sees whole events, counted from 1."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.blocks = _Blocks()
        self.count = 0

    def feed(self, piece: bytes) -> Iterator[Piece]:
        for block in self.blocks.feed(piece):
            if _is_event(block):
                self.count += 1
                yield from self.event(block)
            else:
                yield block

    def event(self, block: bytes) -> Iterator[Piece]:
        raise NotImplementedError

    def end(self) -> Iterator[Piece]:
        yield bytes(self.blocks.rest)


class _AtEvent(_ByEvents):
    def __init__(self, fault: Fault, count: int, make: Callable[[Fault], Step]) -> None:
        super().__init__(fault)
        self.wanted, self.make, self.done = count, make, False

    def feed(self, piece: bytes) -> Iterator[Piece]:
        if not self.wanted:
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
    """Events that come twice: the one with this number, or each."""

    event: int | None

    def stage(self, fault: Fault, *, events: bool) -> Stage | None:
        return _Duplicated(fault, self.event) if events else None


class _Duplicated(_ByEvents):
    def __init__(self, fault: Fault, wanted: int | None) -> None:
        super().__init__(fault)
        self.wanted = wanted

    def event(self, block: bytes) -> Iterator[Piece]:
        yield block
        if self.wanted in (None, self.count) and self.fault.take():
            yield block


@dataclass(frozen=True)
class Corrupted(Effect):
    """A body with one byte whose bits are all turned round."""

    offset: int

    def stage(self, fault: Fault, *, events: bool) -> Stage:
        return _Corrupted(fault, self.offset)


class _Corrupted(Stage):
    def __init__(self, fault: Fault, offset: int) -> None:
        super().__init__(fault)
        self.left = offset

    def feed(self, piece: bytes) -> Iterator[Piece]:
        place, self.left = self.left, self.left - len(piece)
        if 0 <= place < len(piece) and self.fault.take():
            piece = piece[:place] + bytes([piece[place] ^ 0xFF]) + piece[place + 1 :]
        yield piece


@dataclass(frozen=True)
class Dripped(Effect):
    """A body in pieces of so many bytes, with a pause before each."""

    size: int
    seconds: float

    def stage(self, fault: Fault, *, events: bool) -> Stage | None:
        return _Dripped(fault, self.size, self.seconds) if fault.take() else None


class _Dripped(Stage):
    def __init__(self, fault: Fault, size: int, seconds: float) -> None:
        super().__init__(fault)
        self.size, self.seconds = size, seconds

    def feed(self, piece: bytes) -> Iterator[Piece]:
        for start in range(0, len(piece), self.size):
            if self.seconds:
                yield Pause(self.seconds)
            yield piece[start : start + self.size]
