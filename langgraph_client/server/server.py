"""`Server`: the reference server, in this process."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import TYPE_CHECKING, Any

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.types import Receive, Scope, Send

from langgraph_client.server.app import make_app
from langgraph_client.server.asked import Noting, Requests
from langgraph_client.server.clock import Clock
from langgraph_client.server.engine import Engine
from langgraph_client.server.expiry import Expiry
from langgraph_client.server.failures import Failures
from langgraph_client.server.graphs import Graphs, brought_store
from langgraph_client.server.guard import guards
from langgraph_client.server.holds import Holds
from langgraph_client.server.parts import Parts
from langgraph_client.server.performing import GraphPerformer
from langgraph_client.server.requests import assistant_id_of
from langgraph_client.server.routes.assistants import store_version
from langgraph_client.server.scheduler import Scheduler
from langgraph_client.server.script_states import ScriptStates
from langgraph_client.server.storage import Storage
from langgraph_client.server.transport import AsyncServerTransport, ServerTransport
from langgraph_client.server.webhooks import Webhooks
from langgraph_client.server.workbench import Workbench

if TYPE_CHECKING:
    from langgraph_client import LangGraphClient, SyncLangGraphClient
    from langgraph_client.remote.graph import RemoteGraph
    from langgraph_client.testing.faults import Faults

IN_PROCESS_URL = "http://langgraph.server"
"""What in-process clients call the server; nothing is ever looked up or dialled."""


class Server(Workbench):
    """A LangGraph server in this process: no port, no network, no keys.

    Use it as a context manager, `with` or `async with`. It works on an event loop in a thread of
    its own, so that blocking clients, async clients and graphs can all talk to it.

        with Server({"agent": graph}) as server:
            client = server.sync_client()

    Args:
        graphs: Name to graph: compiled or not, a factory, or a `ScriptedGraph`. A checkpointer
            that a graph was compiled with wins over the server's. If one store was brought along,
            it is the server's store, for clients and for the other graphs, too: what it indexes can
            be searched by meaning, and it keeps what it keeps.
        path: The SQLite file that keeps everything; in memory by default. What was pending or
            running when an earlier process ended is taken up again.
        show_errors: Tell callers the text of every exception a graph raises. False withholds that
            of classes that are not known to be meant for them, as servers on a port do.
        max_runs: How many runs may be running at the same time, each on its own thread.
        max_run_seconds: How long a run may take before it ends as `timeout`; None for no limit.
        api_key: What requests must carry as `x-api-key`; None for no key.
        cors: The origins whose web pages may call; `*` for all.
        local_webhooks: Let webhooks of runs go to this machine and to private networks.
        allow_types: With a file, classes that may be made out of what it holds, besides
            langgraph's, langchain's and those that the graphs' schemas name. Any other comes back
            as plain data: nothing is imported because a file says so.
        remember_requests: How many of the latest requests `requests` tells of; 0 for none.
        clock: Time and ids; for tests, see `testing.TestClock`.

    Raises:
        TypeError: Something in `graphs` is not a graph.
    """

    def __init__(
        self,
        graphs: Mapping[str, Any],
        *,
        path: str | os.PathLike[str] | None = None,
        show_errors: bool = True,
        max_runs: int = 100,
        max_run_seconds: float | None = None,
        api_key: str | None = None,
        cors: Sequence[str] = (),
        local_webhooks: bool = False,
        allow_types: Iterable[type] = (),
        remember_requests: int = 1000,
        clock: Clock | None = None,
    ) -> None:
        self.url: str | None = None
        self._given = dict(graphs)
        self._path = path
        self._show_errors = show_errors
        self._max_runs = max_runs
        self._max_run_seconds = max_run_seconds
        self._guards = guards(api_key, cors)
        self._clock = clock or Clock()
        self._allow_types = tuple(allow_types)
        self._local_webhooks = local_webhooks
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._parts: Parts | None = None
        self._app: Starlette | None = None
        self._stop: asyncio.Event | None = None
        self._port: Any = None
        self._storage: Storage | None = None
        self._engine: Engine | None = None
        self._background: list[asyncio.Task[None]] = []
        self.requests = Requests(remember_requests)
        self._remember = remember_requests > 0
        self._holds = Holds()
        self._failures = Failures()
        self._faults: Faults | None = None

    # Starting and stopping.

    def start(self) -> Server:
        """Start the server; `with` does this.

        Raises:
            RuntimeError: It is running.
        """
        if self._thread is not None:
            raise RuntimeError("the server is running already")
        started: Future[None] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(started,), name="langgraph-server", daemon=True
        )
        self._thread.start()
        try:
            started.result()
        except BaseException:
            self._thread.join()
            self._thread = None
            raise
        return self

    def close(self) -> None:
        """Stop the server: end its runs, answer nothing more, close the file. Safe to repeat."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        thread.join()

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Server:
        return await asyncio.to_thread(self.start)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self.close)

    def _run(self, started: Future[None]) -> None:
        with asyncio.Runner() as runner:
            runner.run(self._main(started))

    async def _main(self, started: Future[None]) -> None:
        try:
            try:
                self._loop = asyncio.get_running_loop()
                self._stop = asyncio.Event()
                self._open()
            except BaseException as error:
                started.set_exception(error)
                return
            started.set_result(None)
            await self._stop.wait()
            if self._port is not None:
                await self._port.stop()
        finally:
            self._holds.release_all()
            await self._shut(for_good=True)
            self._loop = self._stop = self._parts = self._app = self._port = None
            self.url = None

    def _open(self) -> None:
        """Open what is kept, and take up what was left."""
        self._storage = Storage(self._path)
        self._engine = self._assemble(self._storage)
        self._engine.recover()
        self._background = [
            asyncio.create_task(self.parts.scheduler.run()),
            asyncio.create_task(self.parts.expiry.run()),
        ]

    async def _shut(self, *, for_good: bool) -> None:
        """End all runs, and close what is kept."""
        for task in self._background:
            task.cancel()
        if self._engine is not None:
            await self._engine.close()
        if self._parts is not None:
            await self._parts.webhooks.close()
        if for_good:
            current = asyncio.current_task()
            others = [task for task in asyncio.all_tasks() if task is not current]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
        if self._storage is not None:
            self._storage.close()
        self._engine = self._storage = None

    async def _begin_anew(self) -> None:
        if self._path is not None:
            raise ValueError("a server with a file is not reset: that would delete its data")
        await self._shut(for_good=False)
        self._open()

    def _assemble(self, storage: Storage) -> Engine:
        checkpoints, own_store = _langgraph_parts(
            storage, self._clock, self._path is not None, self._allow_types
        )
        # What graphs write has to be found where clients look for it, and as the graphs index it.
        brought = brought_store(self._given)
        store = own_store if brought is None else brought
        script_states = ScriptStates(storage.connection, storage.lock, self._clock)
        graphs = Graphs(self._given, checkpoints, store, script_states)
        self._clock.start_after(storage.events.last_id())
        performer = GraphPerformer(graphs, checkpoints, script_states, self.url, self._holds)
        engine = Engine(
            storage,
            self._clock,
            performer,
            limit=self._max_runs,
            seconds=self._max_run_seconds,
            show_errors=self._show_errors,
            holds=self._holds,
            failures=self._failures,
        )
        if checkpoints is not None:
            checkpoints.before_writing = engine.write_logs
        self._parts = Parts(
            self._clock, storage, graphs, engine, store, checkpoints, script_states, self.url
        )
        self._parts.own_store = own_store
        self._parts.scheduler = Scheduler(self._parts)
        self._parts.expiry = Expiry(self._parts)
        self._parts.webhooks = Webhooks(self._clock, local=self._local_webhooks)
        engine.ended.append(self._parts.webhooks.run_ended)
        for name in graphs.names:
            _ensure_assistant(self._parts, name)
        noting = [Middleware(Noting, requests=self.requests)] if self._remember else []
        self._app = make_app(self._parts, [*noting, *self._guards])
        return engine

    # What it offers.

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The server's event loop. Raises RuntimeError if it is not running."""
        if self._loop is None:
            raise RuntimeError("the server is not running; use it as a context manager")
        return self._loop

    @property
    def app(self) -> Any:
        """The ASGI application. It has to be called on the server's own loop."""
        if self._app is None:
            raise RuntimeError("the server is not running; use it as a context manager")
        return self._app

    @property
    def parts(self) -> Parts:
        """The parts of the running server; to be touched on its loop only."""
        if self._parts is None:
            raise RuntimeError("the server is not running; use it as a context manager")
        return self._parts

    def transport(self) -> httpx.BaseTransport:
        """Return a blocking httpx transport to this server, usable from any thread."""
        return self.faults.transport(ServerTransport(self))

    def async_transport(self) -> httpx.AsyncBaseTransport:
        """Return an async httpx transport to this server, usable from any event loop."""
        return self.faults.async_transport(AsyncServerTransport(self))

    def client(self, **options: Any) -> LangGraphClient:
        """Return an async client of this server; `options` are those of `get_client`."""
        from langgraph_client import get_client

        options = {"url": IN_PROCESS_URL, "transport": self.async_transport(), **options}
        made = get_client(**options)
        if (skip := getattr(self._clock, "skip", None)) is not None:
            made._transport.sleep = skip  # A clock that a test moves: nobody waits.
        return made

    def sync_client(self, **options: Any) -> SyncLangGraphClient:
        """Return a blocking client of this server; `options` are those of `get_sync_client`."""
        from langgraph_client import get_sync_client

        options = {"url": IN_PROCESS_URL, "transport": self.transport(), **options}
        made = get_sync_client(**options)
        if (advance := getattr(self._clock, "advance", None)) is not None:
            made._transport.sleep = advance
        return made

    def remote_graph(self, name: str, /, **options: Any) -> RemoteGraph:
        """Return a `RemoteGraph` of one of the graphs; `options` are those of `RemoteGraph`.

        Results are made of the classes of the graph's own schema, as its `allow_types`.
        """
        from langgraph_client.remote.graph import RemoteGraph

        if "allow_types" not in options:
            from langgraph_client.server.rich import classes_of

            # What is no graph itself, such as a factory, names no classes.
            options["allow_types"] = [
                *classes_of(self._given.get(name)).values(),
                *self._allow_types,
            ]
        options = {"client": self.client(), "sync_client": self.sync_client(), **options}
        return RemoteGraph(name, **options)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)  # After a reset it is another one.

    def listen(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Also serve on a port, until the server is closed. Returns the URL.

        Args:
            host: The address to listen on.
            port: The port; 0 for any free one.

        Raises:
            OSError: The address cannot be used.
        """
        from langgraph_client.server.port import Port

        async def start() -> str:
            self._port = Port(self._serve, host, port)
            url: str = await self._port.start()
            self.url = self.parts.url = url
            return url

        return asyncio.run_coroutine_threadsafe(start(), self.loop).result()


def _langgraph_parts(
    storage: Storage, clock: Clock, strict: bool, allowed: Iterable[type]
) -> tuple[Any, Any]:
    """Return checkpointer and store; None each where langgraph is not installed."""
    try:
        import langgraph.checkpoint.sqlite
        import langgraph.store.sqlite  # noqa: F401
    except ImportError:
        return None, None
    from langgraph_client.server.checkpoints import Checkpoints
    from langgraph_client.server.store import Store

    connection, lock = storage.connection, storage.lock
    checkpoints = Checkpoints(connection, lock, strict=strict)
    checkpoints.allow(allowed)
    return checkpoints, Store(connection, lock, clock)


def _ensure_assistant(parts: Parts, name: str) -> None:
    """Make the assistant that stands for a graph, unless an earlier start did."""
    assistant_id = assistant_id_of(name)
    if parts.storage.assistants.get(assistant_id) is not None:
        return
    now = parts.clock.stamp()
    assistant = {
        "assistant_id": assistant_id,
        "graph_id": name,
        "config": {},
        "context": {},
        "metadata": {"created_by": "system"},
        "name": name,
        "created_at": now,
        "updated_at": now,
        "version": 1,
        "description": None,
    }
    store_version(parts, assistant, now)
