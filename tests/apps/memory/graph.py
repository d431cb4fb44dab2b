from typing import Annotated, Any

from langgraph.graph import START, StateGraph
from langgraph.store.base import BaseStore
from langgraph.types import interrupt
from typing_extensions import TypedDict


def added(left: list[str] | None, right: list[str]) -> list[str]:
    return [*(left or []), *right]


class State(TypedDict, total=False):
    text: str
    found: list[str]


async def remember(state: State, *, store: BaseStore) -> dict[str, Any]:
    await store.aput(("notes",), state["text"], {"text": state["text"]})
    found = await store.asearch(("notes",), query=state["text"], limit=1)
    return {"found": [item.key for item in found]}


graph = StateGraph(State).add_node("remember", remember).add_edge(START, "remember").compile()


class Steps(TypedDict, total=False):
    steps: Annotated[list[str], added]


def ask(state: Steps) -> Steps:
    return {"steps": [interrupt("go on?")]}


steps = StateGraph(Steps).add_node("first", lambda state: {"steps": ["first"]}).add_node("ask", ask)
stateful = steps.add_edge(START, "first").add_edge("first", "ask").compile()
