"""Where what is kept meets what happens just now: a reader that joins then misses nothing."""

from __future__ import annotations

import asyncio

from langgraph_client.server.clock import Clock, EventId
from langgraph_client.server.runs.event_log import EventLog, Keeper
from langgraph_client.server.storage.protocol import Event


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
    async with asyncio.timeout(5):
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
