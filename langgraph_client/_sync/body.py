# Generated from langgraph_client/_async/body.py by .ci/unasync.py; do not edit.
"""The body of an answer, watched while it is read."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic

import httpx

from langgraph_client._core.deadline import Deadline
from langgraph_client._core.silence import Cadence, Pulse


class WatchedBody(httpx.SyncByteStream):
    """A body that has to be over in time.

    Each piece may come late by itself, which the HTTP layer watches; all of them together are
    watched here, between the pieces. Blanks before anything else are heartbeats.
    """

    def __init__(self, stream: httpx.SyncByteStream, deadline: Deadline, cadence: Cadence) -> None:
        self._stream = stream
        self._deadline = deadline
        self._cadence = cadence

    def __iter__(self) -> Iterator[bytes]:
        pulse = Pulse(self._cadence)
        for piece in self._stream:
            now = monotonic()
            if self._deadline.over(now):
                raise httpx.ReadTimeout("the answer has begun, and did not end in time")
            if piece.isspace():
                pulse.beat(now)
            else:
                pulse.other()
            yield piece

    def close(self) -> None:
        self._stream.close()
