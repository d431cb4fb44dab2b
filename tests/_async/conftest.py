from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from langgraph_client import LangGraphClient, get_client


@pytest.fixture
async def client(subject: str, request: Any) -> AsyncIterator[LangGraphClient]:
    """A client of the bundled server; with --interop of the real one."""
    if subject == "real":
        made = get_client(url=request.getfixturevalue("real_url"))
    else:
        made = request.getfixturevalue("server").client()
    async with made:
        yield made
