"""Measure thread streams (event streaming v3) through all layers, over loopback.

    python tests/benchmarks/thread_streams.py

The server is a process of its own, as the client is. A scripted graph streams the messages, so that
langgraph's own multiplexer, which makes some 3,600 events a second, is not in the way. On a machine
that has other things to do, look at the CPU time: the slower of the two sets the pace.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from langgraph_client import LangGraphClient, get_client  # noqa: E402

DELTAS = 20_000
LENGTH = 500  # Deltas of one message.
RUNS = 60  # Until the first token.
STREAMS = 200


def graphs() -> dict[str, Any]:
    """The graphs of the server."""
    from langgraph_client import ScriptedGraph
    from langgraph_client.server.graphs.script_steps import Emit, Say, Wait

    def say(values: dict[str, Any]) -> list[Any]:
        long = Say(["word "] * LENGTH)
        return [long] * (values["n"] // LENGTH) or [Say(["word"])]

    return {
        "say": ScriptedGraph(say),
        "emit": ScriptedGraph(lambda values: [*map(Emit, range(values["n"])), {"n": 0}]),
        "wait": ScriptedGraph([Say(["one"]), Wait(5), {"n": 0}]),
    }


def serve() -> None:
    """Be the server, until standard input ends."""
    from langgraph_client.server.server import Server

    with Server(graphs(), max_runs=STREAMS) as server:  # Else every second one waits for its turn.
        print(server.listen(), flush=True)
        sys.stdin.read()


@contextmanager
def server() -> Iterator[tuple[str, int]]:
    """A server process; gives its URL and its id."""
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().decode().strip(), process.pid
    finally:
        process.kill()
        process.wait()


async def first_token(client: LangGraphClient, way: Any) -> tuple[float, float]:
    """Milliseconds from `run.start` to the first token: the median, and the least."""
    taken = []
    for _ in range(RUNS):
        async with client.threads.stream(assistant_id="say", transport=way) as thread:
            begun = time.perf_counter()
            await thread.run.start(input={"n": 1})
            async for message in thread.messages:
                async for _ in message.text:  # type: ignore[attr-defined]
                    taken.append(time.perf_counter() - begun)
                    break
                break
    return statistics.median(taken[10:]) * 1000, min(taken[10:]) * 1000


async def deltas(client: LangGraphClient, way: Any) -> float:
    """Deltas a second of one long message, as text pieces of message objects."""
    async with client.threads.stream(assistant_id="say", transport=way) as thread:
        begun = time.perf_counter()
        await thread.run.start(input={"n": DELTAS})
        count = 0
        async for message in thread.messages:
            async for _ in message.text:  # type: ignore[attr-defined]
                count += 1
    assert count == DELTAS
    return count / (time.perf_counter() - begun)


async def raw_deltas(client: LangGraphClient, way: Any) -> float:
    """The same as raw events: without langchain-core's message objects."""
    async with client.threads.stream(assistant_id="emit", transport=way) as thread:
        begun = time.perf_counter()
        await thread.run.start(input={"n": DELTAS})
        count = 0
        async for _ in thread.subscribe(["custom"]):
            count += 1
    assert count == DELTAS
    return count / (time.perf_counter() - begun)


async def late(client: LangGraphClient, way: Any) -> float:
    """Seconds until a late joiner has 10,000 events."""
    thread_id = str(uuid.uuid4())
    async with client.threads.stream(thread_id, assistant_id="emit") as thread:
        await thread.run.start(input={"n": 10_000})
        assert await thread.output == {"n": 0}
    begun = time.perf_counter()
    async with client.threads.stream(thread_id, assistant_id="emit", transport=way) as thread:
        count = sum([1 async for _ in thread.subscribe(["custom"])])
    assert count == 10_000
    return time.perf_counter() - begun


async def many(client: LangGraphClient, way: Any, pid: int) -> str:
    """200 thread streams at once, each with a run that waits: seconds until all have spoken."""
    before = memory_of(os.getpid()), memory_of(pid)
    cpu = time.process_time(), cpu_of(pid)
    begun = time.perf_counter()
    streams = [client.threads.stream(assistant_id="wait", transport=way) for _ in range(STREAMS)]
    threads = await asyncio.gather(*[stream.__aenter__() for stream in streams])

    async def spoken(thread: Any) -> None:
        await thread.run.start(input={"n": 1})
        async for _ in thread.messages:
            break

    await asyncio.gather(*map(spoken, threads))
    taken = time.perf_counter() - begun
    used = time.process_time() - cpu[0], cpu_of(pid) - cpu[1]
    grown = memory_of(os.getpid()) - before[0], memory_of(pid) - before[1]
    await asyncio.gather(*[thread.close() for thread in threads])
    return (
        f"{taken:.1f} s (CPU {used[0]:.1f} + {used[1]:.1f} s), {grown[0]:.0f} + {grown[1]:.0f} MB"
    )


async def measure(url: str, pid: int) -> None:
    """Measure both transports, and print a table."""
    rows: dict[str, list[str]] = {}

    def add(name: str, figure: str) -> None:
        rows.setdefault(name, []).append(figure)

    for way in ("sse", "websocket"):
        async with get_client(url=url) as client:
            await deltas(client, way)
            cpu = time.process_time(), cpu_of(pid)
            best = max([await deltas(client, way) for _ in range(3)])
            own, servers = time.process_time() - cpu[0], cpu_of(pid) - cpu[1]
            add("message deltas per second", f"{best:,.0f}")
            add("CPU per delta, client", f"{own / 3 / DELTAS * 1e6:.0f} µs")
            add("CPU per delta, server", f"{servers / 3 / DELTAS * 1e6:.0f} µs")
            raw = max([await raw_deltas(client, way) for _ in range(3)])
            add("custom events per second", f"{raw:,.0f}")
            cpu = time.process_time(), cpu_of(pid)
            median, least = await first_token(client, way)
            own, servers = time.process_time() - cpu[0], cpu_of(pid) - cpu[1]
            add("first token, median (least)", f"{median:.1f} ({least:.1f}) ms")
            runs = f"{own / RUNS * 1e3:.1f} + {servers / RUNS * 1e3:.1f} ms"
            add("CPU of a run of one token (client + server)", runs)
            joined = min([await late(client, way) for _ in range(3)])
            add("10,000 events to a late joiner", f"{joined:.2f} s")
            add("200 streams at once (client + server)", await many(client, way, pid))
    print(f"load {os.getloadavg()[0]:.1f}")
    print("| | server-sent events | WebSocket |\n| --- | ---: | ---: |")
    for name, figures in rows.items():
        print(f"| {name} | {' | '.join(figures)} |")


def cpu_of(pid: int) -> float:
    """Seconds of the processor that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_of(pid: int) -> float:
    """Megabytes that a process has in memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", action="store_true")
    if parser.parse_args().serve:
        serve()
    else:
        with server() as address:
            asyncio.run(measure(*address))
