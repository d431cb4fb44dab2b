"""A thread made by a script, through the SDK, and used by RemoteGraph. Over HTTP."""

from operator import add
from typing import Annotated, Any

from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from langgraph_client import RemoteGraph, Server, get_sync_client


class State(TypedDict):
    log: Annotated[list[str], add]


def plan(state: State) -> dict[str, Any]:
    return {"log": ["planned"]}


def work(state: State) -> dict[str, Any]:
    return {"log": ["worked"]}


graph = (
    StateGraph(State)
    .add_node("plan", plan)
    .add_node("work", work)
    .add_edge(START, "plan")
    .add_edge("plan", "work")
    .compile()
)


def main() -> None:
    with Server({"worker": graph}) as server:
        server.listen(port=0)
        with get_sync_client(url=server.url) as client:
            thread = client.threads.create(metadata={"made_by": "a script"})
            config = {"configurable": {"thread_id": thread["thread_id"]}}

            remote = RemoteGraph("worker", url=server.url)
            print("result:", remote.invoke({"log": ["asked"]}, config))

            state = remote.get_state(config)
            print("values:", state.values)
            print("next:", state.next)
            print("has a checkpoint:", "checkpoint_id" in state.config["configurable"])
            print("has a parent:", state.parent_config is not None)
            for step in remote.get_state_history(config):
                print("step", (step.metadata or {})["step"], "next", step.next, step.values["log"])
            remote.close()


if __name__ == "__main__":
    main()
