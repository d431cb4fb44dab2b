"""Join stored events of the v3 stream into rows of a table, for speed. No I/O.

Consecutive events with the same name that are written together, such as the tokens of a message,
share one row, because writing a row takes as long as everything else for an event. A row has the
number of its last event. Its events are separated by line feeds, which their JSON never contains.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from langgraph_client.server.storage.protocol import KeptEvent

_OF_ROW = 250
"""The most events per row, because pages of events are read row by row."""


def rows_of(events: Iterable[KeptEvent]) -> Iterator[KeptEvent]:
    """Yield the rows for events, which must be in the order of their numbers."""
    run_id = name = ""
    seq = ms = 0
    lines: list[bytes] = []
    for event in events:
        follows = event.seq == seq + 1 and event.name == name and event.run_id == run_id
        if lines and not (follows and len(lines) < _OF_ROW):
            yield KeptEvent(seq, run_id, ms, name, b"\n".join(lines))
            lines = []
        seq, run_id, ms, name, data = event
        lines.append(data)
    if lines:
        yield KeptEvent(seq, run_id, ms, name, b"\n".join(lines))


def events_of(row: KeptEvent, after: int) -> list[KeptEvent]:
    """Return the events of a row after a number."""
    last, run_id, ms, name, data = row
    lines = data.split(b"\n")
    first = last - len(lines) + 1  # A row is stored under the number of its last event.
    skipped = max(after + 1 - first, 0)
    return [
        KeptEvent(first + number, run_id, ms, name, line)
        for number, line in enumerate(lines[skipped:], skipped)
    ]
