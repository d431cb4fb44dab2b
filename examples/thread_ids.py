"""Any thread id works, in either shape of the config, although servers want UUIDs."""

from operator import add
from typing import Annotated, Any

from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from langgraph_client import Server


class State(TypedDict):
    log: Annotated[list[str], add]


def note(state: State) -> dict[str, Any]:
    return {"log": [f"call {len(state['log'])}"]}


graph = StateGraph(State).add_node("note", note).add_edge(START, "note").compile()


def main() -> None:
    with Server({"notes": graph}) as server:
        remote = server.remote_graph("notes")
        remote.invoke({"log": ["a"]}, {"configurable": {"thread_id": "user-1"}})
        result = remote.invoke({"log": ["b"]}, {"thread_id": "user-1"})  # the flat shape
        print("both calls used one thread:", result["log"])

        snapshot = remote.get_state({"configurable": {"thread_id": "user-1"}})
        print("the id given comes back:", snapshot.config["configurable"]["thread_id"])

        (thread,) = server.sync_client().threads.search()
        print("the server knows it as a UUID:", thread.thread_id)
        print("and keeps the given id:", thread.metadata["given_thread_id"])


if __name__ == "__main__":
    main()
