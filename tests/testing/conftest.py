"""What the tests of the kit share."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let thread streams not ask for the status of a run that begins late on a busy machine.

    Logs of requests and cassettes would have a request more, or lack one.
    """
    for color in ("async", "sync"):
        monkeypatch.setattr(f"langgraph_client._{color}.run_watch._FIRST_CHECK_SECONDS", 60.0)


@pytest.fixture
def long_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `wait_idle` with a short timeout wait for a look at the runs that a pause holds up."""
    monkeypatch.setattr("langgraph_client.testing.server._LOOK_SECONDS", 60.0)
