"""Two graphs to try things on, without a model and without keys."""

from __future__ import annotations

from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import interrupt
from typing_extensions import TypedDict  # On Python 3.11, pydantic needs this one.


def answer(state: MessagesState) -> dict[str, list[AIMessage]]:
    """Answer in the words of a fake model, which streams them one by one."""
    said = [message for message in state["messages"] if message.type == "human"]
    reply = f"This is message {len(said)}. You said: {said[-1].text}"
    model = GenericFakeChatModel(messages=iter([AIMessage(reply)]))
    return {"messages": [model.invoke(state["messages"])]}


agent = StateGraph(MessagesState).add_node(answer).add_edge(START, "answer").compile()


class Order(TypedDict, total=False):
    """The state of the second graph."""

    amount: int
    approved: bool


def approve(state: Order) -> Order:
    """Ask a human."""
    return {"approved": interrupt({"question": f"Pay {state['amount']}?"})}


orders = StateGraph(Order).add_node(approve).add_edge(START, "approve").compile()
