"""A program with RemoteGraph beside the langgraph that is installed; the server's URL is given."""

from __future__ import annotations

import sys
from typing import TypedDict

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Interrupt, StateSnapshot

from langgraph_client import RemoteGraph
from langgraph_client.types import GraphOutput

ON = {"configurable": {"thread_id": "user-1"}}


class State(TypedDict):
    """The state of the graph around the remote one."""

    draft: str


def main() -> None:
    with RemoteGraph("approval", url=sys.argv[1]) as graph:
        asked = graph.invoke({"draft": "d"}, ON)
        assert isinstance(asked["__interrupt__"][0], Interrupt), asked
        assert isinstance(graph.get_state(ON), StateSnapshot)
        assert graph.invoke(Command(resume="yes"), ON)["answers"] == ["yes"]
        assert [*next(graph.stream({"draft": "e"}, ON, stream_mode="updates"))] == ["write"]
        elsewhere = {"configurable": {"thread_id": "user-2"}}
        assert type(graph.invoke({"draft": "d"}, elsewhere, version="v2")) is GraphOutput
        assert "write" in graph.get_graph().draw_mermaid()
        whole = StateGraph(State).add_node("remote", graph).add_edge(START, "remote")
        app = whole.compile(checkpointer=InMemorySaver())
        assert "__interrupt__" in app.invoke({"draft": "x"}, ON)
        assert app.invoke(Command(resume="yes"), ON) == {"draft": "x!"}


if __name__ == "__main__":
    main()
