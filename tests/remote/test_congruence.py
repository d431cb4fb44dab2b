"""The same call on a local graph and on the remote one gives the same, once ids are named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from langgraph_client import RemoteGraph, Server
from tests.support.comparison import compare
from tests.support.graphs import fresh_graph, shared_graphs

INPUTS: dict[str, Any] = {
    "row": {"topic": "t"},
    "counter": {"count": 1},
    "loop": {"step": 0},
    "chat": {"messages": [("user", "hi! I'm bob")]},
    "functional": 3,
    "approval": {"draft": "d"},
    "parallel": {"draft": "d"},
    "nested": {"draft": "d"},
    "fanout": {"items": [1, 2, 3]},
    "router": {"topic": "right"},
}
SIDE_BY_SIDE = {"parallel", "fanout"}
MODES = ["values", "updates", "custom", "messages", "tasks", "checkpoints", "debug"]
CONFIG = {"configurable": {"thread_id": "user-1"}, "metadata": {"m": 1}, "tags": ["t"]}


class Elsewhere:
    """Gives RemoteGraphs of a server at a URL, as `Server` does of itself."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._made: list[RemoteGraph] = []

    def remote_graph(self, name: str) -> RemoteGraph:
        self._made.append(RemoteGraph(name, url=self._url))
        return self._made[-1]

    def close(self) -> None:
        for graph in self._made:
            graph.close()


@pytest.fixture
def remotes(subject: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The bundled server; with --interop the real one as well, in turn."""
    if subject == "real":
        elsewhere = Elsewhere(request.getfixturevalue("real_url"))
        yield elsewhere
        elsewhere.close()
    else:
        with Server(shared_graphs()) as server:
            yield server


def pair(server: Server, name: str) -> tuple[Any, RemoteGraph]:
    local = fresh_graph(name).copy({"checkpointer": InMemorySaver()})
    return local, server.remote_graph(name)


def config_for(request: pytest.FixtureRequest) -> dict[str, Any]:
    return {**CONFIG, "configurable": {"thread_id": request.node.name}}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", INPUTS)
def test_congruent_streams(
    remotes: Server, request: pytest.FixtureRequest, name: str, mode: str
) -> None:
    """Each mode of each graph streams the same items."""
    if isinstance(remotes, Elsewhere) and name == "functional" and mode in ("tasks", "debug"):
        pytest.skip("a task's arguments are a tuple, and plain JSON makes a list of it")
    local, remote = pair(remotes, name)
    config = config_for(request)
    compare(
        list(local.stream(INPUTS[name], config, stream_mode=mode)),
        list(remote.stream(INPUTS[name], config, stream_mode=mode)),
        ordered=name not in SIDE_BY_SIDE,
    )


@pytest.mark.parametrize("name", ["row", "chat", "nested", "approval"])
@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("subgraphs", [False, True])
def test_streams_of_several_modes(
    remotes: Server, request: pytest.FixtureRequest, name: str, version: str, subgraphs: bool
) -> None:
    """A list of modes gives the same tuples or parts, with and without subgraphs."""
    local, remote = pair(remotes, name)
    config = config_for(request)
    how: Any = {
        "stream_mode": ["values", "updates", "custom"],
        "version": version,
        "subgraphs": subgraphs,
    }
    compare(
        list(local.stream(INPUTS[name], config, **how)),
        list(remote.stream(INPUTS[name], config, **how)),
    )


@pytest.mark.parametrize("name", INPUTS)
def test_state_and_history(remotes: Server, request: pytest.FixtureRequest, name: str) -> None:
    """Result, state, and every snapshot of the history are the same."""
    local, remote = pair(remotes, name)
    config = config_for(request)
    ordered = name not in SIDE_BY_SIDE
    results = local.invoke(INPUTS[name], config), remote.invoke(INPUTS[name], config)
    compare(*results, ordered=ordered)
    compare(local.get_state(config), remote.get_state(config), ordered=ordered)
    histories = list(local.get_state_history(config)), list(remote.get_state_history(config))
    compare(*histories, ordered=ordered)


@pytest.mark.parametrize("name", INPUTS)
async def test_async_twins(remotes: Server, request: pytest.FixtureRequest, name: str) -> None:
    """The async methods give what the local ones give."""
    local, remote = pair(remotes, name)
    config = config_for(request)
    ordered = name not in SIDE_BY_SIDE
    results = await local.ainvoke(INPUTS[name], config), await remote.ainvoke(INPUTS[name], config)
    compare(*results, ordered=ordered)
    states = await local.aget_state(config), await remote.aget_state(config)
    compare(*states, ordered=ordered)
    compare(
        [state async for state in local.aget_state_history(config)],
        [state async for state in remote.aget_state_history(config)],
        ordered=ordered,
    )
    await remote.aclose()


def test_subgraph_states(remotes: Server, request: pytest.FixtureRequest) -> None:
    """`get_state(subgraphs=True)` nests the state of an interrupted subgraph."""
    local, remote = pair(remotes, "nested")
    config = config_for(request)
    local.invoke(INPUTS["nested"], config)
    remote.invoke(INPUTS["nested"], config)
    compare(local.get_state(config, subgraphs=True), remote.get_state(config, subgraphs=True))


@pytest.mark.parametrize("how", ["value", "key", "update", "loop"])
def test_congruent_failures(remotes: Server, request: pytest.FixtureRequest, how: str) -> None:
    """A failed run raises an exception of the local class, too, and leaves the same state."""
    local, remote = pair(remotes, "failing")
    config = {**config_for(request), "recursion_limit": 5}
    with pytest.raises(Exception) as here:  # noqa: PT011
        local.invoke({"how": how}, config)
    with pytest.raises(type(here.value)):
        remote.invoke({"how": how}, config)
    compare(local.get_state(config), remote.get_state(config))


@pytest.mark.parametrize("xray", [False, True])
@pytest.mark.parametrize("name", ["row", "loop", "nested", "fanout", "router"])
def test_congruent_drawings(remotes: Server, name: str, xray: bool) -> None:
    """The drawing is the same."""
    local, remote = pair(remotes, name)
    here, there = local.get_graph(xray=xray), remote.get_graph(xray=xray)
    assert there.draw_mermaid() == here.draw_mermaid()
