from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime
from langgraph_sdk import get_client
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    told: Any


def echo(state: State, config: RunnableConfig, runtime: Runtime) -> State:
    user = config["configurable"]["langgraph_auth_user"]
    return {
        "told": [
            user["identity"],
            user.identity,
            user["role"],
            config["configurable"]["langgraph_auth_user_id"],
            list(config["configurable"]["langgraph_auth_permissions"]),
            runtime.server_info.user.identity,
        ]
    }


async def ask(state: State) -> State:
    return await get_client().runs.wait(None, "echo", input={})


graph = StateGraph(State).add_node("echo", echo).add_edge(START, "echo").compile()
outer = StateGraph(State).add_node("ask", ask).add_edge(START, "ask").compile()
