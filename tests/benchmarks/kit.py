"""The testing kit, measured: start, reset, and a user's suite of a thousand tests.

python tests/benchmarks/kit.py
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from langgraph_client import ScriptedGraph
from langgraph_client.testing import Say, TestServer

TESTS = 1000
SUITE = """
import pytest
from langgraph_client.testing import Say, ScriptedGraph

pytestmark = pytest.mark.langgraph(graphs={"agent": ScriptedGraph([Say("hi"), {"done": True}])})

@pytest.mark.parametrize("number", range(%d))
def test_it(number, remote_graph):
    config = {"configurable": {"thread_id": str(number)}}
    agent = remote_graph("agent")
    assert agent.invoke({"number": number}, config)["number"] == number
    assert agent.get_state(config).next == ()
"""


def median(times: list[float]) -> str:
    return f"{statistics.median(times) * 1000:.1f} ms"


def start_and_reset() -> None:
    graphs = {"agent": ScriptedGraph([Say("hi"), {"done": True}])}
    starts, resets, closes = [], [], []
    for _ in range(50):
        begun = time.perf_counter()
        server = TestServer(graphs).start()
        starts.append(time.perf_counter() - begun)
        client = server.sync_client()
        thread = client.threads.create()
        with server.hold(status="running") as hold:
            client.runs.create(thread.thread_id, "agent", input={})
            hold.wait()
            begun = time.perf_counter()
            server.reset()  # With a run in it.
            resets.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        server.close()
        closes.append(time.perf_counter() - begun)
    print(
        f"start {median(starts)}, reset with a running run {median(resets)}, "
        f"close {median(closes)} (medians of 50)"
    )


def a_suite() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_suite.py").write_text(SUITE % TESTS)
        begun = time.perf_counter()
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:asyncio",
        ]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        took = time.perf_counter() - begun
    said = done.stdout.splitlines()[-1]
    print(f"{TESTS} tests, each with a server of its own: {took:.1f} s ({said})")
    if done.returncode:
        raise SystemExit(done.stdout)


def fresh_start() -> None:
    program = (
        "import time; b = time.perf_counter(); from langgraph_client import ScriptedGraph\n"
        "from langgraph_client.testing import TestServer\n"
        "with TestServer({'a': ScriptedGraph([{'x': 1}])}) as s:\n"
        "    s.sync_client().threads.create(); print(time.perf_counter() - b)"
    )
    cases = {
        "imports and a call included": program,
        "with langgraph imported before": f"import langgraph.graph\n{program}",
    }
    with tempfile.TemporaryDirectory() as folder:
        # With compiled modules, as an installed package has them, whatever this environment says.
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": folder, "PYTHONDONTWRITEBYTECODE": ""}
        for case, code in cases.items():
            times = []
            for _ in range(6):
                done = subprocess.run(
                    [sys.executable, "-c", code],
                    capture_output=True,
                    text=True,
                    check=True,
                    env=environment,
                )
                times.append(float(done.stdout))
            print(f"first server of a process, {case}: {median(times[1:])} (median of 5)")


if __name__ == "__main__":
    fresh_start()
    start_and_reset()
    a_suite()
