from langchain_core.runnables import RunnableConfig
from langgraph.graph import StateGraph
from retrieval_graph.state import DOCUMENTS, State


async def retrieve(state: State, *, config: RunnableConfig) -> State:
    known = DOCUMENTS.get(config["configurable"]["user_id"], [])
    return {"retrieved": [one.page_content for one in known if state["query"] in one.page_content]}


builder = StateGraph(State)
builder.add_node(retrieve)
builder.add_edge("__start__", "retrieve")
graph = builder.compile()
graph.name = "RetrievalGraph"
