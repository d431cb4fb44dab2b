from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from langgraph_client import LangGraphClient, get_client
from langgraph_client._async import run_watch


@pytest.fixture
async def client(subject: str, request: Any) -> AsyncIterator[LangGraphClient]:
    """A client of the bundled server; with --interop of the real one."""
    if subject == "real":
        made = get_client(url=request.getfixturevalue("real_url"))
    else:
        made = request.getfixturevalue("server").client()
    async with made:
        yield made


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let thread streams not ask for the status of a run whose events are late by a second.

    Servers of tests that know no such request, or send events over one connection only, would
    fail on a machine that stalls.
    """
    monkeypatch.setattr(run_watch, "_FIRST_CHECK_SECONDS", 60.0)
