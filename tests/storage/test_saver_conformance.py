"""langgraph's own conformance suite for checkpoint savers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from langgraph.checkpoint.conformance import checkpointer_test, validate

from langgraph_client.server.storage.sqlite.storage import SqliteStorage


async def test_the_saver_conforms() -> None:
    """Every capability of a checkpoint saver, required or optional, is there and as specified."""

    @checkpointer_test(name="sqlite")
    async def saver() -> AsyncIterator[Any]:
        storage = SqliteStorage()
        yield storage.checkpointer
        await storage.close()

    report = await validate(saver)
    failed = {name: result for name, result in report.results.items() if not result.passed}
    assert not failed
    assert len(report.results) >= 8
