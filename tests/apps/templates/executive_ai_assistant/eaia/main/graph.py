from langgraph.graph import START, StateGraph
from langgraph.store.base import BaseStore
from langgraph.types import interrupt
from langgraph_sdk import get_client
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    email: str
    sent: str


async def draft(state: State, *, store: BaseStore) -> State:
    tone = await store.aget(("ada",), "tone")
    answer = interrupt({"draft": f"{tone.value['data'] if tone else 'plain'}: {state['email']}"})
    return {"sent": answer}


async def reflect(state: State) -> State:
    feedback = {"user": "ada", "feedback": "friendly"}
    await get_client().runs.wait(None, "general_reflection_graph", input=feedback)
    return {}


builder = StateGraph(State).add_node(draft).add_node(reflect)
graph = builder.add_edge(START, "draft").add_edge("draft", "reflect").compile()
