"""Three servers behind a proxy, killed, stopped, paused, their database restarted: nothing is lost.

    python tests/cluster/chaos.py                                      ten minutes, a new seed
    python tests/cluster/chaos.py --seed 7 --seconds 0 --runs 100      the same faults, 100 runs

Each run counts, telling each step. A quarter of the runs each is streamed by `RemoteGraph`, by the
client, and by thread streams (v3) over server-sent events and over WebSockets. Afterwards the
result is compared with the local graph's, and what the stream told with what the server kept. Ends
with 1 if anything differs.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import sys
import tempfile
import threading
import time
import traceback
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1])]

from langgraph_client import RemoteGraph, RetryPolicy, get_sync_client  # noqa: E402
from langgraph_client.errors import APIConnectionError, InternalServerError, StreamIncomplete  # noqa: E402
from tests.cluster.host import graph as local_graph  # noqa: E402
from tests.cluster.processes import Process, Proxy  # noqa: E402
from tests.support.postgres import Cluster  # noqa: E402

FAULTS = ("kill", "restart", "pause", "kill", "restart", "database")
PAUSE = 13.0
"""Seconds for which a server is paused: longer than its lease."""
RETRY = RetryPolicy(max_attempts=12, maximum=4.0)
"""As patient as the longest outage: a database that restarts while a server is paused."""
CHANNELS = ("custom", "values")
"""What thread streams read."""
_OUTAGES = (
    "langgraph_client.server.errors.Unavailable",
    "psycopg.OperationalError",
    "psycopg.errors.AdminShutdown",
    "psycopg.errors.CannotConnectNow",
    "asyncio.exceptions.CancelledError",
)
"""What a server logs when its database goes away, or it is stopped, within an answer."""
_OVER = ("lc||completed", "lc||failed")
"""How the ids of the events end by which a run of the root graph ends."""


@cache
def local_result(upto: int) -> dict[str, Any]:
    """Return what the graph makes of an input without any server."""
    config: Any = {"recursion_limit": 100}
    return asyncio.run(local_graph.ainvoke({"upto": upto, "log": []}, config))


@dataclass
class Report:
    """What was found."""

    runs: int = 0
    events: int = 0
    lost: int = 0
    repeated: int = 0
    truncated: int = 0
    finished: int = 0
    wrong: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    raised: Counter[str] = field(default_factory=Counter)
    tracebacks: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)

    @property
    def is_good(self) -> bool:
        """Whether nothing was lost, repeated or wrong."""
        told = self.lost or self.repeated or self.truncated
        return not (told or self.wrong or self.failed or self.twice)

    def __str__(self) -> str:
        lines = [
            f"runs {self.runs}, events {self.events}, lost {self.lost}, repeated {self.repeated},"
            f" truncated {self.truncated}, wrong results {len(self.wrong)},"
            f" failed {len(self.failed)},"
            f" carried out twice at once {len(self.twice)}"
            f" (steps under way at a pause {self.finished}); faults {dict(self.faults)}",
            f"raised in the servers: {dict(self.raised)}",
        ]
        lines += [*self.wrong[:20], *self.failed[:20], *self.twice[:20], *self.tracebacks[:3]]
        return "\n".join(lines)


Streamed: TypeAlias = tuple[list[Any], Callable[[], list[Any]]]
"""What a stream told, and what reads what the server kept of it."""


class Chaos:
    """One session.

    Args:
        seed: Which faults happen, and when.
        runs: How many runs, at least.
        seconds: How long it goes on, at least.
        at_once: How many clients.
        pause: Seconds between faults: the least and the most.
    """

    def __init__(
        self, seed: int, runs: int, seconds: float, at_once: int, pause: tuple[float, float]
    ) -> None:
        self._chance = random.Random(seed)
        self._runs, self._seconds, self._at_once, self._pause = runs, seconds, at_once, pause
        self._over = threading.Event()
        self._deadline = 0.0
        self.report = Report()

    def __call__(self, faults: Sequence[str] = FAULTS) -> Report:
        """Do it, with these faults in turn."""
        self._faults = faults
        database = Cluster(synchronous_commit="on")
        with tempfile.TemporaryDirectory() as folder:
            effects = Path(folder) / "effects"
            url = database.fresh()
            processes = [Process(url, effects) for _ in range(3)]
            proxy = Proxy([process.port for process in processes])
            try:
                for process in processes:
                    process.start()
                for process in processes:
                    process.wait()
                troubles = threading.Thread(target=self._make_trouble, args=(processes, database))
                troubles.start()
                self._deadline = time.monotonic() + self._seconds
                numbers = count()
                with ThreadPoolExecutor(self._at_once) as pool:
                    clients = range(self._at_once)
                    list(pool.map(lambda _: self._run(numbers, proxy.url), clients))
                self._over.set()
                troubles.join()
                self._check_effects(effects)
                for file in Path(folder).glob("*.log"):
                    self._note_tracebacks(file.read_text())
            finally:
                self._over.set()
                for process in processes:
                    process.signal(signal.SIGCONT)
                    process.kill()
                proxy.close()
                database.close()
        return self.report

    def _make_trouble(self, processes: list[Process], database: Cluster) -> None:
        number = 0
        while not self._over.wait(self._chance.uniform(*self._pause)):
            process = self._chance.choice(processes)
            fault = self._faults[number % len(self._faults)]
            number += 1
            self.report.faults[fault] += 1
            if fault == "kill":
                process.kill()
                process.start()
            elif fault == "restart":
                process.stop()
                process.start()
            elif fault == "pause":
                process.signal(signal.SIGSTOP)
                self._over.wait(PAUSE)
                process.signal(signal.SIGCONT)
            else:
                database.stop()
                database.start()
            process.wait()

    def _run(self, numbers: Iterator[int], url: str) -> None:
        """Carry out one run after the other, until there were enough and the time is over."""
        for number in numbers:
            if number >= self._runs and time.monotonic() > self._deadline:
                return
            self._one(number, url)

    def _one(self, number: int, url: str) -> None:
        upto = 3 + number % 20
        way = (self._by_client, self._by_graph, self._by_events, self._by_socket)[number % 4]
        try:
            with get_sync_client(url=url, retry=RETRY) as client:
                thread_id = self._thread(client)
                told, kept = way(client, thread_id, upto)
                self._compare(client, number, thread_id, upto)
                self.report.events += len(told)
                had, is_kept = Counter(map(str, told)), Counter(map(str, kept()))
                self.report.lost += (lost := (is_kept - had).total())
                self.report.repeated += (repeated := (had - is_kept).total())
                if lost or repeated:
                    text = f"run {number}, {way.__name__}: lost {lost}, repeated {repeated}"
                    self.report.wrong.append(f"{text} of {len(told)}")
        except Exception:
            self.report.failed.append(f"run {number}, {way.__name__}: {traceback.format_exc()}")
        self.report.runs += 1

    def _thread(self, client: Any) -> str:
        """Create a thread; under a name of its own, so that a request can be repeated."""
        thread_id = str(uuid.uuid4())
        client.threads.create(thread_id=thread_id, if_exists="do_nothing")
        return thread_id

    # The ways to stream: each returns what was told, and what reads what the server kept.

    def _by_graph(self, client: Any, thread_id: str, upto: int) -> Streamed:
        graph = RemoteGraph("counter", sync_client=client)
        config: Any = {"configurable": {"thread_id": thread_id}, "recursion_limit": 100}
        given = {"upto": upto, "log": []}
        told = [*graph.stream(given, config, stream_mode="custom")]
        return told, lambda: self._kept(client, thread_id)

    def _by_client(self, client: Any, thread_id: str, upto: int) -> Streamed:
        parts = client.runs.stream(
            thread_id,
            "counter",
            input={"upto": upto, "log": []},
            stream_mode="custom",
            stream_resumable=True,
            config={"recursion_limit": 100},
        )
        told = [part.data for part in parts if part.event == "custom"]
        return told, lambda: self._kept(client, thread_id)

    def _kept(self, client: Any, thread_id: str) -> list[Any]:
        (run,) = client.runs.list(thread_id)
        parts = client.runs.join_stream(thread_id, run["run_id"], last_event_id="-1")
        return [part.data for part in parts if part.event == "custom"]

    def _by_events(self, client: Any, thread_id: str, upto: int) -> Streamed:
        return self._by_thread_stream(client, thread_id, upto, "sse")

    def _by_socket(self, client: Any, thread_id: str, upto: int) -> Streamed:
        return self._by_thread_stream(client, thread_id, upto, "websocket")

    def _by_thread_stream(self, client: Any, thread_id: str, upto: int, way: Any) -> Streamed:
        config: Any = {"recursion_limit": 100}
        with client.threads.stream(thread_id, assistant_id="counter", transport=way) as thread:
            thread.run.start(input={"upto": upto, "log": []}, config=config)
            told = [_event(event) for event in thread.subscribe(CHANNELS)]
            if thread.output != local_result(upto):
                self.report.wrong.append(f"thread {thread_id}: output {thread.output}")
        return told, lambda: self._kept_events(client, thread_id)

    def _kept_events(self, client: Any, thread_id: str) -> list[Any]:
        """Read by a bare request, which nobody continues: from the start again after each cut."""
        body: Any = {"channels": [*CHANNELS, "lifecycle"]}
        where = f"/threads/{thread_id}/stream/events"
        for _ in range(20):
            kept = []
            try:
                with client.http.stream(where, "POST", json=body) as parts:
                    for part in parts:
                        if part.data["method"] != "lifecycle":
                            kept.append(_event(part.data))
                        elif part.data["event_id"].endswith(_OVER):
                            return kept
            except (APIConnectionError, InternalServerError, StreamIncomplete):
                pass  # Its server has gone.
            time.sleep(0.5)
        raise EOFError("the kept events have no end")

    def _compare(self, client: Any, number: int, thread_id: str, upto: int) -> None:
        expected = local_result(upto)
        state = client.threads.get_state(thread_id)
        log = state["values"].get("log") or []
        self.report.truncated += log == expected["log"][: len(log)] and len(log) < upto
        if state["values"] != expected or state["next"]:
            self.report.wrong.append(f"run {number}: {state['values']}, {state['next']}")
        statuses = [run["status"] for run in client.runs.list(thread_id)]
        if statuses != ["success"]:
            error = client.threads.get(thread_id).get("error")
            self.report.wrong.append(f"run {number}: {statuses}, {error}")

    def _note_tracebacks(self, log: str) -> None:
        """Note the exceptions in a server's log, and where those are from that nobody expects."""
        for part in log.split("Traceback (most recent call last):\n")[1:]:
            lines = part.splitlines()
            end = next((n for n, line in enumerate(lines) if line[:1] not in ("", " ")), len(lines))
            raised = "".join(lines[end : end + 1])
            name = raised.partition(":")[0]
            self.report.raised[name] += 1
            if name not in _OUTAGES and "response already started" not in raised:
                self.report.tracebacks.append("\n".join(lines[: end + 1])[-3000:])

    def _check_effects(self, effects: Path) -> None:
        """A former owner of a thread must begin nothing after the next one has begun.

        What it was about to do when it was paused it does when it wakes up: one step.
        """
        latest: dict[str, int] = {}
        former: Counter[tuple[str, str]] = Counter()
        for line in effects.read_text().splitlines():
            thread_id, epoch, step, process_id = line.split()
            if int(epoch) < latest.get(thread_id, 0):
                former[thread_id, process_id] += 1
                if former[thread_id, process_id] > 1:
                    self.report.twice.append(f"thread {thread_id}: step {step} in epoch {epoch}")
            latest[thread_id] = max(latest.get(thread_id, 0), int(epoch))
        self.report.finished = len(former)


def _event(event: Any) -> Any:
    return event["seq"], event["event_id"], event["method"]


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(16))
    parser.add_argument("--runs", type=int, default=1000, help="at least")
    parser.add_argument("--seconds", type=float, default=600.0, help="at least")
    parser.add_argument("--at-once", type=int, default=20)
    parser.add_argument("--faults", default=",".join(FAULTS), help="in turn, separated by commas")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    chaos = Chaos(options.seed, options.runs, options.seconds, options.at_once, (1.0, 4.0))
    report = chaos(options.faults.split(","))
    print(report)
    return 0 if report.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
