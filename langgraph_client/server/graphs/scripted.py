"""`ScriptedGraph`: a graph that plays a list of steps. Needs no langgraph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from langgraph_client.server.graphs.script_steps import (
    Attempts,
    PlayedStep,
    Script,
    Update,
    Values,
    recorded_steps,
    step_name,
)


class ScriptedGraph:
    """A graph that plays a script, for tests and for those without langgraph.

        ScriptedGraph([Say(["Hel", "lo"]), Ask("sure?"), {"done": True}])

    A run with an input plays the script from its beginning, on top of the thread's state. Resuming
    goes on behind the `Ask` that stopped it.

    Args:
        script: The steps; a function of the state (the input is in it) that gives them; or
            `Attempts(...)`, with a script for each try on a thread.
        name: The graph's name.
    """

    def __init__(self, script: Script | Attempts, *, name: str = "scripted") -> None:
        self.name = name
        scripts = script.scripts if isinstance(script, Attempts) else (script,)
        self._scripts = [one if callable(one) else list(one) for one in scripts]

    @classmethod
    def replaying(cls, events: Iterable[object], *, name: str = "scripted") -> ScriptedGraph:
        """Return a graph that does what a recorded run did.

        Args:
            events: Its events, as `client.runs.stream(stream_mode=["updates", "custom"])` gives
                them: with `event` and `data`, or pairs of these. Other modes are passed over.
            name: The graph's name.
        """
        return cls(list(recorded_steps(events)), name=name)

    def steps(self, values: Values, attempt: int = 1) -> list[PlayedStep]:
        """Return the steps of a try on a thread.

        Args:
            values: The thread's state, for scripts that depend on it.
            attempt: Which try it is, from 1.
        """
        script = self._scripts[min(max(attempt, 1), len(self._scripts)) - 1]
        found = script(dict(values)) if callable(script) else script
        return [Update(step) if isinstance(step, Mapping) else step for step in found]

    def node_names(self) -> list[str]:
        """Return the names of the steps; none where the script depends on the input."""
        if callable(self._scripts[0]):
            return []
        return [step_name(number, step) for number, step in enumerate(self.steps({}))]
