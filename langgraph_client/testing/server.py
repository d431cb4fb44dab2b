"""`TestServer`: the reference server with additional features for tests."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
from starlette.middleware import Middleware

from langgraph_client.errors import InvalidArgumentError
from langgraph_client.server.hooks import Run, RunHooks
from langgraph_client.server.options import StoreOptions
from langgraph_client.server.server import Server
from langgraph_client.server.services import Services
from langgraph_client.testing.arguments import (
    check_mapping,
    check_mappings,
    check_name,
    check_seconds,
    check_uuid,
    check_whole,
)
from langgraph_client.testing.clock import CURRENT_RUN, TestClock, clock_of
from langgraph_client.testing.failures import ExpectedError, Failure, Failures
from langgraph_client.testing.faults import Faults
from langgraph_client.testing.holds import Hold, Holds, Status
from langgraph_client.testing.request_log import RequestLog, RequestLogging
from langgraph_client.testing.run_activity import RunActivity, check_again

if TYPE_CHECKING:
    from langgraph_client import LangGraphClient, SyncLangGraphClient
    from langgraph_client.testing.dumps import Dump

_Result = TypeVar("_Result")

_WORK_SECONDS = 60.0
"""How many seconds a dump, a load, a seed or a reset may take."""
_LOOK_SECONDS = 1.0
"""How many seconds a look at the runs may take at least, however short the timeout is."""


class TestServer(Server):
    """A `Server` for tests: inspect it, hold runs, break connections, seed, dump, reset.

    All methods may be called from any thread.

        with TestServer({"agent": graph}) as server:
            server.remote_graph("agent").invoke({"question": "?"})
            server.requests.assert_one("POST", "/runs/stream")

    Args:
        graphs: The graphs by name: compiled or not, a factory, or a `ScriptedGraph`.
        remember_requests: How many of the latest requests `requests` contains; 0 for none.
        **options: The other arguments of `Server`, such as `clock`, `path` and `max_runs`.

    Attributes:
        requests: The latest requests that the server has received; see `RequestLog`.

    Raises:
        InvalidArgumentError: `remember_requests` or `clock` is invalid.
        TypeError: Something in `graphs` is not a graph.
    """

    __test__ = False  # pytest takes classes of such names for tests.

    def __init__(
        self, graphs: Mapping[str, object], *, remember_requests: int = 1000, **options: Any
    ) -> None:
        check_whole("remember_requests", remember_requests, 0)
        self.requests = RequestLog(remember_requests)
        self._remember_requests = remember_requests
        self._holds = Holds(graphs)
        self._failures = Failures()
        self._faults: Faults | None = None
        store = options.get("store")
        self._has_lasting_store = not (
            store is None or callable(store) or isinstance(store, StoreOptions)
        )
        options["clock"] = clock_of(options.get("clock"))
        super().__init__(graphs, hooks=TestHooks(self._holds, self._failures), **options)
        self._activity = RunActivity(self._clock, self._holds)
        # The ids of a `TestClock` repeat: without this, a graph's own checkpointer would take the
        # first thread of the next test for that of this one, and its first run for done.
        self._deletes_states_at_end = isinstance(self._clock, TestClock) and self._path is None

    def close(self) -> None:
        """Release all holds, cancel all faults, and stop the server. Safe to repeat.

        With a `TestClock`, and without a file, its threads are deleted in the checkpointers that
        its graphs were compiled with.
        """
        self._holds.release_all()
        if self._faults is not None:
            self._faults.cancel_all()  # A client that one stalls would wait for ever.
        super().close()

    def _middleware(self) -> list[Middleware]:
        logging = [Middleware(RequestLogging, requests=self.requests)]
        return [*(logging if self._remember_requests else ()), *super()._middleware()]

    def transport(self) -> httpx.BaseTransport:
        """Return a blocking httpx transport to this server, with its `faults` in between."""
        return self.faults.transport(super().transport())

    def async_transport(self) -> httpx.AsyncBaseTransport:
        """Return an async httpx transport to this server, with its `faults` in between."""
        return self.faults.async_transport(super().async_transport())

    def client(self, **options: Any) -> LangGraphClient:
        """Return an async client of this server.

        With a `TestClock` it does not wait before it repeats a request: the clock moves on.

        Args:
            **options: The arguments of `get_client`, such as `api_key` and `timeout`.
        """
        if isinstance(self._clock, TestClock):
            options = {"sleep": self._clock.skip, **options}
        return super().client(**options)

    def sync_client(self, **options: Any) -> SyncLangGraphClient:
        """Return a blocking client of this server.

        With a `TestClock` it does not wait before it repeats a request: the clock moves on.

        Args:
            **options: The arguments of `get_sync_client`, such as `api_key` and `timeout`.
        """
        if isinstance(self._clock, TestClock):
            options = {"sleep": self._clock.advance, **options}
        return super().sync_client(**options)

    @property
    def faults(self) -> Faults:
        """The faults between this server and its in-process clients; none at first.

            with server.faults.cut_after(events=3): ...

        They act on the requests of all clients that `client()`, `sync_client()` and
        `remote_graph()` have returned. For a client on a port, use `testing.FaultProxy`.
        """
        if self._faults is None:
            self._faults = Faults()
        return self._faults

    @property
    def clock(self) -> TestClock:
        """The `TestClock` that the server was given.

        Raises:
            AttributeError: It was given none.
        """
        if not isinstance(self._clock, TestClock):
            raise AttributeError(
                "`clock` needs a clock that a test can move: TestServer(…, clock=TestClock()), or "
                "@pytest.mark.langgraph(clock=TestClock()), which langgraph_session_server ignores"
            )
        return self._clock

    @property
    def errors(self) -> list[Failure]:
        """The latest thousand exceptions that ended runs, oldest first."""
        return list(self._failures)

    @property
    def unexpected_errors(self) -> list[Failure]:
        """The exceptions in `errors` that no `expect_error` of the test expected."""
        return self._failures.unexpected()

    def expect_error(
        self,
        kind: type[BaseException] = Exception,
        match: str | None = None,
        *,
        timeout: float = 10.0,
    ) -> ExpectedError:
        """Expect that a run fails inside the `with` or `async with`.

        At its end it waits until a run has failed like this, or until no run is active.

            with server.expect_error(ValueError, match="no such order") as failures:
                client.runs.create(thread_id, "agent", input={"order": 7})
            assert len(failures) == 1

        Args:
            kind: The class of the exception inside the graph.
            match: A regular expression that its text has to match somewhere.
            timeout: How many seconds to wait for runs that are active.

        Returns:
            A context manager; it gives a list that holds the failures when the block has ended.

        Raises:
            InvalidArgumentError: An argument is invalid.
            AssertionError: On leaving, if no run failed like this.
        """
        if not isinstance(kind, type) or not issubclass(kind, BaseException):
            raise InvalidArgumentError("kind", f"must be a class of exceptions, not {kind!r}")
        try:
            re.compile(match or "")
        except (re.error, TypeError) as error:
            raise InvalidArgumentError("match", f"must be a regular expression: {error}") from None
        check_seconds("timeout", timeout)

        def wait(until: Callable[[], bool]) -> None:
            self._wait_idle(timeout, until)

        return ExpectedError(self._failures, kind, match, wait)

    def wait_idle(self, *, timeout: float = 10.0) -> None:
        """Wait until no run is active, and the runs of all due crons were started.

        Runs that wait for the test are not waited for: those that a hold holds, those whose
        `after_seconds` has not passed, and those in a script's `Wait` under a `TestClock`. A server
        that is closed has no runs.

            client.runs.create(thread_id, "agent", input={})
            server.wait_idle()
            assert client.threads.get(thread_id).status == "idle"

        Args:
            timeout: Seconds.

        Raises:
            InvalidArgumentError: `timeout` is negative or infinite.
            TimeoutError: Runs are still active after that time.
        """
        check_seconds("timeout", timeout)
        if active := self._wait_idle(timeout, lambda: False):
            raise TimeoutError(f"runs are active after {timeout} s: {', '.join(active)}")

    def expect_caught(self, error: BaseException) -> None:
        """Mark the failures that caused an exception as expected. The fixtures call this.

        Args:
            error: The exception that a client raised and the test caught.
        """
        self._failures.expect_caught(error)

    def _wait_idle(self, timeout: float, until: Callable[[], bool]) -> list[str]:
        """Wait until nothing is active, or `until` returns True; return what is active then."""

        async def progressing() -> list[str]:
            return self._activity.progressing(self.services)

        def check() -> list[str]:
            if self._loop is None:  # A test may close its server; the fixtures wait at its end.
                return []
            # With a timeout of 0 one check is still made, and the loop needs a moment for it.
            active = self._run_on_loop(progressing, timeout=max(timeout, _LOOK_SECONDS))
            return [] if until() else active

        return check_again(check, timeout)

    def hold(
        self,
        *,
        node: str | None = None,
        status: Status | None = None,
        graph: str | None = None,
        thread_id: str | None = None,
    ) -> Hold:
        """Hold runs at a point where the test inspects them, until the hold is released.

            with server.hold(node="tools") as hold:
                run = client.runs.create(thread_id, "agent", input=...)
                hold.wait()
                ...  # the run is before the node

        Args:
            node: Before each step of this node, of the graph or of a subgraph. It acts on runs
                that begin after the hold was made. The end of the `with` raises an
                InvalidArgumentError if nothing was held and the name seems to be misspelt.
            status: "pending", so that they do not start; "running", after they started and before
                the graph does anything.
            graph: Only runs of this graph, by its name, or of this assistant, by its id.
            thread_id: Only runs on this thread.

        Raises:
            InvalidArgumentError: Not exactly one of `node` and `status` was given, the server has
                no such graph, or an id is not a UUID.
        """
        if (node is None) == (status is None):
            raise InvalidArgumentError("node", "give either node or status")
        if node is not None:
            check_name("node", node)
        if status not in (None, "pending", "running"):
            raise InvalidArgumentError("status", f'must be "pending" or "running", not {status!r}')
        if graph is not None and graph not in self._graphs:
            graph = self._assistant_id(graph)
        if thread_id is not None:
            thread_id = check_uuid("thread_id", thread_id)
        return self._holds.add(node=node, status=status, graph=graph, thread_id=thread_id)

    def _assistant_id(self, text: str) -> str:
        try:
            return check_uuid("graph", text)
        except InvalidArgumentError:
            raise InvalidArgumentError(
                "graph",
                f"must be one of {sorted(self._graphs)}, or the id of an assistant, not {text!r}",
            ) from None

    def seed_thread(
        self,
        graph: str,
        values: Mapping[str, object] | None = None,
        *,
        next: str | Sequence[str] | None = None,
        history: Iterable[Mapping[str, object]] = (),
        thread_id: str | None = None,
        metadata: Mapping[str, object] | None = None,
    ) -> str:
        """Create a thread in a given state.

            thread_id = server.seed_thread("agent", {"plan": "x"}, next="tools")

        Args:
            graph: The graph's name.
            values: The thread's state.
            next: The node, or nodes, that come next, as if the others had run; `()` for a thread
                whose run is over. None to let the graph decide.
            history: Earlier updates of the state, oldest first.
            thread_id: The thread's id, a UUID; by default a new one.
            metadata: The thread's metadata.

        Returns:
            The thread's id.

        Raises:
            InvalidArgumentError: `thread_id` is not a UUID, the server has no such graph, or
                something is not a mapping.
            ValueError: After the history and with these values, no node of the graph leads to
                `next`; the thread exists; or the graph refuses the values.
        """
        from langgraph_client.testing.seeding import seed

        if graph not in self._graphs:
            raise InvalidArgumentError(
                "graph", f"there is no graph {graph!r}, only {sorted(self._graphs)}"
            )
        updates = check_mappings("history", history)
        values, metadata = ({} if given is None else given for given in (values, metadata))
        check_mapping("values", values)
        check_mapping("metadata", metadata)
        if thread_id is not None:
            thread_id = check_uuid("thread_id", thread_id)
        nodes = [next] if isinstance(next, str) else None if next is None else list(next)
        return self._run_on_loop(
            lambda: seed(self.services, graph, values, nodes, updates, thread_id, metadata)
        )

    def dump(self, path: str | os.PathLike[str] | None = None) -> Dump:
        """Return all data of the server, as one readable JSON document.

        Threads with their states and runs come first, as the protocol shows them, then the tables
        that `load` reads. Two dumps are equal if they differ only in ids and times. States in a
        checkpointer that a graph was compiled with are shown, but `load` does not write them.

        Args:
            path: A file to write it to.

        Raises:
            ValueError: A run is pending or running.
        """
        from langgraph_client.testing.dumps import dump_of

        dump = self._run_on_loop(lambda: dump_of(self.services))
        if path is not None:
            dump.write(path)
        return dump

    def load(self, source: Dump | str | os.PathLike[str]) -> None:
        """Replace all data of the server by that of a dump.

        Runs in progress end. What belongs to the test stays: requests, errors, holds and faults. A
        `TestClock` does not go back: if the dump has something that is as new as the present, or
        newer, the clock moves on to a millisecond after it. New ids are none of the dump's.

        Args:
            source: A dump, or its file.

        Raises:
            ValueError: It is not a dump, or one of a later version, or the server cannot be reset;
                see `reset`.
        """
        from langgraph_client.testing.dumps import Dump, load, newest_time

        dump = source if isinstance(source, Dump) else Dump.read(source)
        newest = newest_time(dump)

        def go_on(clock: TestClock) -> None:
            if newest is not None:
                clock.go_beyond(newest)

        async def replace() -> None:
            # A dump cannot write states into a checkpointer that a graph was compiled with. So they
            # stay there, where the loaded threads find them.
            await self._reopen(go_on, forget=False)
            await load(self.services, dump)

        self._check_data_may_go()
        self._run_on_loop(replace)

    def reset(self) -> None:
        """End all runs; forget threads, the store, requests, errors, holds and faults.

        Clients stay usable. A `TestClock` goes back to its start. Threads are also deleted in the
        checkpointer that a graph was compiled with, or that was passed as `checkpointer`. Items
        in a store that graphs were compiled with stay.

        Raises:
            ValueError: The server stores its data in a file, which this would delete, or has a
                store that was passed as an object, which would keep its items.
        """
        self._check_data_may_go()
        self._holds.release_all()
        if self._faults is not None:
            self._faults.clear()
        self._run_on_loop(lambda: self._reopen(TestClock.reset, forget=True))
        self.requests.clear()
        self._failures.clear()

    def _check_data_may_go(self) -> None:
        if self._path is not None:
            raise ValueError("a server with a file is not reset: that would delete its data")
        if self._has_lasting_store:
            raise ValueError(
                "a server with a store of yours is not reset: it would keep its items; pass a "
                "function that makes one, such as `store=InMemoryStore`"
            )

    async def _reopen(self, set_clock: Callable[[TestClock], None], *, forget: bool) -> None:
        """End all runs and begin without data.

        Args:
            set_clock: Called with the clock, if it is a `TestClock`, while nothing uses it: nothing
                may be due by the old time.
            forget: Whether to delete the threads' states in checkpointers of the test's own.
        """
        at_end, self._deletes_states_at_end = self._deletes_states_at_end, forget
        try:
            await self._shut_down(is_closing=False)
        finally:
            self._deletes_states_at_end = at_end
        if isinstance(self._clock, TestClock):
            set_clock(self._clock)
        await self._open()

    async def _all_ended(self, services: Services) -> None:
        if self._deletes_states_at_end:
            from langgraph_client.testing.delete_states import delete_threads

            await delete_threads(services)

    async def _open(self) -> None:
        await super()._open()
        if isinstance(self._clock, TestClock) and self._clock.auto_advance:
            moving = self._activity.move_clock(self.services, self._clock)
            self._background.append(asyncio.create_task(moving))

    def _run_on_loop(
        self, work: Callable[[], Awaitable[_Result]], *, timeout: float = _WORK_SECONDS
    ) -> _Result:
        """Run a coroutine on the server's loop, and wait for it.

        Raises:
            TimeoutError: It is not done after that time.
        """

        async def do() -> _Result:
            return await work()

        loop = self.loop  # First: if the server does not run, this raises, and nothing awaits `do`.
        future = asyncio.run_coroutine_threadsafe(do(), loop)
        try:
            return future.result(timeout)
        except TimeoutError:
            if future.done():
                raise  # The coroutine itself raised it.
            future.cancel()
            raise TimeoutError(
                f"the server's event loop is held up for {timeout:g} s, perhaps by an async node "
                "that blocks"
            ) from None


class TestHooks(RunHooks):
    """Holds runs by the test's holds, and stores the exceptions that ended runs."""

    __test__ = False  # By its name, pytest would collect the class as a test.

    def __init__(self, holds: Holds, failures: Failures) -> None:
        self._holds = holds
        self._failures = failures

    @property
    def watches_nodes(self) -> bool:
        """Whether anything is held now."""
        return bool(self._holds)

    @property
    def watches_starts(self) -> bool:
        """Whether anything is held now."""
        return bool(self._holds)

    def may_start(self, run: Run, again: Callable[[], None]) -> bool:
        """Return whether no hold keeps the run pending."""
        return not self._holds.keeps_pending(run, again)

    async def before_run(self, run: Run) -> None:
        """Wait while a hold keeps the run before its graph."""
        # The run's own task awaits this, so all that the graph starts inherits the value.
        CURRENT_RUN.set(run["run_id"])
        await self._holds.at(run)

    async def before_node(self, run: Run, node: str) -> None:
        """Wait while a hold keeps the run before this node."""
        await self._holds.at(run, node=node)

    def failed(self, run: Run, error: BaseException) -> None:
        """Store the exception."""
        self._failures.append(run, error)
