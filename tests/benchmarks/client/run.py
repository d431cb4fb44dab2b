"""Measure the client beside `langgraph_sdk`, its RemoteGraph, bare httpx, and the socket.

    python tests/benchmarks/client/run.py                     all rows, five rounds
    python tests/benchmarks/client/run.py --rounds 9 --only "SSE|GET"

A server of prepared answers runs beside; each subject is a process of its own, and they take turns
within each round. A cell is how many times faster a subject is than the first one: the
median of the rounds, and their spread. CPU is the time of the client's process, the steadier number
on a busy machine; the goals are checked by it, except for what is a wait.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent.parent.parent
MOST_MEMORY = 4.0  # MB that a stream may take over what was there before.
IMPORT = "import sys; {}; sys.stdout.write('done')"
CLIENTS = {
    "theirs": "import langgraph_sdk; langgraph_sdk.get_sync_client(url='http://127.0.0.1:1')",
    "ours": "import langgraph_client; langgraph_client.get_sync_client(url='http://127.0.0.1:1')",
    "httpx": "import httpx; httpx.Client(base_url='http://127.0.0.1:1')",
    "python": "pass",
}


@dataclass
class Row:
    """One line of the table.

    Attributes:
        name: What is measured.
        job: What the worker is told.
        goal: The least ratio of "ours" to the first subject.
        subjects: What is measured, in order; the others are compared with the first.
        by: "cpu" or "wall": by what the goal is checked.
        of_socket: The most time of "ours" as a multiple of the socket's.
    """

    name: str
    job: dict[str, Any]
    goal: float | None = None
    subjects: tuple[str, ...] = ("theirs", "ours", "httpx", "socket")
    by: str = "cpu"
    of_socket: float | None = None
    rounds: list[dict[str, dict[str, float]]] = field(default_factory=list)

    @property
    def ours(self) -> str:
        return self.subjects[1]

    def ratio(self, subject: str, by: str = "") -> tuple[float, float, float]:
        """Median, least and most of how many times faster a subject is than the first."""
        by = by or self.by
        first = self.subjects[0]
        ratios = [r[first][by] / r[subject][by] for r in self.rounds if subject in r and first in r]
        if not ratios:
            return float("nan"), float("nan"), float("nan")
        return statistics.median(ratios), min(ratios), max(ratios)

    def to_socket(self) -> float:
        """How many times the socket's time ours is."""
        return statistics.median(r[self.ours][self.by] / r["socket"][self.by] for r in self.rounds)

    def memory(self) -> float:
        """MB that ours took at most, in any round: later ones find memory that was freed."""
        return max(r[self.ours].get("peak", 0.0) for r in self.rounds)

    def is_met(self) -> bool:
        """Whether the goals are."""
        met = self.goal is None or self.ratio(self.ours)[0] >= self.goal
        met = met and (self.of_socket is None or self.to_socket() <= self.of_socket)
        return met and self.memory() <= MOST_MEMORY


def calls(name: str, call: str, at_once: int, goal: float, count: int, **more: Any) -> Row:
    job = {"what": "calls", "call": call, "at_once": at_once, "count": count}
    return Row(name, job, goal, by="wall" if not at_once else "cpu", **more)


def streams(name: str, spec: str, goals: tuple[float | None, float], **more: Any) -> Iterator[Row]:
    for colour, goal in zip(("sync", "async"), goals, strict=True):
        job = {"what": "stream", "colour": colour, "spec": spec}
        yield Row(f"{name}, {colour}", job, goal, **more)


def rows() -> list[Row]:
    """All rows."""
    theirs = ("their RemoteGraph", "our RemoteGraph")
    dicts = ("ours", "our RemoteGraph, dicts")
    small, block = "messages:30000:300:event", "messages:30000:300:block"
    many = ("httpx", "ours", "theirs", "socket")
    return [
        calls("GET, one at a time, sync", "get", 0, 1.0, 800),
        calls("GET, one at a time, async", "get", 1, 1.5, 800),
        calls("POST, one at a time, async", "post", 1, 2.0, 800),
        calls("GET, 50 at a time, async", "get", 50, 4.0, 500),
        calls("GET, 500 at a time, async (beside httpx)", "get", 500, 3.0, 500, subjects=many),
        calls("POST, 500 at a time, async (beside httpx)", "post", 500, 3.0, 500, subjects=many),
        *streams("SSE, 327 B, an HTTP chunk each", small, (2.5, 2.5), of_socket=1.3),
        *streams("SSE, 327 B, in 64 KiB chunks", block, (1.1, 1.2)),
        *streams("SSE, 103 KB values", "values:500:100000:event", (1.0, 1.2)),
        *streams("SSE, 1 MB values", "values:50:1000000:event", (1.1, 1.3)),
        *streams("live tokens, 1 ms apart", "messages:500:300:event:1.2", (None, 1.0)),
        *streams("RemoteGraph, a chunk each", small, (1.2, 1.2), subjects=theirs),
        *streams("RemoteGraph, in 64 KiB chunks", block, (1.0, 1.0), subjects=theirs),
        *streams("RemoteGraph (dicts) beside runs.stream", block, (0.9, 0.9), subjects=dicts),
        *streams(
            "RemoteGraph (objects) beside runs.stream",
            block,
            (0.6, 0.6),
            subjects=("ours", "our RemoteGraph"),
        ),
        *(
            Row(
                f"first event, {colour}",
                {"what": "first", "colour": colour, "spec": "messages:2:300:event:3", "count": 40},
                1.0,
                by="wall",
            )
            for colour in ("sync", "async")
        ),
        Row(
            "decode a search of 1,000 threads (beside orjson)",
            {"what": "decode", "count": 15},
            1 / 1.1,
            subjects=("socket", "ours"),
        ),
        Row(
            "import and first client",
            {"what": "import"},
            4.0,
            ("theirs", "ours", "httpx"),
            by="wall",
        ),
    ]


class Workers:
    """One process for each subject, for as long as the benchmark takes."""

    def __init__(self) -> None:
        self._processes: dict[str, subprocess.Popen[str]] = {}

    def measured(self, subject: str, job: dict[str, Any]) -> dict[str, float]:
        """The numbers of a subject; none where it fails."""
        if job["what"] == "import":
            return imported(subject)
        if subject not in self._processes:
            self._processes[subject] = subprocess.Popen(
                [sys.executable, str(HERE / "worker.py")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, "LANGSMITH_TRACING": "false", "PYTHONPATH": str(ROOT)},
            )
        process = self._processes[subject]
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({**job, "subject": subject}) + "\n")
        process.stdin.flush()
        numbers: dict[str, float] = json.loads(process.stdout.readline())
        return numbers

    def close(self) -> None:
        """End the processes."""
        for process in self._processes.values():
            process.communicate()


def imported(subject: str) -> dict[str, float]:
    """Seconds to import a client and make one, without those of the interpreter itself."""

    def spent(program: str) -> float:
        begun = time.perf_counter()
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        subprocess.run([sys.executable, "-c", program], check=True, env=env)
        return time.perf_counter() - begun

    least = min(spent(CLIENTS[subject]) - spent(CLIENTS["python"]) for _ in range(3))
    return {"wall": least, "cpu": least}


def compile_package() -> None:
    """Write the package's bytecode, as installing it does: the others are installed."""
    package = str(ROOT / "langgraph_client")
    subprocess.run([sys.executable, "-m", "compileall", "-q", package], check=True)


@contextmanager
def server() -> Iterator[str]:
    """The URL of the server of prepared answers."""
    command = [sys.executable, str(HERE / "canned_server.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}"
        finally:
            process.terminate()


def measure(table: list[Row], rounds: int, note: Callable[[str], None]) -> None:
    """Measure all rows; the subjects take turns within each round."""
    workers = Workers()
    try:
        with server() as url:
            for number in range(rounds):
                for row in table:
                    note(f"round {number + 1} of {rounds}: {row.name}")
                    job = {**row.job, "url": url}
                    found = {subject: workers.measured(subject, job) for subject in row.subjects}
                    row.rounds.append({name: numbers for name, numbers in found.items() if numbers})
    finally:
        workers.close()


def cell(values: tuple[float, float, float]) -> str:
    middle, least, most = values
    return "failed" if middle != middle else f"{middle:.2f}x ({least:.2f}-{most:.2f})"


def markdown(table: list[Row]) -> Iterator[str]:
    """The table."""
    yield "| | beside | ours, by CPU | ours, by the wall | httpx | socket | goal | met |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for row in table:
        others = [
            cell(row.ratio(subject)) if subject in row.subjects[1:] else ""
            for subject in ("httpx", "socket")
        ]
        goal = "" if row.goal is None else f"≥ {row.goal:.2g}x"
        if row.of_socket is not None:
            goal += f", ≤ {row.of_socket}x the socket's time (is {row.to_socket():.2f}x)"
        cells = [row.name, row.subjects[0], cell(row.ratio(row.ours, "cpu"))]
        cells += [cell(row.ratio(row.ours, "wall")), *others, goal, "yes" if row.is_met() else "NO"]
        yield f"| {' | '.join(cells)} |"
    most = max(row.memory() for row in table)
    yield ""
    yield f"Most memory that a stream took over what was there before: {most:.1f} MB."


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the client.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="rows whose names match this expression")
    given = parser.parse_args()
    table = [row for row in rows() if re.search(given.only, row.name)]
    compile_package()
    measure(table, given.rounds, lambda text: print(text, file=sys.stderr, flush=True))
    print("\n".join(markdown(table)))
    return 0 if all(row.is_met() for row in table) else 1


if __name__ == "__main__":
    sys.exit(main())
