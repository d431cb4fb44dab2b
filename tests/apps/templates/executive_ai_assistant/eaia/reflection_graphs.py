from langgraph.graph import START, StateGraph
from langgraph.store.base import BaseStore
from typing_extensions import TypedDict


class ReflectionState(TypedDict, total=False):
    user: str
    feedback: str


async def update_general(state: ReflectionState, *, store: BaseStore) -> ReflectionState:
    await store.aput((state["user"],), "tone", {"data": state["feedback"]})
    return {}


builder = StateGraph(ReflectionState).add_node(update_general).add_edge(START, "update_general")
general_reflection_graph = builder.compile()
