"""A counter that goes on from its saved state, also after the server was closed and reopened."""

import tempfile
from pathlib import Path
from typing import Any

from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from langgraph_client import Server


class State(TypedDict):
    count: int


def increment(state: State) -> dict[str, Any]:
    return {"count": state["count"] + 1}


graph = StateGraph(State).add_node("increment", increment).add_edge(START, "increment").compile()
config = {"configurable": {"thread_id": "user-1"}}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.db"
        with Server({"counter": graph}, path=path) as server:
            remote = server.remote_graph("counter")
            print("first call: ", remote.invoke({"count": 0}, config))
            print("second call:", remote.invoke({}, config))
        with Server({"counter": graph}, path=path) as server:
            print("reopened:   ", server.remote_graph("counter").invoke({}, config))


if __name__ == "__main__":
    main()
