"""The event log by itself."""

from __future__ import annotations

import asyncio

from langgraph_client.server.clock import Clock, EventId
from langgraph_client.server.runs.event_log import EventLog, frames, parse_event_id
from langgraph_client.server.storage.protocol import Event


class Still(Clock):
    """A clock that stands still."""

    def time(self) -> float:
        return 1_000.0


class Memory:
    """A keeper in memory."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    async def add(self, events: list[Event]) -> None:
        self.events += events

    async def after(self, event_id: EventId, limit: int) -> list[Event]:
        return [event for event in self.events if event.id > event_id][:limit]


async def collect(log: EventLog, after: EventId | None) -> list[Event]:
    return [event async for batch in log.read(after) for event in batch]


async def test_ids_within_one_millisecond_are_unique() -> None:
    """Ten thousand events of one millisecond have ten thousand increasing ids."""
    log = EventLog(Still(), Memory())
    ids = [log.append("e", b"1").id for _ in range(10_000)]
    assert ids == sorted(set(ids))


def test_ids_do_not_go_back_with_the_clock() -> None:
    """An id is greater than the one before, also when time is not."""
    clock = Still()
    clock.start_after((2_000_000, 7))
    assert clock.event_id() == (2_000_000, 8)


async def test_reading_from_every_place() -> None:
    """A reading after any event replays what is kept, then follows what comes, without a gap."""
    keeper = Memory()
    log = EventLog(Still(), keeper)
    first = [log.append("e", b"%d" % n) for n in range(3000)]
    await log.flush()
    readings = [
        asyncio.ensure_future(collect(log, after)) for after in ((0, -1), first[10].id, None)
    ]
    await asyncio.sleep(0)
    second = [log.append("e", b"%d" % n) for n in range(5)]
    await log.close()
    everything = first + second
    assert await asyncio.gather(*readings) == [everything, everything[11:], second]


async def test_slow_reader_fills_the_log() -> None:
    """A log is full while any reader is behind by the bound, and not once it is closed."""
    log = EventLog(Clock(), backlog=3)
    reader = log.read()
    for _ in range(3):
        assert not log.full
        log.append("e", b"1")
    waiting = asyncio.ensure_future(log.room())
    await asyncio.sleep(0)
    assert log.full
    assert not waiting.done()
    assert len(await anext(reader)) == 3
    await waiting
    log.append("e", b"1")
    reader.close()
    assert not log.full


async def test_nobody_reading_costs_no_memory() -> None:
    """Events that nobody reads and nobody keeps are not held."""
    log = EventLog(Clock())
    for _ in range(10_000):
        log.append("e", b"1")
    assert not log.full
    await log.close()
    assert await collect(log, (0, -1)) == []


def test_places_in_a_log() -> None:
    """`-`, `0` and `-1` are the beginning, and what is no id is behind everything."""
    assert parse_event_id("-") == parse_event_id("0") == parse_event_id("-1") == (0, -1)
    assert parse_event_id("17-3") == (17, 3)
    assert parse_event_id("abc") > (2**50, 0)


def test_frames_are_bytes_of_the_protocol() -> None:
    """The id comes last, and only when asked for."""
    event = Event((5, 1), "values", b"{}")
    assert frames([event], True) == b"event: values\r\ndata: {}\r\nid: 5-1\r\n\r\n"
    assert frames([event], False) == b"event: values\r\ndata: {}\r\n\r\n"
