from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from langgraph_client import LangGraphClient, Server


@pytest.fixture
async def client(server: Server) -> AsyncIterator[LangGraphClient]:
    """A client of `server`."""
    async with server.client() as made:
        yield made
