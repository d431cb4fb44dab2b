"""Wait for a condition that no event announces, and fail if it does not come true."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

LIMIT = 60.0
PAUSE = 0.005


def eventually(is_so: Callable[[], object], seconds: float = LIMIT) -> None:
    """Wait until a condition is true; raise `AssertionError` if it is not within these seconds."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, f"the condition did not come true within {seconds} s"
        time.sleep(PAUSE)


async def aeventually(is_so: Callable[[], object], seconds: float = LIMIT) -> None:
    """Wait as `eventually` does, and let the event loop go on."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, f"the condition did not come true within {seconds} s"
        await asyncio.sleep(PAUSE)
