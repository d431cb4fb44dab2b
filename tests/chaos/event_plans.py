"""What one thread stream of the chaos is to go through: over server-sent events or a WebSocket."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from langgraph_client.errors import LangGraphError
from langgraph_client.testing import Fault, Faults
from tests.chaos.plans import Tally

Way = Literal["sse", "websocket"]
Event = Mapping[str, Any]
CHANNELS = ("lifecycle", "input", "values", "messages", "updates", "custom", "checkpoints", "tasks")
EVENTS = "*/stream/events"


@dataclass
class EventPlan:
    """One thread stream: which channels, how many runs, what goes wrong. Drawn by its number."""

    number: int
    way: Way

    def __post_init__(self) -> None:
        chance = random.Random(self.number)
        self.runs = chance.randrange(1, 4)
        self.channels = chance.sample(CHANNELS, chance.randrange(1, len(CHANNELS) + 1))

    def input(self, run: int) -> dict[str, Any]:
        """The input of one of the runs."""
        return {"number": self.number + run, "quiet": False}

    def break_wire(self, faults: Faults) -> list[Fault]:
        """Make the faults of this plan."""
        chance = random.Random(self.number + 1)
        made: list[Fault] = []
        for _ in range(chance.randrange(1, 6)):
            times = chance.randrange(1, 4)
            clean = chance.random() < 0.5
            kind = chance.randrange(9)
            if kind < 3:
                place = chance.randrange(0, 8000)
                made.append(faults.cut_after(bytes=place, clean=clean, times=times, path=EVENTS))
            elif kind < 5:
                after = chance.randrange(0, 12)
                made.append(faults.cut_after(events=after, clean=clean, times=times, path=EVENTS))
            elif kind == 5:
                made.append(faults.refuse(times=min(times, 2), path=EVENTS))
            elif kind == 6:
                made.append(faults.disconnect(times=1, delivered=True, path=EVENTS))
            elif kind == 7:
                made.append(faults.drip(bytes=chance.randrange(1, 50), path=EVENTS))
            else:
                made.append(faults.duplicate(path=EVENTS, times=times))
        if chance.random() < 0.02:
            made.append(faults.stall(events=chance.randrange(1, 9), times=1, path=EVENTS))
        return made

    def judge(
        self,
        tally: Tally,
        got: Sequence[Event],
        logged: Sequence[Event],
        error: LangGraphError | None,
    ) -> None:
        """Compare what a reader got with what the server logged."""
        seen, kept = _counted(got), _counted(logged)
        lost = 0 if error is not None else (kept - seen).total()
        repeated = (seen - kept).total()
        disordered = not lost and not repeated and list(got) != list(logged)[: len(got)]
        tally.streams += 1
        tally.events += len(got)
        tally.complete += error is None
        tally.told += error is not None
        tally.lost += lost
        tally.repeated += repeated
        tally.other += disordered
        if lost or repeated or disordered:
            tally.wrong.append(
                f"--only {self.number}: {self.way}, {self.channels}: lost {lost}, repeated "
                f"{repeated}, {len(got)} of {len(logged)} events, {error!r}"
            )


def _counted(events: Sequence[Event]) -> Counter[str]:
    return Counter(f"{event['seq']} {event['event_id']} {event['method']}" for event in events)
