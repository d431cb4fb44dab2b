"""The server as an object in a process: starting, stopping, transports, graphs that call it."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import suppress
from typing import Any

import httpx
import pytest
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from langgraph_client.server.server import Server
from tests.support.free_port import free_port
from tests.support.hosted import Gate, hosted

BASE = "http://test"


class Depth(TypedDict, total=False):
    depth: int


def nest(node: Any) -> Any:
    return StateGraph(Depth).add_node("node", node).add_edge(START, "node").add_edge("node", END)


def client(server: Server) -> httpx.Client:
    return httpx.Client(transport=server.transport(), base_url=BASE, timeout=60)


def test_start_and_stop_again(gate: Gate) -> None:
    """A server can be started again after it was closed; closing twice does nothing."""
    server = Server(hosted(gate))
    for _ in range(2):
        with server, client(server) as http:
            assert http.get("/ok").status_code == 200
        server.close()
    with pytest.raises(RuntimeError, match="not running"):
        _ = server.loop


def test_no_thread_is_left(gate: Gate) -> None:
    """Closing ends the server's thread, also while runs are going and streams are open."""
    before = set(threading.enumerate())
    with Server(hosted(gate)) as server, client(server) as http:
        http.post("/runs", json={"assistant_id": "gate", "input": {}})
        gate.arrived()
    left = {thread for thread in threading.enumerate() if "langgraph-server" in thread.name}
    assert left <= before


def test_stopping_ends_open_requests(gate: Gate) -> None:
    """Who waits for a run when the server stops gets an error, not silence."""
    failed: list[BaseException] = []

    def wait(server: Server) -> None:
        with client(server) as http:
            try:
                http.post("/runs/wait", json={"assistant_id": "gate", "input": {}})
            except httpx.HTTPError as error:
                failed.append(error)

    with Server(hosted(gate)) as server:
        waiting = threading.Thread(target=wait, args=(server,))
        waiting.start()
        gate.arrived()
    waiting.join(60)
    assert [type(error) for error in failed] == [httpx.RemoteProtocolError]


async def test_async_with_and_any_loop(gate: Gate) -> None:
    """`async with` works, and the async transport from whichever loop one is on."""
    async with Server(hosted(gate)) as server:

        async def ask() -> int:
            transport = server.async_transport()
            async with httpx.AsyncClient(transport=transport, base_url=BASE, timeout=60) as http:
                return (await http.get("/ok")).status_code

        assert await ask() == 200
        assert await asyncio.to_thread(asyncio.run, ask()) == 200


def test_graph_calls_its_own_server_five_deep() -> None:
    """A node may call the server it runs on, blocking in a thread or awaiting on the loop."""
    servers: list[Server] = []

    def blocking(state: Depth) -> Depth:
        if state["depth"] == 5:
            return state
        with client(servers[0]) as http:
            body = {"assistant_id": "blocking", "input": {"depth": state["depth"] + 1}}
            return http.post("/runs/wait", json=body).json()

    async def awaiting(state: Depth) -> Depth:
        if state["depth"] == 5:
            return state
        transport = servers[0].async_transport()
        async with httpx.AsyncClient(transport=transport, base_url=BASE, timeout=60) as http:
            body = {"assistant_id": "awaiting", "input": {"depth": state["depth"] + 1}}
            return (await http.post("/runs/wait", json=body)).json()

    graphs = {"blocking": nest(blocking).compile(), "awaiting": nest(awaiting).compile()}
    with Server(graphs) as server, client(server) as http:
        servers.append(server)
        for name in graphs:
            answer = http.post("/runs/wait", json={"assistant_id": name, "input": {"depth": 0}})
            assert answer.json() == {"depth": 5}, name


def test_blocking_call_on_the_loop_is_refused() -> None:
    """A blocking call from the server's own loop fails with advice instead of hanging."""
    servers: list[Server] = []

    async def wrong(state: Depth) -> Depth:
        with client(servers[0]) as http:
            http.get("/ok")
        return state

    with Server({"wrong": nest(wrong).compile()}) as server, client(server) as http:
        servers.append(server)
        answer = http.post("/runs/wait", json={"assistant_id": "wrong", "input": {"depth": 1}})
        assert "would wait for itself" in answer.json()["__error__"]["message"]


def test_errors_may_be_withheld(gate: Gate) -> None:
    """With `show_errors=False` only the class of an unknown exception is told."""
    with Server(hosted(gate), show_errors=False) as server, client(server) as http:
        answer = http.post("/runs/wait", json={"assistant_id": "fail", "input": {}}).json()
    assert answer == {"__error__": {"error": "Odd", "message": "An internal error occurred"}}


def test_run_that_takes_too_long(gate: Gate) -> None:
    """A run over the limit ends as `timeout` and leaves its thread in error."""
    with Server(hosted(gate), max_run_seconds=0.05) as server, client(server) as http:
        thread = http.post("/threads", json={}).json()["thread_id"]
        body = {"assistant_id": "gate", "input": {}}
        answer = http.post(f"/threads/{thread}/runs/wait", json=body).json()
        assert answer["__error__"]["error"] == "TimeoutError"
        assert [run["status"] for run in http.get(f"/threads/{thread}/runs").json()] == ["timeout"]
        assert http.get(f"/threads/{thread}").json()["status"] == "error"


def test_runs_at_a_time_are_limited(gate: Gate) -> None:
    """No more runs than the limit are running; the rest wait, and get their turn."""
    with Server(hosted(gate), max_runs=2) as server, client(server) as http:
        runs = [
            http.post("/runs", json={"assistant_id": "gate", "input": {}, "on_completion": "keep"})
            for _ in range(3)
        ]
        paths = [f"/threads/{run.json()['thread_id']}/runs/{run.json()['run_id']}" for run in runs]
        gate.arrived()
        gate.arrived()
        assert [http.get(path).json()["status"] for path in paths] == [
            "running",
            "running",
            "pending",
        ]
        gate.open()
        gate.arrived()
        gate.open()
        for path in paths:
            http.get(f"{path}/join")
        assert {http.get(path).json()["status"] for path in paths} == {"success"}


def test_on_a_port_too(gate: Gate) -> None:
    """`listen` serves the same on a port, until the server is closed."""
    with Server(hosted(gate)) as server:
        url = server.listen()
        assert server.url == url
        with httpx.Client(base_url=url, timeout=60) as http:
            answer = http.post("/runs/wait", json={"assistant_id": "row", "input": {}}).json()
            assert answer == {"log": ["one:None", "two"]}
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/ok", timeout=60)


def test_listening_twice_is_refused(gate: Gate) -> None:
    """The first port stays, and no second one is left open."""
    with Server(hosted(gate)) as server:
        url = server.listen()
        with pytest.raises(RuntimeError, match=f"listens already, at {url}"):
            server.listen()
        assert httpx.get(f"{url}/ok", timeout=60).status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/ok", timeout=60)


def test_the_port_may_be_taken_before_the_start(gate: Gate) -> None:
    """Who connects early is answered once the server has started; closing gives the port back."""
    server, port = Server(hosted(gate)), free_port()
    url = server.listen(port=port)
    answers: list[int] = []
    asking = threading.Thread(
        target=lambda: answers.append(httpx.get(f"{url}/ok", timeout=60).status_code)
    )
    asking.start()
    with server:
        asking.join(60)
        assert answers == [200]
    again = Server(hosted(gate))
    assert again.listen(port=port) == url
    again.close()


def test_a_port_that_is_taken_is_told_at_once(gate: Gate) -> None:
    """An address in use is an OSError, what is no port a ValueError; the server goes on."""
    with Server(hosted(gate)) as first, Server(hosted(gate)) as second:
        port = httpx.URL(first.listen()).port
        assert port is not None
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}: Address already"):
            second.listen(port=port)
        with pytest.raises(ValueError, match="65536 is not within"):
            second.listen(port=65536)
        assert second.url is None
        assert httpx.get(f"{second.listen()}/ok", timeout=60).status_code == 200


def test_no_loop_no_server(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no event loop can be made, starting fails, and does not wait."""

    def refused() -> asyncio.AbstractEventLoop:
        raise OSError(24, "Too many open files")

    server = Server(hosted(gate))
    monkeypatch.setattr(asyncio, "new_event_loop", refused)
    with pytest.raises(OSError, match="Too many open files"):
        server.start()
    monkeypatch.undo()
    with server, client(server) as http:
        assert http.get("/ok").status_code == 200


def test_closing_does_not_wait_for_a_plain_node() -> None:
    """A node that waits for ever, for a lock, say, is left to its thread."""
    forever, arrived = threading.Event(), threading.Event()

    def stuck(state: Depth) -> Depth:
        arrived.set()
        forever.wait(60)
        return state

    with Server({"stuck": nest(stuck).compile()}) as server, client(server) as http:
        http.post("/runs", json={"assistant_id": "stuck", "input": {"depth": 1}})
        assert arrived.wait(60)
        began = time.monotonic()
    assert time.monotonic() - began < 30
    forever.set()


def test_closing_does_not_wait_for_a_node_that_will_not_be_cancelled() -> None:
    """The same for an async one that goes on after its first cancellation."""
    arrived = threading.Event()

    async def stubborn(state: Depth) -> Depth:
        arrived.set()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        await asyncio.sleep(60)
        return state

    with Server({"stubborn": nest(stubborn).compile()}) as server, client(server) as http:
        http.post("/runs", json={"assistant_id": "stubborn", "input": {"depth": 1}})
        assert arrived.wait(60)
        began = time.monotonic()
    assert time.monotonic() - began < 30


def test_what_is_no_graph_is_refused() -> None:
    """Something that is no graph is refused at the start, by name."""
    with pytest.raises(TypeError, match="'odd' is a int"):
        Server({"odd": 3}).start()
