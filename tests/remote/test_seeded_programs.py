"""Programs that seed `random` and count on the numbers that follow."""

from __future__ import annotations

import random

from langgraph_client import RemoteGraph, RetryPolicy, ScriptedGraph
from langgraph_client.testing import TestServer


def test_retries_and_runs_draw_no_number_of_the_program() -> None:
    """Pauses between attempts are random, but not by the generator of `random`; nor are ids."""
    retry = RetryPolicy(initial=0.001, jitter=0.001)
    with TestServer({"agent": ScriptedGraph([{"answer": "!"}])}) as server:
        refused = server.faults.refuse(times=2)
        with RemoteGraph("agent", sync_client=server.sync_client(retry=retry)) as graph:
            random.seed(7)
            before = random.getstate()
            graph.invoke({}, {"configurable": {"thread_id": "1"}})
            assert random.getstate() == before
    assert refused.fired == 2
