"""As langchain-ai/agent-inbox-langgraph-example: an interrupt that the Agent Inbox shows."""

from langgraph.graph import START, StateGraph
from langgraph.types import interrupt
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    interrupt_response: str


def human_node(state: State) -> State:
    request = {
        "action_request": {"action": "Interrupt Test", "args": {"arg1": "value1"}},
        "config": {
            "allow_ignore": True,
            "allow_respond": True,
            "allow_edit": False,
            "allow_accept": False,
        },
        "description": "# A question",
    }
    response = interrupt([request])[0]
    said = response["args"] if response["type"] == "response" else response["type"]
    return {"interrupt_response": said}


graph = StateGraph(State).add_node(human_node).add_edge(START, "human_node").compile()
