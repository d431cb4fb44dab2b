# Generated from langgraph_client/_async/body.py by .ci/unasync.py; do not edit.
"""The body of an answer, watched while it is read."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic

import httpx

from langgraph_client._core.deadline import Deadline
from langgraph_client._core.silence import Cadence, Pulse
from langgraph_client._sync.link import WATCH, Link


class WatchedBody(httpx.SyncByteStream):
    """A body that has to be over in time.

    Each piece may come late by itself, which the HTTP layer watches; all of them together are
    watched here, between the pieces. Blanks before anything else are heartbeats: once it is known
    how often they come, the connection is hung up when three are missing.
    """

    def __init__(self, response: httpx.Response, deadline: Deadline, cadence: Cadence) -> None:
        assert isinstance(response.stream, httpx.SyncByteStream)
        self._stream = response.stream
        self._deadline = deadline
        self._cadence = cadence
        self._link = Link()
        self._link.response = response

    @property
    def silent(self) -> bool:
        """Whether it was hung up, since nothing came for too long."""
        return self._link.silent

    def __iter__(self) -> Iterator[bytes]:
        pulse, watched = Pulse(self._cadence), False
        self._link.waiting_since = monotonic()
        try:
            for piece in self._stream:
                now = self._link.waiting_since = monotonic()
                if self._deadline.over(now):
                    raise httpx.ReadTimeout("the answer has begun, and did not end in time")
                if piece.isspace():
                    pulse.beat(now)
                    patience = self._cadence.patience
                    if patience is not None and not watched:
                        watched = True
                        WATCH.expect(self._link, patience)
                else:
                    pulse.other()
                yield piece
            if self._link.silent:
                raise httpx.ReadTimeout("the server fell silent")
        finally:
            self._forget()

    def _forget(self) -> None:
        WATCH.forget(self._link)
        self._link.response = None  # They know each other: memory would wait for the collector.

    def close(self) -> None:
        self._forget()
        self._stream.close()
