"""As langchain-ai/data-enrichment: the input brings a schema, and the output has only the info."""

import operator
from dataclasses import dataclass, field
from typing import Annotated, Any

from langgraph.graph import StateGraph


@dataclass(kw_only=True)
class InputState:
    topic: str
    extraction_schema: dict[str, Any]
    info: dict[str, Any] | None = field(default=None)


@dataclass(kw_only=True)
class State(InputState):
    loop_step: Annotated[int, operator.add] = field(default=0)


@dataclass(kw_only=True)
class OutputState:
    info: dict[str, Any]


async def call_agent_model(state: State) -> dict[str, Any]:
    names = state.extraction_schema["properties"]
    return {"info": {name: f"{name} of {state.topic}" for name in names}, "loop_step": 1}


def route(state: State) -> str:
    return "call_agent_model" if state.loop_step < 2 else "__end__"


builder = StateGraph(State, input_schema=InputState, output_schema=OutputState)
builder.add_node(call_agent_model)
builder.add_edge("__start__", "call_agent_model")
builder.add_conditional_edges("call_agent_model", route)
graph = builder.compile()
graph.name = "ResearchTopic"
