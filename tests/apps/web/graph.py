from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    told: Any


def echo(state: State, config: RunnableConfig) -> State:
    found = config["configurable"]
    return {
        "told": {name: found[name] for name in sorted(found) if name.startswith(("x-", "user-a"))}
    }


graph = StateGraph(State).add_node("echo", echo).add_edge(START, "echo").compile()


def make(config: RunnableConfig):
    tenant = config["configurable"].get("x-tenant", "nobody")
    return (
        StateGraph(State).add_node(f"of_{tenant}", echo).add_edge(START, f"of_{tenant}").compile()
    )
