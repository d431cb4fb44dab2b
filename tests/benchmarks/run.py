"""Measure the bundled server, in process and on a port, and `langgraph dev`, side by side.

    python tests/benchmarks/run.py            all three
    python tests/benchmarks/run.py --ours     without `langgraph dev`

One server after the other, so that none disturbs the next. The last columns say how many times
better the bundled server on a port is than `langgraph dev`, and what it should reach.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE / "graphs"), str(HERE.parents[1])]

import httpx  # noqa: E402
import measures  # noqa: E402
from measures import Subject  # noqa: E402

from tests.interop.real import langgraph_dev  # noqa: E402

GRAPHS = HERE / "graphs"


class Row(NamedTuple):
    """One line of the result."""

    name: str
    unit: str
    #: The goals in process and on a port, in this unit; None for none.
    goals: tuple[float | None, float | None]
    more_is_better: bool = False


ROWS = (
    Row("start to first answer", "ms", (100, 1000)),
    Row("memory, idle", "MB", (None, 110)),
    Row("runs/wait, median", "ms", (2, 3)),
    Row("runs, 50 at a time", "/s", (500, 500), True),
    Row("first event, median", "ms", (5, 5)),
    Row("custom events", "/s", (60_000, 30_000), True),
    Row("smallest gap of events 50 ms apart", "ms", (40, 40), True),
    Row("thread create", "/s", (4000, None), True),
    Row("thread state, median", "ms", (1.5, 1.5)),
    Row("thread search, few threads", "ms", (None, None)),
    Row("thread search, 10,000 threads", "ms", (None, None)),
    Row("memory per thread", "KB", (None, 20)),
)
Results = dict[str, float]


def measure(subject: Subject, results: Results, memory: Callable[[], float]) -> None:
    """Take every measure of a server that is up."""
    results["memory, idle"] = memory()
    # First, as what other measures leave free would be used again; they see many threads, too.
    measures.create_some(subject)
    results["thread search, few threads"] = measures.search(subject)
    before = memory()
    measures.fill(subject)
    results["memory per thread"] = (memory() - before) * 1024 / subject.threads
    results["thread search, 10,000 threads"] = measures.search(subject)
    results["runs/wait, median"] = measures.wait(subject)
    results["runs, 50 at a time"] = measures.fifty(subject)
    results["first event, median"] = measures.first_event(subject)
    results["custom events"] = measures.custom_events(subject)
    results["smallest gap of events 50 ms apart"] = measures.smallest_gap(subject)
    results["thread create"] = measures.create_threads(subject)
    results["thread state, median"] = measures.thread_state(subject)


def in_process() -> Results:
    """Measure the server in this process."""
    from hosted import paced, trivial, writer

    from langgraph_client.server.server import Server

    results: Results = {}
    graphs = {"trivial": trivial, "writer": writer, "paced": paced}
    start = time.perf_counter()
    with Server(graphs) as server:
        subject = Subject("http://server", server.transport, server.async_transport)
        with subject.client() as client:
            client.get("/ok").raise_for_status()
        results["start to first answer"] = (time.perf_counter() - start) * 1000
        measure(subject, results, lambda: _memory(os.getpid()))
    return results


@contextmanager
def _command(folder: Path) -> Iterator[str]:
    config = str(GRAPHS / "langgraph.json")
    command = [sys.executable, "-m", "langgraph_client.server", config, "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder)
    assert process.stdout
    try:
        yield process.stdout.readline().split()[0]
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def on_a_port() -> Results:
    """Measure the command."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        with _command(Path(folder)) as url:
            return _of_url(url, start, Subject(url))


def dev() -> Results:
    """Measure `langgraph dev`; fewer times, as it takes about a second for a run."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        with langgraph_dev(Path(folder), GRAPHS) as url:
            return _of_url(url, start, Subject(url, times=50, seconds=10.0))


def _of_url(url: str, start: float, subject: Subject) -> Results:
    httpx.get(f"{url}/ok", trust_env=False).raise_for_status()
    results = {"start to first answer": (time.perf_counter() - start) * 1000}
    measure(subject, results, lambda: sum(map(_memory, _children(os.getpid()))))
    return results


def _children(pid: int) -> list[int]:
    """Return the processes below one."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [child, *_children(child)]
    return found


def _memory(pid: int) -> float:
    """Return what a process has in memory, in MB; 0 where the system does not say."""
    file = Path(f"/proc/{pid}/statm")
    pages = int(file.read_text().split()[1]) if file.exists() else 0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def show(process: Results, port: Results, real: Results) -> None:
    """Print the table."""
    heads = ("in process", "goal", "on a port", "goal", "langgraph dev", "better")
    print(f"{'':36}" + "".join(f"{head:>15}" for head in heads))
    for row in ROWS:
        ours, other = port[row.name], real.get(row.name)
        ratio = ""
        if other and ours:
            ratio = f"{(ours / other if row.more_is_better else other / ours):,.1f} x"
        cells = [
            _number(process[row.name]),
            _goal(row, process[row.name], row.goals[0]),
            _number(ours),
            _goal(row, ours, row.goals[1]),
            _number(other),
            ratio,
        ]
        print(f"{row.name + ', ' + row.unit:36}" + "".join(f"{cell:>15}" for cell in cells))


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:,.2f}"


def _goal(row: Row, value: float, goal: float | None) -> str:
    if goal is None:
        return ""
    reached = value >= goal if row.more_is_better else value <= goal
    sign = ">=" if row.more_is_better else "<="
    return f"{'' if reached else 'NOT '}{sign} {goal:,g}"


def _compile_package() -> None:
    """Write the package's bytecode, as installing it does."""
    package = str(HERE.parent.parent / "langgraph_client")
    subprocess.run([sys.executable, "-m", "compileall", "-q", package], check=True)


def main() -> int:
    _compile_package()
    if "--ours" in sys.argv[1:]:
        show(in_process(), on_a_port(), {})
    else:
        real = dev()
        show(in_process(), on_a_port(), real)
    return 0


if __name__ == "__main__":
    sys.exit(main())
