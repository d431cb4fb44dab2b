"""What clients of an in-process server see when it is closed, and what is left of its work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypedDict

import httpx
import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from langgraph_client import (
    APIConnectionError,
    ReconnectPolicy,
    RetryPolicy,
    StreamIncomplete,
)
from langgraph_client.server.options import HttpOptions
from langgraph_client.server.server import Server
from tests.support.garbage import collect
from tests.support.hosted import Gate, hosted

AT_ONCE = RetryPolicy(max_attempts=1)


class State(TypedDict, total=False):
    text: str


def test_a_closed_server_is_a_port_that_nobody_listens_on(gate: Gate) -> None:
    """A call raises a connection error, which is httpx's `ConnectError` too."""
    server = Server(hosted(gate))
    with server:
        client = server.sync_client(retry=AT_ONCE)
        assert client.threads.create()["thread_id"]
    with pytest.raises(APIConnectionError, match="the server is not running") as caught:
        client.threads.create()
    assert isinstance(caught.value, httpx.ConnectError)


async def test_a_reader_of_a_server_that_stays_closed(gate: Gate) -> None:
    """It gives up as for a port: with a `StreamIncomplete` caused by the connection error."""
    async with Server(hosted(gate)) as server:
        once = ReconnectPolicy(max_reconnects=1)
        client = server.client(retry=AT_ONCE, reconnect=once)
        thread = await client.threads.create()
        stream = client.runs.stream(
            thread["thread_id"], "gate", input={}, stream_mode="custom", stream_resumable=True
        )
        async for part in stream:
            if part.event == "custom":
                break
    with pytest.raises(StreamIncomplete) as caught:
        async for _ in stream:
            pass
    assert isinstance(caught.value.__cause__, APIConnectionError)


async def _forever(request: Request) -> Response:
    await asyncio.Event().wait()
    return PlainTextResponse("never")


def test_no_request_is_left_when_the_server_is_closed(caplog: pytest.LogCaptureFixture) -> None:
    """One that arrives while the last tasks are ended is refused, as on a closed port."""
    servers: list[Server] = []
    errors: list[BaseException] = []
    staying: list[asyncio.Task[None]] = []  # A reference, so that the task is not collected.

    async def ask() -> None:
        transport = servers[0].async_transport()
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as http:
            try:
                await http.get("/forever", timeout=None)
            except httpx.HTTPError as error:
                errors.append(error)

    async def stay() -> None:
        try:
            await asyncio.Event().wait()
        finally:  # The server ends its tasks, each of which may still clean up.
            await ask()

    async def leave_task(state: State) -> State:
        staying.append(asyncio.create_task(stay()))
        return {}

    graph = StateGraph(State).add_node(leave_task).add_edge(START, "leave_task").compile()
    app = Starlette(routes=[Route("/forever", _forever)])
    with Server({"agent": graph}, http=HttpOptions(app=app)) as server:
        servers.append(server)
        server.sync_client().runs.wait(None, "agent", input={})
    servers.clear()
    collect()  # A task that is destroyed while it is pending is logged.
    assert [type(error) for error in errors] == [httpx.ConnectError]
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []


@asynccontextmanager
async def _saver_that_cannot_close() -> AsyncGenerator[BaseCheckpointSaver[str], None]:
    yield InMemorySaver()
    raise OSError("the saver cannot close")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_file_is_free_though_the_users_saver_cannot_be_closed(tmp_path: Path) -> None:
    """The rest is closed all the same: the database, and the port."""
    server = Server({}, path=tmp_path / "state.db", checkpointer=_saver_that_cannot_close)
    server.listen()
    with server:
        pass
    assert server.url is None
    with Server({}, path=tmp_path / "state.db") as second:
        assert second.sync_client().threads.create()["thread_id"]
