"""Threads on which the factory of a graph has always failed have no state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver

from langgraph_client import APIStatusError, RemoteException, SyncLangGraphClient
from langgraph_client.server.server import Server
from langgraph_client.testing import TestServer
from tests.server.test_own_savers import built


def failing(config: RunnableConfig) -> Any:
    raise LookupError("no such tenant")


def thread_with_failed_run(client: SyncLangGraphClient) -> tuple[str, str]:
    """Return a new thread and its only run."""
    thread_id = client.threads.create()["thread_id"]
    with pytest.raises(RemoteException, match="no such tenant"):
        client.runs.wait(thread_id, "agent", input={"log": ["in"]})
    return thread_id, client.runs.list(thread_id)[0]["run_id"]


def test_a_thread_whose_runs_never_began_needs_no_factory() -> None:
    """It is copied, pruned and deleted, and its runs are deleted, also after a later failure."""
    with TestServer({"agent": failing}) as server, server.sync_client() as client:
        with server.expect_error(LookupError):
            thread_id, run_id = thread_with_failed_run(client)
            thread_with_failed_run(client)
        copied = client.threads.copy(thread_id)["thread_id"]
        assert client.threads.prune([thread_id], strategy="keep_latest")["pruned_count"] == 1
        client.runs.delete(thread_id, run_id)
        assert client.runs.list(thread_id) == []
        assert client.threads.prune([copied])["pruned_count"] == 1
        client.threads.delete(thread_id)
        assert client.threads.count() == 1


class NullValues:
    """A factory of a functional graph whose values are null, with a checkpointer of its own."""

    def __init__(self) -> None:
        self.saver = InMemorySaver()
        self.is_broken = False

    def __call__(self, config: RunnableConfig) -> Any:
        from langgraph.func import entrypoint

        if self.is_broken:
            raise LookupError("no such tenant")

        @entrypoint(checkpointer=self.saver)
        async def agent(given: dict[str, Any]) -> None:
            return None

        return agent


def test_a_thread_with_null_values_is_not_without_a_state(tmp_path: Path) -> None:
    """Its graph's own checkpointer has a state, although its document shows none."""
    make = NullValues()
    with Server({"agent": make}, path=tmp_path / "db") as server, server.sync_client() as client:
        thread_id = client.threads.create()["thread_id"]
        client.runs.wait(thread_id, "agent", input={"x": 1})
        assert client.threads.get(thread_id)["values"] is None
        make.is_broken = True
        with pytest.raises(APIStatusError, match="LookupError"):
            client.threads.delete(thread_id)
        make.is_broken = False
        client.threads.delete(thread_id)
        assert not any(make.saver.storage.values())


def test_a_run_that_was_opened_before_is_not_one_without_a_state() -> None:
    """Once a run of the thread has worked, a factory that fails later keeps the thread."""
    saver = InMemorySaver()
    is_broken = [False]

    def make(config: RunnableConfig) -> Any:
        return failing(config) if is_broken[0] else built(saver)

    with TestServer({"agent": make}) as server, server.sync_client() as client:
        thread_id = client.threads.create()["thread_id"]
        client.runs.wait(thread_id, "agent", input={"log": ["in"]})
        is_broken[0] = True
        with server.expect_error(LookupError), pytest.raises(RemoteException):
            client.runs.wait(thread_id, "agent", input={"log": ["in"]})
        with pytest.raises(APIStatusError, match="LookupError"):
            client.threads.delete(thread_id)
        is_broken[0] = False
        client.threads.delete(thread_id)
        assert not any(saver.storage.values())
