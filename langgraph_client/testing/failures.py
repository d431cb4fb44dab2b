"""The exceptions that hosted graphs have raised, for tests that must not overlook one."""

from __future__ import annotations

import re
import threading
import traceback
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

_MOST = 1000


@dataclass
class Failure:
    """An exception that ended a run.

    Attributes:
        run_id: The run.
        graph: The graph's name.
        error: The exception itself.
        expected: Whether a test said that it would come.
    """

    run_id: str
    graph: str
    error: BaseException
    expected: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        trace = "".join(traceback.format_exception(self.error))
        return f"graph {self.graph!r}, run {self.run_id}:\n{trace}"


class Failures:
    """Those of a server, the latest thousand."""

    def __init__(self) -> None:
        self._kept: deque[Failure] = deque(maxlen=_MOST)
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Failure]:
        with self._lock:
            return iter(list(self._kept))

    def __len__(self) -> int:
        return len(self._kept)

    def note(self, run: Mapping[str, Any], error: BaseException) -> None:
        """Keep one; the engine does this."""
        graph = run["kwargs"]["config"]["configurable"].get("graph_id", "")
        with self._lock:
            self._kept.append(Failure(run["run_id"], graph, error))

    def unexpected(self) -> list[Failure]:
        """Return those that no test expected."""
        return [failure for failure in self if not failure.expected]

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._kept.clear()

    @contextmanager
    def expect(
        self, kind: type[BaseException] = Exception, match: str | None = None
    ) -> Iterator[list[Failure]]:
        """See `Server.expect_error`."""
        before = {id(failure) for failure in self}
        found: list[Failure] = []
        yield found
        for failure in self:
            fits = isinstance(failure.error, kind) and (
                match is None or re.search(match, str(failure.error))
            )
            if id(failure) not in before and fits:
                failure.expected = True
                found.append(failure)
        if not found:
            wanted = kind.__name__ + (f" matching {match!r}" if match else "")
            raise AssertionError(f"no run failed with {wanted}")
