"""Measure what a run costs the database: statements, transactions, bytes of its log, connections.

    python tests/benchmarks/run_cost.py

One server, a graph of one step, after a warm-up; what the server does each second whether or not
there are runs is measured before, and taken off.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1])]

from tests.cluster.processes import Process  # noqa: E402
from tests.support.postgres import Cluster  # noqa: E402

QUICK: dict[str, Any] = {"assistant_id": "quick", "input": {"log": []}}
RUNS = 100
IDLE = 5.0


def numbers(database: Cluster, name: str) -> dict[str, float]:
    """Return what the database has done so far."""
    ((calls,),) = database.execute(
        "SELECT sum(calls) FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid"
        f" WHERE d.datname = '{name}'"
    )
    ((notified,),) = database.execute(
        "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements WHERE query LIKE '%pg_notify(%'"
    )
    ((wal,),) = database.execute("SELECT pg_current_wal_lsn() - '0/0'")
    return {"statements": float(calls), "NOTIFY": float(notified), "WAL bytes": float(wal)}


def main() -> None:
    """Run the command."""
    database = Cluster(
        fsync="on",
        synchronous_commit="on",
        full_page_writes="off",  # Else the bytes are those of the pages touched since a checkpoint.
        shared_preload_libraries="pg_stat_statements",
    )
    try:
        url = database.fresh()
        name = url.rpartition("/")[2]
        database.execute("CREATE EXTENSION pg_stat_statements")
        with tempfile.TemporaryDirectory() as folder:
            process = Process(url, Path(folder) / "effects")
            try:
                process.start()
                process.wait()
                with httpx.Client(base_url=f"http://127.0.0.1:{process.port}", timeout=60) as http:
                    measure(http, database, name)
            finally:
                process.kill()
    finally:
        database.close()


def measure(http: httpx.Client, database: Cluster, name: str) -> None:
    """Print the numbers."""
    thread_id = http.post("/threads", json={}).json()["thread_id"]
    for _ in range(20):
        http.post("/runs/wait", json=QUICK).raise_for_status()
    before, began = numbers(database, name), time.monotonic()
    time.sleep(IDLE)  # What is measured is what happens while nothing is asked.
    after = numbers(database, name)
    seconds = time.monotonic() - began
    idle = {key: (after[key] - before[key]) / seconds for key in after}
    print("each second, idle", json.dumps({key: round(idle[key], 1) for key in idle}))
    for kind, path in (("stateless", "/runs/wait"), ("thread", f"/threads/{thread_id}/runs/wait")):
        before, began = numbers(database, name), time.monotonic()
        for _ in range(RUNS):
            http.post(path, json=QUICK).raise_for_status()
        seconds, after = time.monotonic() - began, numbers(database, name)
        cost = {key: (after[key] - before[key] - idle[key] * seconds) / RUNS for key in after}
        print(kind, json.dumps({key: round(cost[key], 1) for key in cost}))
    ((open_now,),) = database.execute(
        f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'"
    )
    print("connections open", open_now)


if __name__ == "__main__":
    main()
