"""Many runs on one server: is memory flat, and does a run take as long at the end as at the start?

    python tests/load/soak.py [RUNS]       100,000 by default

Half of the runs are stateless; the others share a thousand threads, which are deleted and made
again, as in a service that forgets. It ends with 1 if memory or latency has grown.
"""

from __future__ import annotations

import asyncio
import gc
import resource
import statistics
import sys
import time

from langgraph_client import ScriptedGraph, Server
from langgraph_client.testing import Emit, Say

AGENT = ScriptedGraph([Emit(1), Say(["a", "b"]), {"done": True}])
ROUNDS = 10
SIDE_BY_SIDE = 20


def memory() -> float:
    """Resident memory now, in MB (on Linux), else the most there has been."""
    try:
        with open("/proc/self/statm") as pages:
            return int(pages.read().split()[1]) * resource.getpagesize() / 1e6
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


async def main(runs: int) -> int:
    async with Server({"agent": AGENT}) as server, server.client() as client:
        each = runs // ROUNDS
        seen: list[tuple[float, float]] = []
        for number in range(ROUNDS):
            threads = [(await client.threads.create()).thread_id for _ in range(100)]
            times: list[float] = []
            turn = iter(range(each))

            async def work(
                threads: list[str] = threads,
                times: list[float] = times,
                turn: object = turn,
            ) -> None:
                for n in turn:  # type: ignore[attr-defined]
                    place = threads[n % len(threads)] if n % 2 else None
                    begun = time.perf_counter()
                    await client.runs.wait(place, "agent", input={"n": n})
                    times.append(time.perf_counter() - begun)

            begun = time.perf_counter()
            await asyncio.gather(*(work() for _ in range(SIDE_BY_SIDE)))
            took = time.perf_counter() - begun
            for thread_id in threads:
                await client.threads.delete(thread_id)
            gc.collect()
            seen.append((memory(), statistics.median(times) * 1000))
            print(
                f"{(number + 1) * each:>8,} runs: {seen[-1][0]:6.1f} MB, "
                f"median {seen[-1][1]:5.2f} ms, {each / took:6,.0f} a second",
                flush=True,
            )
        # The first rounds warm caches up.
        grown = seen[-1][0] - seen[2][0]
        slower = seen[-1][1] / seen[2][1]
        print(
            f"since the third round: memory {grown:+.1f} MB, median run {slower:.2f} times as long"
        )
        return int(grown > 20 or slower > 1.5)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)))
