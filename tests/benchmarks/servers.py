"""Measure servers on PostgreSQL, one and three, beside one on SQLite.

    python tests/benchmarks/servers.py

Every server is a process of its own; PostgreSQL has its defaults, fsync included. The client takes
its share of the same processors. Where other work uses them, too, the processor's time of a run
says more than the clock.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1])]

from tests.cluster.processes import Process  # noqa: E402
from tests.support.postgres import Cluster  # noqa: E402

QUICK = {"assistant_id": "quick", "input": {"log": []}}
ONE_BY_ONE = 100
AT_ONCE = 32
RUNS = 300
EVENTS = 20_000


def processor_seconds(process_id: int) -> float:
    """Return the processor's time that a process and its children have used so far."""
    seconds = 0.0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # It has ended meanwhile.
            continue
        is_own = path.parent.name == str(process_id)
        if is_own or fields[1] == str(process_id):
            # Its own, and of itself also that of children that are over.
            seconds += sum(int(ticks) for ticks in fields[11 : 15 if is_own else 13])
    return seconds / os.sysconf("SC_CLK_TCK")


async def waits(clients: list[httpx.AsyncClient]) -> list[float]:
    """Return how long `runs/wait` takes, one after the other."""
    found = []
    for number in range(ONE_BY_ONE):
        began = time.perf_counter()
        (await clients[number % len(clients)].post("/runs/wait", json=QUICK)).raise_for_status()
        found.append(time.perf_counter() - began)
    return found


async def throughput(
    clients: list[httpx.AsyncClient], *, threads: bool = False
) -> tuple[float, float]:
    """Return how many runs a second there are, many clients at a time, and the client's part.

    Args:
        clients: One for each server.
        threads: Each client's runs are on a thread, with checkpoints; else each is for itself.
    """
    left = iter(range(RUNS))
    turn = cycle(clients)

    async def client() -> None:
        path = "/runs/wait"
        if threads:
            thread = (await next(turn).post("/threads", json={})).json()
            path = f"/threads/{thread['thread_id']}/runs/wait"
        for _ in left:
            (await next(turn).post(path, json=QUICK)).raise_for_status()

    began, used = time.perf_counter(), time.process_time()
    await asyncio.gather(*(client() for _ in range(AT_ONCE)))
    return RUNS / (time.perf_counter() - began), time.process_time() - used


async def first_events(clients: list[httpx.AsyncClient]) -> list[float]:
    """Return how long it takes until the first event of a resumable stream is there."""
    found = []
    body = {**QUICK, "stream_mode": "values", "stream_resumable": True}
    for number in range(ONE_BY_ONE // 2):
        began = time.perf_counter()
        client = clients[number % len(clients)]
        async with client.stream("POST", "/runs/stream", json=body) as response:
            times = [time.perf_counter() - began async for _ in response.aiter_raw()]
        found.append(times[0])
    return found


async def events(clients: list[httpx.AsyncClient], *, elsewhere: bool) -> float:
    """Return how many custom events a second are kept and read, on another server if asked."""
    thread_id = (await clients[0].post("/threads", json={})).json()["thread_id"]
    body = {
        "assistant_id": "many",
        "input": {"upto": EVENTS, "log": []},
        "stream_mode": "custom",
        "stream_resumable": True,
    }
    began = time.perf_counter()
    run = (await clients[0].post(f"/threads/{thread_id}/runs", json=body)).json()
    reader = clients[1 if elsewhere else 0]
    path = f"/threads/{thread_id}/runs/{run['run_id']}/stream"
    count = 0
    async with reader.stream("GET", path, headers={"last-event-id": "-1"}) as response:
        async for line in response.aiter_lines():
            count += line == "event: custom"
    assert count == EVENTS, count
    return EVENTS / (time.perf_counter() - began)


async def claims(clients: list[httpx.AsyncClient]) -> float:
    """Return below which time 99 of 100 runs began, of all so far (upper bound of a bucket)."""
    total: dict[float, int] = {}
    for client in clients:
        for line in (await client.get("/metrics")).text.splitlines():
            if line.startswith("langgraph_claim_seconds_bucket"):
                bound = float(line.split('"')[1].replace("+Inf", "inf"))
                total[bound] = total.get(bound, 0) + int(line.rsplit(" ", 1)[1])
    most = max(total.values())
    return min(bound for bound, count in total.items() if count >= 0.99 * most)


async def costs(
    clients: list[httpx.AsyncClient], process_ids: list[int], postmaster: int, *, threads: bool
) -> dict[str, Any]:
    """Return how many runs a second there are, and the processor's time that one takes."""
    name = "runs/s, on threads" if threads else "runs/s"
    everybody = [*process_ids, postmaster]
    before = [processor_seconds(one) for one in everybody]
    speed, own = await throughput(clients, threads=threads)
    used = [processor_seconds(one) - at for one, at in zip(everybody, before, strict=True)]
    parts = {"servers": sum(used[:-1]), "database": used[-1], "client": own}
    return {
        name: round(speed),
        f"{name}: processor ms of a run": {
            part: round(seconds / RUNS * 1000, 1) for part, seconds in parts.items()
        },
    }


async def measure(processes: list[Process], postmaster: int) -> dict[str, Any]:
    """Return the numbers of some servers."""
    process_ids = [one.process.pid for one in processes if one.process is not None]
    limits = httpx.Limits(max_connections=100, keepalive_expiry=1)
    clients = [
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{one.port}", timeout=60, limits=limits)
        for one in processes
    ]
    await waits(clients)  # Warm.
    one_by_one = await waits(clients)
    claim = await claims(clients)
    first = await first_events(clients)
    found = {
        "runs/wait, median ms": round(statistics.median(one_by_one) * 1000, 1),
        "runs/wait, p99 ms": round(sorted(one_by_one)[int(len(one_by_one) * 0.99)] * 1000, 1),
        "claim, p99 below ms": claim * 1000,
        "first event, median ms": round(statistics.median(first) * 1000, 1),
        **await costs(clients, process_ids, postmaster, threads=False),
        **await costs(clients, process_ids, postmaster, threads=True),
        "custom events/s": round(await events(clients, elsewhere=False)),
    }
    if len(clients) > 1:
        found["custom events/s, read elsewhere"] = round(await events(clients, elsewhere=True))
    for client in clients:
        await client.aclose()
    return found


def main() -> None:
    """Run the command."""
    results: dict[str, dict[str, Any]] = {}
    database = Cluster(fsync="on", synchronous_commit="on", full_page_writes="on", autovacuum="on")
    try:
        with tempfile.TemporaryDirectory() as folder:
            for name, count in (("SQLite, 1", 1), ("PostgreSQL, 1", 1), ("PostgreSQL, 3", 3)):
                file = Path(folder) / f"{len(results)}"
                where = str(file) if name.startswith("SQLite") else database.fresh()
                processes = [Process(where, file.with_suffix(".effects")) for _ in range(count)]
                try:
                    for process in processes:
                        process.start()
                    for process in processes:
                        process.wait()
                    results[name] = asyncio.run(measure(processes, database.process_id))
                finally:
                    for process in processes:
                        process.kill()
                print(name, json.dumps(results[name]), flush=True)
    finally:
        database.close()


if __name__ == "__main__":
    main()
