"""Hold runs at a point where a test inspects them: pending, running, or before a node."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Literal, Self

from langgraph_client.errors import InvalidArgumentError
from langgraph_client.models.fields import JsonMapping
from langgraph_client.testing.arguments import check_seconds, check_whole
from langgraph_client.testing.known_nodes import problem_with_node

Status = Literal["pending", "running"]


class Hold:
    """A rule that holds runs until it is released; created by `TestServer.hold`.

    As a context manager, it is released at the end of the `with`, and cannot be entered again. If
    it has held nothing then, and the name of its node is wrong, it raises an
    `InvalidArgumentError`.

    Attributes:
        held: The ids of the runs that it holds or has held, in order.
    """

    def __init__(
        self,
        holds: Holds,
        *,
        status: Status | None,
        node: str | None,
        graph: str | None,
        thread_id: str | None,
    ) -> None:
        self.held: list[str] = []
        self._holds = holds
        self._status = status
        self._node = node
        self._graph = graph
        self._thread_id = thread_id
        self._lock = threading.Condition()
        self._released = False
        self._waiting: list[Callable[[], None]] = []

    def wait(self, runs: int = 1, *, timeout: float = 10.0) -> str:
        """Wait until it has held a number of runs.

        Args:
            runs: The number of runs.
            timeout: Seconds.

        Returns:
            The id of the last of them.

        Raises:
            TimeoutError: It has held fewer after that time.
            InvalidArgumentError: A value is out of range.
        """
        return self._wait(runs, timeout, threading.Event())

    def _wait(self, runs: int, timeout: float, given_up: threading.Event) -> str:
        check_whole("runs", runs, 1)
        check_seconds("timeout", timeout)
        with self._lock:
            self._lock.wait_for(lambda: given_up.is_set() or len(self.held) >= runs, timeout)
            if len(self.held) < runs:
                raise TimeoutError(f"{self!r}, not {runs}, within {timeout} s")
            return self.held[-1]

    async def reached(self, runs: int = 1, *, timeout: float = 10.0) -> str:
        """Wait as `wait` does, from async code.

        Args:
            runs: The number of runs.
            timeout: Seconds.

        Returns:
            The id of the last of them.

        Raises:
            TimeoutError: It has held fewer after that time.
            InvalidArgumentError: A value is out of range.
        """
        given_up = threading.Event()
        try:
            return await asyncio.to_thread(self._wait, runs, timeout, given_up)
        except asyncio.CancelledError:
            # Else the thread would wait to its end, and the event loop's end for the thread.
            with self._lock:
                given_up.set()
                self._lock.notify_all()
            raise

    def release(self) -> None:
        """Let all runs continue, and hold no more. Safe to repeat."""
        # Removed first, so that this rule does not hold a resumed run again.
        self._holds.remove(self)
        with self._lock:
            self._released = True
            waiting, self._waiting = self._waiting, []
        for resume in waiting:
            resume()

    def __enter__(self) -> Self:
        if self._released:
            raise RuntimeError(f"{self!r} was released and holds no more: make a new one")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
        # An exception of the test itself is not to be hidden by this one.
        if error is None and self._node is not None and not self.held:
            self._holds.check_node(self._node, self._graph)

    def __repr__(self) -> str:
        where = f"before {self._node!r}" if self._node else self._status
        return f"<Hold {where}: {len(self.held)} runs held>"

    # --- on the server's loop ---

    def fits(self, run: JsonMapping, *, status: Status | None = None, node: str = "") -> bool:
        """Return whether the rule applies to a run.

        Args:
            run: The run's document.
            status: The status that the run has now or gets next.
            node: The node that the run enters next; empty if it is held by its status.
        """
        graph_id = run["kwargs"]["config"]["configurable"].get("graph_id")
        return (
            (self._status == status if node == "" else self._node == node)
            and self._graph in (None, graph_id, run["assistant_id"])
            and self._thread_id in (None, run["thread_id"])
        )

    def take(self, run_id: str, resume: Callable[[], None]) -> bool:
        """Hold a run; return False if the hold is released already.

        Args:
            run_id: The run.
            resume: Called in any thread when the run may continue.
        """
        # `release` may be called in another thread at the same time. Under the lock, the run is
        # either registered before it and so resumed, or not held at all.
        with self._lock:
            if self._released:
                return False
            if run_id not in self.held:
                self.held.append(run_id)
                self._lock.notify_all()
            self._waiting.append(resume)
            return True


class Holds:
    """The active holds of a server.

    Args:
        graphs: The server's graphs.
    """

    def __init__(self, graphs: Mapping[str, object]) -> None:
        self._graphs = graphs
        self._holds: list[Hold] = []

    def __bool__(self) -> bool:
        return bool(self._holds)

    def add(
        self,
        *,
        status: Status | None,
        node: str | None,
        graph: str | None,
        thread_id: str | None,
    ) -> Hold:
        """Add a hold that is active from now on, and return it."""
        hold = Hold(self, status=status, node=node, graph=graph, thread_id=thread_id)
        # A new list: the server's loop may be iterating over the old one in its own thread.
        self._holds = [*self._holds, hold]
        return hold

    def remove(self, hold: Hold) -> None:
        """Remove a hold."""
        self._holds = [other for other in self._holds if other is not hold]

    def check_node(self, node: str, graph: str | None) -> None:
        """Check the name of a node, as far as names are known without a run.

        Args:
            node: The name of the node.
            graph: The only graph that may have it, or the id of an assistant; None for any.

        Raises:
            InvalidArgumentError: There is no such node.
        """
        if graph is not None and graph in self._graphs:
            hosted = [self._graphs[graph]]
        else:
            hosted = list(self._graphs.values())
        if problem := problem_with_node(node, hosted):
            raise InvalidArgumentError("node", f"the hold held nothing: {problem}")

    def holds(self, run_id: str) -> bool:
        """Return whether an active hold holds a run now."""
        return any(run_id in hold.held for hold in self._holds)

    def release_all(self) -> None:
        """Release every hold."""
        for hold in self._holds:
            hold.release()

    def keeps_pending(self, run: JsonMapping, resume: Callable[[], None]) -> bool:
        """Return whether a run must not start yet; `resume` is called when it may."""
        loop = asyncio.get_running_loop()
        # Only the first hold takes the run. Its release has the queue ask again, for the next one.
        return any(
            hold.fits(run, status="pending")
            and hold.take(run["run_id"], lambda: _soon(loop, resume))
            for hold in self._holds
        )

    async def at(self, run: JsonMapping, *, node: str = "") -> None:
        """Wait where a run is held: running, or before a node."""
        for hold in self._holds:
            if hold.fits(run, status="running", node=node):
                loop, free = asyncio.get_running_loop(), asyncio.Event()
                # One after the other: a run that several rules hold needs the release of each.
                if hold.take(run["run_id"], lambda: _soon(loop, free.set)):  # noqa: B023
                    await free.wait()


def _soon(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    if not loop.is_closed():  # A hold may be released after its server was closed.
        loop.call_soon_threadsafe(call)
