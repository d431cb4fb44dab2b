"""Play a script once, for one run."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from langgraph_client.models.fields import JsonMapping, JsonObject
from langgraph_client.server.graphs.interrupt_ids import has_interrupt_ids
from langgraph_client.server.graphs.protocol_events import INTERRUPT
from langgraph_client.server.graphs.script_snapshots import (
    ATTEMPT,
    ERROR,
    checkpoint_event,
    interrupts_of,
    message_chunks,
    snapshot,
    task_id,
    whole,
    without_own_keys,
)
from langgraph_client.server.graphs.script_steps import (
    Ask,
    Emit,
    Fail,
    PlayedStep,
    Say,
    Update,
    Values,
    Wait,
    merge,
    step_name,
)
from langgraph_client.server.storage.script_states import Saved, ScriptStates

_FROM_CONFIG = ("run_id", "graph_id", "assistant_id")
_Event: TypeAlias = tuple[str, Any]
"""The mode and the data of an event."""


@dataclass(frozen=True)
class PlayerServices:
    """The dependencies of a player."""

    #: Returns the steps for a state and the number of the attempt on the thread.
    steps: Callable[[Values, int], Sequence[PlayedStep]]
    #: Stores states; None to store none.
    states: ScriptStates | None
    sleep: Callable[[float], Awaitable[None]]
    new_id: Callable[[], str]
    #: Awaited before a state is stored, to store the events before it.
    write_events: Callable[[], Awaitable[None]]
    #: Awaited before each step; None for no wait.
    before_node: Callable[[str], Awaitable[None]] | None = None


class Player:
    """Plays a script once, starting with its thread's state.

    Args:
        services: The script's steps and storage.
        config: The run's config.
    """

    def __init__(self, services: PlayerServices, config: JsonMapping) -> None:
        where = config.get("configurable", {})
        self._services = services
        self._thread_id: str = where.get("thread_id", "")
        self._metadata: JsonObject = {
            **without_own_keys(config.get("metadata", {})),
            **{key: where[key] for key in _FROM_CONFIG if key in where},
        }
        last = None
        if services.states is not None:
            last = services.states.get(self._thread_id, where.get("checkpoint_id"))
        self._last = last
        self._parent = last.id if last else None
        # As langgraph counts them: the first input of a thread is step -1.
        self._number: int = last.metadata["step"] + 1 if last else -1
        self._values: Values = dict(last.values) if last else {}
        self._at = 0
        self._answer: object = None
        #: Whether there is an answer for the next question.
        self.has_answer = False
        self._attempt: int = last.metadata.get(ATTEMPT, 1) if last else 0

    @property
    def has_state(self) -> bool:
        """Whether the thread has a state."""
        return self._last is not None

    # The start.

    def begin(self, run_input: object) -> None:
        """Begin with an input; None continues where the thread has stopped.

        Raises:
            ValueError: The input is neither an object nor None, or there is nothing to continue.
        """
        if run_input is None:
            if self._last is None:
                raise ValueError("the run has no input, and its thread has no state to continue")
            self._resume_position()
        elif isinstance(run_input, Mapping):
            self._values = merge(self._values, run_input)
            self._attempt += 1
        else:
            raise ValueError(f"expected an object as input, got {run_input!r}")

    def obey(self, command: JsonMapping) -> None:
        """Begin with the command of a request.

        Raises:
            ValueError: Its `goto` is not a step of the script.
        """
        self._values = merge(self._values, _written(command.get("update")))
        # Clients send an empty list with a command that only answers.
        if goto := command.get("goto"):
            self._at = self._place_of(goto)
        else:
            self._resume_position()
        resume = command.get("resume")
        if has_interrupt_ids(resume):
            self._take_answer(resume)
        elif resume is not None:
            self.answer(resume)

    def _place_of(self, goto: object) -> int:
        names = [step_name(number, step) for number, step in enumerate(self._steps())]
        wanted = goto[0] if isinstance(goto, list | tuple) and len(goto) == 1 else goto
        if wanted not in names:
            raise ValueError(f"`goto` has to be the name of one step: {names}, not {goto!r}")
        return names.index(str(wanted))

    def answer(self, answer: object) -> None:
        """Give an answer for the first question."""
        self._answer, self.has_answer = answer, True

    def resume_as_subgraph(self, answers: Mapping[str, object]) -> None:
        """Begin where the thread has stopped, as a subgraph of a graph that resumes.

        Args:
            answers: Answers by the ids of interrupts.
        """
        self._resume_position()
        self._take_answer(answers)

    def _take_answer(self, answers: Mapping[str, object]) -> None:
        """Take the answer for the question that comes next, if it is among them."""
        steps = self._steps()
        step = steps[self._at] if self._at < len(steps) else None
        if isinstance(step, Ask):
            (waiting,) = interrupts_of(self._thread_id, self._at, step)
            if waiting.id in answers:
                self.answer(answers[waiting.id])

    def _resume_position(self) -> None:
        at = self._last.at if self._last else None
        self._at = len(self._steps()) if at is None else at

    def _steps(self) -> Sequence[PlayedStep]:
        return self._services.steps(self._values, self._attempt)

    # The events.

    async def events(self) -> AsyncGenerator[_Event, None]:
        """Play, and yield the mode and data of each event; all chunks of a message at once."""
        is_new = await self._save("input" if self._at == 0 else "loop", self._at)
        yield "values", dict(self._values)
        steps = self._steps()
        if self._last is not None:
            yield "checkpoints", self._checkpoint(steps, is_new)
        for at in range(self._at, len(steps)):
            step, name = steps[at], step_name(at, steps[at])
            if self._services.before_node is not None:
                await self._services.before_node(name)
            is_question = isinstance(step, Ask) and not self.has_answer
            if is_question and await self._save("loop", at):
                yield "checkpoints", self._checkpoint(steps)
            if isinstance(step, Fail):
                # Before the events of its task, whose id is that of the task in the stored state.
                await self._save("loop", at, error=repr(step.error))
            task: JsonObject = {"id": self._task_id(at), "name": name}
            result = {**task, "error": None, "result": {}, "interrupts": []}
            begun = {"input": self._values, "triggers": [f"branch:to:{name}"]}
            yield "tasks", {**task, **begun, "metadata": self._metadata}
            if is_question:
                waiting = list(interrupts_of(self._thread_id, at, step))
                yield "updates", {INTERRUPT: waiting}
                yield "values", {**self._values, INTERRUPT: waiting}
                yield "tasks", {**result, "interrupts": waiting}
                return
            if isinstance(step, Fail):
                yield "tasks", {**result, "error": step.error}
                if self._last is not None:
                    yield "checkpoints", self._checkpoint(steps)
                # All runs raise the same object, which would collect the frames of each of them.
                raise step.error.with_traceback(None)
            event, written = await self._execute(step, name)
            if event is not None:
                yield event
            if written is None:
                yield "tasks", result
                continue
            self._values = merge(self._values, written)
            # The event comes before the state is stored. A kill in between repeats step and
            # event; in the other order, the event would be lost.
            yield "updates", {name: written}
            yield "tasks", {**result, "result": written}
            is_new = await self._save("loop", at + 1 if at + 1 < len(steps) else None)
            yield "values", dict(self._values)
            if is_new:
                yield "checkpoints", self._checkpoint(steps)
        if await self._save("loop", None):
            yield "checkpoints", self._checkpoint(steps)

    async def _execute(self, step: PlayedStep, name: str) -> tuple[_Event | None, Values | None]:
        """Return a step's event and what it writes to the state; None for nothing."""
        if isinstance(step, Update):
            return None, dict(step.values)
        if isinstance(step, Ask):
            self.has_answer = False
            return None, {step.into: self._answer}
        if isinstance(step, Say):
            chunks = message_chunks(step, self._services.new_id())
            metadata = {**self._metadata, "langgraph_node": name}
            return ("messages", (chunks, metadata)), {"messages": [whole(chunks).as_message()]}
        if isinstance(step, Emit):
            return ("custom", step.data), None
        if isinstance(step, Wait):
            await self._services.sleep(step.seconds)
        return None, None

    def _task_id(self, at: int) -> str:
        return task_id(self._last.id if self._last else self._services.new_id(), at)

    def _checkpoint(self, steps: Sequence[PlayedStep], is_new: bool = True) -> JsonObject:
        """Return the latest stored state as an event."""
        return checkpoint_event(snapshot(self._thread_id, self._last, steps), is_new=is_new)

    async def _save(self, source: str, at: int | None, error: str | None = None) -> bool:
        """Store the state, and return True; False if it is stored already, or not at all."""
        if self._services.states is None:
            return False
        same = self._last is not None and (self._last.values, self._last.at) == (self._values, at)
        if same and error is None:
            return False
        metadata = {**self._metadata, "source": source, "step": self._number}
        if self._attempt > 1:
            metadata[ATTEMPT] = self._attempt
        if error is not None:
            metadata[ERROR] = error
        await self._services.write_events()
        self._last = await self._services.states.put(
            self._thread_id, Saved(self._parent, dict(self._values), at, metadata)
        )
        self._parent = self._last.id
        self._number += 1
        return True


def _written(update: object) -> Mapping[str, object]:
    """Return the update of a command, which may be a list of pairs."""
    pairs: Any = update or {}
    try:
        return dict(pairs)
    except (TypeError, ValueError):
        raise ValueError(f"`update` has to be an object or pairs, not {update!r:.80}") from None
