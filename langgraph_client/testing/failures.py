"""The exceptions that hosted graphs have raised, so that a test does not overlook one."""

from __future__ import annotations

import asyncio
import re
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType

from langgraph_client.errors import RemoteException
from langgraph_client.models.fields import JsonMapping

_LIMIT = 1000


@dataclass
class Failure:
    """An exception that ended a run.

    Attributes:
        run_id: The run.
        graph: The graph's name.
        error: The exception. Local variables are cleared from its traceback, so that a server does
            not keep what failed runs had in memory.
        expected: Whether the test expected it, by `expect_error`, by catching it with pytest's or
            `unittest`'s own context managers, or by failing with it.
    """

    run_id: str
    graph: str
    error: BaseException
    expected: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        trace = "".join(traceback.format_exception(self.error))
        return f"graph {self.graph!r}, run {self.run_id}:\n{trace}"

    def caused(self, error: BaseException) -> bool:
        """Return whether an exception that a client raised is about this failure.

        Args:
            error: The exception. Its causes and contexts are checked, and the members of a group.
        """
        for link in error_chain(error):
            if isinstance(link, RemoteException) and link.run_id is not None:
                if link.run_id == self.run_id:
                    return True
            elif link is self.error or _describes(link, self.error):
                return True
        return False


class Failures:
    """The latest thousand failures of a server, oldest first."""

    def __init__(self) -> None:
        self._failures: deque[Failure] = deque(maxlen=_LIMIT)
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Failure]:
        with self._lock:
            return iter(list(self._failures))

    def __len__(self) -> int:
        return len(self._failures)

    def append(self, run: JsonMapping, error: BaseException) -> None:
        """Keep a failure.

        Args:
            run: The run's document.
            error: The exception that ended it.
        """
        graph = run["kwargs"]["config"]["configurable"].get("graph_id", "")
        # A failure is kept for long. Its frames would keep all objects of the run alive, such as
        # open files and sockets, which then warn at some later time, in another test.
        # Not those of contexts and of members of groups: such a frame may be that of a coroutine
        # which goes on, as a worker that has passed its exception on, and Python before 3.13 would
        # end it.
        for link in _causes(error):
            traceback.clear_frames(link.__traceback__)
        with self._lock:
            self._failures.append(Failure(run["run_id"], graph, error))

    def unexpected(self) -> list[Failure]:
        """Return the failures that no test expected."""
        return [failure for failure in self if not failure.expected]

    def expect_caught(self, error: BaseException) -> None:
        """Mark the failures that a caught exception is about as expected.

        Args:
            error: The exception that the test caught.
        """
        for failure in self.unexpected():
            if failure.caused(error):
                failure.expected = True

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._failures.clear()


class ExpectedError:
    """The context manager of `TestServer.expect_error`; for `with` and `async with`."""

    def __init__(
        self,
        failures: Failures,
        kind: type[BaseException],
        match: str | None,
        wait: Callable[[Callable[[], bool]], None],
    ) -> None:
        self._failures = failures
        self._kind = kind
        self._match = match
        self._wait = wait
        self._before: set[int] = set()
        self._matching: list[Failure] = []

    def __enter__(self) -> list[Failure]:
        self._before = {id(failure) for failure in self._failures}
        return self._matching

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:  # An exception of the test itself is raised at once.
            self._wait(lambda: any(map(self._fits, self._failures)))
        for failure in self._failures:
            if self._fits(failure):
                failure.expected = True
                self._matching.append(failure)
        if error is None and not self._matching:
            wanted = self._kind.__name__ + (f" matching {self._match!r}" if self._match else "")
            raise AssertionError(f"no run failed with {wanted}")

    async def __aenter__(self) -> list[Failure]:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # `__exit__` blocks, and the awaited run may need tasks of this loop, such as a reader.
        await asyncio.to_thread(self.__exit__, kind, error, trace)

    def _fits(self, failure: Failure) -> bool:
        return (
            id(failure) not in self._before
            and isinstance(failure.error, self._kind)
            and (self._match is None or re.search(self._match, _text(failure.error)) is not None)
        )


def _describes(link: BaseException, error: BaseException) -> bool:
    """Return whether an exception that names no run seems to be a copy of a graph's exception.

    What came over the wire is another object, so the name of its class and its text have to do. An
    exception of the test's own code without a text would be taken for any of its class.
    """
    name, text = type(error).__name__, _text(error)
    if isinstance(link, RemoteException):
        return (link.error, link.message) == (name, text)
    return bool(text) and (type(link).__name__, _text(link)) == (name, text)


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # `__str__` is the user's code.
        return ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and its causes, which may form a circle, as in `error_chain`."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__


def error_chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, its causes and contexts; of groups, also what is in them.

    The links may form a circle: `raise error from error` makes one.
    """
    seen: set[int] = set()
    links: list[BaseException | None] = [error]
    while links:
        link = links.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        links += [link.__cause__, link.__context__]
        if isinstance(link, BaseExceptionGroup):
            links.extend(link.exceptions)
