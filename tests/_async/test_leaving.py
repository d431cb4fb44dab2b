"""Streams that are left before their end: the connection is freed at once, and the server knows."""

from __future__ import annotations

import gc
from asyncio import sleep
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from langgraph_client import AsyncRunStream, LangGraphClient, ScriptedGraph, get_client
from langgraph_client.server.graphs.script_steps import Wait
from langgraph_client.testing import TestServer

HOUR = 3600


@pytest.fixture(scope="module")
def slow() -> Iterator[TestServer]:
    """A server whose runs say something, and then take an hour."""
    with TestServer({"slow": ScriptedGraph([{"n": 1}, Wait(HOUR)])}) as running:
        running.listen()
        yield running


@pytest.fixture(params=["in process", "port"])
async def caller(
    slow: TestServer, request: pytest.FixtureRequest
) -> AsyncIterator[LangGraphClient]:
    """A client of `slow`."""
    transport = slow.async_transport() if request.param == "in process" else None
    async with get_client(url=slow.url, transport=transport) as client:
        yield client


async def by_break(stream: AsyncRunStream[Any]) -> None:
    async for _ in stream:
        break


async def by_exception(stream: AsyncRunStream[Any]) -> None:
    with suppress(LookupError):
        async with stream:
            async for _ in stream:
                raise LookupError


async def by_interrupt(stream: AsyncRunStream[Any]) -> None:
    with suppress(KeyboardInterrupt):
        async for _ in stream:
            raise KeyboardInterrupt


async def by_context(stream: AsyncRunStream[Any]) -> None:
    async with stream:
        pass


async def by_close(stream: AsyncRunStream[Any]) -> None:
    await anext(stream)
    await stream.aclose()
    await stream.aclose()


@pytest.mark.parametrize("leave", [by_break, by_exception, by_interrupt, by_context, by_close])
async def test_the_server_learns_of_it(
    caller: LangGraphClient, leave: Callable[[AsyncRunStream[Any]], Any]
) -> None:
    """However a stream is left, `on_disconnect="cancel"` takes effect without anything further."""
    thread = await caller.threads.create()
    stream = caller.runs.stream(thread.thread_id, "slow", input={}, on_disconnect="cancel")
    await leave(stream)
    run_id = stream.run_id
    assert run_id is not None
    del stream
    gc.collect()
    await sleep(0)
    # The run would take an hour: joining it comes back since it was cancelled.
    await caller.runs.join(thread.thread_id, run_id)
    assert (await caller.runs.get(thread.thread_id, run_id)).status == "interrupted"


async def test_a_run_may_go_on_without_its_reader(caller: LangGraphClient) -> None:
    """By default leaving a stream leaves its run alone."""
    thread = await caller.threads.create()
    async with caller.runs.stream(thread.thread_id, "slow", input={}) as stream:
        await anext(stream)
    run_id = stream.run_id or ""
    assert (await caller.runs.get(thread.thread_id, run_id)).status == "running"
    await caller.runs.cancel(thread.thread_id, run_id, wait=True)


async def test_a_stream_that_is_never_opened_costs_nothing(caller: LangGraphClient) -> None:
    """Nothing was sent, so there is nothing to free, and nothing to complain about."""
    thread = await caller.threads.create()
    stream = caller.runs.stream(thread.thread_id, "slow", input={})
    await stream.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
    caller.runs.stream(thread.thread_id, "slow", input={})
    gc.collect()
    assert await caller.runs.list(thread.thread_id) == []
