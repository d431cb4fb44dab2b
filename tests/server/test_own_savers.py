"""What is done with whole threads and runs of a graph that was compiled with a checkpointer."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, TypedDict

import httpx
import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph

from langgraph_client import APIStatusError, Server, UnprocessableEntityError
from langgraph_client.testing import TestClock, TestServer
from langgraph_client.values import HEADER, VERSION
from tests.support.eventually import eventually


class AbleSaver(InMemorySaver):
    """A saver that can prune threads and delete the checkpoints of runs."""

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        for thread_id, namespaces in self.storage.items():
            for namespace, checkpoints in namespaces.items():
                place = {"configurable": {"thread_id": thread_id, "checkpoint_ns": namespace}}
                for item in [*self.list(place)]:
                    if item.metadata.get("run_id") in run_ids:
                        del checkpoints[item.checkpoint["id"]]

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        assert strategy == "keep_latest"
        for thread_id in thread_ids:
            for checkpoints in self.storage[thread_id].values():
                for checkpoint_id in sorted(checkpoints)[:-1]:
                    del checkpoints[checkpoint_id]


class FailingSaver(InMemorySaver):
    """A saver that cannot list, and so not copy."""

    def list(self, *args: Any, **options: Any) -> Any:
        raise OSError("connect postgresql://u:PASSWORD@db")


class State(TypedDict):
    log: Annotated[list[str], operator.add]


def built(saver: Any) -> Any:
    async def work(state: State) -> dict[str, Any]:
        return {"log": ["one"]}

    async def stop(state: State) -> dict[str, Any]:
        if state["log"][-2] == "slow":
            await asyncio.Event().wait()
        return {"log": ["two"]}

    builder = StateGraph(State).add_sequence([("work", work), ("stop", stop)])
    return builder.add_edge(START, "work").compile(checkpointer=saver)


def test_a_copied_thread_has_the_state_and_goes_its_own_way() -> None:
    """A copy has the history, also in a saver that has no method to copy a thread."""
    with TestServer({"agent": built(InMemorySaver())}) as server, server.sync_client() as client:
        thread_id = client.threads.create()["thread_id"]
        client.runs.wait(thread_id, "agent", input={"log": ["first"]})
        copied = client.threads.copy(thread_id)["thread_id"]
        histories = [
            [(state["values"], state["next"]) for state in client.threads.get_history(each)]
            for each in (thread_id, copied)
        ]
        assert histories[0] == histories[1]
        assert len(histories[0]) == 4
        client.runs.wait(copied, "agent", input={"log": ["copy"]})
        assert client.threads.get_state(thread_id)["values"] == {"log": ["first", "one", "two"]}
        assert len(client.threads.get_state(copied)["values"]["log"]) == 6


def test_a_copy_that_fails_is_none(caplog: pytest.LogCaptureFixture) -> None:
    """There is no thread without its state. The response does not have the saver's words."""
    with TestServer({"agent": built(FailingSaver())}) as server, server.sync_client() as client:
        thread_id = client.threads.create()["thread_id"]
        client.runs.wait(thread_id, "agent", input={"log": ["first"]})
        with pytest.raises(APIStatusError, match="'agent': OSError") as failed:
            client.threads.copy(thread_id)
        assert failed.value.status_code == 503
        assert "PASSWORD" not in failed.value.response.text
        assert "postgresql://u:PASSWORD@db" in caplog.text
        assert client.threads.count() == 1


async def test_runs_are_rolled_back_and_deleted_in_a_saver_that_can() -> None:
    """The next run goes on from the state before."""
    with TestServer({"agent": built(AbleSaver())}) as server:
        async with server.client() as client, asyncio.timeout(60):
            thread_id = (await client.threads.create())["thread_id"]
            await client.runs.wait(thread_id, "agent", input={"log": ["first"]})
            before = (await client.threads.get_state(thread_id))["values"]
            run = await client.runs.create(thread_id, "agent", input={"log": ["slow"]})
            while (await client.threads.get_state(thread_id))["next"] != ["stop"]:
                pass
            await client.runs.cancel(thread_id, run["run_id"], wait=True, action="rollback")
            assert (await client.threads.get_state(thread_id))["values"] == before
            run = await client.runs.create(thread_id, "agent", input={"log": ["more"]})
            await client.runs.join(thread_id, run["run_id"])
            await client.runs.delete(thread_id, run["run_id"])
            assert (await client.threads.get_state(thread_id))["values"] == before
            assert (await client.threads.get(thread_id))["values"] == before


class HalfSaver(InMemorySaver):
    """A saver whose writes of checkpoints fail after the second one of a copy."""

    def __init__(self) -> None:
        super().__init__()
        self.left: int | None = None

    def put(self, *args: Any, **options: Any) -> Any:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise OSError("no disk")
        return super().put(*args, **options)


def test_a_copy_that_fails_half_way_leaves_nothing() -> None:
    """The checkpoints that it has written are deleted from the graph's own checkpointer."""
    saver = HalfSaver()
    with TestServer({"agent": built(saver)}) as server, server.sync_client() as client:
        thread_id = client.threads.create()["thread_id"]
        client.runs.wait(thread_id, "agent", input={"log": ["first"]})
        saver.left = 2
        with pytest.raises(APIStatusError, match="OSError"):
            client.threads.copy(thread_id)
        assert saver.left < 0
        assert [thread for thread, found in saver.storage.items() if found] == [thread_id]


def test_a_saver_of_the_server_keeps_its_words_to_itself() -> None:
    """They may name hosts and passwords."""
    server = TestServer({"agent": built(None)}, checkpointer=FailingSaver())
    with server, server.sync_client() as client:
        thread_id = client.threads.create()["thread_id"]
        client.runs.wait(thread_id, "agent", input={"log": ["first"]})
        with pytest.raises(APIStatusError, match="the checkpointer: OSError") as failed:
            client.threads.copy(thread_id)
        assert "PASSWORD" not in failed.value.response.text


class AwaySaver(InMemorySaver):
    """A saver whose database may be away."""

    error: Exception | None = None
    only_writes = False

    def put(self, *args: Any, **options: Any) -> Any:
        if self.error is not None:
            raise self.error
        return super().put(*args, **options)

    def get_tuple(self, *args: Any, **options: Any) -> Any:
        if self.error is not None and not self.only_writes:
            raise self.error
        return super().get_tuple(*args, **options)


class ClosedSaver(AwaySaver):
    """A saver whose reads may fail, also those of many checkpoints."""

    def list(self, *args: Any, **options: Any) -> Any:
        if self.error is not None:
            raise self.error
        return super().list(*args, **options)

    async def alist(self, *args: Any, **options: Any) -> Any:
        for item in self.list(*args, **options):
            yield item


class UnreadableSaver(AbleSaver):
    """A saver whose checkpoints have a class that is gone."""

    is_readable = True

    def get_tuple(self, *args: Any, **options: Any) -> Any:
        if not self.is_readable:
            raise LookupError("no such class")
        return super().get_tuple(*args, **options)


AWAY = ConnectionError("connect postgresql://u:PASSWORD@db")


@pytest.mark.parametrize("headers", [{}, {HEADER: VERSION}], ids=["client", "RemoteGraph"])
@pytest.mark.parametrize("only_writes", [False, True], ids=["away", "read-only"])
@pytest.mark.parametrize("own", [True, False], ids=["graph's own", "server's"])
@pytest.mark.parametrize("call", ["read", "update", "supersteps"])
def test_a_saver_that_is_away_is_no_error_of_the_values(
    call: str,
    own: bool,
    only_writes: bool,
    headers: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The response is 503 without the saver's words, which are in the log."""
    saver = AwaySaver()
    server = TestServer(
        {"agent": built(saver if own else None)}, checkpointer=None if own else saver
    )
    with (
        server,
        httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as http,
    ):
        thread = {"metadata": {"graph_id": "agent"}}
        thread_id = http.post("/threads", json=thread).json()["thread_id"]
        state, values = f"/threads/{thread_id}/state", {"values": {"log": ["x"]}, "as_node": "work"}
        assert http.post(state, json=values).status_code == 200
        saver.error, saver.only_writes = AWAY, only_writes
        if call == "read":
            response = http.get(state, headers=headers)
        elif call == "update":
            response = http.post(state, json=values, headers=headers)
        else:
            body = {**thread, "supersteps": [{"updates": [values]}]}
            response = http.post("/threads", json=body, headers=headers)
        assert "PASSWORD" not in response.text
        if call == "read" and only_writes:
            assert response.status_code == 200
        else:
            assert response.status_code == 503, response.text
            assert response.json()["detail"] == "the checkpointer: ConnectionError"
            assert "postgresql://u:PASSWORD@db" in caplog.text


@pytest.mark.parametrize("headers", [{}, {HEADER: VERSION}], ids=["client", "RemoteGraph"])
@pytest.mark.parametrize("kind", [ConnectionError, ValueError, AttributeError])
def test_no_error_of_reading_is_one_of_the_values(
    kind: type[Exception], headers: dict[str, str]
) -> None:
    """Also not a `ValueError`, which drivers raise for a closed connection; nor in the history."""
    saver = ClosedSaver()
    server = TestServer({"agent": built(saver)})
    with (
        server,
        httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as http,
    ):
        thread = {"metadata": {"graph_id": "agent"}}
        thread_id = http.post("/threads", json=thread).json()["thread_id"]
        state, values = f"/threads/{thread_id}/state", {"values": {"log": ["x"]}, "as_node": "work"}
        assert http.post(state, json=values).status_code == 200
        saver.error = kind("connect postgresql://u:PASSWORD@db")
        for response in (
            http.get(state, headers=headers),
            http.post(state, json=values, headers=headers),
            http.get(f"/threads/{thread_id}/history", headers=headers),
        ):
            assert response.status_code == 503, response.text
            assert response.json()["detail"] == f"the checkpointer: {kind.__name__}"
            assert "PASSWORD" not in response.text


@pytest.mark.parametrize("own", [True, False], ids=["graph's own", "server's"])
def test_a_run_ends_although_its_state_cannot_be_read(own: bool) -> None:
    """It fails with the saver's error, and its thread is not busy any more."""
    saver = UnreadableSaver()

    async def leave(state: State) -> dict[str, Any]:
        saver.is_readable = False
        return {"log": ["one"]}

    builder = StateGraph(State).add_sequence([leave]).add_edge(START, "leave")
    graph = builder.compile(checkpointer=saver if own else None)
    server = TestServer({"agent": graph}, checkpointer=None if own else saver)
    with server, server.sync_client() as client:
        thread_id = client.threads.create()["thread_id"]
        run = client.runs.create(thread_id, "agent", input={"log": ["in"]})
        eventually(lambda: client.runs.get(thread_id, run["run_id"])["status"] == "error")
        thread = client.threads.get(thread_id)
        assert (thread["status"], thread["error"]["error"]) == ("error", "LookupError")
        assert thread["error"]["message"] == "no such class"
        saver.is_readable = True
        client.threads.delete(thread_id)


def test_an_ended_run_is_deleted_although_its_state_cannot_be_read(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its thread goes on to show the old values, and the log says so."""
    saver = UnreadableSaver()
    with TestServer({"agent": built(saver)}) as server, server.sync_client() as client:
        thread_id = client.threads.create()["thread_id"]
        client.runs.wait(thread_id, "agent", input={"log": ["in"]})
        [run] = client.runs.list(thread_id)
        saver.is_readable = False
        client.runs.delete(thread_id, run["run_id"])
        assert client.runs.list(thread_id) == []
        assert client.threads.get(thread_id)["values"] == {"log": ["in", "one", "two"]}
        assert "its state cannot be read: LookupError" in caplog.text


def test_a_thread_is_pruned_in_a_saver_that_can() -> None:
    """The latest state stays."""
    with TestServer({"agent": built(AbleSaver())}) as server, server.sync_client() as client:
        thread_id = client.threads.create()["thread_id"]
        before = client.runs.wait(thread_id, "agent", input={"log": ["first"]})
        assert client.threads.prune([thread_id], strategy="keep_latest")["pruned_count"] == 1
        history = client.threads.get_history(thread_id)
        assert [state["values"] for state in history] == [before]


def test_a_saver_that_cannot_says_so(caplog: pytest.LogCaptureFixture) -> None:
    """Pruning is refused; a deleted run's checkpoints stay, with a warning."""
    with TestServer({"agent": built(InMemorySaver())}) as server, server.sync_client() as client:
        thread_id = client.threads.create()["thread_id"]
        for word in ("first", "second"):
            run = client.runs.create(thread_id, "agent", input={"log": [word]})
            values = client.runs.join(thread_id, run["run_id"])
        with pytest.raises(UnprocessableEntityError, match="'agent' cannot prune"):
            client.threads.prune([thread_id], strategy="keep_latest")
        client.runs.delete(thread_id, run["run_id"])
        assert client.threads.get_state(thread_id)["values"] == values
        assert "cannot delete runs" in caplog.text


class Tenants:
    """A factory of a graph that needs what only the configs of runs have."""

    def __init__(self) -> None:
        self.is_broken = False

    def __call__(self, config: RunnableConfig) -> Any:
        if self.is_broken:
            raise OSError("connect postgresql://u:PASSWORD@db")
        assert config["configurable"]["tenant"] == "x"
        return built(None)


def test_a_factory_is_not_needed_for_states_that_the_server_stores() -> None:
    """Threads are copied and pruned, and runs deleted, although the factory raises an error."""
    make = Tenants()
    with TestServer({"agent": make}) as server, server.sync_client() as client:
        thread_id = client.threads.create()["thread_id"]
        config = {"configurable": {"tenant": "x"}}
        runs = []
        for _ in range(2):
            run = client.runs.create(thread_id, "agent", input={"log": ["in"]}, config=config)
            client.runs.join(thread_id, run["run_id"])
            runs.append(run["run_id"])
        client.threads.copy(thread_id)
        client.runs.delete(thread_id, runs[0])
        make.is_broken = True
        copied = client.threads.copy(thread_id)
        client.runs.delete(thread_id, runs[1])
        assert client.threads.prune([thread_id], strategy="keep_latest")["pruned_count"] == 1
        make.is_broken = False
        run = client.runs.create(
            copied["thread_id"], "agent", input={"log": ["more"]}, config=config
        )
        ended = client.runs.join(copied["thread_id"], run["run_id"])
        assert len(ended["log"]) == 9


@pytest.mark.parametrize("is_broken", [False, True], ids=["needs a config", "broken"])
def test_a_factory_that_fails_does_not_keep_threads_from_being_deleted(is_broken: bool) -> None:
    """By a request, by pruning, with their assistant, and when their time to live is over."""
    make, clock = Tenants(), TestClock()
    with TestServer({"agent": make}, clock=clock) as server, server.sync_client() as client:
        config = {"configurable": {"tenant": "x"}}
        assistant_id = client.assistants.create("agent")["assistant_id"]
        threads = []
        for ttl in (None, None, None, 1):
            thread_id = client.threads.create(ttl=ttl)["thread_id"]
            client.runs.wait(thread_id, assistant_id, input={"log": ["in"]}, config=config)
            threads.append(thread_id)
        make.is_broken = is_broken
        clock.advance(61)
        eventually(lambda: client.threads.count() == 3)
        client.threads.delete(threads[0])
        assert client.threads.prune([threads[1]])["pruned_count"] == 1
        client.assistants.delete(assistant_id, delete_threads=True)
        assert client.threads.search() == []


class SavedTenants(Tenants):
    """The same for a graph with a checkpointer of its own."""

    def __init__(self, saver: InMemorySaver) -> None:
        super().__init__()
        self.saver = saver

    def __call__(self, config: RunnableConfig) -> Any:
        super().__call__(config)
        return built(self.saver)


def test_a_factory_gets_the_config_of_the_last_run_when_its_thread_is_deleted() -> None:
    """So the states in the graph's own checkpointer go, too; if it fails, the thread stays."""
    make = SavedTenants(InMemorySaver())
    with TestServer({"agent": make}) as server, server.sync_client() as client:
        thread_id = client.threads.create()["thread_id"]
        config = {"configurable": {"tenant": "x"}}
        client.runs.wait(thread_id, "agent", input={"log": ["in"]}, config=config)
        make.is_broken = True
        with pytest.raises(APIStatusError, match="OSError"):
            client.threads.delete(thread_id)
        make.is_broken = False
        client.threads.delete(thread_id)
        assert not any(make.saver.storage.values())


def place(thread_id: str) -> Any:
    return {"configurable": {"thread_id": thread_id}}


def test_after_a_restart_nothing_is_done_without_a_saver_that_cannot_be_reached(
    tmp_path: Path,
) -> None:
    """The new process has not seen the saver, but it does not have the threads' states either."""
    make = SavedTenants(AbleSaver())
    config = {"configurable": {"tenant": "x"}}
    with Server({"agent": make}, path=tmp_path / "db") as server, server.sync_client() as client:
        threads = []
        for _ in range(2):
            thread_id = client.threads.create()["thread_id"]
            client.runs.wait(thread_id, "agent", input={"log": ["in"]}, config=config)
            threads.append(thread_id)
        run = client.runs.create(threads[0], "agent", input={"log": ["in"]}, config=config)
        client.runs.join(threads[0], run["run_id"])
        states = [[*make.saver.list(place(each))] for each in threads]
    make.is_broken = True
    with Server({"agent": make}, path=tmp_path / "db") as server, server.sync_client() as client:
        [run, _] = client.runs.list(threads[0])
        for call in (
            lambda: client.runs.delete(threads[0], run["run_id"]),
            lambda: client.threads.copy(threads[0]),
            lambda: client.threads.prune([threads[0]], strategy="keep_latest"),
            lambda: client.threads.prune([threads[0]]),
            lambda: client.threads.delete(threads[1]),
        ):
            with pytest.raises(APIStatusError, match="OSError") as failed:
                call()
            assert failed.value.status_code == 503
        assert client.threads.count() == 2
        make.is_broken = False
        assert [[*make.saver.list(place(each))] for each in threads] == states
        client.threads.delete(threads[1])
        client.runs.delete(threads[0], run["run_id"])
        [latest, *_] = make.saver.list(place(threads[0]))
        assert latest.checkpoint["channel_values"]["log"] == ["in", "one", "two"]
        assert not [*make.saver.list(place(threads[1]))]


class Fading(SavedTenants):
    """The same, of which the factory fails once a graph has been opened."""

    def __call__(self, config: RunnableConfig) -> Any:
        graph = super().__call__(config)
        self.is_broken = True
        return graph


def test_a_thread_whose_state_could_not_be_read_at_a_runs_end_is_not_without_one(
    tmp_path: Path,
) -> None:
    """Its document has no values, but its run may have left some."""
    make = Fading(AbleSaver())
    config = {"configurable": {"tenant": "x"}}
    with Server({"agent": make}, path=tmp_path / "db") as server, server.sync_client() as client:
        thread_id = client.threads.create()["thread_id"]
        run = client.runs.create(thread_id, "agent", input={"log": ["in"]}, config=config)
        eventually(lambda: client.runs.get(thread_id, run["run_id"])["status"] == "error")
        assert client.threads.get(thread_id)["values"] is None
    with Server({"agent": make}, path=tmp_path / "db") as server, server.sync_client() as client:
        with pytest.raises(APIStatusError, match="OSError"):
            client.threads.delete(thread_id)
        make.is_broken = False
        client.threads.delete(thread_id)
        assert not any(make.saver.storage.values())


def test_a_thread_without_runs_is_deleted_although_the_factory_fails() -> None:
    """It has no state."""
    make = Tenants()
    make.is_broken = True
    with TestServer({"agent": make}) as server, server.sync_client() as client:
        thread_id = client.threads.create(graph_id="agent")["thread_id"]
        client.threads.delete(thread_id)
        assert client.threads.count() == 0


def test_a_thread_of_two_graphs_needs_the_checkpointer_of_the_second() -> None:
    """The server has states of the first graph only."""
    make = SavedTenants(AbleSaver())
    config = {"configurable": {"tenant": "x"}}
    with (
        TestServer({"first": built(None), "agent": make}) as server,
        server.sync_client() as client,
    ):
        thread_id = client.threads.create()["thread_id"]
        client.runs.wait(thread_id, "first", input={"log": ["in"]})
        client.runs.wait(thread_id, "agent", input={"log": ["in"]}, config=config)
        make.is_broken = True
        with pytest.raises(APIStatusError, match="OSError"):
            client.threads.delete(thread_id)
        make.is_broken = False
        client.threads.delete(thread_id)
        assert not any(make.saver.storage.values())


def test_a_copy_of_a_thread_without_states_is_deleted() -> None:
    """Its document has no values: no run has stored any."""
    with TestServer({"agent": built(None)}) as server, server.sync_client() as client:
        source = client.threads.create(graph_id="agent")["thread_id"]
        copy = client.threads.copy(source)["thread_id"]
        for thread_id in (copy, source):
            client.threads.delete(thread_id)
        assert client.threads.count() == 0
