# Generated from tests/_async/test_event_restart.py by .ci/unasync.py; do not edit.
"""Thread streams through a restart of the server on the same file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest

from langgraph_client import ReconnectPolicy, ScriptedGraph, get_sync_client
from langgraph_client.server.graphs.script_steps import Emit, Wait
from langgraph_client.server.server import Server
from tests.support.free_port import free_port

STEPS: list[Any] = [step for n in range(6) for step in (Emit(n), {"n": n}, Wait(0.15))]
CHANNELS = ["lifecycle", "values", "custom"]


@pytest.mark.parametrize("transport", ["sse", "websocket"])
def test_a_restart_loses_and_repeats_nothing(
    tmp_path: Path, transport: Literal["sse", "websocket"]
) -> None:
    """The run is taken up again, and its reader gets each number once, in order."""
    path = tmp_path / "server.db"
    with Server({"agent": ScriptedGraph(STEPS)}, path=path) as first:
        port = free_port()
        url = first.listen(port=port)
        policy = ReconnectPolicy(max_reconnects=2000, initial=0.05, maximum=0.1)
        client = get_sync_client(url=url, reconnect=policy)
        stream = client.threads.stream(assistant_id="agent", transport=transport)
        thread = stream.__enter__()
        thread.run.start(input={"n": 9})
        events = thread.subscribe(CHANNELS)
        got = [next(events) for _ in range(5)]
    with Server({"agent": ScriptedGraph(STEPS)}, path=path) as second:
        second.listen(port=port)
        got += [event for event in events]
        assert thread.output == {"n": 5}
        again = [event for event in thread.subscribe(CHANNELS)]
        thread.close()
        client.close()
    assert got == again
    seqs = [event["seq"] for event in got]
    assert seqs == sorted(set(seqs))
    values = [e["params"]["data"]["n"] for e in got if e["method"] == "values"]
    # A run that is taken up again begins with the values that it has.
    assert list(dict.fromkeys(values)) == [9, *range(6)]
