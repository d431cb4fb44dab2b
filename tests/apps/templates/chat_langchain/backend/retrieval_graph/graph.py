"""As langchain-ai/chat-langchain: a router, a researcher's subgraph with Sends, and an answer."""

import operator
from typing import Annotated

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import START, MessagesState, StateGraph

from backend.retrieval_graph.researcher import graph as researcher_graph


class AgentState(MessagesState, total=False):
    documents: Annotated[list[str], operator.add]


async def conduct_research(state: AgentState) -> AgentState:
    found = await researcher_graph.ainvoke({"question": state["messages"][-1].content})
    return {"documents": found["documents"]}


async def respond(state: AgentState, *, config: RunnableConfig) -> AgentState:
    plan = config["configurable"].get("x-user-plan", "free")
    return {"messages": [AIMessage(f"{plan}: {', '.join(sorted(state['documents']))}")]}


builder = StateGraph(AgentState)
builder.add_node(conduct_research)
builder.add_node(respond)
builder.add_edge(START, "conduct_research")
builder.add_edge("conduct_research", "respond")
graph = builder.compile()
graph.name = "RetrievalGraph"
