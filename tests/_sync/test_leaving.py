# Generated from tests/_async/test_leaving.py by .ci/unasync.py; do not edit.
"""Streams that are left before their end: the connection is freed at once, and the server knows."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import suppress
from time import sleep
from typing import Any

import pytest

from langgraph_client import RunStream, ScriptedGraph, SyncLangGraphClient, get_sync_client
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
def caller(slow: TestServer, request: pytest.FixtureRequest) -> Iterator[SyncLangGraphClient]:
    """A client of `slow`."""
    transport = slow.transport() if request.param == "in process" else None
    with get_sync_client(url=slow.url, transport=transport) as client:
        yield client


def by_break(stream: RunStream[Any]) -> None:
    for _ in stream:
        break


def by_exception(stream: RunStream[Any]) -> None:
    with suppress(LookupError):
        with stream:
            for _ in stream:
                raise LookupError


def by_interrupt(stream: RunStream[Any]) -> None:
    with suppress(KeyboardInterrupt):
        for _ in stream:
            raise KeyboardInterrupt


def by_context(stream: RunStream[Any]) -> None:
    with stream:
        pass


def by_close(stream: RunStream[Any]) -> None:
    next(stream)
    stream.close()
    stream.close()


@pytest.mark.parametrize("leave", [by_break, by_exception, by_interrupt, by_context, by_close])
def test_the_server_learns_of_it(
    caller: SyncLangGraphClient, leave: Callable[[RunStream[Any]], Any]
) -> None:
    """However a stream is left, `on_disconnect="cancel"` takes effect without anything further."""
    thread = caller.threads.create()
    stream = caller.runs.stream(thread.thread_id, "slow", input={}, on_disconnect="cancel")
    leave(stream)
    run_id = stream.run_id
    assert run_id is not None
    del stream
    gc.collect()
    sleep(0)
    # The run would take an hour: joining it comes back since it was cancelled.
    caller.runs.join(thread.thread_id, run_id)
    assert (caller.runs.get(thread.thread_id, run_id)).status == "interrupted"


def test_a_run_may_go_on_without_its_reader(caller: SyncLangGraphClient) -> None:
    """By default leaving a stream leaves its run alone."""
    thread = caller.threads.create()
    with caller.runs.stream(thread.thread_id, "slow", input={}) as stream:
        next(stream)
    run_id = stream.run_id or ""
    assert (caller.runs.get(thread.thread_id, run_id)).status == "running"
    caller.runs.cancel(thread.thread_id, run_id, wait=True)


def test_a_stream_that_is_never_opened_costs_nothing(caller: SyncLangGraphClient) -> None:
    """Nothing was sent, so there is nothing to free, and nothing to complain about."""
    thread = caller.threads.create()
    stream = caller.runs.stream(thread.thread_id, "slow", input={})
    stream.close()
    with pytest.raises(StopIteration):
        next(stream)
    caller.runs.stream(thread.thread_id, "slow", input={})
    gc.collect()
    assert caller.runs.list(thread.thread_id) == []
