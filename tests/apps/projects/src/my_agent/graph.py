import os

from langgraph.graph import START, StateGraph
from tools_here import shout

from my_agent.state import State


def tell(state: State) -> State:
    names = ("MODEL", "GREETING", "DERIVED", "EMPTY")
    return {"told": {name: shout(os.environ[name]) for name in names}}


builder = StateGraph(State).add_node("tell", tell).add_edge(START, "tell")
graph = builder.compile()
