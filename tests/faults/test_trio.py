"""Under trio, httpx's own connections are used; calls and streams work, and leaving does."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from langgraph_client import ScriptedGraph, Server, get_client
from langgraph_client._async.direct import AsyncDirectSender
from langgraph_client.server.graphs.script_steps import Wait

trio = pytest.importorskip("trio")


@pytest.fixture
def url() -> Iterator[str]:
    """A server whose runs say something, and then take an hour."""
    with Server({"slow": ScriptedGraph([{"n": 1}, Wait(3600)])}) as running:
        yield running.listen()


def test_a_client_works_under_trio(url: str) -> None:
    """A call, a stream, and one that is cancelled: its run is stopped."""

    async def main() -> str:
        async with get_client(url=url) as client:
            thread = await client.threads.create()
            stream = client.runs.stream(thread.thread_id, "slow", input={}, on_disconnect="cancel")
            with trio.CancelScope() as scope:
                async for part in stream:
                    assert part.event in ("metadata", "values")
                    scope.deadline = trio.current_time() + 0.3
            await client.runs.join(thread.thread_id, stream.run_id or "")
            assert not isinstance(client._transport._pools.current(), AsyncDirectSender)
            return (await client.runs.get(thread.thread_id, stream.run_id or "")).status

    assert trio.run(main) == "interrupted"


def test_a_client_is_made_while_another_thread_imports_trio(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Modules that are half imported have no names yet."""

    async def main() -> bool:
        async with get_client(url=url) as client:
            return await client.ok()

    for name in ("trio", "trio.lowlevel"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    assert asyncio.run(main())
