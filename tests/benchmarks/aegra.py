"""Measure a server of ours beside Aegra, on the same PostgreSQL.

    python3.12 -m venv /tmp/aegra && /tmp/aegra/bin/pip install 'aegra-cli==0.11.0'
    python tests/benchmarks/aegra.py /tmp/aegra/bin/aegra

Both have one process with the same graph of one node, PostgreSQL with its defaults (fsync on), and
the same client. Aegra is measured as it is installed, and with Redis (`redis-server`) where that is
installed, as it is deployed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1])]

from servers import first_events, throughput, waits  # noqa: E402

from tests.cluster.processes import Process  # noqa: E402
from tests.support.free_port import free_port  # noqa: E402
from tests.support.postgres import Cluster  # noqa: E402

GRAPH = """
import operator
from typing import Annotated, Any

from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict


class Count(TypedDict, total=False):
    upto: int
    log: Annotated[list[int], operator.add]


async def node(state: Count) -> dict[str, Any]:
    return {"log": [1]}


quick = StateGraph(Count).add_node("quick", node).add_edge(START, "quick").compile(name="quick")
"""


@contextmanager
def started(command: list[str], log: Path, **options: Any) -> Iterator[None]:
    """Run a program for as long as it is needed."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, stdout=file, stderr=file, start_new_session=True, **options
        )
        try:
            yield
        finally:
            # The whole group: `aegra serve` starts the server as another process.
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def wait_for(url: str, log: Path) -> None:
    """Wait until a server answers."""
    for _ in range(600):
        try:
            if httpx.get(url, timeout=2).status_code < 500:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)  # A process of its own, which does not say when it serves.
    raise TimeoutError(log.read_text()[-3000:])


async def measure(url: str) -> dict[str, float]:
    """Return the numbers of one server."""
    limits = httpx.Limits(max_connections=100, keepalive_expiry=1)
    async with httpx.AsyncClient(base_url=url, timeout=120, limits=limits) as client:
        await waits([client])  # Warm.
        return {
            "runs/wait, median ms": round(statistics.median(await waits([client])) * 1000, 1),
            "first event, median ms": round(
                statistics.median(await first_events([client])) * 1000, 1
            ),
            "runs/s": round((await throughput([client]))[0], 1),
        }


def of_ours(database: str, folder: Path) -> dict[str, float]:
    """Measure this package's server."""
    process = Process(database, folder / "effects")
    try:
        process.start()
        process.wait()
        return asyncio.run(measure(f"http://127.0.0.1:{process.port}"))
    finally:
        process.kill()


def of_aegra(command: str, database: str, folder: Path, *, redis: bool) -> dict[str, float]:
    """Measure Aegra."""
    folder.mkdir()
    (folder / "graph.py").write_text(GRAPH)
    (folder / "aegra.json").write_text('{"graphs": {"quick": "./graph.py:quick"}}')
    port, redis_port = free_port(), free_port()
    environment = {
        **os.environ,
        "PATH": f"{Path(command).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(folder),
        "DATABASE_URL": database,
        "AEGRA_CONFIG": str(folder / "aegra.json"),
        "AUTH_TYPE": "noop",
        "ENV_MODE": "PRODUCTION",
        "LOG_LEVEL": "WARNING",
        "REDIS_BROKER_ENABLED": str(redis).lower(),
        "REDIS_URL": f"redis://127.0.0.1:{redis_port}/0",
    }
    log = folder / "log"
    with ExitStack() as stack:
        if redis:
            line = f"redis-server --port {redis_port} --bind 127.0.0.1 --save  --dir {folder}"
            stack.enter_context(started(line.split(" "), folder / "redis.log"))
        serve = [command, "serve", "--host", "127.0.0.1", "--port", str(port)]
        stack.enter_context(started(serve, log, cwd=folder, env=environment))
        wait_for(f"http://127.0.0.1:{port}/ok", log)
        try:
            return asyncio.run(measure(f"http://127.0.0.1:{port}"))
        except httpx.HTTPError:
            print(log.read_text()[-3000:], file=sys.stderr)
            raise


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("aegra", help="the command of an environment that has aegra-cli")
    command = str(Path(parser.parse_args().aegra).absolute())
    database = Cluster(fsync="on", synchronous_commit="on", full_page_writes="on", autovacuum="on")
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            found = {"ours": of_ours(database.fresh(), folder)}
            print("ours", json.dumps(found["ours"]), flush=True)
            for kind, redis in (("Aegra", False), ("Aegra with Redis", True)):
                if redis and shutil.which("redis-server") is None:
                    continue
                place = folder / kind.replace(" ", "-")
                found[kind] = of_aegra(command, database.empty(), place, redis=redis)
                print(kind, json.dumps(found[kind]), flush=True)
    finally:
        database.close()


if __name__ == "__main__":
    main()
