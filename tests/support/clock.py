"""A clock for tests."""

from __future__ import annotations

from langgraph_client.server.clock import Clock


class Settable(Clock):
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        super().__init__()
        self.present = 1_800_000_000.0

    def time(self) -> float:
        return self.present
