"""A graph's own checkpointer that does not answer holds up one request, and not for ever."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from langgraph_client import APIStatusError, RetryPolicy
from langgraph_client.server.documents import threads
from langgraph_client.server.runs import graph_runner
from langgraph_client.testing import TestClock, TestServer, delete_states
from tests.server.test_own_savers import built
from tests.support.eventually import eventually


class HangingSaver(InMemorySaver):
    """A saver whose database answers only reads and writes of checkpoints."""

    async def adelete_thread(self, thread_id: str) -> None:
        await asyncio.Event().wait()

    async def aprune(self, thread_ids: Any, *, strategy: str = "keep_latest") -> None:
        await asyncio.Event().wait()

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        await asyncio.Event().wait()


@pytest.fixture(autouse=True)
def short_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_runner, "_DELETION_SECONDS", 0.2)
    monkeypatch.setattr(threads, "_SAVER_SECONDS", 0.2)
    monkeypatch.setattr(threads, "_CLEANUP_SECONDS", 0.2)
    monkeypatch.setattr(delete_states, "_SECONDS", 0.2)  # At the end of each test.


def test_a_deletion_in_a_saver_that_hangs_is_unavailable() -> None:
    """It is answered 503 after a limit. The thread stays, and can be used."""
    with TestServer({"agent": built(HangingSaver())}) as server:
        client = server.sync_client(retry=RetryPolicy(max_attempts=1)).with_options(deadline=20)
        thread_id = client.threads.create()["thread_id"]
        client.runs.wait(thread_id, "agent", input={"log": ["first"]})
        with pytest.raises(
            APIStatusError, match="has not deleted the thread: TimeoutError"
        ) as failed:
            client.threads.delete(thread_id)
        assert failed.value.status_code == 503
        values: Any = client.runs.wait(thread_id, "agent", input={"log": ["second"]})
        assert values["log"] == ["first", "one", "two", "second", "one", "two"]


@pytest.mark.parametrize(
    "change",
    [
        lambda threads, thread_id: threads.copy(thread_id),
        lambda threads, thread_id: threads.prune([thread_id], strategy="keep_latest"),
    ],
    ids=["copy", "prune"],
)
def test_a_copy_in_a_saver_that_hangs_is_unavailable(change: Any) -> None:
    """So is a pruning. No half of a copy is left, and the thread can be used."""
    with TestServer({"agent": built(HangingSaver())}) as server:
        client = server.sync_client(retry=RetryPolicy(max_attempts=1)).with_options(deadline=20)
        thread_id = client.threads.create()["thread_id"]
        client.runs.wait(thread_id, "agent", input={"log": ["first"]})
        with pytest.raises(APIStatusError, match="checkpointer of graph 'agent': TimeoutError"):
            change(client.threads, thread_id)
        assert client.threads.count() == 1
        values: Any = client.runs.wait(thread_id, "agent", input={"log": ["second"]})
        assert values["log"] == ["first", "one", "two", "second", "one", "two"]


@pytest.mark.parametrize("strategy", ["delete", "keep_latest"])
def test_a_saver_that_hangs_does_not_stop_the_expiry_of_other_threads(strategy: Any) -> None:
    """The time to live of its thread is tried again later; that of others is kept."""
    clock = TestClock()
    graphs = {"hanging": built(HangingSaver()), "agent": built(None)}
    with TestServer(graphs, clock=clock) as server, server.sync_client() as client:
        threads = []
        ttl: Any = {"ttl": 10, "strategy": strategy}
        for name in graphs:
            threads.append(client.threads.create(ttl=ttl)["thread_id"])
            client.runs.wait(threads[-1], name, input={"log": ["first"]})
        count = len(client.threads.get_history(threads[0]))
        clock.advance(11 * 60)
        if strategy == "delete":
            eventually(lambda: client.threads.count() == 1)
        else:
            eventually(lambda: len(client.threads.get_history(threads[1])) == 1)
        assert len(client.threads.get_history(threads[0])) == count
