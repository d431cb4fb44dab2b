"""Copy a thread of one server into another, and run it again from the middle of its history."""

from typing import Any

from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from langgraph_client import Server


class State(TypedDict, total=False):
    count: int


def step(state: State) -> dict[str, Any]:
    return {"count": state.get("count", 0) + 1}


def again(state: State) -> str:
    return END if state["count"] >= 5 else "step"


builder = StateGraph(State).add_node("step", step).add_edge(START, "step")
graph = builder.add_conditional_edges("step", again, ["step", END]).compile()


def main() -> None:
    with Server({"counter": graph}) as deployment, Server({"counter": graph}) as home:
        client = deployment.sync_client()
        thread_id = client.threads.create()["thread_id"]
        client.runs.wait(thread_id, "counter", input={})

        pulled = home.pull(client, thread_id)
        print(f"copied: {pulled.checkpoints} checkpoints, missing: {pulled.missing}")

        mine = home.sync_client()
        fourth = list(mine.threads.iter_history(thread_id))[-4]
        print("there the count was:", fourth["values"]["count"])
        print("run again:", mine.runs.wait(thread_id, "counter", checkpoint=fourth["checkpoint"]))


if __name__ == "__main__":
    main()
