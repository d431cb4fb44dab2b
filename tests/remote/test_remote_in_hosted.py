"""A RemoteGraph inside a graph that a server hosts: as a node, and called by a node."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from contextlib import ExitStack
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.pregel.remote import RemoteGraph as TheirRemoteGraph

from langgraph_client import RemoteGraph, RetryPolicy, Server, get_sync_client
from langgraph_client.auth import Auth
from tests.support.comparison import Names
from tests.support.graphs import Draft, Log, fresh_graph, graphs, shared_graphs

NOWHERE = "http://127.0.0.1:9"  # Nothing listens there.


def parent_of(child: Any, entry: str = "child") -> Any:
    """A graph with a remote node; a run begins at it, or at a node beside it."""
    builder = StateGraph(Log).add_node("child", child)
    builder.add_node("beside", lambda state: {"log": ["beside"]})
    return builder.add_edge(START, entry).compile(name="parent")


@pytest.mark.parametrize("is_called", [False, True], ids=["as a node", "called by a node"])
async def test_a_hosted_graph_uses_a_graph_of_its_own_server(is_called: bool) -> None:
    """The server does not wait for itself, neither when it hosts the graph nor in a run."""
    remote = RemoteGraph("row", name="child")

    async def call(state: Log, config: RunnableConfig) -> Any:
        return await remote.ainvoke(state, config)

    parent = parent_of(call if is_called else remote)
    with Server({**graphs(), "parent": parent}) as server:
        own = RemoteGraph("row", url=server.listen())
        remote.client, remote.sync_client = own.client, own.sync_client
        result = await server.remote_graph("parent").ainvoke({"topic": "t"})
        assert result == {"topic": "t", "log": ["one", "two:t"]}
        drawn = await server.remote_graph("parent").aget_graph(xray=True)
        assert is_called or {"child:one", "child:two"} <= drawn.nodes.keys()
        await own.aclose()


@pytest.mark.parametrize("make", [RemoteGraph, TheirRemoteGraph])
def test_a_run_that_asks_nothing_of_a_remote_node_needs_no_connection(make: Any) -> None:
    """Neither to be hosted nor in a run."""
    parent = parent_of(make("row", url=NOWHERE, name="child"), entry="beside")
    with Server({"parent": parent}) as server:
        assert server.remote_graph("parent").invoke({"topic": "t"})["log"] == ["beside"]


@pytest.mark.parametrize("levels", [1, 2, True])
def test_the_drawing_of_a_parent_with_some_levels(levels: Any) -> None:
    """The last level that is asked for may be that of a remote node, as of a local one."""
    with Server(shared_graphs()) as below:
        shown = parent_of(below.remote_graph("row")).get_graph(xray=levels)
        expected = parent_of(fresh_graph("row")).get_graph(xray=levels)
    assert shown.nodes.keys() == expected.nodes.keys()


@pytest.mark.parametrize("xray", [True, 1000, 2])
async def test_the_drawing_of_a_graph_that_uses_itself_ends(xray: Any) -> None:
    """It shows some levels, however many are asked for: each is drawn by the server again."""
    remote = RemoteGraph("self", name="again")
    builder = StateGraph(Log).add_node("first", lambda state: {}).add_node("again", remote)
    builder.add_edge(START, "first").add_edge("first", "again")
    with Server({"self": builder.compile()}) as server:
        own = RemoteGraph("self", url=server.listen())
        remote.client, remote.sync_client = own.client, own.sync_client
        async with asyncio.timeout(60):
            drawn = await server.remote_graph("self").aget_graph(xray=xray)
        assert "again:again:first" in drawn.nodes
        assert ("again:again:again:first" in drawn.nodes) is (xray != 2)
        await own.aclose()


def test_the_schemas_of_a_remote_node() -> None:
    """`get_subgraphs` of the hosted graph reads them from the remote node's server."""
    with (
        Server(shared_graphs()) as below,
        RemoteGraph("row", url=below.listen(), name="child") as child,
    ):
        parent = parent_of(child)
        expected = dict(parent.get_subgraphs())["child"].get_input_jsonschema()
        with Server({"parent": parent}) as server:
            shown = dict(server.remote_graph("parent").get_subgraphs())
            assert shown["child"].get_input_jsonschema() == expected


def test_the_schemas_of_a_remote_node_of_the_same_server() -> None:
    """Nor does the server wait for itself when it is asked for them."""
    remote = RemoteGraph("row", name="child")
    with Server({**graphs(), "parent": parent_of(remote)}) as server:
        own = server.remote_graph("row")
        remote.client, remote.sync_client = own.client, own.sync_client
        shown = dict(server.remote_graph("parent").get_subgraphs())
        assert set(shown["child"].get_input_jsonschema()["properties"]) == {"topic", "log"}


def test_the_state_of_a_remote_graph_in_a_remote_graph() -> None:
    """Its config and metadata name the checkpoints of all graphs around it, as locally."""

    def state_of(inner: Any, remote: Any) -> Any:
        def around(child: Any, saver: Any = None) -> Any:
            builder = StateGraph(Draft).add_node("child", child).add_edge(START, "child")
            return builder.compile(checkpointer=saver)

        config: Any = {"configurable": {"thread_id": "1"}}
        parent = around(remote(around(inner)), InMemorySaver())
        parent.invoke({"draft": "d"}, config)
        return Names()(parent.get_state(config, subgraphs=True))

    with Server(shared_graphs()) as below, ExitStack() as servers:

        def hosted(graph: Any) -> Any:
            return servers.enter_context(Server({"middle": graph})).remote_graph("middle")

        expected = state_of(fresh_graph("approval"), lambda graph: graph)
        assert state_of(below.remote_graph("approval"), hosted) == expected


async def test_a_remote_node_that_does_not_answer_holds_up_nobody_else() -> None:
    """Many requests for its schemas leave a blocking `authenticate` a thread to run in."""
    auth = Auth()

    @auth.authenticate
    def who() -> str:
        return "me"

    with socket.create_server(("127.0.0.1", 0), backlog=200) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        once = RetryPolicy(max_attempts=1)  # Its calls, which nobody waits for, end with the test.
        below = RemoteGraph("row", sync_client=get_sync_client(url=url, retry=once))
        async with (
            Server({"parent": parent_of(below)}, auth=auth) as server,
            server.client(timeout=60) as client,
        ):
            (parent,) = await client.assistants.search()
            reads = [
                asyncio.ensure_future(client.assistants.get_subgraphs(parent["assistant_id"]))
                for _ in range(70)
            ]
            accepted, _ = await asyncio.to_thread(silent.accept)
            assert await client.assistants.search() == [parent]
            for read in reads:
                read.cancel()
            await asyncio.gather(*reads, return_exceptions=True)
        accepted.close()


_PROCESS = """
import asyncio, socket
from langgraph.graph import START, StateGraph
from langgraph_client import RemoteGraph, Server

silent = socket.create_server(("127.0.0.1", 0))
remote = RemoteGraph("row", url=f"http://127.0.0.1:{silent.getsockname()[1]}")
parent = StateGraph(dict).add_node("remote", remote).add_edge(START, "remote").compile()

async def main():
    async with Server({"parent": parent}) as server, server.client() as client:
        (assistant,) = await client.assistants.search()
        read = asyncio.ensure_future(client.assistants.get_subgraphs(assistant["assistant_id"]))
        await asyncio.to_thread(silent.accept)
        read.cancel()

asyncio.run(main())
print("over")
"""


def test_a_remote_node_that_does_not_answer_keeps_no_process_alive() -> None:
    """A process ends although a request for the schemas of a remote node is not answered."""
    command = [sys.executable, "-c", _PROCESS]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert (ended.stdout.strip(), ended.stderr) == ("over", "")
