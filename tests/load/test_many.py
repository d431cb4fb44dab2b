"""Many callers at once: no error, no wait for a connection that does not come."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from langgraph_client import ScriptedGraph, Server, get_client, get_sync_client
from langgraph_client.testing import Emit

AGENT = ScriptedGraph([Emit(1), {"done": True}])


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Server({"agent": AGENT}, max_runs=1000) as server:
        yield server.listen()


async def test_a_thousand_calls_of_one_client(url: str) -> None:
    """At default settings, but for the limits of time: a busy machine may need more."""
    async with get_client(url=url, timeout=300) as client:
        threads = await asyncio.gather(*(client.threads.create() for _ in range(1000)))
    assert len({thread.thread_id for thread in threads}) == 1000


async def test_two_hundred_streams_at_once(url: str) -> None:
    """All of them open at the same time."""
    everyone = asyncio.Barrier(200)

    async with get_client(url=url, timeout=300) as client:

        async def one() -> list[str]:
            events = []
            async with client.runs.stream(
                None, "agent", input={}, stream_mode=["custom", "values"]
            ) as stream:
                async for part in stream:
                    if not events:
                        await asyncio.wait_for(everyone.wait(), 300)
                    events.append(part.event)
            return events

        found = await asyncio.gather(*(one() for _ in range(200)))
    assert all(events == ["metadata", "values", "custom", "values"] for events in found)


def test_one_blocking_client_in_many_threads(url: str) -> None:
    """A thousand calls in fifty threads."""
    with get_sync_client(url=url) as client, ThreadPoolExecutor(50) as pool:
        runs = list(
            pool.map(lambda n: client.runs.wait(None, "agent", input={"n": n}), range(1000))
        )
    assert sorted(run["n"] for run in runs) == list(range(1000))


def test_one_async_client_in_several_loops(url: str) -> None:
    """One after the other, and side by side in threads."""
    client = get_client(url=url)

    async def ask() -> int:
        return len(await asyncio.gather(*(client.threads.create() for _ in range(20))))

    assert [asyncio.run(ask()) for _ in range(3)] == [20] * 3
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(asyncio.run(ask()))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [20] * 4
    asyncio.run(client.aclose())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_client_used_after_a_fork(url: str) -> None:
    """Parent and child go on, and neither disturbs the other."""
    program = """
import os, sys
from langgraph_client import get_sync_client
client = get_sync_client(url=sys.argv[1])
client.threads.create()
child = os.fork()
for _ in range(50):
    thread = client.threads.create()
    assert client.threads.get(thread.thread_id).thread_id == thread.thread_id
if child:
    assert os.waitpid(child, 0)[1] == 0
else:
    os._exit(0)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, url],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
