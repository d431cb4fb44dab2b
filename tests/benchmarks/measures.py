"""What is measured, on any server, through bare httpx."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import httpx
from raw import Connection

_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=100)
RUN = {"assistant_id": "trivial", "input": {"count": 1}}


@dataclass(frozen=True)
class Subject:
    """A server to measure, and how much of it."""

    url: str
    transport: Callable[[], httpx.BaseTransport] | None = None
    async_transport: Callable[[], httpx.AsyncBaseTransport] | None = None
    #: How often a thing is done, and for how many seconds at most.
    times: int = 500
    seconds: float = 5.0
    events: int = 30_000
    threads: int = 10_000

    def client(self) -> httpx.Client:
        transport = self.transport and self.transport()
        return httpx.Client(base_url=self.url, transport=transport, timeout=120, trust_env=False)

    def async_client(self) -> httpx.AsyncClient:
        transport = self.async_transport and self.async_transport()
        return httpx.AsyncClient(
            base_url=self.url, transport=transport, timeout=120, limits=_LIMITS, trust_env=False
        )


def _ask(client: httpx.Client, method: str, path: str, body: object = None) -> Any:
    answer = client.request(method, path, json=body)
    answer.raise_for_status()
    return answer.json()


def _median(subject: Subject, once: Callable[[], object]) -> float:
    """Return the median time of a call, in milliseconds. The first calls warm up."""
    for _ in range(3):
        once()
    taken = []
    limit = time.perf_counter() + subject.seconds
    while len(taken) < subject.times and time.perf_counter() < limit:
        start = time.perf_counter()
        once()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken) * 1000


async def _together(
    calls: list[Callable[[], Awaitable[object]]], count: int, seconds: float
) -> float:
    """Let each of several callers call again and again, so many times in all, or so many seconds.

    Returns calls a second.
    """
    start = time.perf_counter()
    left = count

    async def some(call: Callable[[], Awaitable[object]]) -> None:
        nonlocal left
        while left > 0 and time.perf_counter() < start + seconds:
            left -= 1
            await call()

    await asyncio.gather(*map(some, calls))
    return (count - left) / (time.perf_counter() - start)


def wait(subject: Subject) -> float:
    """A trivial run without a thread, until its result is there."""
    with subject.client() as client:
        return _median(subject, lambda: _ask(client, "POST", "/runs/wait", RUN))


def fifty(subject: Subject) -> float:
    """Trivial runs a second, fifty at a time."""

    async def twice(calls: list[Callable[[], Awaitable[object]]]) -> float:
        await _together(calls, 50, subject.seconds)
        return await _together(calls, subject.times * 4, subject.seconds * 2)

    async def in_process() -> float:
        async with subject.async_client() as client:

            async def once() -> None:
                (await client.post("/runs/wait", json=RUN)).raise_for_status()

            return await twice([once] * 50)

    async def on_a_port() -> float:
        opened = [await Connection(subject.url, "/runs/wait", RUN).open() for _ in range(50)]
        try:
            return await twice([connection.post for connection in opened])
        finally:
            for connection in opened:
                await connection.close()

    return asyncio.run(in_process() if subject.transport else on_a_port())


def first_event(subject: Subject) -> float:
    """From asking for a stream to its first event."""
    body = {**RUN, "stream_mode": ["values"]}
    with subject.client() as client:

        def once() -> None:
            with client.stream("POST", "/runs/stream", json=body) as answer:
                answer.raise_for_status()
                chunks = answer.iter_raw()
                next(chunk for chunk in chunks if chunk.startswith(b"event:"))
                taken.append(time.perf_counter() - start)
                for _ in chunks:
                    pass  # To the end: the next run shall find the server at rest.

        taken: list[float] = []
        limit = time.perf_counter() + subject.seconds
        while len(taken) < subject.times + 3 and (len(taken) < 6 or time.perf_counter() < limit):
            start = time.perf_counter()
            once()
        return statistics.median(taken[3:]) * 1000


def custom_events(subject: Subject) -> float:
    """Custom events a second, from one run to one reader."""
    body = {"assistant_id": "writer", "input": {"count": subject.events}, "stream_mode": "custom"}
    best = 0.0
    with subject.client() as client:
        for _ in range(3):
            start = time.perf_counter()
            with client.stream("POST", "/runs/stream", json=body) as answer:
                answer.raise_for_status()
                count = sum(chunk.count(b"event: custom") for chunk in answer.iter_raw())
            # A chunk may end within the words that are counted.
            assert 0.9 * subject.events <= count <= subject.events
            best = max(best, count / (time.perf_counter() - start))
    return best


def smallest_gap(subject: Subject) -> float:
    """The smallest time between two of five events that are made 50 ms apart."""
    body = {"assistant_id": "paced", "input": {}, "stream_mode": "custom"}
    arrived = []
    with subject.client() as client, client.stream("POST", "/runs/stream", json=body) as answer:
        answer.raise_for_status()
        for chunk in answer.iter_raw():
            arrived += [time.perf_counter()] * chunk.count(b"event: custom")
    assert len(arrived) == 5
    return min(later - earlier for earlier, later in pairwise(arrived)) * 1000


def create_threads(subject: Subject) -> float:
    """Threads made a second, one after the other."""
    with subject.client() as client:
        return 1000 / _median(subject, lambda: _ask(client, "POST", "/threads", {}))


def thread_state(subject: Subject) -> float:
    """Reading the state of a thread that was run once."""
    with subject.client() as client:
        path = f"/threads/{_ask(client, 'POST', '/threads', {})['thread_id']}"
        _ask(client, "POST", f"{path}/runs/wait", RUN)
        return _median(subject, lambda: _ask(client, "GET", f"{path}/state"))


def create_some(subject: Subject) -> None:
    """Make a few threads."""
    with subject.client() as client:
        for _ in range(20):
            _ask(client, "POST", "/threads", {})


def fill(subject: Subject) -> None:
    """Make many threads."""

    async def make() -> None:
        async with subject.async_client() as client:

            async def once() -> None:
                (await client.post("/threads", json={})).raise_for_status()

            await _together([once] * 20, subject.threads, 600)

    asyncio.run(make())


def search(subject: Subject) -> float:
    """The ten latest threads that are idle."""
    body = {"status": "idle", "limit": 10}
    with subject.client() as client:
        return _median(subject, lambda: _ask(client, "POST", "/threads/search", body))
