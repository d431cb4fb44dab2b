"""What the connections of both colours share."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any

from langgraph_client._core.connection import waitable
from langgraph_client._core.deadline import until

CONNECTION_DELAY = 0.25
"""Seconds before the next address of a host is tried, too ("happy eyeballs", RFC 8305)."""


def time_left(
    due: float | None, seconds: float | None, late: Callable[[str], Exception]
) -> float | None:
    """Return how long the next wait of a call may take.

    A limit of each wait alone would not end a call: a server may send a byte now and then for ever.

    Args:
        due: When the call must be over, on the clock of `monotonic`; None for no limit.
        seconds: The limit of this wait; None for no limit.
        late: The error to raise if the call should be over already.
    """
    if due is None:
        return waitable(seconds)
    now = monotonic()
    if now >= due:
        raise late("the deadline of the call is over")
    return until(due, seconds, now)


def error_text(error: BaseException) -> str:
    """Return the message of an error, or its class if it has none."""
    return str(error) or type(error).__name__


def hang_up(network: Any) -> None:
    """Wake the reader of a connection. Closing a socket would not wake a thread that reads it.

    Args:
        network: The `network_stream` extension of an httpx response; None for a server in process.
    """
    connected = None if network is None else network.get_extra_info("socket")
    if connected is not None:
        # It is closed already, or it is uvloop's stand-in for a socket, which refuses this: readers
        # there are woken when the connection is closed.
        with suppress(OSError, TypeError):
            connected.shutdown(socket.SHUT_RDWR)
