"""The checkpoints of scripted graphs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from langgraph_client.models.fields import JsonObject
from langgraph_client.server.clock import Clock
from langgraph_client.server.encoding import decode, encode
from langgraph_client.thread_ids import server_thread_id


@dataclass(frozen=True)
class Saved:
    """One checkpoint: the state, and the next step (None if the script is over)."""

    parent: str | None
    values: dict[str, object]
    at: int | None
    metadata: JsonObject
    id: str = ""
    created_at: str = ""


class StateRows(Protocol):
    """Stores the states as JSON, by thread and id. Ids sort by time."""

    async def put(self, thread_id: str, state_id: str, run_id: str | None, text: bytes) -> None:
        """Write a state."""
        ...

    def get(self, thread_id: str, state_id: str | None) -> bytes | None:
        """Return a state by its id, or the latest one."""
        ...

    def history(self, thread_id: str, before: str | None) -> list[bytes]:
        """Return the states of a thread, newest first; those before an id if one is given."""
        ...

    def delete_run(self, thread_id: str, run_id: str) -> None:
        """Delete the states that a run left."""
        ...

    def delete_thread(self, thread_id: str) -> None:
        """Delete all states of a thread."""
        ...

    def prune(self, thread_id: str) -> None:
        """Delete all states of a thread but the latest."""
        ...

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy all states of a thread; their ids stay."""
        ...


class ScriptStates:
    """Stores the states of scripted graphs, by thread; the caller's id of it is accepted too."""

    def __init__(self, rows: StateRows, clock: Clock) -> None:
        self._rows = rows
        self.clock = clock
        self.delete_run = rows.delete_run
        self.delete_thread = rows.delete_thread
        self.prune = rows.prune
        self.copy_thread = rows.copy_thread

    async def put(self, thread_id: str, saved: Saved) -> Saved:
        """Write a state; return it with its id."""
        milliseconds, number = self.clock.event_id()
        # Ids must sort by time, like langgraph's checkpoint ids. So the digits between those that
        # make them UUIDs, 7 and 8, are the number with its highest digits first.
        text = f"{milliseconds:012x}7{number >> 12 & 0xFFF:03x}8{number & 0xFFF:03x}"
        digits = f"{text}{self.clock.uuid4()[-12:]}"
        checkpoint_id = "-".join(
            (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
        )
        saved = replace(saved, id=checkpoint_id, created_at=self.clock.stamp())
        document = encode(saved)
        run_id = saved.metadata.get("run_id")
        await self._rows.put(server_thread_id(thread_id), checkpoint_id, run_id, document)
        # Decoded from the JSON, so that values change now as they will when they are read.
        return Saved(**decode(document))

    def get(self, thread_id: str, checkpoint_id: str | None = None) -> Saved | None:
        """Return a state, the latest one by default."""
        text = self._rows.get(server_thread_id(thread_id), checkpoint_id)
        return None if text is None else Saved(**decode(text))

    def history(self, thread_id: str, before: str | None = None) -> Iterator[Saved]:
        """Return the states of a thread, newest first."""
        rows = self._rows.history(server_thread_id(thread_id), before)
        return (Saved(**decode(text)) for text in rows)
