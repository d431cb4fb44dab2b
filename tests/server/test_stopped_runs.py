"""A run that is stopped is never finished by halves: continued, it gives what it would have."""

from __future__ import annotations

import asyncio
import contextlib
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from langgraph_client import (
    NotFoundError,
    ReconnectPolicy,
    RemoteGraph,
    RetryPolicy,
    SyncLangGraphClient,
    get_sync_client,
)
from langgraph_client.server.server import Server
from tests.support import stopping
from tests.support.comparison import Names, unordered
from tests.support.eventually import eventually
from tests.support.stopping import STOPPED, StopAtNode, wire

ONCE: Any = {"reconnect": ReconnectPolicy(max_reconnects=0), "retry": RetryPolicy(max_attempts=1)}

pytestmark = pytest.mark.filterwarnings("default:Deserializing unregistered type")


def undisturbed(name: str) -> list[Any]:
    """What the thread's values are locally, behind each input."""
    member = STOPPED[name]
    graph = member.build().copy({"checkpointer": InMemorySaver()})
    config = {"configurable": {"thread_id": "local"}}

    async def run() -> list[Any]:  # Some nodes are async.
        values = []
        for given in member.inputs:
            await graph.ainvoke(given, config, context=member.context)
            values.append(wire(graph.get_state(config).values))
        return values

    return asyncio.run(run())


def assert_same(name: str, here: Any, there: Any) -> None:
    """Two states are the same but for ids, and for an order that is by chance."""
    if STOPPED[name].side_by_side:
        assert unordered(Names()(there)) == unordered(Names()(here))
    else:
        assert Names()(there) == Names()(here)


def invoked(graph: RemoteGraph, name: str, thread: str, given: Any) -> None:
    """Invoke a graph; what a stopped run raises is no matter."""
    config: Any = {"configurable": {"thread_id": thread}}
    with contextlib.suppress(Exception):
        graph.invoke(given, config, context=STOPPED[name].context)


def in_thread(call: Callable[..., None], *args: Any) -> threading.Thread:
    """Start a call."""
    thread = threading.Thread(target=call, args=args, daemon=True)
    thread.start()
    return thread


def left(client: SyncLangGraphClient, thread: str, run_id: str) -> None:
    """Wait for a run, or for the server to stop."""
    with contextlib.suppress(Exception):
        client.runs.join(thread, run_id)


def began(client: SyncLangGraphClient, thread: str, run_id: str, before: Any) -> bool:
    """Whether a run has left something: a checkpoint of its own, or what its command has written,
    which the thread's state shows."""
    metadata = client.threads.get_state(thread).metadata or {}
    return metadata.get("run_id") == run_id or shown(client, thread) != before


def shown(client: SyncLangGraphClient, thread: str) -> Any:
    """What a thread's state shows of what has been done."""
    state = client.threads.get_state(thread)
    return state["values"], state["next"]


def latest_run(client: SyncLangGraphClient, thread: str) -> Any:
    return client.runs.list(thread, limit=1)[0]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", STOPPED)
def test_cancelled_and_continued(name: str, seed: int) -> None:
    """A run that was cancelled at a random moment gives, continued, what it would have given."""
    chance, hooks, member = random.Random(f"{name} {seed}"), StopAtNode(), STOPPED[name]
    with (
        Server({name: member.build()}, hooks=hooks) as server,
        server.sync_client() as client,
        ThreadPoolExecutor(1) as pool,
    ):
        graph = server.remote_graph(name, allow_types=member.types)
        thread = client.threads.create().thread_id
        for given, here in zip(member.inputs, undisturbed(name), strict=True):
            before = shown(client, thread)
            hooks.arm(chance.randrange(6), hold=chance.random() < 0.7)
            first = pool.submit(invoked, graph, name, thread, given)
            while not hooks.reached.wait(0.01) and not first.done():
                pass
            if hooks.reached.is_set():
                run = latest_run(client, thread)
                with contextlib.suppress(NotFoundError):  # It was over just before.
                    client.runs.cancel(thread, run.run_id, wait=True)
                first.result(60)
                if latest_run(client, thread).status == "interrupted":
                    again = None if began(client, thread, run.run_id, before) else given
                    invoked(graph, name, thread, again)
            assert_same(name, here, client.threads.get_state(thread)["values"])


@pytest.mark.parametrize("name", STOPPED)
def test_orderly_stops(name: str, tmp_path: Path) -> None:
    """A run that was running at stops of its server gives what it would have given."""
    chance, member, file = random.Random(name), STOPPED[name], tmp_path / "state.db"
    graph, thread = member.build(), ""
    for number, here in enumerate(undisturbed(name)):
        for start in range(3):
            hooks, calls = StopAtNode(), list[threading.Thread]()
            if start < 2:
                hooks.arm(chance.randrange(3), hold=chance.random() < 0.7)
            with (
                Server({name: graph}, path=file, hooks=hooks, allow_types=member.types) as server,
                server.sync_client(**ONCE) as client,
            ):
                thread = thread or client.threads.create().thread_id
                if start == 0:
                    own = server.sync_client(**ONCE)
                    remote = server.remote_graph(name, sync_client=own, allow_types=member.types)
                    started = in_thread(invoked, remote, name, thread, member.inputs[number])
                    calls.append(started)
                    is_going = True
                    while len(client.runs.list(thread)) <= number:
                        assert is_going
                        is_going = started.is_alive()  # If not, its run is in the next list.
                run = latest_run(client, thread)
                if start == 2:
                    client.runs.join(thread, run.run_id)
                    assert client.runs.get(thread, run.run_id).status != "error"
                    assert_same(name, here, client.threads.get_state(thread)["values"])
                    continue
                over = in_thread(left, client, thread, run.run_id)
                calls.append(over)
                while not hooks.reached.wait(0.01) and over.is_alive():
                    pass
            for call in calls:
                call.join(60)


@contextmanager
def hosted(file: Path, nodes: int) -> Iterator[tuple[str, Callable[[], None]]]:
    """Host all graphs in a process of its own, to be killed at a node.

    Gives its URL, and what to call to let nodes begin.
    """
    process = subprocess.Popen(
        [sys.executable, stopping.__file__, str(file), str(nodes)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    stdin = process.stdin

    def begin() -> None:
        stdin.write("\n")
        stdin.flush()

    try:
        yield process.stdout.readline().strip(), begin
        if nodes >= 0:
            process.wait(120)
    finally:
        stdin.close()
        process.wait(120)
        process.stdout.close()


def start_all(url: str, begin: Callable[[], None]) -> dict[str, str]:
    """Start a run of each graph, until the process is killed. Returns the threads.

    No node begins before there are all runs: a few of them could have enough nodes for the kill.
    """
    with get_sync_client(url=url, **ONCE) as client:
        threads = {name: client.threads.create(graph_id=name).thread_id for name in STOPPED}
        started = [
            in_thread(
                invoked,
                RemoteGraph(name, sync_client=client),
                name,
                thread,
                STOPPED[name].inputs[0],
            )
            for name, thread in threads.items()
        ]
        for thread_id in threads.values():
            eventually(partial(client.runs.list, thread_id))
        begin()
        for thread in started:
            thread.join(60)
    return threads


@pytest.mark.parametrize("seed", range(2))
def test_runs_survive_a_kill(tmp_path: Path, seed: int) -> None:
    """A run whose process was killed at a random moment gives what it would have given."""
    chance, file = random.Random(seed), tmp_path / "state.db"
    with hosted(file, chance.randrange(25, 60)) as (url, begin):
        threads = start_all(url, begin)
    with hosted(file, chance.randrange(25)) as (_, begin):
        begin()  # Killed by the runs that it takes up.
    ended = 0
    with hosted(file, -1) as (url, begin), get_sync_client(url=url) as client:
        begin()
        for name, thread in threads.items():
            for run in client.runs.list(thread):
                client.runs.join(thread, run.run_id)
                assert client.runs.get(thread, run.run_id).status != "error"
                values = client.threads.get_state(thread)["values"]
                assert_same(name, undisturbed(name)[0], values)
                ended += 1
    assert ended == len(STOPPED)


def test_a_command_is_not_taken_in_twice(tmp_path: Path) -> None:
    """A run that was stopped before its first checkpoint writes its command's update once."""
    graph, file, thread, run_id = STOPPED["commanded"].build(), tmp_path / "state.db", "", ""
    for start in range(3):
        hooks = StopAtNode()
        with (
            Server({"g": graph}, path=file, hooks=hooks) as server,
            server.sync_client() as client,
        ):
            if start == 0:
                thread = client.threads.create().thread_id
                client.runs.wait(thread, "g", input={"log": []})
                hooks.arm(0, hold=True)
                command: Any = {"resume": "yes", "update": {"log": ["update"]}}
                run_id = client.runs.create(thread, "g", command=command).run_id
                assert hooks.reached.wait(60)
            else:
                values = client.runs.join(thread, run_id)
                assert values == {"log": ["update", "yes", "after"]}
