"""A graph that pauses for a human and goes on, and one that fails."""

from typing import Any

from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

from langgraph_client import RemoteException, Server


class State(TypedDict, total=False):
    amount: int
    approved: bool


def approve(state: State) -> dict[str, Any]:
    answer = interrupt({"question": f"Pay {state['amount']}?"})
    if answer == "never":
        raise ValueError(f"payment of {state['amount']} was refused")
    return {"approved": answer == "yes"}


graph = StateGraph(State).add_node("approve", approve).add_edge(START, "approve").compile()


def main() -> None:
    with Server({"payments": graph}) as server:
        remote = server.remote_graph("payments")

        config = {"configurable": {"thread_id": "order-1"}}
        result = remote.invoke({"amount": 40}, config)
        print("paused:", result["__interrupt__"][0].value)
        print("next:", remote.get_state(config).next)
        print("resumed:", remote.invoke(Command(resume="yes"), config))

        config = {"configurable": {"thread_id": "order-2"}}
        remote.invoke({"amount": 90}, config)
        try:
            remote.invoke(Command(resume="never"), config)
        except RemoteException as error:
            print("failed:", error.error, "|", error.message)
            print("run and thread are known:", bool(error.run_id), error.thread_id)


if __name__ == "__main__":
    main()
