"""Streams started and dropped, in every way: nothing of them stays.

    python tests/chaos/leaving.py            10,000 streams
    python tests/chaos/leaving.py 500        so many

Prints what a process holds before and after: file descriptors (connections), threads, tasks of the
server's loop and of the caller's, and memory.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

sys.path[:0] = [str(Path(__file__).parents[2])]

from langgraph_client import (  # noqa: E402
    AsyncRunStream,
    RunStream,
    ScriptedGraph,
    get_client,
    get_sync_client,
)
from langgraph_client.server.graphs.script_steps import Wait  # noqa: E402
from langgraph_client.server.server import Server  # noqa: E402
from tests.support.garbage import collect  # noqa: E402

AT_A_TIME = 20


class Held(NamedTuple):
    """What a process holds."""

    descriptors: int
    threads: int
    tasks: int
    kilobytes: int


def held(server: Server, tasks: int = 0) -> Held:
    """What is held now; `tasks` are those of the caller's loop."""
    collect()
    with open("/proc/self/statm") as statm:
        pages = int(statm.read().split()[1])
    return Held(
        len(os.listdir("/proc/self/fd")),
        threading.active_count(),
        len(asyncio.all_tasks(server.loop)) + tasks,
        pages * os.sysconf("SC_PAGE_SIZE") // 1024,
    )


def more(after: Held, before: Held) -> bool:
    """Whether more is held than before, memory apart, which the allocator keeps as it likes."""
    return any(now > then for now, then in zip(after[:3], before[:3], strict=True))


def settled(server: Server, before: Held, seconds: float = 60.0) -> Held:
    """What is held when the server has noticed that nobody reads any more."""
    end = time.monotonic() + seconds
    while more(now := held(server), before) and time.monotonic() < end:
        time.sleep(0.05)
    return now


def drop_blocking(url: str, count: int) -> None:
    """Start streams and leave them, by turns in each way, in this thread."""
    with get_sync_client(url=url) as client:
        for number in range(count):
            _drop(client.runs.stream(None, "slow", input={}, on_disconnect="cancel"), number % 6)


def _drop(stream: RunStream[object], way: int) -> None:
    if way == 0:
        return  # Never opened.
    if way == 1:
        for _ in stream:
            break
    elif way == 2:
        with stream:
            next(stream)
    elif way == 3:
        next(stream)
        stream.close()
    elif way == 4:
        try:
            with stream:
                raise LookupError
        except LookupError:
            return
    else:  # Closed by somebody else while this thread waits for the next event.
        next(stream)
        next(stream)
        timer = threading.Timer(0.001, stream.close)
        timer.start()
        for _ in stream:
            pass
        timer.join()


async def drop_async(url: str, count: int) -> int:
    """Start streams and leave them, some at a time. Returns how many tasks are left."""
    before = len(asyncio.all_tasks())
    numbers = iter(range(count))
    async with get_client(url=url) as client:

        async def work() -> None:
            for number in numbers:
                stream = client.runs.stream(None, "slow", input={}, on_disconnect="cancel")
                await _adrop(stream, number % 6)

        await asyncio.gather(*(work() for _ in range(AT_A_TIME)))
        end = time.monotonic() + 60  # Forgotten streams are closed in the next turns of the loop.
        while len(asyncio.all_tasks()) > before and time.monotonic() < end:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return len(asyncio.all_tasks()) - before


async def _adrop(stream: AsyncRunStream[object], way: int) -> None:
    if way == 0:
        return
    if way == 1:
        async for _ in stream:
            break
    elif way == 2:
        async with stream:
            await anext(stream)
    elif way == 3:
        await anext(stream)
        await stream.aclose()
    elif way == 4:
        try:
            async with stream:
                raise LookupError
        except LookupError:
            return
    else:  # Cancelled while it waits for the next event.
        opened = asyncio.Event()

        async def read() -> None:
            async for _ in stream:
                opened.set()

        task = asyncio.ensure_future(read())
        await opened.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def dropped(count: int) -> list[tuple[str, Held, Held]]:
    """Drop so many streams in each colour; what was held before and after, by colour."""
    found = []
    with Server({"slow": ScriptedGraph([{"n": 1}, Wait(3600)])}, max_runs=1000) as server:
        url = server.listen()
        for colour in ("blocking", "async"):
            # The first ones fill caches, pools and the allocator's arenas.
            for number in (max(count // 5, 60), count):
                before = held(server)
                left = 0
                if colour == "blocking":
                    drop_blocking(url, number)
                else:
                    left = asyncio.run(drop_async(url, number))
                after = settled(server, before)
                after = after._replace(tasks=after.tasks + left)
            found.append((colour, before, after))
    return found


def main() -> int:
    count = int(sys.argv[1]) if sys.argv[1:] else 10_000
    begun = time.perf_counter()
    wrong = 0
    print(f"| streams | {' | '.join(Held._fields)} |\n| --- | --- | --- | --- | --- |")
    for colour, before, after in dropped(count // 2):
        cells = [f"{a:,} → {b:,}" for a, b in zip(before, after, strict=True)]
        print(f"| {colour}, {count // 2:,} | {' | '.join(cells)} |")
        wrong += more(after, before)
    print(f"{time.perf_counter() - begun:.0f} s")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
