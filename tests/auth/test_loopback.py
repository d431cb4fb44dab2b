"""Clients without a URL, within what a server hosts: they mean that server, as the run's user."""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import langgraph_sdk
import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

import langgraph_client
from langgraph_client import RemoteGraph
from langgraph_client.current_server import AsyncCurrentServerTransport, CurrentServerTransport
from langgraph_client.server.cli.config import read_config
from langgraph_client.server.cli.load import server_of
from langgraph_client.testing import TestServer
from tests.auth.conftest import client, owners

PACKAGES = [langgraph_client, langgraph_sdk]


class Depth(TypedDict, total=False):
    left: int
    owner: str
    seen: list[str]


def graph_of(node: Any) -> Any:
    return StateGraph(Depth).add_node("node", node).add_edge(START, "node").compile()


def who(config: RunnableConfig) -> str:
    return str((config["configurable"].get("langgraph_auth_user") or {}).get("identity"))


def deep(package: Any) -> Any:
    """A graph that runs itself, and waits for it."""

    async def node(state: Depth, config: RunnableConfig) -> Depth:
        if not state["left"]:
            return {"seen": [who(config)]}
        inner = await package.get_client().runs.wait(
            None, "deep", input={"left": state["left"] - 1}
        )
        return {"seen": [who(config), *inner["seen"]]}

    return graph_of(node)


def deep_blocking(package: Any) -> Any:
    def node(state: Depth, config: RunnableConfig) -> Depth:
        if not state["left"]:
            return {"seen": [who(config)]}
        with package.get_sync_client() as inside:
            inner = inside.runs.wait(None, "deep", input={"left": state["left"] - 1})
        return {"seen": [who(config), *inner["seen"]]}

    return graph_of(node)


def deep_streaming(package: Any) -> Any:
    async def node(state: Depth, config: RunnableConfig) -> Depth:
        if not state["left"]:
            return {"seen": [who(config)]}
        inside = package.get_client(url=None)
        thread = await inside.threads.create()
        stream = inside.runs.stream(
            thread["thread_id"], "deep", input={"left": state["left"] - 1}, stream_mode="values"
        )
        values = [part.data async for part in stream if part.event == "values"]
        return {"seen": [who(config), *values[-1]["seen"]]}

    return graph_of(node)


def deep_polling(package: Any) -> Any:
    async def node(state: Depth, config: RunnableConfig) -> Depth:
        if not state["left"]:
            return {"seen": [who(config)]}
        inside = package.get_client()
        thread_id = (await inside.threads.create())["thread_id"]
        run = await inside.runs.create(thread_id, "deep", input={"left": state["left"] - 1})
        while (run := await inside.runs.get(thread_id, run["run_id"]))["status"] != "success":
            assert run["status"] in ("pending", "running")
            await asyncio.sleep(0.01)  # Asking is what this graph is for.
        inner = (await inside.threads.get_state(thread_id))["values"]
        return {"seen": [who(config), *inner["seen"]]}

    return graph_of(node)


@pytest.mark.parametrize("make", [deep, deep_blocking, deep_streaming, deep_polling])
@pytest.mark.parametrize("package", PACKAGES)
def test_loopback_clients_nest_five_deep(package: Any, make: Any) -> None:
    """Runs that wait for runs of the same server do not wait for a place, and keep their user."""
    graphs = {"deep": make(package)}
    with TestServer(graphs, max_runs=1, auth=owners()) as server, client(server, "ann") as ann:
        body = {"assistant_id": "deep", "input": {"left": 5}}
        assert ann.post("/runs/wait", json=body).json()["seen"] == ["ann"] * 6


@pytest.mark.parametrize("package", PACKAGES)
def test_with_a_key_and_without_users(package: Any) -> None:
    """Such a client brings the server's key; without an `Auth` there is no user."""
    with TestServer({"deep": deep(package)}, max_runs=1, api_key="secret") as server:
        outside = server.sync_client(api_key="secret")
        assert outside.runs.wait(None, "deep", input={"left": 2})["seen"] == ["None"] * 3


def test_a_full_server_of_waiting_runs() -> None:
    """As many runs as the limit allows wait for runs that they start, by any in-process client."""
    server: TestServer

    def outer(state: Depth) -> Depth:
        return {"seen": server.remote_graph("inner").invoke({"left": 0})["seen"]}

    def inner(state: Depth) -> Depth:
        return {"seen": ["inner"]}

    with TestServer({"outer": graph_of(outer), "inner": graph_of(inner)}, max_runs=2) as server:
        outside = server.sync_client()
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            found = [
                pool.submit(outside.runs.wait, None, "outer", input={"left": 0}) for _ in range(6)
            ]
            assert [one.result(60)["seen"] for one in found] == [["inner"]] * 6


def test_what_is_before_it_on_its_thread() -> None:
    """A run that a run waits for, behind another one of its thread, lets that one have a place."""
    server: TestServer

    async def outer(state: Depth) -> Depth:
        inside = langgraph_client.get_client()
        (thread,) = await inside.threads.search(metadata={"is": "shared"})
        waiting = await inside.runs.create(thread["thread_id"], "inner", input={"left": 0})
        server_started.set_result(None)
        await inside.runs.join(thread["thread_id"], waiting["run_id"])
        return {"seen": ["outer"]}

    graphs = {"outer": graph_of(outer), "inner": graph_of(lambda state: {"seen": ["inner"]})}
    server_started: concurrent.futures.Future[None] = concurrent.futures.Future()
    with TestServer(graphs, max_runs=1) as server:
        outside = server.sync_client()
        shared = outside.threads.create(metadata={"is": "shared"})["thread_id"]
        with server.hold(graph="outer", status="running"):
            run = outside.runs.create(None, "outer", input={"left": 0}, on_completion="keep")
            before = outside.runs.create(shared, "inner", input={"left": 0})
            assert outside.runs.get(shared, before["run_id"])["status"] == "pending"
        server_started.result(60)
        assert outside.runs.join(run["thread_id"], run["run_id"])["seen"] == ["outer"]


def test_each_depth_has_the_limit() -> None:
    """Runs that runs start are limited, too."""

    async def outer(state: Depth) -> Depth:
        inside = langgraph_client.get_client()
        for _ in range(3):
            await inside.runs.create(None, "inner", input={"left": 0})
        return {"seen": []}

    graphs = {"outer": graph_of(outer), "inner": graph_of(lambda state: {"seen": ["inner"]})}
    with TestServer(graphs, max_runs=2) as server:
        with server.hold(graph="inner", status="running"):
            server.sync_client().runs.wait(None, "outer", input={"left": 0})
            numbers = httpx.Client(transport=server.transport(), base_url="http://test", timeout=60)
            shown = numbers.get("/metrics", params={"format": "json"}).json()
            assert (shown["queue"]["n_running"], shown["queue"]["n_pending"]) == (2, 1)
            assert shown["workers"]["available"] == 2
        server.wait_idle()


@pytest.mark.parametrize("package", PACKAGES)
def test_a_client_at_the_top_of_a_module(package: Any, tmp_path: Path) -> None:
    """A client that is made when a graph's module is imported is of the server that runs it."""
    (tmp_path / "graph.py").write_text(
        f"""
from typing import TypedDict
from langgraph.graph import START, StateGraph
from {package.__name__} import get_client, get_sync_client

client, blocking = get_client(), get_sync_client()

class State(TypedDict, total=False):
    found: list

async def count(state):
    return {{"found": [await client.assistants.count()]}}

def count_again(state):
    return {{"found": [*state["found"], blocking.assistants.count()]}}

graph = (
    StateGraph(State).add_node("count", count).add_node("again", count_again)
    .add_edge(START, "count").add_edge("count", "again").compile()
)
"""
    )
    file = tmp_path / "langgraph.json"
    file.write_text(json.dumps({"dependencies": ["."], "graphs": {"g": "./graph.py:graph"}}))
    with server_of(read_config(file), {"api_key": "k"}) as server:
        answer = server.sync_client(api_key="k").runs.wait(None, "g", input={})
    assert answer == {"found": [1, 1]}


def test_a_remote_graph_as_a_node() -> None:
    """A `RemoteGraph` without a URL within a graph is of the same server."""

    async def outer(state: Depth, config: RunnableConfig) -> Depth:
        inner = RemoteGraph("inner", client=langgraph_client.get_client())
        return {"seen": (await inner.ainvoke({"left": 0}))["seen"]}

    def inner(state: Depth, config: RunnableConfig) -> Depth:
        return {"seen": [who(config)]}

    graphs = {"outer": graph_of(outer), "inner": graph_of(inner)}
    with TestServer(graphs, max_runs=1, auth=owners()) as server, client(server, "bob") as bob:
        answer = bob.post("/runs/wait", json={"assistant_id": "outer", "input": {"left": 0}})
        assert answer.json()["seen"] == ["bob"]


def test_a_client_that_was_made_before() -> None:
    """A client of langgraph_sdk that is older than the first server of the process works, too."""
    code = """
import langgraph_sdk
from langgraph.graph import START, StateGraph
client = langgraph_sdk.get_client()
async def node(state):
    return {"found": [part.event async for part in client.runs.stream(None, "inner", input={})]}
graph = lambda node: StateGraph(dict).add_node("n", node).add_edge(START, "n").compile()
from langgraph_client import Server
with Server({"g": graph(node), "inner": graph(lambda state: {"x": 1})}) as server:
    print(server.sync_client().runs.wait(None, "g", input={"y": 1}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "'metadata', 'values'" in done.stdout


def test_langgraph_sdk_is_imported_later() -> None:
    """A server does not import langgraph_sdk; a factory that does gets clients of the server."""
    code = """
import sys
from langgraph_client import Server
def factory():
    from langgraph.graph import START, StateGraph
    from langgraph_sdk import get_sync_client
    node = lambda state: {"found": get_sync_client().assistants.count()}
    return StateGraph(dict).add_node("n", node).add_edge(START, "n").compile()
with Server({"g": factory}) as server:
    assert "langgraph_sdk" not in sys.modules
    print(server.sync_client().runs.wait(None, "g", input={}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "{'found': 1}" in done.stdout


def test_where_no_graph_runs() -> None:
    """Elsewhere such transports say what is missing; langgraph_sdk's go where they went before."""
    with pytest.raises(httpx.ConnectError, match="give it a URL"):
        httpx.Client(transport=CurrentServerTransport()).get("http://langgraph.server/ok")

    async def ask() -> None:
        async with httpx.AsyncClient(transport=AsyncCurrentServerTransport()) as http:
            await http.get("http://langgraph.server/ok")

    with pytest.raises(httpx.ConnectError, match="give it a URL"):
        asyncio.run(ask())
    code = """
import httpx, langgraph_sdk
from langgraph_client import Server
from langgraph_client.server.graphs import sdk_loopback
sdk_loopback.install()
sdk_loopback.install()
def answer(self, request):
    print(request.url, request.headers["host"])
    return httpx.Response(200, json=1)
httpx.HTTPTransport.handle_request = answer
langgraph_sdk.get_sync_client().assistants.count()
langgraph_sdk.get_sync_client(url="http://elsewhere").assistants.count()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [
        "http://localhost:8123/assistants/count",
        "localhost:8123",
        "http://elsewhere/assistants/count",
        "elsewhere",
    ]
