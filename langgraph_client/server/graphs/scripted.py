"""`ScriptedGraph`: a graph that plays a list of steps. Needs no langgraph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from langgraph_client.errors import InvalidArgumentError
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
    """A graph that plays a script, for tests and for use without langgraph.

        ScriptedGraph([Say(["Hel", "lo"]), Ask("sure?"), {"done": True}])

    A run with an input plays the script from its beginning, starting with the thread's state. A
    resumed run continues after the `Ask` at which it stopped.

    Args:
        script: The steps; or a function that returns them for a state, which contains the input; or
            `Attempts(...)`, with a script for each attempt on a thread.
        name: The graph's name.

    Raises:
        InvalidArgumentError: An element of the script is not a step.
    """

    def __init__(self, script: Script | Attempts, *, name: str = "scripted") -> None:
        self.name = name
        scripts = script.scripts if isinstance(script, Attempts) else (script,)
        self._scripts = [script if callable(script) else list(script) for script in scripts]
        for script in self._scripts:
            _check_steps("script", () if callable(script) else script)

    @classmethod
    def replaying(cls, events: Iterable[object], *, name: str = "scripted") -> ScriptedGraph:
        """Return a graph that repeats a recorded run.

        Args:
            events: The run's events, from `client.runs.stream(stream_mode=["updates", "custom"])`:
                objects with `event` and `data`, or pairs. Events of other modes are ignored.
            name: The graph's name.
        """
        return cls(list(recorded_steps(events)), name=name)

    def steps(self, values: Values, attempt: int = 1) -> list[PlayedStep]:
        """Return the steps of an attempt on a thread.

        Args:
            values: The thread's state, for scripts that depend on it.
            attempt: The number of the attempt, from 1.

        Raises:
            InvalidArgumentError: A function returned something else than steps.
        """
        script = self._scripts[min(max(attempt, 1), len(self._scripts)) - 1]
        if callable(script):
            returned = script(dict(values))
            if not isinstance(returned, Iterable) or isinstance(returned, Mapping | str):
                problem = f"has to return the steps of a script, not {returned!r:.80}"
                raise InvalidArgumentError(getattr(script, "__name__", "script"), problem)
            steps = list(returned)
            _check_steps(f"{getattr(script, '__name__', 'script')}()", steps)
        else:
            steps = script
        return [Update(step) if isinstance(step, Mapping) else step for step in steps]

    def node_names(self) -> list[str]:
        """Return the names of the steps; empty if the script depends on the input."""
        if callable(self._scripts[0]):
            return []
        return [step_name(number, step) for number, step in enumerate(self.steps({}))]

    def all_node_names(self) -> set[str] | None:
        """Return the names of the steps of all attempts; None if a script depends on the input."""
        names: set[str] = set()
        for attempt, script in enumerate(self._scripts, 1):
            if callable(script):
                return None
            names.update(
                step_name(number, step) for number, step in enumerate(self.steps({}, attempt))
            )
        return names


def _check_steps(name: str, steps: Iterable[object]) -> None:
    for number, step in enumerate(steps):
        if not isinstance(step, PlayedStep | Mapping):
            raise InvalidArgumentError(f"{name}[{number}]", f"is no step: {step!r:.80}")
