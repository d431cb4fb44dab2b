"""A port for a program that has to be told one."""

from __future__ import annotations

import random
import socket
from contextlib import suppress
from pathlib import Path

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_COUNT = 15_000


def free_port() -> int:
    """Return a port that nobody uses.

    It is none of those that the system gives to whoever asks for any port: one of them could be
    taken before the program listens, or while it is stopped.
    """
    lowest = int(_RANGE.read_text().split()[0]) if _RANGE.exists() else 32_768
    ports = range(max(1_024, lowest - _COUNT), lowest) or [0]
    chance = random.SystemRandom()  # Tests may have set the seed of the other one.
    for _ in range(100):
        address = ("127.0.0.1", chance.choice(ports))
        with suppress(OSError), socket.create_server(address) as free:
            return int(free.getsockname()[1])
    raise RuntimeError(f"no port below {lowest} is free")
