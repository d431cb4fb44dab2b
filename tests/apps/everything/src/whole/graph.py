import os
from dataclasses import dataclass

from langchain_core.runnables import RunnableConfig
from langgraph.graph import START, StateGraph
from langgraph.store.base import BaseStore
from langgraph_sdk.runtime import ServerRuntime
from typing_extensions import TypedDict


@dataclass
class Note:
    text: str


class State(TypedDict, total=False):
    name: str
    said: str
    known: list[str]


async def make_graph(config: RunnableConfig, runtime: ServerRuntime):
    user = runtime.user.identity if runtime.user else "nobody"

    async def greet(state: State, config: RunnableConfig, *, store: BaseStore) -> State:
        tone = config["configurable"].get("x-tone", "plain")
        found = await store.asearch(("names", user), query=state["name"])
        await store.aput(("names", user), state["name"], {"text": state["name"]})
        said = f"{os.environ['WHOLE_GREETING']} {state['name']} from {user}, {tone}"
        return {"said": said, "known": [item.key for item in found]}

    return StateGraph(State).add_node("greet", greet).add_edge(START, "greet").compile()
