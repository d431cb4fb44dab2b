"""Other people's agents with our graphs and our server: supervisors, subagents, tools."""

from __future__ import annotations

import json
import re
import time
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from deepagents import AsyncSubAgent, CompiledSubAgent, create_deep_agent
from langchain.agents import create_agent
from langchain.tools import tool
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph_supervisor import create_supervisor

from langgraph_client import RemoteGraph, Server
from langgraph_client.testing import FakeChatModel
from tests.support.comparison import compare
from tests.support.garbage import collect

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::langgraph.warnings.LangGraphDeprecatedSinceV10"
)


def worker(reply: str) -> Any:
    """An agent that knows one answer."""
    return create_agent(FakeChatModel(lambda messages: reply), tools=[], name="worker")


def asked(text: str) -> dict[str, Any]:
    return {"messages": [("user", text)]}


def contents(state: Any) -> list[str]:
    return [message.text for message in state["messages"]]


def test_a_supervisor_hands_over_to_remote_graphs() -> None:
    """langgraph-supervisor drives remote agents as it drives local ones, back and forth."""

    def decide(messages: list[BaseMessage]) -> Any:
        done = any("42" in str(message.content) for message in messages)
        return "The answer is 42." if done else {"name": "transfer_to_worker", "args": {}}

    with Server({"worker": worker("I say 42")}) as server:
        remote = server.remote_graph("worker")
        graph = create_supervisor([remote], model=FakeChatModel(decide)).compile()
        state = graph.invoke(asked("What is it?"))
    assert "I say 42" in contents(state)
    assert contents(state)[-1] == "The answer is 42."


def test_a_remote_graph_as_a_tool() -> None:
    """`create_agent` calls a remote agent from a tool."""
    with Server({"worker": worker("sunny")}) as server:
        remote = server.remote_graph("worker")

        @tool
        def weather(city: str) -> str:
            """Tell the weather of a city."""
            return contents(remote.invoke(asked(city)))[-1]

        model = FakeChatModel([{"name": "weather", "args": {"city": "Rome"}}, "It is sunny."])
        state = create_agent(model, tools=[weather]).invoke(asked("Rome?"))
    assert contents(state)[-2:] == ["sunny", "It is sunny."]


MODES = ["values", "updates", "custom", "messages", "tasks"]
INPUT = {"messages": [HumanMessage("Rome?", id="question")]}


def boss(remote: Any) -> Any:
    """An agent with a tool that asks another one, twice at a time."""

    @tool
    def weather(city: str) -> str:
        """Tell the weather of a city."""
        return contents(remote.invoke({"messages": [HumanMessage(city, id=city)]}))[-1]

    calls = [{"name": "weather", "args": {"city": name}, "id": name} for name in ("Rome", "Oslo")]
    model = FakeChatModel([calls, "It is sunny."])
    return create_agent(model, tools=[weather], name="boss", checkpointer=InMemorySaver())


def test_a_stream_shows_the_agent_in_a_tool_as_a_local_one() -> None:
    """In every mode, with the names of the agents in the metadata of messages."""
    told = []
    with Server({"worker": worker("sunny")}) as server:
        config: Any = {"configurable": {"thread_id": "1"}, "tags": ["mine"]}
        for child in (worker("sunny"), server.remote_graph("worker")):
            parts = boss(child).stream(INPUT, config, stream_mode=MODES, subgraphs=True)
            told.append(list(parts))
    compare(*told, ordered=False)
    messages = [part for _, mode, part in told[1] if mode == "messages"]
    assert {metadata["lc_agent_name"] for _, metadata in messages} == {"boss", "worker"}


def named(graph: Any, metadata: Any) -> Any:
    builder = StateGraph(MessagesState).add_node("worker", graph.with_config(metadata=metadata))
    return builder.add_edge(START, "worker").compile()


@pytest.mark.parametrize("subgraphs", [True, False])
def test_an_agent_that_is_a_node_has_its_name_if_the_config_says_it(subgraphs: bool) -> None:
    """Metadata of what the node returns are then those of a local agent, on each level."""
    metadata = {"lc_agent_name": "worker", "ls_integration": "langchain_create_agent"}
    told = []
    with Server({"worker": worker("sunny")}) as server:
        for child in (worker("sunny"), server.remote_graph("worker")):
            parent = named(child, metadata)
            options: Any = {"stream_mode": "messages", "subgraphs": subgraphs}
            told.append(list(parent.stream(INPUT, **options)))
    compare(*told)


def test_a_remote_graph_as_a_subagent() -> None:
    """deepagents hands a task to a remote graph (`CompiledSubAgent`) and gets its answer."""
    task = {"description": "Find it", "subagent_type": "finder"}
    model = FakeChatModel([{"name": "task", "args": task}, "It was found."])
    with Server({"worker": worker("under the bed")}) as server:
        subagent = CompiledSubAgent(
            name="finder", description="Finds things", runnable=server.remote_graph("worker")
        )
        state = create_deep_agent(model, subagents=[subagent]).invoke(asked("Where?"))
    assert contents(state)[-2:] == ["under the bed", "It was found."]


def delegating(messages: Sequence[BaseMessage]) -> Any:
    """Start a task, look until it is done, and say what came of it."""
    results = [message for message in messages if isinstance(message, ToolMessage)]
    if not results:
        task = {"description": "Find it", "subagent_type": "finder"}
        return {"name": "start_async_task", "args": task}
    if '"result"' in results[-1].text:
        return f"It is {json.loads(results[-1].text)['result']}."
    if len(results) > 1:
        time.sleep(0.1)  # The task goes on meanwhile; there is no event to wait for.
    started = re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", results[0].text)
    assert started is not None, results[0].text
    return {"name": "check_async_task", "args": {"task_id": started[0]}}


@pytest.fixture
def forgotten() -> Iterator[None]:
    """Takes away the connections of deepagents, whose clients cannot be closed."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        collect()


# A mark, because the garbage collector may take the connections away before the fixture does.
unclosed = pytest.mark.filterwarnings("ignore:unclosed (transport|<socket):ResourceWarning")


@unclosed
@pytest.mark.usefixtures("forgotten")
async def test_an_async_subagent_on_a_port() -> None:
    """deepagents starts a task on the bundled server and reads its result, over langgraph_sdk."""
    with Server({"worker": worker("under the bed")}) as server:
        finder = AsyncSubAgent(
            name="finder", description="Finds things", graph_id="worker", url=server.listen()
        )
        agent = create_deep_agent(FakeChatModel(delegating), subagents=[finder])
        state = await agent.ainvoke(asked("Where?"))
    assert contents(state)[-1] == "It is under the bed."


@unclosed
@pytest.mark.usefixtures("forgotten")
async def test_an_async_subagent_of_the_same_server() -> None:
    """Without a URL the task runs on the server that hosts the agent itself."""
    finder = AsyncSubAgent(name="finder", description="Finds things", graph_id="worker")
    agent = create_deep_agent(FakeChatModel(delegating), subagents=[finder])
    with Server({"agent": agent, "worker": worker("under the bed")}) as server:
        remote: RemoteGraph = server.remote_graph("agent")
        state = await remote.ainvoke(asked("Where?"))
        assert isinstance(state["messages"][-1], AIMessage)
        assert contents(state)[-1] == "It is under the bed."
        await remote.aclose()
