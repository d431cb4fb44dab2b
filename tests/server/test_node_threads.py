"""Plain nodes: the threads they work in."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from langgraph_client.server.graphs.node_threads import NodeThreads, run_contained
from langgraph_client.server.server import Server


class Number(TypedDict, total=False):
    n: int


def graph_of(node: Any) -> Any:
    return StateGraph(Number).add_node("node", node).add_edge(START, "node").compile()


def test_runs_wait_for_each_other_five_deep() -> None:
    """Plain nodes that call another graph of the server get their answers, up to `max_runs`."""

    def calling(depth: int) -> Any:
        def node(state: Number) -> dict[str, Any]:
            if depth == 0:
                return {"n": 1}
            below = server.remote_graph(f"g{depth - 1}").invoke({"n": 0})
            return {"n": below["n"] + 1}

        return graph_of(node)

    callers, depth = 12, 5
    graphs = {f"g{level}": calling(level) for level in range(depth)}
    with Server(graphs, max_runs=callers * depth) as server, ThreadPoolExecutor(callers) as pool:
        top = server.remote_graph(f"g{depth - 1}")
        calls = [pool.submit(top.invoke, {"n": 0}) for _ in range(callers)]
        _, late = wait(calls, 60)
        assert not late
        assert {call.result()["n"] for call in calls} == {depth}


def test_threads_are_shared_out_and_used_again() -> None:
    """A run has so many threads; more of its work waits, and a thread is used again."""
    pool, gate, began = NodeThreads(per_run=2), threading.Event(), threading.Semaphore(0)

    def work() -> int:
        began.release()
        gate.wait(60)
        return threading.get_ident()

    futures = [pool.submit(work) for _ in range(5)]
    assert began.acquire(timeout=60)
    assert began.acquire(timeout=60)
    assert not began.acquire(timeout=0.05)
    gate.set()
    assert len({future.result(60) for future in futures}) == 2
    cancelled = pool.submit(gate.wait)
    assert cancelled.result(60)
    pool.shutdown()
    with pytest.raises(RuntimeError, match="closed"):
        pool.submit(work)


def test_the_loop_outlives_what_tasks_raise() -> None:
    """A task that leaves by `SystemExit` keeps it as its exception, and the loop goes on."""

    async def leave() -> None:
        raise SystemExit(3)

    async def main() -> BaseException | None:
        task = asyncio.create_task(leave())
        await asyncio.wait([task])
        return task.exception()

    loop = asyncio.new_event_loop()
    try:
        assert isinstance(run_contained(loop, main()), SystemExit)
    finally:
        loop.close()


def test_a_call_without_a_thread_is_refused_and_forgotten() -> None:
    """Where the system has no more threads, the call raises. It is not done later, and later calls
    get threads as before."""
    pool = NodeThreads()
    done: list[str] = []
    before = threading.stack_size(1 << 46)  # No address space has room for it.
    try:
        with pytest.raises(RuntimeError, match="can't start new thread"):
            pool.submit(done.append, "refused")
    finally:
        threading.stack_size(before)
    for _ in range(2):
        together = threading.Barrier(2, timeout=60)
        for waiting in [pool.submit(together.wait) for _ in range(2)]:
            waiting.result(60)
    assert done == []
    pool.shutdown()
