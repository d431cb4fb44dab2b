"""A graph that loops until it is done; its history shows every step."""

from typing import Any

from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from langgraph_client import Server


class State(TypedDict, total=False):
    step: int
    message: str


def start(state: State) -> dict[str, Any]:
    return {"step": state.get("step", 0) + 1, "message": "Working"}


def decide(state: State) -> dict[str, Any]:
    return {"message": "Process complete"} if state["step"] >= 3 else {}


def again(state: State) -> str:
    return END if state["step"] >= 3 else "start"


graph = (
    StateGraph(State)
    .add_node("start", start)
    .add_node("decide", decide)
    .add_edge(START, "start")
    .add_edge("start", "decide")
    .add_conditional_edges("decide", again, ["start", END])
    .compile()
)
config = {"configurable": {"thread_id": "job-42"}}


def main() -> None:
    with Server({"job": graph}) as server:
        remote = server.remote_graph("job")
        print("result:", remote.invoke({"step": 0}, config))
        ran = [task.name for step in remote.get_state_history(config) for task in step.tasks]
        print("steps:", [name for name in reversed(ran) if name != START])


if __name__ == "__main__":
    main()
