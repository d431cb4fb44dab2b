"""Serve the user's application (`http.app`) together with the server's own endpoints."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from weakref import WeakSet

from starlette.applications import Starlette
from starlette.datastructures import URLPath
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from langgraph_client.current_server import HostingServer, current_server
from langgraph_client.server.auth.authorization import Authorization
from langgraph_client.server.errors import StartError
from langgraph_client.server.http.authentication import Authentication
from langgraph_client.server.http.endpoints import ENDPOINTS
from langgraph_client.server.http.prefix import route_path
from langgraph_client.server.options import HttpOptions

logger = logging.getLogger("langgraph_client.server")

SERVER_PATHS = frozenset({"/ok", "/metrics", "/docs", "/openapi.json"})
"""Paths that are always the server's own."""
PUBLIC_PATHS = {endpoint.path for endpoint in ENDPOINTS if not endpoint.access.resource}
"""The server's own paths without authentication."""
_LIFESPAN_SECONDS = 3.0
"""How many seconds the application's lifespan has to end when the server is closed."""
_served: WeakSet[Starlette] = WeakSet()
"""The applications that servers in this process are serving."""
_served_lock = threading.Lock()


class UserApp:
    """A Starlette or FastAPI application, with the server's endpoints after its routes.

    `langgraph dev` (seen in langgraph-api 0.16.7) serves both as one application. The user's
    middleware gets every request. The user's routes have priority over all endpoints except
    `SERVER_PATHS`. If a route of the user has the path but not the method, the server's endpoint is
    used. The user's own object is called, so that `request.app` in its routes is that object.

    Args:
        options: The application, and the order of its middleware. The application is modified while
            it is served; `detach` undoes that.
        hosting: The server, for `get_client()` without a URL in the application's code.
        authorization: The application's `Auth`; None if it has none.

    Raises:
        TypeError: The object is not such an application.
        StartError: Another server is serving the application.
    """

    def __init__(
        self,
        options: HttpOptions,
        hosting: HostingServer,
        authorization: Authorization | None,
    ) -> None:
        app = options.app
        if not isinstance(app, Starlette):
            raise TypeError(
                f"http.app must be a Starlette or FastAPI application, not a {type(app).__name__}"
            )
        with _served_lock:  # Each server has its own thread.
            if app in _served:
                raise StartError(
                    "http.app is being served by another Server; create an application for each"
                    " server, or close the other server first"
                )
            _served.add(app)
        self._app = app
        self._hosting = hosting
        self._routes = list(app.router.routes)
        self._middleware = list(app.user_middleware)
        self._core: ASGIApp | None = None
        self._state: Mapping[str, object] = {}
        authentication = []
        if authorization is not None:
            authentication = [Middleware(Authentication, authorization=authorization)]
        self._inside = self._middleware if options.auth_first else []
        # Otherwise the endpoints authenticate requests themselves, after the middleware.
        self._before_endpoints = authentication if options.auth_first else []
        around = authentication if options.custom_route_auth else []
        try:
            self._insert_endpoints([*around, *self._inside])
        except BaseException:  # A middleware of the user cannot be created.
            self.detach()
            raise

    def _insert_endpoints(self, before_routes: Sequence[Middleware]) -> None:
        app = self._app
        if self._inside:
            # It wraps each route and the endpoints instead, to be called after `Auth`.
            app.user_middleware = []
        routes = self._routes
        if before_routes:
            routes = [_UserRoute(route, before_routes) for route in routes]
        # The first match wins: the server's own paths, the user's routes, then all other endpoints.
        app.router.routes = [
            _ServerRoute(self._call_core, SERVER_PATHS),
            *routes,
            _ServerRoute(self._call_core, None),
        ]
        app.middleware_stack = None  # So that Starlette builds it again for the next request.

    def attach(self, core: ASGIApp) -> None:
        """Set the application for requests that match no route of the user.

        Args:
            core: The server's own application, whose endpoints authenticate requests.
        """
        with_auth = wrapped(core, [*self._before_endpoints, *self._inside])
        without_auth = wrapped(core, self._inside)

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            is_public = route_path(scope) in PUBLIC_PATHS
            await (without_auth if is_public else with_auth)(scope, receive, send)

        self._core = serve

    def detach(self) -> None:
        """Restore the user's application."""
        self._app.router.routes = self._routes
        self._app.user_middleware = self._middleware
        self._app.middleware_stack = None
        with _served_lock:
            _served.discard(self._app)

    async def _call_core(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self._core is not None
        await self._core(scope, receive, send)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        current_server.set(self._hosting)
        scope["state"] = {**scope.get("state", {}), **self._state}
        await self._app(scope, receive, send)

    def openapi(self) -> Mapping[str, object]:
        """Return the application's OpenAPI document; an empty one if it has none."""
        describe: Callable[[], Mapping[str, object]] | None = getattr(self._app, "openapi", None)
        if describe is None:
            return {}
        # FastAPI describes only its own routes, so the wrapped ones are replaced for the call.
        router = self._app.router
        # Nothing is awaited until they are back, so no request meets the other routes.
        served, router.routes = router.routes, self._routes
        try:
            return describe()
        finally:
            router.routes = served

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Run the application's lifespan around this context.

        Raises:
            StartError: The start of the lifespan failed.
        """
        started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        stop = asyncio.Event()
        # In a separate task: it may have cancel scopes, which must be left in the task that entered
        # them, and its end has a time limit.
        task = asyncio.create_task(self._run_lifespan(started, stop))
        try:
            await started
            yield
        finally:
            stop.set()
            _, late = await asyncio.wait([task], timeout=_LIFESPAN_SECONDS)
            if late:
                task.cancel()
                await asyncio.wait([task], timeout=_LIFESPAN_SECONDS)
            if late or task.cancelled():
                logger.warning("the lifespan of http.app did not end in time")
            elif (error := task.exception()) is not None and started.exception() is None:
                logger.error("the lifespan of http.app failed at its end", exc_info=error)

    async def _run_lifespan(self, started: asyncio.Future[None], stop: asyncio.Event) -> None:
        current_server.set(self._hosting)
        try:
            async with self._app.router.lifespan_context(self._app) as state:
                self._state = state or {}
                if not started.done():  # Cancelled, if the server was closed while it started.
                    started.set_result(None)
                await stop.wait()
        except Exception as error:
            if started.done():
                raise
            failed = StartError(f"the lifespan of http.app failed: {type(error).__name__}: {error}")
            failed.__cause__ = error
            started.set_exception(failed)
        finally:
            if not started.done():
                started.cancel()


def wrapped(app: ASGIApp, middleware: Sequence[Middleware]) -> ASGIApp:
    """Wrap an application with middleware, the outermost first."""
    for cls, args, kwargs in reversed(middleware):
        app = cls(app, *args, **kwargs)
    return app


class _ServerRoute(BaseRoute):
    """A route to the server's own endpoints.

    Args:
        call: The application for its requests.
        paths: Its paths; None for all.
    """

    def __init__(self, call: ASGIApp, paths: frozenset[str] | None) -> None:
        self._call = call
        self._paths = paths

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether a request is for it."""
        matches_path = self._paths is None or route_path(scope) in self._paths
        return (Match.FULL if matches_path else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        await self._call(scope, receive, send)


class _UserRoute(BaseRoute):
    """A route of the user, wrapped with middleware."""

    def __init__(self, route: BaseRoute, middleware: Sequence[Middleware]) -> None:
        self._route = route
        self._handle = wrapped(route.handle, middleware)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether a request is for it."""
        return self._route.matches(scope)

    def url_path_for(self, name: str, /, **path_params: object) -> URLPath:
        """Return the path of a route by its name."""
        return self._route.url_path_for(name, **path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        await self._handle(scope, receive, send)
