"""One thread stream of the chaos: read through faults, then as the server logged it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from langgraph_client import get_client
from langgraph_client.errors import LangGraphError
from langgraph_client.testing import FaultProxy
from tests.chaos.event_plans import EventPlan
from tests.chaos.plans import RECONNECT, RETRY, Tally


async def follow_events(plan: EventPlan, url: str) -> Tally:
    """Follow the thread of a plan, run after run, through a proxy of its own."""
    tally = Tally()
    noted = replace(RECONNECT, on_reconnect=tally.reconnected)
    with FaultProxy(url) as proxy:
        made = plan.break_wire(proxy.faults)
        async with get_client(url=proxy.url, retry=RETRY, reconnect=noted) as client:
            stream = client.threads.stream(assistant_id="agent", transport=plan.way)
            got: list[Any] = []
            error = None
            async with stream as thread:
                for run in range(plan.runs):
                    try:
                        await thread.run.start(input=plan.input(run))
                        async for event in thread.subscribe(plan.channels):
                            got.append(event)
                    except LangGraphError as raised:
                        error = raised
                        break
    tally.faults = sum(fault.fired for fault in made)
    plan.judge(tally, got, await _logged(plan, url, stream.thread_id, len(got)), error)
    return tally


async def _logged(plan: EventPlan, url: str, thread_id: str, least: int) -> list[Any]:
    """What the server kept: read run by run, over a connection without faults."""
    logged: list[Any] = []
    async with get_client(url=url) as client:
        runs = [run.run_id async for run in client.runs.iter(thread_id)]
        for run_id in runs:
            await client.runs.join(thread_id, run_id)
        body: Any = {"channels": [*plan.channels, "lifecycle"]}
        ends = 0
        async with client.http.stream(
            f"/threads/{thread_id}/stream/events", "POST", json=body
        ) as events:
            async for part in events:
                data: Any = part.data
                if data["method"] != "lifecycle" or "lifecycle" in plan.channels:
                    logged.append(data)
                ends += data["event_id"].endswith(("lc||completed", "lc||failed"))
                if ends == len(runs):
                    break
    return logged
