"""The answer that a parent graph has for the next interrupt of a task. No I/O.

An answer without an id, as of `Command(resume=...)`, is for one interrupt. In a local graph, an
interrupt takes it when it asks. A remote graph gets it with the request of its run, before it asks.
So the answer is taken for it beforehand, and given back if the run has not used it: two remote
graphs that run at the same time must not both get it.

langgraph keeps the answer among the pending writes of the checkpoint from which the parent resumes,
and tasks reach it through `get_null_resume` of their scratchpad (seen in langgraph 1.2).
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock

from langgraph_client.remote.aliases import Foreign, GraphValue
from langgraph_client.remote.compat import Interrupt

_INTERRUPT = "__interrupt__"
#: By the place of an answer, how many calls are finding out whether it is for their remote graph.
_deciding: dict[int, int] = {}
# Guards the counts in `_deciding`: tasks of a parent graph may run in several threads.
_lock = Lock()


class ParentAnswer:
    """The answer for the next interrupt of one task of a parent graph.

    Args:
        scratchpad: langgraph's, of the task; None if the call is not inside a task.
    """

    def __init__(self, scratchpad: Foreign) -> None:
        self._scratchpad = scratchpad
        #: langgraph's pending writes, and among them the one with the answer.
        self._writes: list[Foreign] = []
        self._write: Foreign = None
        asked: set[str] = set()
        while scratchpad is not None:
            read = scratchpad.get_null_resume
            # A hosted graph may have another object in this place, which needs no such look.
            inside = inspect.getclosurevars(read).nonlocals if inspect.isfunction(read) else {}
            self._place = scratchpad
            if "null_resume_write" not in inside:
                break
            writes = inside["pending_writes"]
            for _, channel, interrupts in writes:
                if channel == _INTERRUPT:
                    asked.update(interrupt.id for interrupt in interrupts)
            if (write := inside["null_resume_write"]) is not None:
                self._place, self._writes, self._write = write, writes, write
                break
            scratchpad = inside["parent_scratchpad"]
        #: The ids of the interrupts that the parent has shown; empty if it has stopped without one.
        self._asked = frozenset(asked)

    def peek(self) -> GraphValue:
        """Return the answer without taking it; None if there is none, or it is taken."""
        if self._scratchpad is None:
            return None
        # In langgraph 1.2, `get_null_resume(False)` returns an answer even after an interrupt has
        # taken it. So this looks whether it is still among the writes from which it is taken.
        if self._write is not None and not any(one is self._write for one in self._writes):
            return None
        return self._scratchpad.get_null_resume(False)

    def take(self) -> GraphValue:
        """Take the answer, so that no other interrupt gets it; None if another one has taken it."""
        return None if self._scratchpad is None else self._scratchpad.get_null_resume(True)

    def give_back(self, answer: GraphValue) -> None:
        """Give back the answer: the next interrupt gets it."""
        if self._write is not None:
            self._writes.append(self._write)
        elif hasattr(self._place, "give_back"):
            self._place.give_back(answer)

    @property
    def is_for_anybody(self) -> bool:
        """Whether the parent has shown no interrupt: the first one that asks gets the answer."""
        return not self._asked

    def is_for(self, interrupts: Sequence[Interrupt]) -> bool:
        """Return whether the parent has shown one of these interrupts, or none at all."""
        return self.is_for_anybody or any(one.id in self._asked for one in interrupts)

    @contextmanager
    def deciding(self) -> Iterator[None]:
        """Keep the answer for this call, which finds out whether it is for its remote graph."""
        # By id, as langgraph's objects need not have a hash, and equal ones are not one answer.
        # `self` keeps the object alive, so that no other one gets its id meanwhile.
        place = id(self._place) if self._scratchpad is not None else 0
        with _lock:
            _deciding[place] = _deciding.get(place, 0) + 1
        try:
            yield
        finally:
            with _lock:
                _deciding[place] -= 1
                if not _deciding[place]:
                    del _deciding[place]

    @property
    def is_kept_for_another(self) -> bool:
        """Whether another call is finding out whether the answer is for its remote graph."""
        # A call asks this while it reads events. Then it has left its own `deciding()`.
        return self._scratchpad is not None and id(self._place) in _deciding
