"""As langchain-ai/open_deep_research: a supervisor calls a researcher's graph in parallel."""

import asyncio
import operator
from typing import Annotated

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command
from pydantic import BaseModel, Field
from typing_extensions import TypedDict


class Configuration(BaseModel):
    max_concurrent_research_units: int = Field(default=2)


class ResearcherState(TypedDict, total=False):
    topic: str
    notes: Annotated[list[str], operator.add]


async def researcher(state: ResearcherState) -> ResearcherState:
    return {"notes": [f"note on {state['topic']}"]}


research = StateGraph(ResearcherState).add_node(researcher).add_edge(START, "researcher").compile()


class AgentState(MessagesState, total=False):
    notes: Annotated[list[str], operator.add]


async def clarify(state: AgentState) -> Command:
    return Command(goto="supervisor" if state["messages"] else END)


async def supervisor(state: AgentState, config: RunnableConfig) -> AgentState:
    most = Configuration(**config["configurable"]).max_concurrent_research_units
    topics = state["messages"][-1].content.split(", ")[:most]
    found = await asyncio.gather(*(research.ainvoke({"topic": topic}, config) for topic in topics))
    return {"notes": [note for one in found for note in one["notes"]]}


async def report(state: AgentState) -> AgentState:
    return {"messages": [AIMessage("; ".join(state["notes"]))]}


builder = StateGraph(AgentState, context_schema=Configuration)
builder.add_node("clarify", clarify, destinations=("supervisor", END))
builder.add_node("supervisor", supervisor)
builder.add_node("report", report)
builder.add_edge(START, "clarify")
builder.add_edge("supervisor", "report")
deep_researcher = builder.compile()
