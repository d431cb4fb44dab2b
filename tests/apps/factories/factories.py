"""Graph factories, in the forms that people write."""

from contextlib import asynccontextmanager
from typing import Annotated

from langchain_core.runnables import RunnableConfig
from langgraph.graph import START, StateGraph
from langgraph_sdk.runtime import ServerRuntime
from typing_extensions import TypedDict


class Settings(TypedDict, total=False):
    configurable: dict[str, str]


class State(TypedDict, total=False):
    told: str


def telling(text: str):
    return StateGraph(State).add_node("tell", lambda state: {"told": text}).add_edge(START, "tell")


def tenant_of(config: RunnableConfig) -> str:
    return str(config["configurable"].get("tenant"))


def nothing():
    return telling("nothing").compile()


def with_config(config: RunnableConfig):
    return telling(tenant_of(config)).compile()


def with_runtime(runtime: ServerRuntime):
    return telling(runtime.access_context).compile()


async def both(config: RunnableConfig, runtime: ServerRuntime):
    return telling(f"{tenant_of(config)} {runtime.access_context}").compile()


async def turned(runtime: ServerRuntime, config: RunnableConfig):
    return telling(f"{tenant_of(config)} {runtime.access_context}").compile()


@asynccontextmanager
async def manager(config: RunnableConfig):
    yield telling(tenant_of(config)).compile()


def optional(config: RunnableConfig | None = None):
    return telling("made" if config is None else tenant_of(config)).compile()


def own_class(cfg: Settings):
    return telling(cfg["configurable"].get("tenant", "")).compile()


def annotated(runtime: Annotated[ServerRuntime, "what it is made for"]):
    return telling(runtime.access_context).compile()
