"""What tests do with a server beyond calling it: look, hold, break, expect, seed, dump, reset."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, TypeVar

from langgraph_client.server.asked import Requests
from langgraph_client.server.clock import Clock
from langgraph_client.server.failures import Failure, Failures
from langgraph_client.server.holds import Hold, Holds, Status

if TYPE_CHECKING:
    from langgraph_client.server.dumps import Dump
    from langgraph_client.server.parts import Parts
    from langgraph_client.testing.faults import Faults

_Result = TypeVar("_Result")


class Workbench:
    """The part of `Server` that is for tests. All of it may be used from any thread."""

    _faults: Faults | None
    _clock: Clock
    _holds: Holds
    _failures: Failures
    #: The latest requests that the server got; see `Requests`.
    requests: Requests

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The server's event loop; `Server` has it."""
        raise NotImplementedError

    @property
    def parts(self) -> Parts:
        """The server's parts; `Server` has them."""
        raise NotImplementedError

    async def _begin_anew(self) -> None:
        raise NotImplementedError

    @property
    def faults(self) -> Faults:
        """What goes wrong between this server and its in-process clients; nothing as it begins.

            with server.faults.cut_after(events=3): ...

        Faults act on requests of every client that `client()`, `sync_client()` and
        `remote_graph()` have given out; for one on a port there is `testing.FaultProxy`.
        """
        if self._faults is None:
            from langgraph_client.testing.faults import Faults

            self._faults = Faults()
        return self._faults

    @property
    def clock(self) -> Clock:
        """The clock that the server was given, such as a `testing.TestClock`."""
        return self._clock

    @property
    def errors(self) -> list[Failure]:
        """The exceptions that hosted graphs have raised, oldest first, the latest thousand."""
        return list(self._failures)

    @property
    def unexpected_errors(self) -> list[Failure]:
        """Those that no `expect_error()` was told of."""
        return self._failures.unexpected()

    def expect_error(
        self, kind: type[BaseException] = Exception, match: str | None = None
    ) -> AbstractContextManager[list[Failure]]:
        """Expect that a run fails inside the `with`; gives the list of those that did, at its end.

        Args:
            kind: The class of the exception inside the graph.
            match: A regular expression that its text has to match somewhere.

        Raises:
            AssertionError: On leaving, if no run failed so.
        """
        return self._failures.expect(kind, match)

    def hold(
        self,
        *,
        node: str | None = None,
        status: Status | None = None,
        graph: str | None = None,
        thread_id: str | None = None,
    ) -> Hold:
        """Hold runs where a test wants to look at them, until the hold is released.

            with server.hold(node="tools") as hold:
                run = client.runs.create(thread_id, "agent", input=...)
                hold.wait()
                ...  # the run is before the node

        Args:
            node: Before each step of this node, of the graph or of a subgraph. It acts on runs
                that begin after the hold was made.
            status: "pending", so that they do not start; "running", after they started and before
                the graph does anything.
            graph: Only runs of this graph or assistant.
            thread_id: Only runs on this thread.

        Raises:
            ValueError: Not exactly one of `node` and `status` was given.
        """
        if (node is None) == (status is None):
            raise ValueError("hold: give either node or status")
        if status not in (None, "pending", "running"):
            raise ValueError(f'status must be "pending" or "running", not {status!r}')
        return self._holds.add(node=node, status=status, graph=graph, thread_id=thread_id)

    def seed_thread(
        self,
        graph: str,
        values: Mapping[str, Any] | None = None,
        *,
        next: str | Sequence[str] | None = None,
        history: Iterable[Mapping[str, Any]] = (),
        thread_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> str:
        """Make a thread in a state of your choice; return its id.

        Args:
            graph: The graph's name.
            values: What its state says.
            next: The node, or nodes, that come next, as if the others had run; `()` for a thread
                whose run is over. None leaves it to the graph.
            history: What was written before that, one update after the other.
            thread_id: The thread's id, a UUID; by default a new one.
            metadata: The thread's metadata.

        Raises:
            ValueError: The graph has no node after which that comes next, or refuses the values.
        """
        from langgraph_client.server.seeding import seed

        wanted = [next] if isinstance(next, str) else None if next is None else list(next)
        return self._do(
            lambda: seed(
                self.parts, graph, dict(values or {}), wanted, list(history), thread_id, metadata
            )
        )

    def dump(self, path: str | os.PathLike[str] | None = None) -> Dump:
        """Write down all that the server keeps, as one readable JSON document.

        Threads with their states and runs come first, as the protocol shows them; behind them the
        tables that `load` reads. Two dumps are compared with `==` or `diff`, ids and times named.

        Args:
            path: The file to write; None writes none.

        Raises:
            ValueError: A run is pending or running.
        """
        from langgraph_client.server.dumps import take

        made = self._do(lambda: take(self.parts))
        if path is not None:
            made.write(path)
        return made

    def load(self, source: Dump | str | os.PathLike[str]) -> None:
        """Put what a dump holds in the place of all that the server keeps.

        Args:
            source: A dump, or the file of one.

        Raises:
            ValueError: It is no dump, or one of a later version.
        """
        from langgraph_client.server.dumps import Dump, put

        dump = source if isinstance(source, Dump) else Dump.read(source)
        self.reset()
        self._do(lambda: put(self.parts, dump))

    def reset(self) -> None:
        """Begin anew: end all runs; forget threads, requests, errors, holds and faults.

        Raises:
            ValueError: The server keeps a file; delete that, and start another server.
        """
        self._holds.release_all()
        if self._faults is not None:
            self._faults.clear()
        self._do(self._begin_anew)
        self.requests.clear()
        self._failures.clear()

    def _do(self, work: Callable[[], Awaitable[_Result]]) -> _Result:
        """Do something on the server's loop, and wait for it."""

        async def done() -> _Result:
            return await work()

        return asyncio.run_coroutine_threadsafe(done(), self.loop).result()
