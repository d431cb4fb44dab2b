"""How kept events of the v3 stream share rows: it is seen by nobody who reads them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from langgraph_client.server.storage.event_rows import events_of, rows_of
from langgraph_client.server.storage.protocol import KeptEvent
from langgraph_client.server.storage.sqlite.protocol_events import ProtocolEventTable
from langgraph_client.server.storage.sqlite.storage import SqliteStorage


def event(seq: int, name: str = "messages", run_id: str = "r") -> KeptEvent:
    return KeptEvent(seq, run_id, 5, name, b'{"seq":%d}' % seq)


@pytest.fixture
async def table() -> AsyncIterator[ProtocolEventTable]:
    """The events of a storage that has the thread `t`."""
    storage = SqliteStorage()
    await storage.threads.put({"thread_id": "t"})
    yield storage.protocol_events
    await storage.close()


@pytest.mark.parametrize(
    ("events", "rows"),
    [
        ([], 0),
        ([event(1)], 1),
        ([event(seq) for seq in range(1, 251)], 1),
        ([event(seq) for seq in range(1, 252)], 2),
        ([event(1), event(2, "values"), event(3)], 3),
        ([event(1), event(2, run_id="other")], 2),
        ([event(1), event(3)], 2),
    ],
)
def test_events_of_one_name_and_run_that_follow_each_other_share_a_row(
    events: list[KeptEvent], rows: int
) -> None:
    """What rows hold is what was put into them, in its order."""
    made = list(rows_of(events))
    assert len(made) == rows
    assert [e for row in made for e in events_of(row, -1)] == events
    assert [e for row in made for e in events_of(row, 200)] == [e for e in events if e.seq > 200]


async def test_a_page_begins_and_ends_within_a_row(table: ProtocolEventTable) -> None:
    """Numbers and limits count events, not rows."""
    events = [event(seq) for seq in range(1, 601)]
    await table.add("t", events)
    assert await table.of_thread("t", 0, 1000) == events
    assert await table.of_thread("t", 100, 300) == events[100:400]
    assert await table.of_thread("t", 599, 5) == events[599:]
    assert await table.of_thread("t", 600, 5) == []
    assert await table.last("t") == events[-1]


async def test_of_a_deleted_run_only_the_thread_s_last_event_stays(
    table: ProtocolEventTable,
) -> None:
    """The number of the next event is told by the last one; all others of its row are deleted."""
    life = event(1, "lifecycle:running")
    await table.add("t", [life, *(event(seq) for seq in range(2, 101))])
    assert await table.lifecycle("r") == [life]
    await table.delete_run("r")
    assert await table.of_thread("t", 0, 1000) == [event(100)]
