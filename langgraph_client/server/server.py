"""`Server`: the reference server, in this process."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

import httpx
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from langgraph_client.current_server import IN_PROCESS_URL, HostingServer
from langgraph_client.errors import InvalidArgumentError
from langgraph_client.models.fields import JsonMapping
from langgraph_client.server.assembly import OwnServer, Settings, assemble
from langgraph_client.server.auth.authorization import Authorization, Caller
from langgraph_client.server.auth.users import USER_FIELDS
from langgraph_client.server.clock import Clock
from langgraph_client.server.custom_storage import CustomStorage
from langgraph_client.server.documents.pulled import store_pulled_thread
from langgraph_client.server.encryption.cipher import Cipher
from langgraph_client.server.encryption.storage import EncryptedStorage
from langgraph_client.server.graphs import sdk_loopback
from langgraph_client.server.graphs.hosted_graphs import (
    schema_classes_of,
)
from langgraph_client.server.graphs.node_threads import NodeThreads, run_contained
from langgraph_client.server.hooks import RunHooks
from langgraph_client.server.http.app import make_app
from langgraph_client.server.http.authentication import CALLER
from langgraph_client.server.http.in_process import (
    AsyncScopedTransport,
    AsyncServerTransport,
    OpenExchanges,
    ScopedTransport,
    ServerTransport,
)
from langgraph_client.server.http.middleware import ApiKey, HealthOnly, RequestLines
from langgraph_client.server.http.user_app import UserApp
from langgraph_client.server.options import (
    Cors,
    HttpOptions,
    ThreadTTL,
    WebhookOptions,
    check_number,
)
from langgraph_client.server.runs.background_tasks import end_other_tasks
from langgraph_client.server.runs.engine import Engine
from langgraph_client.server.services import Services
from langgraph_client.server.storage.opening import is_postgres, open_storage
from langgraph_client.server.storage.protocol import Storage
from langgraph_client.server.user_code import contain
from langgraph_client.ui.pages import Pages, has_own_ui

if TYPE_CHECKING:
    from langgraph_client._async.client import LangGraphClient
    from langgraph_client._sync.client import SyncLangGraphClient
    from langgraph_client.pull import PulledThread
    from langgraph_client.remote.graph import RemoteGraph
    from langgraph_client.server.http.listener import Port

logger = logging.getLogger("langgraph_client.server")

Role: TypeAlias = Literal["all", "api", "worker"]
_CLOSE_SECONDS = 10.0
_ENGINE_SECONDS = 3.0
_TASK_SECONDS = 1.0


class Server:
    """A LangGraph server in this process: no port, no network, no keys.

    Use it as a context manager, `with` or `async with`. It has its own thread with an event loop,
    so that blocking clients, async clients and graphs can all use it.

        with Server({"agent": graph}) as server:
            client = server.sync_client()

    Args:
        graphs: Graphs by name: compiled graphs, builders, factories, or a `ScriptedGraph`. A
            checkpointer that a graph was compiled with is used in place of the server's. If graphs
            were compiled with one store, it is the server's store, for clients and for the other
            graphs too.
        path: The SQLite file for all data, or the URL of a PostgreSQL database (`postgresql://…`),
            which several servers may share. None (the default) keeps data in memory. Runs that were
            pending or running when a process ended are continued by a server with room.
        role: With PostgreSQL: `api` serves requests and leaves all runs to other servers; `worker`
            executes runs and serves only `/ok` and `/metrics` on a port; `all` (the default) does
            both.
        listen_url: With PostgreSQL: the URL for `LISTEN`, if `path` leads to a pooler in
            transaction mode, such as PgBouncer. Default: the same as `path`.
        show_errors: Whether callers get the text of every exception of a graph (the default). False
            hides the text of classes that are not known to be meant for callers.
        show_tracebacks: Whether to keep the traceback of a failed run in the `error` of its thread,
            as `traceback`. The local page shows it. Default: False.
        max_runs: How many runs may run at the same time, each on its own thread. Default: 100.
        max_run_seconds: After how many seconds a run ends as `timeout`; None (the default) for no
            limit.
        event_ttl: For how many seconds the events of a resumable run are kept after its end, for
            readers whose connection was lost. They may be kept up to twice as long. Default: 600.
        api_key: The key that requests must have as `x-api-key`; None (the default) for no key. It
            is one key for all. Beside an `auth`, a request needs both: it must have the key, and is
            then authenticated. An `auth` that reads `x-api-key` itself must have no key beside it.
        cors: The origins whose web pages may use a port, besides pages from this machine; `*` for
            all. Without an `api_key`, requests of other pages are refused. A `Cors` object has more
            settings. Default: none.
        send_timeout: After how many seconds a client that does not read its response counts as
            disconnected; its run goes on. None for no limit. Default: 60.
        store: The key-value store for clients and graphs, or a function that creates it; or
            `StoreOptions` for the server's own. Default: the server's own.
        checkpointer: A saver, or a function that creates it. Functions may be async, generators or
            context managers; they are entered at the start and exited at the end. Default: the
            server's own.
        encryption: Encrypts stored data: a `langgraph_client.encryption.Encryption`, or
            langgraph_sdk's. Data in a graph's own checkpointer or store is not encrypted. Default:
            no encryption.
        thread_ttl: The default time to live of threads; None (the default) for no limit.
        descriptions: Descriptions of graphs, by name, for their assistants. Default: none.
        http: Additional routes, disabled endpoints, and other HTTP settings. Default: none.
        webhooks: Which URLs webhooks may call, and what they send. Default: no local and no private
            addresses.
        auth: Authentication and authorization: a `langgraph_client.auth.Auth`, or langgraph_sdk's.
            Its handlers are called for every request except to `/ok`, `/info` and the like. None
            (the default) allows everything.
        studio_auth: With `auth`: whether requests that claim to come from LangGraph Studio are
            accepted as a `StudioUser` without authentication. For development only. Default: False.
        ui: Whether to serve the local page on a port, at `/ui`. None (the default) serves it,
            unless `http` has a route of that path or disables it.
        allow_types: With a file: classes of which objects may be created from it, besides those of
            langgraph, langchain and the graphs' schemas. Objects of other classes are returned as
            plain data: a file never causes an import. Default: none.
        lend_checkpointer: Whether graphs that were compiled without a checkpointer use the server's
            (the default). With False, each graph behaves as locally: without a checkpointer its
            threads have no state, and with its own one a run needs a thread.
        clock: Gives times and ids; for tests, see `testing.TestClock`. Default: the real time.
        hooks: Functions that are called at points in the life of a run. Default: none.

    Raises:
        InvalidArgumentError: `graphs` is not a mapping, `api_key` is empty, `cors` has something
            that is not an origin, or a number is not above 0.
        TypeError: An object in `graphs` is not a graph, or `auth` is not an `Auth`.
        ValueError: `auth` has no function decorated with `@auth.authenticate`, or `role` or
            `listen_url` is passed without PostgreSQL.
        StartError: `encryption` lacks a handler, or some data cannot be encrypted.
    """

    def __init__(
        self,
        graphs: Mapping[str, object],
        *,
        path: str | os.PathLike[str] | None = None,
        role: Role = "all",
        listen_url: str | None = None,
        show_errors: bool = True,
        show_tracebacks: bool = False,
        max_runs: int = 100,
        max_run_seconds: float | None = None,
        event_ttl: float = 600.0,
        api_key: str | None = None,
        cors: Cors | Sequence[str] = (),
        send_timeout: float | None = 60.0,
        store: object = None,
        checkpointer: object = None,
        encryption: object = None,
        thread_ttl: ThreadTTL | None = None,
        descriptions: Mapping[str, str] | None = None,
        http: HttpOptions | None = None,
        webhooks: WebhookOptions | None = None,
        auth: object = None,
        studio_auth: bool = False,
        ui: bool | None = None,
        allow_types: Iterable[type] = (),
        lend_checkpointer: bool = True,
        clock: Clock | None = None,
        hooks: RunHooks | None = None,
    ) -> None:
        sdk_loopback.install()
        self.url: str | None = None
        _check_types(graphs, cors, api_key)
        check_number("max_runs", max_runs, whole=True)
        check_number("max_run_seconds", max_run_seconds, optional=True)
        check_number("event_ttl", event_ttl)
        check_number("send_timeout", send_timeout, optional=True)
        if not is_postgres(path) and (role != "all" or listen_url is not None):
            raise ValueError(
                "a role (--role) and a URL to listen on (--db-listen) need a database with"
                " postgresql:// (--db, or path= in Python)"
            )
        self._graphs = dict(graphs)
        self._path = path
        self._role = role
        self._listen_url = listen_url
        self._api_key = api_key
        self._cors = cors if isinstance(cors, Cors) else Cors(tuple(cors))
        self.send_timeout = send_timeout
        self.exchanges = OpenExchanges()
        self._clock = clock or Clock()
        self._allow_types = tuple(allow_types)
        self._custom = CustomStorage(store, checkpointer)
        self._cipher = None if encryption is None else Cipher(encryption)
        if self._cipher is not None:
            self._cipher.check(graphs.values(), self._custom.store_options)
        self._http = http or HttpOptions()
        self._user_app: UserApp | None = None
        self._authorization = None if auth is None else Authorization(auth, studio=studio_auth)
        #: Whether requests are authenticated. Everyone can say that they are LangGraph Studio.
        self._has_authentication = api_key is not None or (auth is not None and not studio_auth)
        self._ui = False if ui is None and has_own_ui(self._http.app) else ui
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._services: Services | None = None
        self._app: ASGIApp | None = None
        self._stop: asyncio.Event | None = None
        self._starting: asyncio.Task[Any] | None = None  # `_main`, until it has started.
        self._port: Port | None = None
        self._storage: Storage | None = None
        self._engine: Engine | None = None
        self._background: list[asyncio.Task[None]] = []
        self._settings = Settings(
            graphs=self._graphs,
            clock=self._clock,
            hooks=hooks or RunHooks(),
            custom=self._custom,
            authorization=self._authorization,
            webhooks=webhooks or WebhookOptions(),
            thread_ttl=thread_ttl,
            descriptions=dict(descriptions or {}),
            max_runs=max_runs,
            max_run_seconds=max_run_seconds,
            event_ttl=event_ttl,
            show_errors=show_errors,
            show_tracebacks=show_tracebacks,
            lend_checkpointer=lend_checkpointer,
            may_resume=path is not None,
            works=role != "api",
        )

    # Starting and stopping.

    def start(self) -> Self:
        """Start the server; `with` does this.

        Raises:
            RuntimeError: The server is running already, or was closed while it started.
        """
        started = self._begin()
        try:
            started.result()
        except BaseException:  # Also a Ctrl-C, after which the server's thread would go on.
            self.close()
            raise
        return self

    def _begin(self) -> Future[None]:
        """Start the server's thread. The future is done when the server has started."""
        if self._thread is not None:
            raise RuntimeError("the server is running already")
        self._is_closing = False  # Of this start: `close` sets it, `_main` reads it.
        started: Future[None] = Future()
        thread = threading.Thread(
            target=self._run, args=(started,), name="langgraph-server", daemon=True
        )
        thread.start()
        self._thread = thread
        return started

    def close(self) -> None:
        """Stop the server: end its runs and requests, and close the database. It can be repeated.

        A blocking node that does not end stays in its thread. An async node that blocks the event
        loop is waited for at most ten seconds.
        """
        thread, self._thread = self._thread, None
        if thread is None:
            self._leave_port()
            return
        # In this order, because the server's thread sets `_loop` first and then reads this.
        self._is_closing = True
        if (loop := self._loop) is not None:
            with suppress(RuntimeError):  # The loop has ended by itself.
                loop.call_soon_threadsafe(self._end_main)
        thread.join(_CLOSE_SECONDS)
        if thread.is_alive():
            logger.warning(
                "the server was closed, but its event loop is still blocked, perhaps by an async"
                " node with a blocking call"
            )
        else:
            self._leave_port()

    def _end_main(self) -> None:
        """Let `_main` end; on the server's loop."""
        if self._stop is not None:
            self._stop.set()
        if self._starting is not None:
            self._starting.cancel()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        started = asyncio.wrap_future(self._begin())
        # A failure that nobody reads after a cancellation is no error of its own.
        started.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            # Not awaited itself: a cancellation would cancel it, and the server sets its result.
            await asyncio.wait([started])
            started.result()
        except BaseException:
            # If it is cancelled again, `close` still goes on in its thread.
            await asyncio.to_thread(self.close)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self.close)

    def _run(self, started: Future[None]) -> None:
        try:
            loop = asyncio.new_event_loop()
        except BaseException as error:  # Such as: no file descriptors are left.
            started.set_exception(error)
            return
        try:
            loop.set_default_executor(NodeThreads())
            run_contained(loop, self._main(started))
            # Async generators that were not closed, such as those of abandoned graphs.
            ending = asyncio.wait_for(loop.shutdown_asyncgens(), _TASK_SECONDS)
            with suppress(TimeoutError):
                loop.run_until_complete(ending)
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)
        finally:
            # Not `Runner.close`: that waits for the threads of blocking nodes, which may never end.
            loop.close()
            self.exchanges.fail_all()

    async def _main(self, started: Future[None]) -> None:
        try:
            async with AsyncExitStack() as running:
                try:
                    self.exchanges.is_refusing = False
                    self._stop = asyncio.Event()
                    self._starting = asyncio.current_task()
                    self._loop = asyncio.get_running_loop()
                    contain(self._loop)
                    if self._is_closing:  # `close` came before there was a loop.
                        raise asyncio.CancelledError
                    await self._start(running)
                except BaseException as error:
                    closed = RuntimeError("the server was closed while it started")
                    started.set_exception(closed if self._is_closing else error)
                    return
                finally:
                    self._starting = None
                started.set_result(None)
                await self._stop.wait()
                if self._port is not None:
                    await self._port.stop()
        finally:
            try:
                await self._shut_down(is_closing=True)
            finally:
                self._leave_port()
                self._loop = self._stop = self._services = self._app = self._user_app = None

    async def _start(self, running: AsyncExitStack) -> None:
        """Start everything, in this order: the user's lifespan may already call the server."""
        if self._http.app is not None:
            self._user_app = UserApp(self._http, self._hosting, self._authorization)
            running.callback(self._user_app.detach)
        await self._open()
        if self._user_app is not None:
            await running.enter_async_context(self._user_app.lifespan())
        if self._port is not None:
            await self._serve(self._port)

    @property
    def _hosting(self) -> HostingServer:
        """This server, for `get_client()` without a URL, in graphs and in routes of `http.app`."""
        return self._hosting_for(None)

    def _hosting_for(self, caller: Caller | None, run_id: str = "") -> HostingServer:
        """Return this server, for code that runs for a caller; None for its own code."""
        scope = {} if self._authorization is None else {CALLER: caller}
        return HostingServer(
            IN_PROCESS_URL,
            lambda: ScopedTransport(self.transport(), scope),
            lambda: AsyncScopedTransport(self.async_transport(), scope),
            self._api_key,
            run_id,
            self,
        )

    # For subclasses: `_open`, `_shut_down`, `_all_ended` and `_middleware` may be extended, tasks
    # that end with the server added to `_background`, and `_clock` and `_path` read.
    # `testing.TestServer` does.

    async def _open(self) -> None:
        """Open the storage and continue unfinished runs; on the server's loop."""
        own = await open_storage(
            self._path,
            clock=self._clock,
            allow_types=self._allow_types,
            store=self._custom.store_options,
            listen_url=self._listen_url,
        )
        self._storage = own  # So that it is closed if the next line fails.
        self._storage = await self._custom.open(own)
        if self._cipher is not None:
            self._storage = EncryptedStorage(self._storage, self._cipher)
        own_server = OwnServer(
            self.url, self.async_transport(), self._hosting, self._hosting_of_run
        )
        self._services = services = await assemble(self._settings, self._storage, own_server)
        self._engine = services.engine
        self._app = make_app(services, self._middleware(), self._http, self._user_app)
        await services.webhooks.make_due()
        await self._engine.recover()
        self._background = [
            asyncio.create_task(services.scheduler.run()),
            asyncio.create_task(services.thread_ttl.run()),
            asyncio.create_task(services.event_expiry.run()),
            asyncio.create_task(services.webhooks.run()),
        ]

    async def _shut_down(self, *, is_closing: bool) -> None:
        """End all runs and close the storage; on the server's loop.

        Args:
            is_closing: Whether the server is closed; if not, `_open` is called next.
        """
        # The order: nothing new is started; runs end, which stores webhooks; webhooks are sent;
        # tests read the storage; the user's saver, which the ends needed, closes; then what is
        # left; the database last. The stack calls the last one that is pushed first, and all of
        # them if one fails: a saver that cannot be closed must not keep the database's file.
        async with AsyncExitStack() as ends:
            if self._storage is not None:
                ends.push_async_callback(self._storage.close)
            if is_closing:
                ends.push_async_callback(end_other_tasks, _TASK_SECONDS)
                ends.callback(setattr, self.exchanges, "is_refusing", True)
            ends.push_async_callback(self._custom.close)
            if self._services is not None:
                ends.push_async_callback(self._all_ended, self._services)
                ends.push_async_callback(self._services.webhooks.close)
            if self._engine is not None:
                ends.push_async_callback(_close_engine, self._engine)
            for task in self._background:
                task.cancel()
            self._engine = self._storage = None

    async def _all_ended(self, services: Services) -> None:
        """Do nothing. `_shut_down` calls it when runs have ended and the storage is still open."""

    def _middleware(self) -> list[Middleware]:
        """Return the middleware, the outermost first."""
        middleware = [Middleware(RequestLines, headers=self._http.logging_headers)]
        if self._api_key is not None:
            middleware.append(Middleware(ApiKey, key=self._api_key))
        return middleware

    def _hosting_of_run(self, run: JsonMapping) -> HostingServer:
        """Return this server, for the code of a run: requests are made as the user of the run."""
        user = run["kwargs"]["config"]["configurable"].get(USER_FIELDS[0])
        caller = None
        if self._authorization is not None and user is not None:
            caller = self._authorization.caller_of(user)
        return self._hosting_for(caller, run["run_id"])

    # Public access.

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The server's event loop. Raises RuntimeError if it is not running."""
        if self._loop is None:
            raise RuntimeError("the server is not running; use it as a context manager")
        return self._loop

    @property
    def app(self) -> ASGIApp:
        """The ASGI application. It must be called on the server's own loop."""
        if self._app is None:
            raise RuntimeError("the server is not running; use it as a context manager")
        return self._app

    @property
    def services(self) -> Services:
        """The services of the running server. They must be used on its loop only."""
        if self._services is None:
            raise RuntimeError("the server is not running; use it as a context manager")
        return self._services

    def transport(self) -> httpx.BaseTransport:
        """Return a blocking httpx transport to this server, usable from any thread."""
        return ServerTransport(self)

    def async_transport(self) -> httpx.AsyncBaseTransport:
        """Return an async httpx transport to this server, usable from any event loop."""
        return AsyncServerTransport(self)

    def client(self, **options: Any) -> LangGraphClient:
        """Return an async client of this server, with the server's `api_key`.

        Args:
            **options: The arguments of `get_client`. They replace the server's, such as `api_key`.
                With `url`, `transport` or `http_client`, the server's key is not sent.
        """
        from langgraph_client._async.client import get_client

        own = {"url": IN_PROCESS_URL, "transport": self.async_transport()}
        return get_client(**{**own, **self._own_key(options), **options})

    def sync_client(self, **options: Any) -> SyncLangGraphClient:
        """Return a blocking client of this server, with the server's `api_key`.

        Args:
            **options: The arguments of `get_sync_client`. They replace the server's, such as
                `api_key`. With `url`, `transport` or `http_client`, the server's key is not sent.
        """
        from langgraph_client._sync.client import get_sync_client

        own = {"url": IN_PROCESS_URL, "transport": self.transport()}
        return get_sync_client(**{**own, **self._own_key(options), **options})

    def _own_key(self, options: Mapping[str, Any]) -> dict[str, str]:
        # Requests of a client with one of these may reach another server.
        elsewhere = options.keys() & {"url", "transport", "http_client"}
        return {} if self._api_key is None or elsewhere else {"api_key": self._api_key}

    def remote_graph(self, name: str, /, **options: Any) -> RemoteGraph:
        """Return a `RemoteGraph` of one of the graphs, with clients of this server.

        Args:
            name: The graph's name.
            **options: The arguments of `RemoteGraph`, without `url`. `api_key` and `headers` are
                those of its clients. `allow_types` are the classes of the graph's own schemas by
                default.

        Raises:
            InvalidArgumentError: There is a `url`, or `api_key` or `headers` beside a client, which
                has its own.
        """
        from langgraph_client.remote.graph import RemoteGraph

        if "allow_types" not in options:
            # An object that is not a graph itself, such as a factory, has no schemas.
            options["allow_types"] = [
                *schema_classes_of(self._graphs.get(name)).values(),
                *self._allow_types,
            ]
        if (mode := getattr(self._graphs.get(name), "stream_mode", None)) is not None:
            options.setdefault("stream_mode", mode)
        own = {key: options.pop(key) for key in ("api_key", "headers") if key in options}
        if options.get("url") is not None:
            raise InvalidArgumentError("url", "is that of this server; use RemoteGraph for another")
        for name_of_client in ("client", "sync_client"):
            if own and options.get(name_of_client) is not None:
                problem = f"is not sent by {name_of_client}=, which has its own: leave one out"
                raise InvalidArgumentError(min(own), problem)
        clients = {"client": self.client(**own), "sync_client": self.sync_client(**own)}
        return RemoteGraph(name, **{**clients, **options})

    def pull(
        self, client: SyncLangGraphClient, thread_id: str, *, store: Sequence[Sequence[str]] = ()
    ) -> PulledThread:
        """Copy a thread from any server into this one, with its whole history.

        The copy has the same thread ID and checkpoint IDs. So `get_state` returns the same for each
        checkpoint, forks and interrupts are kept, and a run can start at any checkpoint. The graph
        must be hosted here, with the same name and the same nodes. Finished runs are copied as
        documents, without their events.

            with Server({"agent": graph}, path="state.db") as server:
                server.pull(get_sync_client(url="https://example.com"), thread_id)

        Args:
            client: A blocking client of the server that has the thread.
            thread_id: The thread's ID.
            store: Namespaces of the store. All items in and below them are copied too.

        Returns:
            The number of copied objects, and descriptions of missing information.

        Raises:
            NotFoundError: The thread does not exist on the other server.
            ServerError: This server has a thread with the ID, or does not host the graph
                (`langgraph_client.server.errors`).
        """
        from langgraph_client.pull import PulledThread, read_thread

        copy = read_thread(client, thread_id, store)
        taking = store_pulled_thread(
            self.services, copy.thread, copy.histories, copy.runs, copy.items
        )
        missing = asyncio.run_coroutine_threadsafe(taking, self.loop).result()
        checkpoints = sum(map(len, copy.histories.values()))
        counts = (checkpoints, len(copy.runs), len(copy.items))
        return PulledThread(copy.thread["thread_id"], *counts, missing, copy.not_copied())

    def listen(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        certfile: str | None = None,
        keyfile: str | None = None,
    ) -> str:
        """Also serve on a port, until the server is closed. Return the URL.

        It can be called before the server is started. The port is then reserved at once and served
        from the start on, so that a port in use is reported before any run is continued.

        Args:
            host: The address to listen on. Default: this machine only. Other addresses need a
                server with an `api_key`, or with an `auth` and without `studio_auth`.
            port: The port; 0 (the default) for any free one.
            certfile: The file of a certificate, for HTTPS. Default: HTTP.
            keyfile: The file of its key; needed with `certfile`.

        Raises:
            InvalidArgumentError: Other machines can reach `host`, and the server does not
                authenticate requests.
            OSError: The address or the certificate cannot be used.
            ValueError: The port is out of range.
            RuntimeError: The server listens already.
        """
        from langgraph_client.server.http.listener import Port, is_loopback

        if self._port is not None:
            raise RuntimeError(f"the server listens already, at {self.url}")
        if not is_loopback(host) and not self._has_authentication:
            raise InvalidArgumentError(
                "host",
                f"{host!r} can be reached from other machines: give the server an API key"
                " (--api-key, or api_key= in Python) or an Auth without the exception for LangGraph"
                " Studio, or listen on 127.0.0.1",
            )
        self._port = Port(host, port, (certfile, keyfile) if certfile and keyfile else None)
        self.url = self._port.url + self._http.mount_prefix
        if self._loop is not None:
            try:
                asyncio.run_coroutine_threadsafe(self._serve(self._port), self._loop).result()
            except BaseException:
                self._leave_port()
                raise
        return self.url

    async def _serve(self, port: Port) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await self.app(scope, receive, send)  # Looked up each time: a reset replaces it.

        from langgraph_client.server.http.origins import with_origin_checks

        has_key = self._api_key is not None
        # Outside of the check of keys: the page's files are public, its requests have the key.
        inner: ASGIApp
        if self._role == "worker":
            inner = HealthOnly(app)
        else:
            inner = Pages(app) if self._serves_ui() else app
        front = with_origin_checks(
            inner,
            self._cors,
            self._http.mount_prefix,
            has_key=has_key,
            has_auth=self._authorization is not None,
            local=port.is_loopback,
        )
        await port.serve(front, self.send_timeout)

    def _serves_ui(self) -> bool:
        return "ui" not in self._http.disabled if self._ui is None else self._ui

    def _leave_port(self) -> None:
        if self._port is not None:
            self._port.close()
        self._port = self.url = None


async def _close_engine(engine: Engine) -> None:
    closing = asyncio.ensure_future(engine.close())
    await asyncio.wait([closing], timeout=_ENGINE_SECONDS)
    if closing.done():
        closing.result()


def _check_types(graphs: object, cors: object, api_key: str | None) -> None:
    """Refuse arguments that are easily confused with others.

    Raises:
        InvalidArgumentError: One of them cannot be right.
    """
    if not isinstance(graphs, Mapping):
        kind = type(graphs).__name__
        problem = f'must be a mapping of names to graphs, such as {{"agent": graph}}, not {kind}'
        raise InvalidArgumentError("graphs", problem)
    if isinstance(cors, str):
        raise InvalidArgumentError("cors", f"must be a list of origins, not {cors!r}")
    if api_key == "":
        raise InvalidArgumentError("api_key", "must not be empty; None means no key")
