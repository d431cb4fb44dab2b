"""A chat that remembers: a real LangGraph graph on a server, called through RemoteGraph.

Runs by itself: no network, no keys, no port. Replace the fake model by any chat model, and
`server.remote_graph("chat")` by `RemoteGraph("chat", url="https://...")`.
"""

import re
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langgraph.graph import START, MessagesState, StateGraph

from langgraph_client import Server


class NameModel(BaseChatModel):
    """A chat model that answers from the conversation alone."""

    @property
    def _llm_type(self) -> str:
        return "names"

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        said = [message.text for message in messages if message.type == "human"]
        names = [found[1] for text in said if (found := re.search(r"I'm (\w+)", text))]
        if "name?" not in said[-1]:
            answer = f"Hello {names[-1].title()}!" if names else "Hello!"
        elif names:
            answer = f"Your name is {names[-1].title()}."
        else:
            answer = "I don't know your name."
        return ChatResult(generations=[ChatGeneration(message=AIMessage(answer))])


model = NameModel()


def chat(state: MessagesState) -> dict[str, Any]:
    return {"messages": [model.invoke(state["messages"])]}


graph = StateGraph(MessagesState).add_node("chat", chat).add_edge(START, "chat").compile()


def main() -> None:
    with Server({"chat": graph}) as server:
        remote = server.remote_graph("chat")
        print("The graph runs on a server; each thread has its own memory.")
        for thread_id, text in [
            ("1", "hi! I'm bob"),
            ("1", "what's my name?"),
            ("2", "what's my name?"),
        ]:
            print(f"\n######## thread {thread_id!r} ########")
            for chunk in remote.stream(
                {"messages": [{"role": "user", "content": text}]},
                {"configurable": {"thread_id": thread_id}},
                stream_mode="values",
            ):
                chunk["messages"][-1].pretty_print()

        history = list(remote.get_state_history({"configurable": {"thread_id": "1"}}))
        print(
            f"\nThread '1' has {len(history)} checkpoints; the latest holds "
            f"{len(history[0].values['messages'])} messages."
        )


if __name__ == "__main__":
    main()
