"""Where what is kept meets what happens just now: a reader that joins then misses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from langgraph_client import ScriptedGraph
from langgraph_client.server.clock import Clock, EventId
from langgraph_client.server.encoding import NotJsonError
from langgraph_client.server.errors import Unavailable
from langgraph_client.server.graphs.hosted_script import HostedScript
from langgraph_client.server.graphs.protocol import GraphRun
from langgraph_client.server.graphs.protocol_events import PROTOCOL, RAW, ProtocolEvent
from langgraph_client.server.graphs.script_steps import Say
from langgraph_client.server.runs.event_log import EventLog, Keeper
from langgraph_client.server.runs.protocol_log import ProtocolLog
from langgraph_client.server.runs.protocol_runs import ProtocolRuns
from langgraph_client.server.storage.protocol import Event
from langgraph_client.server.storage.sqlite.storage import SqliteStorage


class SlowKeeper(Keeper):
    """Keeps events only when it is allowed to."""

    def __init__(self) -> None:
        self.kept: list[Event] = []
        self.asked = asyncio.Event()
        self.allowed = asyncio.Event()

    async def add(self, events: list[Event]) -> None:
        self.asked.set()
        await self.allowed.wait()
        self.kept += events

    async def after(self, event_id: EventId, limit: int) -> list[Event]:
        return [event for event in self.kept if event.id > event_id][:limit]


class CountingKeeper(Keeper):
    """Notes how many events are written at once."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    async def add(self, events: list[Event]) -> None:
        self.sizes.append(len(events))

    async def after(self, event_id: EventId, limit: int) -> list[Event]:
        return []


async def test_a_reader_that_comes_while_an_event_is_written_gets_it() -> None:
    """Neither what is kept shows it yet, nor was the reader there when it was appended."""
    keeper = SlowKeeper()
    log = EventLog(Clock(), keeper)
    event = log.append("values", b"1")
    await keeper.asked.wait()
    reader = log.read((0, -1))
    reading = asyncio.ensure_future(anext(reader))
    await asyncio.sleep(0)
    keeper.allowed.set()
    async with asyncio.timeout(60):
        assert await reading == [event]
    await log.close()
    assert [batch async for batch in reader] == []


async def test_a_reader_that_comes_behind_the_write_gets_it_once() -> None:
    """What is kept shows it; what is handed out then is the same event."""
    keeper = SlowKeeper()
    keeper.allowed.set()
    log = EventLog(Clock(), keeper)
    event = log.append("values", b"1")
    await log.flush()
    reader = log.read((0, -1))
    later = log.append("values", b"2")
    await log.close()
    assert [e async for batch in reader for e in batch] == [event, later]


async def test_events_that_come_together_are_written_and_read_together() -> None:
    """A batch is one write and one wake-up of each reader, whatever its size."""
    keeper = CountingKeeper()
    log = EventLog(Clock(), keeper)
    readers = [log.read(), log.read()]
    reading = [asyncio.ensure_future(anext(reader)) for reader in readers]
    await asyncio.sleep(0)
    events = [Event((number, 0), "messages", b"%d" % number) for number in range(1, 101)]
    log.extend(events)
    async with asyncio.timeout(60):
        assert await asyncio.gather(*reading) == [events, events]
    assert keeper.sizes == [100]
    await log.close()


async def test_events_before_one_that_cannot_be_encoded_have_happened() -> None:
    """A run that gives what is no JSON fails, and what it gave before is told."""
    storage = SqliteStorage()
    log = ProtocolLog(Clock(), storage, "t", 0, set())
    good = ProtocolEvent("custom", (), 1)
    with pytest.raises(NotJsonError):
        log.append("r", [good, good, good._replace(data=lambda: None), good])
    log.append("r", [good])
    await log.log.flush()
    kept = await storage.protocol_events.of_thread("t", 0, 10)
    assert [event.seq for event in kept] == [1, 2, 3]
    await log.log.close()
    await storage.close()


async def test_a_long_message_of_a_script_goes_on_its_way_in_pieces() -> None:
    """Between them it is looked whether readers keep up: a slow one slows its run."""
    storage = SqliteStorage()
    script = HostedScript(
        ScriptedGraph([Say(["x"] * 1000)]), storage.script_states, durable=False, write_events=never
    )
    kwargs = {
        PROTOCOL: True,
        "stream_mode": ["messages", "values"],
        "interrupt_before": [],
        "interrupt_after": [],
        "input": {},
    }
    run = GraphRun(kwargs, {"configurable": {"thread_id": "t"}})
    async with aclosing(script.events(run)) as events:
        batches = [data async for name, data in events if name == RAW]
    assert max(map(len, batches)) <= 100
    told = [event.data["event"] for batch in batches for event in batch]
    assert told[:2] == ["message-start", "content-block-start"]
    assert told[2:-2] == ["content-block-delta"] * 1000
    assert told[-2:] == ["content-block-finish", "message-finish"]
    await storage.close()


async def never() -> None:
    """Write no events."""


async def test_a_log_that_was_opened_in_vain_is_not_left_open() -> None:
    """The reader is cancelled, or the database fails, while the lock of the thread is released."""

    @asynccontextmanager
    async def failing(thread_id: str) -> AsyncIterator[tuple[bool, bool]]:
        yield True, False
        raise Unavailable("the lock cannot be released")

    storage = SqliteStorage()
    runs = ProtocolRuns(storage, Clock(), set(), lambda thread_id: [], failing)
    with pytest.raises(Unavailable):
        await runs.open("t")
    assert not runs.reads("t")
    await storage.close()
