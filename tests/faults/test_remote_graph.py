"""`RemoteGraph` over a wire that breaks: as the local graph, or an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from langgraph_client import ReconnectPolicy, RemoteGraph, get_client, get_sync_client
from langgraph_client.errors import StreamIncomplete
from langgraph_client.testing import Fault, Faults, TestServer
from tests.support.graphs import fresh_graph

MODES = ["values", "updates", "custom"]
QUICK = ReconnectPolicy(initial=0, heartbeat_timeout=0.5)
FAULTS: dict[str, Callable[[Faults], Fault]] = {
    "cut after events": lambda f: f.cut_after(events=2, path="*/stream", times=9),
    "cut after bytes": lambda f: f.cut_after(bytes=333, path="*/stream", times=9),
    "closed": lambda f: f.cut_after(events=2, clean=True, path="*/stream", times=9),
    "stalled": lambda f: f.stall(events=4, path="*/stream", times=2),
    "refused": lambda f: f.refuse(path="*/runs/*/stream", method="GET", times=1),
}


def remote_of(server: TestServer, faults: Faults) -> RemoteGraph:
    return RemoteGraph(
        "row",
        client=get_client(
            url="http://s",
            transport=faults.async_transport(server.async_transport()),
            reconnect=QUICK,
        ),
        sync_client=get_sync_client(
            url="http://s", transport=faults.transport(server.transport()), reconnect=QUICK
        ),
    )


def locally() -> list[Any]:
    graph = fresh_graph("row").copy({"checkpointer": InMemorySaver()})
    config: Any = {"configurable": {"thread_id": "1"}}
    return list(graph.stream({"topic": "t"}, config, stream_mode=MODES))


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_broken_wire_changes_nothing(server: TestServer, fault: str) -> None:
    """Blocking and async, the chunks are those of the local graph."""
    faults = Faults()
    remote = remote_of(server, faults)
    if fault == "refused":
        faults.cut_after(events=3, path="*/stream", times=2)
    made = FAULTS[fault](faults)
    config: Any = {"configurable": {"thread_id": "1"}}
    assert list(remote.stream({"topic": "t"}, config, stream_mode=MODES)) == locally()
    assert made.fired
    faults.clear()
    if fault == "refused":
        faults.cut_after(events=3, path="*/stream", times=2)
    made = FAULTS[fault](faults)
    config = {"configurable": {"thread_id": "2"}}
    chunks = [c async for c in remote.astream({"topic": "t"}, config, stream_mode=MODES)]
    assert chunks == locally()
    assert made.fired


async def test_resuming_can_be_turned_off(server: TestServer) -> None:
    """Then a cut is an error that names the run; so it is without a thread."""
    faults = Faults()
    remote = remote_of(server, faults)
    config: Any = {"configurable": {"thread_id": "1"}}
    with faults.cut_after(events=2, path="*/stream"):
        with pytest.raises(StreamIncomplete) as caught:
            remote.invoke({"topic": "t"}, config, stream_resumable=False)
        assert caught.value.run_id is not None
        with pytest.raises(StreamIncomplete):
            await remote.ainvoke({"topic": "t"}, config, stream_resumable=False)
        with pytest.raises(StreamIncomplete, match="cancels the run with its connection"):
            remote.invoke({"topic": "t"})
