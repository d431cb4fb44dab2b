"""Connections of blocking code that one thread closes while another one uses them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import httpcore
import pytest

from langgraph_client._io.blocking_network import Stream


class Held(socket.socket):
    """A socket whose read is held up just before it begins."""

    def __init__(self, number: int) -> None:
        super().__init__(fileno=number)
        self.is_reading, self.go_on = threading.Event(), threading.Event()

    def recv_into(self, *arguments: object) -> int:
        self.is_reading.set()
        assert self.go_on.wait(60)
        return super().recv_into(*arguments)


@pytest.fixture
def ends() -> Iterator[tuple[Held, socket.socket]]:
    near, far = socket.socketpair()
    held = Held(near.detach())
    with held, far:
        yield held, far


def test_a_socket_is_not_closed_below_its_reader(ends: tuple[Held, socket.socket]) -> None:
    """The system could give its number to a new connection, whose bytes the reader would take."""
    held, far = ends
    stream = Stream(held)
    outcomes: list[object] = []

    def read() -> None:
        try:
            outcomes.append(stream.read(10))
        except httpcore.ReadError as error:
            outcomes.append(str(error))

    reader = threading.Thread(target=read)
    reader.start()
    assert held.is_reading.wait(60)
    stream.abort()
    assert held.fileno() != -1
    assert far.recv(1) == b""  # The other end learns of it at once.
    held.go_on.set()
    reader.join(60)
    assert outcomes == ["closed by this client"]
    assert held.fileno() == -1


def test_a_socket_that_nobody_uses_is_closed_at_once(ends: tuple[Held, socket.socket]) -> None:
    """Whoever reads or writes afterwards gets an error."""
    held, _ = ends
    stream = Stream(held)
    stream.abort()
    assert held.fileno() == -1
    with pytest.raises(httpcore.ReadError, match="closed by this client"):
        stream.read(10)
    with pytest.raises(httpcore.WriteError, match="closed by this client"):
        stream.write(b"x")
