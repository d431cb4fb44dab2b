"""What a checkpointer of the application cannot do is said to those who have asked for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver

from langgraph_client import (
    InternalServerError,
    RetryPolicy,
    Server,
    UnprocessableEntityError,
)
from langgraph_client.testing import TestClock, TestServer
from tests.server.test_own_savers import AbleSaver, built
from tests.support.eventually import eventually


class FailingSaver(AbleSaver):
    """A saver whose database is away when it is to delete."""

    async def adelete_for_runs(self, run_ids: Any) -> None:
        raise OSError("connect postgresql://u:PASSWORD@db")

    async def adelete_thread(self, thread_id: str) -> None:
        raise OSError("connect postgresql://u:PASSWORD@db")


class AsyncSaver(BaseCheckpointSaver[Any]):
    """A saver with the async methods that a run needs, and no others."""

    def __init__(self) -> None:
        super().__init__()
        self._memory = InMemorySaver()

    def get_next_version(self, current: Any, channel: None) -> Any:
        return self._memory.get_next_version(current, channel)

    async def aget_tuple(self, *args: Any) -> Any:
        return self._memory.get_tuple(*args)

    async def alist(self, *args: Any, **options: Any) -> AsyncIterator[Any]:
        for item in self._memory.list(*args, **options):
            yield item

    async def aput(self, *args: Any) -> Any:
        return self._memory.put(*args)

    async def aput_writes(self, *args: Any) -> None:
        self._memory.put_writes(*args)


def test_a_method_that_a_saver_lacks_is_no_reason_not_to_call_the_others() -> None:
    """A deleted thread stays in a saver that cannot delete; the other threads go on."""
    with TestServer({"agent": built(AsyncSaver())}) as server, server.sync_client() as client:
        threads = [client.threads.create()["thread_id"] for _ in range(2)]
        for thread_id in threads:
            client.runs.wait(thread_id, "agent", input={"log": ["in"]})
        client.threads.delete(threads[0])
        values = client.threads.get_state(threads[1])["values"]
        assert values == {"log": ["in", "one", "two"]}
        last = client.runs.wait(threads[1], "agent", input={"log": ["more"]})
        assert last == {"log": [*values["log"], "more", "one", "two"]}


@pytest.mark.parametrize(
    ("saver", "is_own", "reason"),
    [
        (AbleSaver, True, None),
        (AbleSaver, False, None),
        (InMemorySaver, True, "the graph 'agent' has no method delete_for_runs()"),
        (InMemorySaver, False, "the server has no method delete_for_runs()"),
        (FailingSaver, True, "has not deleted the run: OSError"),
        (FailingSaver, False, "the checkpointer: OSError"),
    ],
)
def test_a_thread_says_that_a_rollback_has_undone_nothing(
    saver: Any, is_own: bool, reason: str | None
) -> None:
    """The run ends as rolled back in any case; the error of its thread says what stays, and why."""
    options: Any = {} if is_own else {"checkpointer": saver()}
    graph = built(saver() if is_own else None)
    with TestServer({"agent": graph}, **options) as server, server.sync_client() as client:
        thread_id = client.threads.create()["thread_id"]
        before: Any = client.runs.wait(thread_id, "agent", input={"log": ["first"]})
        run = client.runs.create(thread_id, "agent", input={"log": ["slow"]})
        eventually(lambda: client.threads.get_state(thread_id)["next"] == ["stop"])
        limited = client.with_options(deadline=20)
        limited.runs.cancel(thread_id, run["run_id"], wait=True, action="rollback")
        assert len(client.runs.list(thread_id)) == 1
        thread = client.threads.get(thread_id)
        assert thread["error"]["error"] == "UserRollback"
        message = thread["error"]["message"]
        assert "PASSWORD" not in message
        assert ("the state still has what the run wrote" in message) == (reason is not None)
        assert (reason or "") in message
        left = client.threads.get_state(thread_id)["values"]
        assert left == ({"log": [*before["log"], "slow", "one"]} if reason else before)


def test_a_stateless_run_ends_although_its_checkpoints_cannot_be_deleted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It has its result. The log says that its checkpoints stay, and why."""
    with TestServer({"agent": built(None)}, checkpointer=FailingSaver()) as server:
        with server.sync_client() as client:
            result: Any = client.with_options(deadline=20).runs.wait(
                None, "agent", input={"log": ["first"]}
            )
        assert result == {"log": ["first", "one", "two"]}
    (record,) = [r for r in caplog.records if "the checkpoints of run" in r.getMessage()]
    assert "PASSWORD" in record.getMessage()


@pytest.mark.parametrize("before", ["nothing", "run", "update"])
@pytest.mark.parametrize("is_own", [True, False])
def test_a_rollback_of_all_that_a_thread_has_needs_no_method_for_runs(
    tmp_path: Path, before: str, is_own: bool
) -> None:
    """Any saver can delete a thread; with earlier states, nothing is deleted."""
    options: Any = {} if is_own else {"checkpointer": InMemorySaver()}
    graph = built(InMemorySaver() if is_own else None)
    with Server({"agent": graph}, path=tmp_path / "db", **options) as server:
        client = server.sync_client()
        thread_id = client.threads.create(graph_id="agent")["thread_id"]
        if before == "run":
            client.runs.wait(thread_id, "agent", input={"log": ["first"]})
        elif before == "update":
            client.threads.update_state(thread_id, {"log": ["first"]}, as_node="__start__")
        run = client.runs.create(thread_id, "agent", input={"log": ["slow"]})
        eventually(lambda: "slow" in str(client.threads.get_state(thread_id)["values"]))
        eventually(lambda: client.threads.get_state(thread_id)["next"] == ["stop"])
        client.runs.cancel(thread_id, run["run_id"], wait=True, action="rollback")
        values = client.threads.get_state(thread_id)["values"]
        message = client.threads.get(thread_id)["error"]["message"]
        assert ("first" in str(values)) == (before != "nothing")
        assert ("slow" in str(values)) == (before != "nothing")
        assert ("no method delete_for_runs()" in message) == (before != "nothing")
        client.close()


@pytest.mark.parametrize("is_own", [True, False])
@pytest.mark.parametrize("saver", [AbleSaver, InMemorySaver])
def test_a_time_to_live_prunes_in_a_saver_that_can(
    saver: Any, is_own: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """With `keep_latest`, the states before the latest go, or a warning says that they stay."""
    options: Any = {"clock": TestClock(), **({} if is_own else {"checkpointer": saver()})}
    clock = options["clock"]
    graph = built(saver() if is_own else None)
    with TestServer({"agent": graph}, **options) as server, server.sync_client() as client:
        ttl: Any = {"ttl": 10, "strategy": "keep_latest"}
        thread_id = client.threads.create(ttl=ttl)["thread_id"]
        client.runs.wait(thread_id, "agent", input={"log": ["first"]})
        history = client.threads.get_history(thread_id)
        clock.advance(11 * 60)
        sweep = server.services.thread_ttl.sweep()
        asyncio.run_coroutine_threadsafe(sweep, server.loop).result(60)
        left = client.threads.get_history(thread_id)
        assert len(left) == (1 if saver is AbleSaver else len(history))
        assert left[0]["values"] == history[0]["values"]
        warning = "has not pruned the thread" if is_own else "cannot prune thread"
        assert (warning in caplog.text) == (saver is InMemorySaver)
        assert "Traceback" not in caplog.text


@pytest.mark.parametrize("saver", [AbleSaver, InMemorySaver])
def test_pruning_in_the_servers_checkpointer(saver: Any) -> None:
    """It is refused if the checkpointer cannot do it, not said to be done."""
    options: Any = {"checkpointer": saver()}
    with TestServer({"agent": built(None)}, **options) as server, server.sync_client() as client:
        thread_id = client.threads.create()["thread_id"]
        client.runs.wait(thread_id, "agent", input={"log": ["first"]})
        if saver is AbleSaver:
            assert client.threads.prune([thread_id], strategy="keep_latest")["pruned_count"] == 1
            assert len(client.threads.get_history(thread_id)) == 1
        else:
            with pytest.raises(UnprocessableEntityError, match="checkpointer cannot prune thread"):
                client.threads.prune([thread_id], strategy="keep_latest")


class NotCopyingSaver(InMemorySaver):
    """A saver whose database is away when it is to copy."""

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        raise OSError("away")


@pytest.mark.parametrize("is_own", [True, False])
def test_no_copy_is_left_if_its_state_cannot_be_copied(is_own: bool) -> None:
    """The caller gets the error, and finds one thread."""
    options: Any = {} if is_own else {"checkpointer": NotCopyingSaver()}
    graph = built(NotCopyingSaver() if is_own else None)
    with TestServer({"agent": graph}, **options) as server:
        client = server.sync_client(retry=RetryPolicy(max_attempts=1))
        thread_id = client.threads.create()["thread_id"]
        client.runs.wait(thread_id, "agent", input={"log": ["first"]})
        with pytest.raises(InternalServerError):
            client.threads.copy(thread_id)
        assert [thread["thread_id"] for thread in client.threads.search()] == [thread_id]
