"""The random calls of tests/server/test_model.py, to three servers on one database in turn."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from itertools import cycle

import httpx
import pytest

from langgraph_client.server.server import Server
from tests.server.test_model import Walk, at_rest, graphs, walk

STEPS = int(os.environ.get("MODEL_STEPS", "300"))
SEEDS = [int(seed) for seed in os.environ.get("MODEL_SEED", "1").split(",")]
"""Other walks: `MODEL_SEED=2,3 MODEL_STEPS=5000 pytest tests/cluster/test_model.py`."""


class InTurn(httpx.AsyncBaseTransport):
    """Sends each request to the next server, as a load balancer does."""

    def __init__(self, servers: list[Server]) -> None:
        self._transports = cycle([server.async_transport() for server in servers])

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        return await next(self._transports).handle_async_request(request)


@pytest.mark.parametrize("seed", SEEDS)
async def test_random_calls_leave_three_servers_sound(database: str, seed: int) -> None:
    """Whichever server is asked, every call returns, none with a 5xx; then all are at rest, and no
    row has lost what it belongs to."""
    servers = [Server(graphs(), path=database, max_runs=5) for _ in range(3)]
    async with AsyncExitStack() as stack:
        for server in servers:
            await stack.enter_async_context(server)
        http = httpx.AsyncClient(transport=InTurn(servers), base_url="http://server", timeout=None)
        made: Walk = await walk(await stack.enter_async_context(http), seed, STEPS)
        await http.post("/runs/cancel", json={"status": "all"})
        assert len(made.calls) >= 23
        assert made.answers[200] > STEPS / 4
        for server in servers:
            done = asyncio.run_coroutine_threadsafe(at_rest(server, is_shared=True), server.loop)
            await asyncio.wrap_future(done)
