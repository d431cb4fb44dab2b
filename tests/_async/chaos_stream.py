"""One stream of the chaos: read through faults, then as the server logged it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx

from langgraph_client import AsyncRunStream, LangGraphClient, get_client
from langgraph_client.errors import LangGraphError
from langgraph_client.testing import Faults
from tests.chaos.plans import RECONNECT, RETRY, Events, Plan, Tally, is_last


async def follow(plan: Plan, inner: httpx.AsyncBaseTransport, url: str) -> Tally:
    """Read the stream of a plan. `inner` carries requests without faults; it is left open."""
    faults, tally = Faults(), Tally()
    noted = replace(RECONNECT, on_reconnect=tally.reconnected)
    # Not closed: their transports are shared with other plans.
    direct = get_client(url=url, transport=inner)
    client = get_client(
        url=url, transport=faults.async_transport(inner), retry=RETRY, reconnect=noted
    )
    thread_id = (await direct.threads.create()).thread_id
    run_id = None
    if plan.kind != "stream":
        run_id = (await direct.runs.create(thread_id, "agent", **plan.run)).run_id
    made = plan.break_wire(faults)
    got, error = await _read(_opened(client, plan, thread_id, run_id), plan)
    faults.clear()
    runs = await direct.runs.list(thread_id)
    for run in runs:
        await direct.runs.join(thread_id, run.run_id)
    logged = await _logged(direct, plan, thread_id, runs[0].run_id if runs else None)
    tally.faults = sum(fault.fired for fault in made)
    tally.judge(plan, got, logged, error, len(runs))
    return tally


def _opened(
    client: LangGraphClient, plan: Plan, thread_id: str, run_id: str | None
) -> AsyncRunStream[Any]:
    if plan.kind == "stream":
        return client.runs.stream(thread_id, "agent", **plan.run)
    if plan.kind == "join":
        return client.runs.join_stream(thread_id, run_id or "", last_event_id="0")
    return client.threads.join_stream(thread_id, last_event_id="-")


async def _read(stream: AsyncRunStream[Any], plan: Plan) -> tuple[list[Any], LangGraphError | None]:
    """The parts of a stream, and the error that ended it."""
    got: list[Any] = []
    try:
        async with stream:
            async for part in stream:
                got.append((part.id, part.event, part.data))
                if plan.kind == "thread" and is_last(part.event, part.data):
                    break
    except LangGraphError as error:
        return got, error
    return got, None


async def _logged(
    direct: LangGraphClient, plan: Plan, thread_id: str, run_id: str | None
) -> Events:
    """What the server kept of the run; where it keeps nothing, what another run like it says."""
    if run_id is None:
        return []
    if plan.kind == "thread":
        kept = direct.threads.join_stream(thread_id, last_event_id="-")
    elif plan.resumable:
        kept = direct.runs.join_stream(thread_id, run_id, last_event_id="0")
    else:
        other = await direct.threads.create()
        kept = direct.runs.stream(other.thread_id, "agent", **plan.run)
    logged, error = await _read(kept, plan)
    assert error is None, error
    return logged
