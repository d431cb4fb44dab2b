"""One measurement of one subject, in a process of its own: prints its numbers as JSON.

python worker.py '{"subject": "ours", "what": "calls", "url": ..., ...}'
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent)]
Numbers = dict[str, float]


class Spent:
    """The time since it was made, by the wall and of this process."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def per(self, count: int) -> Numbers:
        """Seconds for each of so many."""
        return {
            "wall": (time.perf_counter() - self._wall) / count,
            "cpu": (time.process_time() - self._cpu) / count,
        }


def megabytes(field: str) -> float:
    """A number of this process: `VmRSS` now, `VmHWM` at most."""
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith(field))
    return int(line.split()[1]) / 1000


def forget_peak() -> None:
    """Begin to count the most memory from here."""
    gc.collect()
    with open("/proc/self/clear_refs", "w") as refs:
        refs.write("5")


def calls(subject: Any, job: dict[str, Any]) -> Numbers:
    """Calls one after the other, or so many at a time."""
    count, at_once, name = job["count"], job["at_once"], job["call"]
    if not at_once:
        client, call = subject.open(job["url"]), getattr(subject, name)
        for _ in range(50):
            call(client)
        spent = Spent()
        for _ in range(count):
            call(client)
        return spent.per(count)

    async def main() -> Numbers:
        client, call = subject.aopen(job["url"]), getattr(subject, "a" + name)

        async def one(times: int) -> None:
            for _ in range(times):
                await call(client)

        await asyncio.gather(*(one(1) for _ in range(at_once)))
        spent = Spent()
        await asyncio.gather(*(one(count // at_once) for _ in range(at_once)))
        return spent.per(count // at_once * at_once)

    return asyncio.run(main())


def settle() -> None:
    """Collect what imports have left, or the collector would do so in the middle of a stream."""
    gc.collect()
    forget_peak()


def stream(subject: Any, job: dict[str, Any]) -> Numbers:
    """A stream from its beginning to its end, after a short one."""
    spec: str = job["spec"]
    kind, count, *rest = spec.split(":")
    short = ":".join([kind, "20", *rest])

    def checked(got: int) -> None:
        if got != int(count):
            raise RuntimeError(f"{got} events, expected {count}")

    async def main() -> Numbers:
        client = subject.aopen(job["url"])
        async for _ in subject.astream(client, short):
            pass
        settle()
        before, spent, got = megabytes("VmRSS"), Spent(), 0
        async for _ in subject.astream(client, spec):
            got += 1
        numbers = spent.per(got)
        checked(got)
        return {**numbers, "peak": megabytes("VmHWM") - before}

    if job["colour"] == "async":
        return asyncio.run(main())
    client = subject.open(job["url"])
    for _ in subject.stream(client, short):
        pass
    settle()
    before, spent, got = megabytes("VmRSS"), Spent(), 0
    for _ in subject.stream(client, spec):
        got += 1
    numbers = spent.per(got)
    checked(got)
    return {**numbers, "peak": megabytes("VmHWM") - before}


def first(subject: Any, job: dict[str, Any]) -> Numbers:
    """From the call to the first event of a stream that then stays open for a while."""
    waits = []

    async def main() -> None:
        client = subject.aopen(job["url"])
        for _ in range(job["count"]):
            begun, seen = time.perf_counter(), False
            async for _ in subject.astream(client, job["spec"]):
                if not seen:
                    seen = True
                    waits.append(time.perf_counter() - begun)

    if job["colour"] == "async":
        asyncio.run(main())
    else:
        client = subject.open(job["url"])
        for _ in range(job["count"]):
            begun, seen = time.perf_counter(), False
            for _ in subject.stream(client, job["spec"]):
                if not seen:
                    seen = True
                    waits.append(time.perf_counter() - begun)
    middle = sorted(waits)[len(waits) // 2]
    return {"wall": middle, "cpu": middle}


def decode(subject: Any, job: dict[str, Any]) -> Numbers:
    """Reading the answer of a search for 1,000 threads, and the JSON library alone."""
    from canned_server import threads_body

    content = threads_body(1000, 2048)
    if job["subject"] == "socket":
        import orjson

        read: Any = orjson.loads
    else:
        from langgraph_client._core.call import ReplyReader
        from langgraph_client.models import Thread

        read = ReplyReader(list[Thread]).read
    read(content)
    best: Numbers = {}
    for _ in range(job["count"]):
        spent = Spent()
        threads = read(content)
        now = spent.per(1)
        del threads
        best = now if not best or now["cpu"] < best["cpu"] else best
    return best


def main() -> None:
    """Measure what each line of the input asks for."""
    warnings.simplefilter("ignore")
    from subjects import SUBJECTS

    made: dict[str, Any] = {}
    for line in sys.stdin:
        job = json.loads(line)
        name = job["subject"]
        try:
            if job["what"] != "decode" and name not in made:
                made[name] = SUBJECTS[name]()
            numbers = MEASURES[job["what"]](made.get(name), job)
        except Exception as error:  # The incumbent's, at five hundred calls.
            numbers = {}
            print(f"{name}: {error!r}", file=sys.stderr, flush=True)
        print(json.dumps(numbers), flush=True)


MEASURES = {"calls": calls, "stream": stream, "first": first, "decode": decode}

if __name__ == "__main__":
    main()
