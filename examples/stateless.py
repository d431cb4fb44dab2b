"""Without a thread a run keeps nothing; asking for its state says that a thread is needed."""

from typing import Any

from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from langgraph_client import LangGraphError, Server


class State(TypedDict):
    text: str


def shout(state: State) -> dict[str, Any]:
    return {"text": state["text"].upper()}


graph = StateGraph(State).add_node("shout", shout).add_edge(START, "shout").compile()


def main() -> None:
    with Server({"shout": graph}) as server:
        remote = server.remote_graph("shout")
        print(remote.invoke({"text": "hello"}))
        print("threads left behind:", len(server.sync_client().threads.search()))
        try:
            remote.get_state({})
        except LangGraphError as error:
            print("get_state without a thread:", error)


if __name__ == "__main__":
    main()
