"""Requests to the process that holds the lease of a thread."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from langgraph_client.server.clock import Clock
from langgraph_client.server.runs import forward_runs
from langgraph_client.server.runs.locks import KeyedLocks


class Leases:
    """The part of `Shared` by which a holder is asked."""

    process_id = "this"

    def __init__(self) -> None:
        self.owners = asyncio.Queue[str | None]()

    def notify(self, kind: str, name: str) -> None:
        pass

    async def holder(self, thread_id: str) -> str | None:
        return await self.owners.get()


async def test_each_who_asks_a_holder_is_told_of_its_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who asked before and needs no answer any more takes none from the others."""
    monkeypatch.setattr(forward_runs, "_ANSWER_SECONDS", 60.0)
    leases: Any = Leases()
    unused: Any = None
    services: Any = SimpleNamespace(storage=unused, clock=Clock(), locks=KeyedLocks())
    asking = forward_runs.RunForwarder(services, leases, unused)
    first, *others = [asyncio.create_task(asking._ask_holder("thread")) for _ in range(3)]
    async with asyncio.timeout(60):
        await asyncio.sleep(0)  # All of them ask for the holder now.
        leases.owners.put_nowait(None)
        await first
        leases.owners.put_nowait("another")
        leases.owners.put_nowait("another")
        for _ in range(3):
            await asyncio.sleep(0)  # They know the holder now, and wait for its answer.
        assert leases.owners.empty()
        asking.answered("thread")
        await asyncio.gather(*others)
    assert not asking._askers
