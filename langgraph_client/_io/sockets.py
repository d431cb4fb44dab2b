"""Shut down the socket of an HTTP library's connection."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any


def hang_up(network: Any) -> None:
    """Wake the reader of a connection. Closing a socket would not wake a thread that reads it.

    Args:
        network: The `network_stream` extension of an httpx response; None for a server in process.
    """
    connected = None if network is None else network.get_extra_info("socket")
    if connected is not None:
        with suppress(OSError):  # It is closed already.
            connected.shutdown(socket.SHUT_RDWR)
