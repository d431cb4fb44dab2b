"""Many streams of the chaos at a time: in threads, or on one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests._async.chaos_events import follow_events as follow_events_async
from tests._async.chaos_stream import follow as follow_async
from tests._sync.chaos_events import follow_events as follow_events_blocking
from tests._sync.chaos_stream import follow as follow_blocking
from tests.chaos.event_plans import EventPlan
from tests.chaos.plans import Plan, Tally

AT_A_TIME = 8


def blocking(plans: Sequence[Plan], carry: Callable[[], httpx.BaseTransport], url: str) -> Tally:
    """Follow the streams in threads. `carry` makes the transport without faults."""
    with carry() as inner, ThreadPoolExecutor(AT_A_TIME) as threads:
        return sum(threads.map(lambda plan: follow_blocking(plan, inner, url), plans), Tally())


def asynchronous(
    plans: Sequence[Plan], carry: Callable[[], httpx.AsyncBaseTransport], url: str
) -> Tally:
    """Follow the streams on one event loop. `carry` makes the transport without faults."""

    async def all_of_them() -> Tally:
        places = asyncio.Semaphore(AT_A_TIME)
        async with carry() as inner:

            async def one(plan: Plan) -> Tally:
                async with places:
                    return await follow_async(plan, inner, url)

            return sum(await asyncio.gather(*map(one, plans)), Tally())

    return asyncio.run(all_of_them())


def thread_streams(plans: Sequence[EventPlan], url: str) -> Tally:
    """Follow thread streams in threads."""
    with ThreadPoolExecutor(AT_A_TIME) as threads:
        return sum(threads.map(lambda plan: follow_events_blocking(plan, url), plans), Tally())


def async_thread_streams(plans: Sequence[EventPlan], url: str) -> Tally:
    """Follow thread streams on one event loop."""

    async def all_of_them() -> Tally:
        places = asyncio.Semaphore(AT_A_TIME)

        async def one(plan: EventPlan) -> Tally:
            async with places:
                return await follow_events_async(plan, url)

        return sum(await asyncio.gather(*map(one, plans)), Tally())

    return asyncio.run(all_of_them())
