"""What one stream of the chaos is to go through, and whether its reader got what it should have."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from langgraph_client import (
    Reconnect,
    ReconnectPolicy,
    RetryPolicy,
    ScriptedGraph,
    StreamIncomplete,
)
from langgraph_client.errors import APIConnectionError, APIStatusError, LangGraphError
from langgraph_client.server.graphs.script_steps import Emit, Say, Wait
from langgraph_client.testing import Fault, Faults

MODES = ("values", "updates", "custom", "messages-tuple")
RETRY = RetryPolicy(initial=0, jitter=0)
RECONNECT = ReconnectPolicy(max_reconnects=100, initial=0, heartbeat_timeout=0.25)
CONTINUING = "*/runs/*/stream"
Events = Sequence[tuple[str | None, str, Any]]


def script(values: dict[str, Any]) -> list[Any]:
    """The steps of a run, drawn by the number in its input: now bursts, now single events."""
    chance = random.Random(values["number"])
    steps: list[Any] = []
    for n in range(chance.randrange(1, 30)):
        kind = chance.random()
        if kind < 0.4:
            steps += [Emit({"n": n, "text": "é\u2028\r" * chance.randrange(20)})]
        elif kind < 0.7:
            steps.append({"n": n, "text": "x" * chance.randrange(400)})
        elif kind < 0.85 and not values["quiet"]:
            steps.append(Say(["a", "b " * chance.randrange(30), "c"]))
        else:
            steps.append(Wait(chance.choice((0, 0, 0.002))))
    return steps


def graph() -> ScriptedGraph:
    """The graph that all streams run."""
    return ScriptedGraph(script)


@dataclass
class Plan:
    """One stream: what is asked, and what goes wrong. The same number gives the same plan."""

    number: int
    kind: str = ""
    modes: list[str] = field(default_factory=list)
    resumable: bool = True

    def __post_init__(self) -> None:
        chance = random.Random(self.number)
        self.kind = chance.choice(("stream", "stream", "join", "thread"))
        self.modes = chance.sample(MODES, chance.randrange(1, len(MODES) + 1))
        self.resumable = self.kind != "stream" or chance.random() < 0.85
        if not self.resumable:  # Compared with another run, whose messages have other ids.
            self.modes = ["values", "updates", "custom"]

    @property
    def run(self) -> dict[str, Any]:
        """The parameters of the run."""
        return {
            "input": {"number": self.number, "quiet": not self.resumable},
            "stream_mode": self.modes,
            "stream_resumable": self.resumable,
        }

    def break_wire(self, faults: Faults) -> list[Fault]:
        """Make the faults of this plan."""
        chance = random.Random(self.number + 1)
        made: list[Fault] = []
        cleanly = self.resumable and chance.random() < 0.5
        for _ in range(chance.randrange(1, 6)):
            times = chance.randrange(1, 4)
            # One close in good order is seen through; a second one at the same place, when the run
            # is over, would look as its end does.
            clean, cleanly = cleanly, False
            times = 1 if clean else times
            kind = chance.randrange(9)
            if kind < 3:
                place = chance.randrange(0, 4000)
                made.append(
                    faults.cut_after(bytes=place, clean=clean, times=times, path="*/stream")
                )
            elif kind < 5:
                after = chance.randrange(0, 12)
                made.append(
                    faults.cut_after(events=after, clean=clean, times=times, path="*/stream")
                )
            elif kind == 5:
                made.append(faults.refuse(times=min(times, 2), method="GET"))
            elif kind == 6:
                made.append(faults.unreachable(times=min(times, 2), path=CONTINUING))
            elif kind == 7:
                made.append(faults.disconnect(times=1, delivered=True, method="GET"))
            else:
                made.append(faults.drip(bytes=chance.randrange(1, 50), path="*/stream"))
        if self.resumable and chance.random() < 0.02:
            made.append(faults.stall(events=chance.randrange(1, 9), times=1, path="*/stream"))
        return made


@dataclass
class Tally:
    """What became of many streams."""

    streams: int = 0
    complete: int = 0
    told: int = 0  # Ended by an error that names what is missing.
    faults: int = 0
    reconnects: int = 0
    events: int = 0
    lost: int = 0
    repeated: int = 0
    other: int = 0  # In another order, or two runs from one call.
    wrong: list[str] = field(default_factory=list)

    def judge(
        self, plan: Plan, got: Events, logged: Events, error: LangGraphError | None, runs: int
    ) -> None:
        """Compare what a reader got with what the server logged."""
        if not plan.resumable:  # Without ids, and with its own in the metadata.
            got = [part for part in got if part[1] != "metadata"]
            logged = [part for part in logged if part[1] != "metadata"]
        self.streams += 1
        self.events += len(got)
        self.complete += error is None
        self.told += error is not None
        seen, kept = _counted(got), _counted(logged)
        if error is None:
            lost, repeated = (kept - seen).total(), (seen - kept).total()
            disordered = not lost and not repeated and list(got) != list(logged)
        else:
            lost, repeated = 0, (seen - kept).total()
            disordered = list(got) != list(logged)[: len(got)]
            allowed = StreamIncomplete | APIConnectionError | APIStatusError
            disordered = disordered or not isinstance(error, allowed)
        disordered = disordered or runs > 1
        self.lost += lost
        self.repeated += repeated
        self.other += disordered
        if lost or repeated or disordered:
            self.wrong.append(
                f"--only {plan.number}: {plan.kind}, {plan.modes}: lost {lost}, repeated "
                f"{repeated}, {runs} runs, {len(got)} of {len(logged)} events, {error!r}"
            )

    def reconnected(self, attempt: Reconnect) -> None:
        """A stream is about to be continued."""
        self.reconnects += 1

    def __add__(self, more: Tally) -> Tally:
        names = ("streams", "complete", "told", "faults", "reconnects", "events")
        names += ("lost", "repeated", "other")
        sums = {name: getattr(self, name) + getattr(more, name) for name in names}
        return Tally(**sums, wrong=self.wrong + more.wrong)


def is_last(event: str, data: Any) -> bool:
    """Whether this event of a thread's stream says that its run is over."""
    return event == "metadata" and data.get("status") == "run_done"


def _counted(events: Events) -> Counter[str]:
    return Counter(json.dumps(event, sort_keys=True) for event in events)
