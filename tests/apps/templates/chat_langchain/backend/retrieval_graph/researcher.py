import operator
from typing import Annotated

from langgraph.graph import START, StateGraph
from langgraph.types import Send
from typing_extensions import TypedDict


class ResearcherState(TypedDict, total=False):
    question: str
    documents: Annotated[list[str], operator.add]


class QueryState(TypedDict):
    query: str


async def retrieve(state: QueryState) -> ResearcherState:
    return {"documents": [f"page on {state['query']}"]}


def each(state: ResearcherState) -> list[Send]:
    return [Send("retrieve", {"query": word}) for word in state["question"].split()]


builder = StateGraph(ResearcherState)
builder.add_node("queries", lambda state: {})
builder.add_node(retrieve)
builder.add_edge(START, "queries")
builder.add_conditional_edges("queries", each, path_map=["retrieve"])
graph = builder.compile()
graph.name = "ResearcherGraph"
