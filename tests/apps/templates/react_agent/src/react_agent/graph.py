from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.graph import MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.runtime import Runtime

from react_agent.context import Context


@tool
async def search(query: str) -> str:
    """Search the web."""
    return f"found {query}"


async def call_model(state: MessagesState, runtime: Runtime[Context]) -> MessagesState:
    last = state["messages"][-1]
    if last.type == "human":
        call = {"name": "search", "args": {"query": last.content}, "id": "1"}
        return {"messages": [AIMessage("", tool_calls=[call])]}
    return {"messages": [AIMessage(f"{runtime.context.model}: {last.content}")]}


def route(state: MessagesState) -> str:
    return "tools" if state["messages"][-1].tool_calls else "__end__"


builder = StateGraph(MessagesState, context_schema=Context)
builder.add_node(call_model)
builder.add_node("tools", ToolNode([search]))
builder.add_edge("__start__", "call_model")
builder.add_conditional_edges("call_model", route)
builder.add_edge("tools", "call_model")
graph = builder.compile(name="ReAct Agent")
