"""`HttpOptions.app`: an application of the user's own, through an in-process server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from langgraph_client.server.errors import StartError
from langgraph_client.server.options import HttpOptions
from langgraph_client.server.server import Server
from tests.support.graphs import shared_graphs


async def mine(request: Request) -> Response:
    return JSONResponse({"mine": True})


def get(server: Server, path: str, **options: Any) -> httpx.Response:
    with httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as client:
        return client.get(path, **options)


def test_what_is_no_application() -> None:
    """What is no ASGI application is named when the server starts."""
    with pytest.raises(TypeError, match=r"http\.app must be .*, not a dict"):
        Server(shared_graphs(), http=HttpOptions(app={})).start()


def test_a_lifespan_that_fails() -> None:
    """The server does not start, and says what was raised."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        raise ValueError("no database")
        yield

    app = Starlette(lifespan=lifespan)
    with pytest.raises(StartError, match="ValueError: no database"):
        Server(shared_graphs(), http=HttpOptions(app=app)).start()


def test_a_lifespan_that_fails_at_its_end(caplog: pytest.LogCaptureFixture) -> None:
    """The server has ended all the same, and the log has the traceback."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        raise ValueError("cannot close")

    with Server(shared_graphs(), http=HttpOptions(app=Starlette(lifespan=lifespan))):
        pass
    assert "ValueError: cannot close" in caplog.text


def test_a_lifespan_that_does_not_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is cancelled after some seconds: the server ends."""
    monkeypatch.setattr("langgraph_client.server.http.user_app._LIFESPAN_SECONDS", 0.1)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        await asyncio.Event().wait()

    with Server(shared_graphs(), http=HttpOptions(app=Starlette(lifespan=lifespan))):
        pass
    assert "did not end in time" in caplog.text


def test_an_application_is_given_back() -> None:
    """Served twice, one after the other, it has its own routes and middleware and no more."""
    app = Starlette(routes=[Route("/mine", mine)])
    for _ in range(2):
        with Server(shared_graphs(), http=HttpOptions(app=app, auth_first=True)) as server:
            assert get(server, "/mine").json() == {"mine": True}
            assert get(server, "/info").status_code == 200
    assert [getattr(route, "path", None) for route in app.router.routes] == ["/mine"]


def test_two_servers_with_one_application() -> None:
    """The second does not start, and says why; the first goes on, and both can serve it in turn."""
    app = Starlette(routes=[Route("/mine", mine)])
    options = HttpOptions(app=app)
    with Server(shared_graphs(), http=options) as first:
        with pytest.raises(StartError, match="being served by another Server"):
            Server(shared_graphs(), http=options).start()
        assert get(first, "/mine").json() == {"mine": True}
        assert get(first, "/info").status_code == 200
    with Server(shared_graphs(), http=options) as second:
        assert get(second, "/info").status_code == 200
    assert [getattr(route, "path", None) for route in app.router.routes] == ["/mine"]


def test_a_middleware_that_cannot_be_created() -> None:
    """The server does not start; the application is as before, and can be served again."""
    app = Starlette(routes=[Route("/mine", mine)], middleware=[Middleware(Order)])
    with pytest.raises(TypeError, match="missing 2 required"):
        Server(shared_graphs(), http=HttpOptions(app=app, auth_first=True)).start()
    assert len(app.user_middleware) == 1
    app.user_middleware = []
    with Server(shared_graphs(), http=HttpOptions(app=app)) as server:
        assert get(server, "/mine").json() == {"mine": True}


class Order:
    """Middleware that notes when it is called."""

    def __init__(self, app: ASGIApp, name: str, seen: list[str]) -> None:
        self._app = app
        self._name = name
        self._seen = seen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self._seen.append(self._name)
        await self._app(scope, receive, send)


def test_the_api_key_stands_in_front_of_everything() -> None:
    """A key that the server asks for is asked for the application's routes, too."""
    seen: list[str] = []
    app = Starlette(
        routes=[Route("/mine", mine)], middleware=[Middleware(Order, name="user", seen=seen)]
    )
    with Server(shared_graphs(), api_key="k", http=HttpOptions(app=app)) as server:
        assert get(server, "/mine").status_code == 401
        assert not seen
        assert get(server, "/mine", headers={"x-api-key": "k"}).status_code == 200
        assert seen == ["user"]


def test_errors_of_the_server_s_own_endpoints() -> None:
    """They are answered as without the application, whose handlers see only its own routes."""

    async def handler(request: Request, error: Exception) -> Response:
        return JSONResponse({"handled": type(error).__name__}, 500)

    async def fail(request: Request) -> Response:
        raise KeyError("x")

    handlers: dict[Any, Callable[[Request, Any], Awaitable[Response]]] = {KeyError: handler}
    app = Starlette(routes=[Route("/fail", fail)], exception_handlers=handlers)
    with Server(shared_graphs(), http=HttpOptions(app=app)) as server:
        assert get(server, "/fail").json() == {"handled": "KeyError"}
        answer = get(server, "/threads/none")
        assert (answer.status_code, list(answer.json())) == (422, ["detail"])


@pytest.mark.parametrize("auth_first", [False, True])
def test_the_routes_of_fastapi_are_described(auth_first: bool) -> None:
    """Also where middleware stands before each of them."""
    app = FastAPI()
    app.add_middleware(Order, name="user", seen=[])

    @app.get("/items/{number}")
    async def item(number: int) -> int:
        return number

    with Server(shared_graphs(), http=HttpOptions(app=app, auth_first=auth_first)) as server:
        assert "/items/{number}" in get(server, "/openapi.json").json()["paths"]
        assert get(server, "/items/3").json() == 3
        assert get(server, "/items/x").status_code == 422


def test_the_page_shows_routes_without_tags_and_summaries() -> None:
    """As FastAPI describes them by default, and what stands beside the methods of a path."""
    app = FastAPI()

    @app.get("/plain")
    async def plain() -> int:
        return 1

    @app.get("/tagged", tags=["pets"])
    async def tagged() -> int:
        return 1

    def describe() -> dict[str, Any]:
        shown = FastAPI.openapi(app)
        item = shown["paths"]["/plain"]
        item["parameters"] = [{"name": "q", "in": "query", "schema": {}}]
        del item["get"]["summary"]
        return shown

    app.openapi = describe  # type: ignore[method-assign]  # FastAPI's way to change it.
    with Server(shared_graphs(), http=HttpOptions(app=app)) as server:
        page = get(server, "/docs")
    assert page.status_code == 200
    assert "<h2>application</h2>" in page.text
    assert "<h2>pets</h2>" in page.text
    assert page.text.count("<code>/plain</code>") == 1
