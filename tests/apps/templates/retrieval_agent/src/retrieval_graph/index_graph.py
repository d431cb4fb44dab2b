from langchain_core.runnables import RunnableConfig
from langgraph.graph import StateGraph
from retrieval_graph.state import DOCUMENTS, IndexState


async def index_docs(state: IndexState, *, config: RunnableConfig) -> dict[str, str]:
    user_id = config["configurable"].get("user_id")
    if not user_id:
        raise ValueError("Configuration required to run index_docs.")
    DOCUMENTS.setdefault(user_id, []).extend(state["docs"])
    return {"docs": "delete"}


builder = StateGraph(IndexState)
builder.add_node(index_docs)
builder.add_edge("__start__", "index_docs")
graph = builder.compile()
graph.name = "IndexGraph"
