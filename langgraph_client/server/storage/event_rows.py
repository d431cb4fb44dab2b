"""How the kept events of the v3 stream share rows of a table. Pure.

Events that are written together, one behind the other and under one name, such as the tokens of a
message, are one row: to write a row takes as long as all the rest that is done for an event. The
row has the number of its last event; the events are its lines, as no line feed is in the JSON of
the wire.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from langgraph_client.server.storage.protocol import KeptEvent

_OF_ROW = 250
"""How many events share a row at most, as a page of events is read a row at a time."""


def rows_of(events: Iterable[KeptEvent]) -> Iterator[KeptEvent]:
    """Yield events, in the order of their numbers, as the rows that they make together."""
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
    """Return those events of a row that are after a number."""
    last, run_id, ms, name, data = row
    lines = data.split(b"\n")
    first = last - len(lines) + 1
    skipped = max(after + 1 - first, 0)
    return [
        KeptEvent(first + number, run_id, ms, name, line)
        for number, line in enumerate(lines[skipped:], skipped)
    ]
