"""Thousands of streams through a wire that breaks at random: what arrives is what was logged.

    python tests/chaos/run.py                      1,000 streams each way, a new seed
    python tests/chaos/run.py --seed 7             the same faults again
    python tests/chaos/run.py --seed 7 --only 812  one stream of them

Each stream has its own number, from which its run and its faults are drawn. A reader goes through
the faults; then the server's log is read without them, and the two are compared. Ends with 1 if
anything was lost, repeated or disordered, and names those streams.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1])]

from langgraph_client.server.server import Server  # noqa: E402
from tests.chaos.event_plans import EventPlan  # noqa: E402
from tests.chaos.plans import Plan, Tally, graph  # noqa: E402
from tests.chaos.streams import (  # noqa: E402
    async_thread_streams,
    asynchronous,
    blocking,
    thread_streams,
)
from tests.support.direct_transport import AsyncDirectTransport, DirectTransport  # noqa: E402
from tests.support.raw_server import client_context  # noqa: E402
from tests.support.tls_front import tls_front  # noqa: E402

COLUMNS = ("streams", "complete", "told", "faults", "reconnects", "events", "lost", "repeated")


def every_way(plans: list[Plan]) -> dict[str, Tally]:
    """Follow the streams of the plans on each of the six ways."""
    tallies: dict[str, Tally] = {}
    with Server({"agent": graph()}) as server:
        url = server.listen()
        tallies["in process, blocking"] = blocking(plans, server.transport, "http://server")
        tallies["in process, async"] = asynchronous(plans, server.async_transport, "http://server")
        tallies["on a port, blocking"] = blocking(plans, lambda: DirectTransport(url), url)
        tallies["on a port, async"] = asynchronous(plans, lambda: AsyncDirectTransport(url), url)
        with tls_front(url) as safe:
            trust = client_context()
            tallies["with TLS, blocking"] = blocking(
                plans, lambda: DirectTransport(safe, trust), safe
            )
            tallies["with TLS, async"] = asynchronous(
                plans, lambda: AsyncDirectTransport(safe, trust), safe
            )
    return tallies


def every_way_of_events(numbers: list[int]) -> dict[str, Tally]:
    """Follow thread streams on each of the four ways: two transports, two colours."""
    tallies: dict[str, Tally] = {}
    with Server({"agent": graph()}) as server:
        url = server.listen()
        sse = [EventPlan(number, "sse") for number in numbers]
        sockets = [EventPlan(number, "websocket") for number in numbers]
        tallies["thread streams, blocking"] = thread_streams(sse, url)
        tallies["thread streams, async"] = async_thread_streams(sse, url)
        tallies["over a WebSocket, blocking"] = thread_streams(sockets, url)
        tallies["over a WebSocket, async"] = async_thread_streams(sockets, url)
    return tallies


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--streams", type=int, default=1000, help="on each of the ten ways")
    parser.add_argument("--only", type=int, help="the number of the only stream to run")
    given = parser.parse_args()
    logging.getLogger("langgraph_client").setLevel(logging.ERROR)  # Thousands of reconnects.
    chance = random.Random(given.seed)
    numbers = [chance.randrange(10**9) for _ in range(given.streams)]
    if given.only is not None:
        numbers = [given.only]
    print(f"seed {given.seed}")
    begun = time.perf_counter()
    tallies = every_way([Plan(number) for number in numbers])
    tallies |= every_way_of_events(numbers)
    tallies["together"] = sum(tallies.values(), Tally())
    print(f"| | {' | '.join(COLUMNS)} | disordered |")
    print("| --- |" + " ---: |" * (len(COLUMNS) + 1))
    for way, tally in tallies.items():
        counts = [f"{getattr(tally, name):,}" for name in (*COLUMNS, "other")]
        print(f"| {way} | {' | '.join(counts)} |")
    print(f"{time.perf_counter() - begun:.0f} s")
    for line in tallies["together"].wrong:
        print(f"--seed {given.seed} {line}")
    return 1 if tallies["together"].wrong else 0


if __name__ == "__main__":
    sys.exit(main())
