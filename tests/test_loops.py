"""One client, several event loops."""

from __future__ import annotations

import asyncio
import threading
import weakref

from langgraph_client import LangGraphClient, RemoteGraph, Server, get_client
from tests.support.garbage import collect
from tests.support.graphs import shared_graphs


async def _count(client: LangGraphClient, number: int) -> int:
    result = await client.runs.wait(None, "counter", input={"count": number})
    return int(result["count"])


def test_one_loop_after_the_other() -> None:
    """`asyncio.run` twice with one client works; connections of an ended loop are not used."""
    with Server(shared_graphs()) as server:
        client = get_client(url=server.listen())
        assert [asyncio.run(_count(client, n)) for n in range(3)] == [1, 2, 3]
        remote = RemoteGraph("counter", url=server.url)
        assert [asyncio.run(remote.ainvoke({"count": n})) for n in range(3)] == [
            {"count": 1},
            {"count": 2},
            {"count": 3},
        ]
        del client, remote
        collect()


def test_several_loops_at_a_time() -> None:
    """Each thread with a loop of its own gets connections of its own."""
    with Server(shared_graphs()) as server:
        client = get_client(url=server.listen())
        seen: list[int] = []

        def work(number: int) -> None:
            seen.append(asyncio.run(_count(client, number)))

        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        asyncio.run(client.aclose())
        collect()
        assert sorted(seen) == list(range(1, 9))


def test_ended_loops_are_forgotten() -> None:
    """A program may call `asyncio.run` for each request: its loops do not pile up."""
    loops: list[weakref.ref[asyncio.AbstractEventLoop]] = []

    async def work(client: LangGraphClient) -> None:
        loops.append(weakref.ref(asyncio.get_running_loop()))
        await _count(client, 1)

    with Server(shared_graphs()) as server:
        client = get_client(url=server.listen())
        for _ in range(4):
            asyncio.run(work(client))
        collect()
        assert [loop() for loop in loops[:-1]] == [None] * 3
        del client
        collect()
