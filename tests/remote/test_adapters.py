"""What adapters read of a compiled graph."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from ag_ui.core import RunAgentInput, UserMessage
from ag_ui_langgraph import LangGraphAgent
from langgraph.checkpoint.memory import InMemorySaver

from langgraph_client import Server
from tests.support.family import FAMILY
from tests.support.graphs import fresh_graph, graphs


@pytest.fixture(scope="module")
def hosted() -> Iterator[Server]:
    members = {name: FAMILY[name].build() for name in ("contextual", "nested")}
    with Server({**graphs(), **members}) as running:
        yield running


@pytest.mark.parametrize("name", ["contextual", "nested", "chat"])
def test_attributes_of_a_compiled_graph(hosted: Server, name: str) -> None:
    """Names of nodes and channels, and the context's schema, are the local graph's."""
    local: Any = {**graphs(), **{n: FAMILY[n].build() for n in ("contextual", "nested")}}[name]
    remote = hosted.remote_graph(name)
    assert remote.nodes.keys() == local.nodes.keys()
    assert remote.channels.keys() <= local.channels.keys()
    assert remote.input_channels == local.input_channels
    assert remote.output_channels == local.output_channels
    assert remote.stream_mode == local.stream_mode
    assert (remote.context_schema is None) == (local.context_schema is None)
    assert remote.InputType.model_fields.keys() == local.get_input_jsonschema()["properties"].keys()
    output = local.get_output_jsonschema()["properties"]
    assert remote.OutputType.model_fields.keys() == output.keys()
    for _, subgraph in remote.get_subgraphs():
        assert subgraph.InputType.model_fields.keys() == subgraph.OutputType.model_fields.keys()


@pytest.mark.parametrize("name", ["builder", "store", "interrupt_before_nodes"])
def test_what_a_remote_graph_lacks_says_why(hosted: Server, name: str) -> None:
    """An AttributeError, so that `hasattr` and `getattr` with a default work."""
    remote = hosted.remote_graph("chat")
    assert not hasattr(remote, name)
    with pytest.raises(AttributeError, match=f"{name}'.*(server|client)"):
        getattr(remote, name)
    with pytest.raises(AttributeError, match=r"'nothing'$"):
        _ = remote.nothing


@pytest.mark.filterwarnings("ignore:`get_config_jsonschema` is deprecated")
async def test_ag_ui_cannot_tell_the_difference(hosted: Server) -> None:
    """Its adapter gives the same events for the remote graph as for the local one."""

    async def events(graph: Any) -> list[str]:
        asked = RunAgentInput(
            thread_id=str(uuid.uuid4()),
            run_id="r",
            state={},
            messages=[UserMessage(id="m", role="user", content="hi")],
            tools=[],
            context=[],
            forwarded_props={},
        )
        agent = LangGraphAgent(name="chat", graph=graph)
        return [event.type.value async for event in agent.run(asked)]

    local = fresh_graph("chat").copy({"checkpointer": InMemorySaver()})
    remote = hosted.remote_graph("chat")
    expected = await events(local)
    assert await events(remote) == expected
    assert "TEXT_MESSAGE_CONTENT" in expected
    await remote.aclose()
