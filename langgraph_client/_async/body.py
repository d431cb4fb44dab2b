"""The body of an answer, watched while it is read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from time import monotonic

import httpx

from langgraph_client._core.deadline import Deadline
from langgraph_client._core.silence import Cadence, Pulse


class WatchedBody(httpx.AsyncByteStream):
    """A body that has to be over in time.

    Each piece may come late by itself, which the HTTP layer watches; all of them together are
    watched here, between the pieces. Blanks before anything else are heartbeats.
    """

    def __init__(self, stream: httpx.AsyncByteStream, deadline: Deadline, cadence: Cadence) -> None:
        self._stream = stream
        self._deadline = deadline
        self._cadence = cadence

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pulse = Pulse(self._cadence)
        async for piece in self._stream:
            now = monotonic()
            if self._deadline.over(now):
                raise httpx.ReadTimeout("the answer has begun, and did not end in time")
            if piece.isspace():
                pulse.beat(now)
            else:
                pulse.other()
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()
