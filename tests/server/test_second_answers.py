"""An interrupt is answered once, however long the run takes that has the answer."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from langgraph.graph import START, StateGraph
from langgraph.types import interrupt

from langgraph_client import Server
from langgraph_client.server.runs import commands
from tests.support.eventually import eventually
from tests.support.hosted import Gate, Log


@pytest.mark.parametrize("first", ["input.respond", "run.start"])
def test_a_second_answer_is_refused_while_the_run_with_the_first_goes_on(
    first: str, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread still shows the interrupt then, which the second answer must not consume."""
    monkeypatch.setattr(commands, "_SETTLE_SECONDS", 0.2)

    def ask(state: Log) -> Log:
        return {"log": [interrupt("who?")]}

    async def held(state: Log) -> Log:
        await gate.hold()
        return {}

    builder = StateGraph(Log).add_sequence([("ask", ask), ("held", held)])
    graph = builder.add_edge(START, "ask").compile()
    with (
        Server({"agent": graph}) as server,
        httpx.Client(transport=server.transport(), base_url="http://server", timeout=60) as http,
    ):
        thread = f"/threads/{http.post('/threads', json={}).json()['thread_id']}"

        def command(method: str, **params: Any) -> Any:
            body = {"id": 1, "method": method, "params": params}
            return http.post(f"{thread}/commands", json=body).json()

        command("run.start", assistant_id="agent", input={"log": ["in"]})
        eventually(lambda: http.get(thread).json().get("interrupts"))
        ((question,),) = http.get(thread).json()["interrupts"].values()
        answer = {"interrupt_id": question["id"], "response": "ann"}
        if first == "run.start":
            command(first, assistant_id="agent", input="ann")
        else:
            assert command(first, **answer)["type"] == "success"
        gate.arrived()
        second = command("input.respond", **{**answer, "response": "bob"})
        assert (second["type"], second.get("error")) == ("error", "no_such_interrupt")
        gate.open()
        eventually(lambda: http.get(thread).json()["status"] == "idle")
        assert http.get(thread).json()["values"]["log"] == ["in", "ann"]
