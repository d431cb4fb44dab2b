"""What can be done with the socket of somebody else's connection."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any


def hang_up(network: Any) -> None:
    """Wake whoever reads from a connection: closing a socket does not wake a thread that reads it.

    Args:
        network: The `network_stream` extension of a response of httpx; None in process.
    """
    connected = None if network is None else network.get_extra_info("socket")
    if connected is not None:
        with suppress(OSError):  # It is gone already.
            connected.shutdown(socket.SHUT_RDWR)
