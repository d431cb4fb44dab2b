"""As langchain-ai/executive-ai-assistant: a graph for crons starts runs of the main graph."""

import uuid

from langgraph.graph import START, StateGraph
from langgraph_sdk import get_client
from typing_extensions import TypedDict


class JobState(TypedDict, total=False):
    emails: list[str]
    started: int


async def main(state: JobState) -> JobState:
    client = get_client()
    for email in state["emails"]:
        thread_id = str(uuid.uuid5(uuid.NAMESPACE_URL, email))
        await client.threads.create(thread_id=thread_id, if_exists="do_nothing")
        await client.runs.create(
            thread_id, "main", input={"email": email}, multitask_strategy="rollback"
        )
    return {"started": len(state["emails"])}


graph = StateGraph(JobState).add_node(main).add_edge(START, "main").compile()
