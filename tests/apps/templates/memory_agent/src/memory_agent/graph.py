"""As langchain-ai/memory-agent: what a user says is remembered across threads, by its meaning."""

import uuid
from dataclasses import dataclass

from langchain_core.messages import AIMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.runtime import Runtime


@dataclass(kw_only=True)
class Context:
    user_id: str = "default"


async def call_model(state: MessagesState, runtime: Runtime[Context]) -> MessagesState:
    last = state["messages"][-1].content
    memories = await runtime.store.asearch(
        ("memories", runtime.context.user_id), query=last, limit=1
    )
    known = "; ".join(memory.value["content"] for memory in memories)
    return {"messages": [AIMessage(f"I know: {known or 'nothing'}")]}


async def store_memory(state: MessagesState, runtime: Runtime[Context]) -> MessagesState:
    content = state["messages"][-2].content
    place = ("memories", runtime.context.user_id)
    await runtime.store.aput(place, str(uuid.uuid4()), {"content": content})
    return {"messages": []}


builder = StateGraph(MessagesState, context_schema=Context)
builder.add_node(call_model)
builder.add_node(store_memory)
builder.add_edge(START, "call_model")
builder.add_edge("call_model", "store_memory")
builder.add_edge("store_memory", END)
graph = builder.compile()
graph.name = "MemoryAgent"
