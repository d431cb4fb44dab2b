"""Drives a server with langgraph_sdk and its RemoteGraph; prints what they saw, as one JSON object.

Run in an environment of its own, which has them and not us: python_client.py URL
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from langgraph.pregel.remote import RemoteGraph
from langgraph.types import Command
from langgraph_sdk import get_client, get_sync_client


async def threads(url: str) -> Any:
    client = get_client(url=url)
    thread = await client.threads.create(metadata={"by": "stranger"}, graph_id="row")
    found = await client.threads.search(metadata={"by": "stranger"}, select=["thread_id"])
    await client.threads.update(thread["thread_id"], metadata={"more": 1})
    changed = await client.threads.get(thread["thread_id"])
    counted = await client.threads.count(metadata={"by": "stranger"})
    await client.threads.delete(thread["thread_id"])
    return [found == [{"thread_id": thread["thread_id"]}], changed["metadata"], counted]


async def runs(url: str) -> Any:
    client = get_client(url=url)
    thread_id = (await client.threads.create())["thread_id"]
    waited = await client.runs.wait(thread_id, "row", input={"topic": "t"})
    run = await client.runs.create(thread_id, "counter", input={"count": 1})
    joined = await client.runs.join(thread_id, run["run_id"])
    listed = await client.runs.list(thread_id)
    batch = await client.runs.create_batch([{"assistant_id": "counter", "input": {"count": 5}}])
    return [waited, joined, [one["status"] for one in listed], len(batch)]


async def streams(url: str) -> Any:
    client = get_client(url=url)
    seen: dict[str, Any] = {}
    for mode in ("values", "updates", "custom", "tasks", "debug", "messages-tuple", "events"):
        thread_id = (await client.threads.create())["thread_id"]
        graph = "chat" if mode == "messages-tuple" else "row"
        given = {"messages": [("user", "hi")]} if graph == "chat" else {"topic": "t"}
        events = client.runs.stream(thread_id, graph, input=given, stream_mode=mode)
        seen[mode] = [part.event async for part in events]
    thread_id = (await client.threads.create())["thread_id"]
    first = client.runs.stream(
        thread_id, "row", input={"topic": "t"}, stream_mode="updates", stream_resumable=True
    )
    parts = [part async for part in first]
    run_id = parts[0].data["run_id"]
    rest = client.runs.join_stream(thread_id, run_id, last_event_id=parts[1].id)
    seen["after the second"] = [part.data async for part in rest]
    return seen


async def interrupts(url: str) -> Any:
    client = get_client(url=url)
    thread_id = (await client.threads.create())["thread_id"]
    paused = await client.runs.wait(thread_id, "approval", input={"draft": "d"})
    state = await client.threads.get_state(thread_id)
    resumed = await client.runs.wait(thread_id, "approval", command={"resume": "yes"})
    return [paused["__interrupt__"][0]["value"], state["next"], resumed]


async def states(url: str) -> Any:
    client = get_client(url=url)
    thread_id = (await client.threads.create())["thread_id"]
    await client.runs.wait(thread_id, "row", input={"topic": "t"})
    history = await client.threads.get_history(thread_id, limit=10)
    before = next(state for state in history if state["next"] == ["two"])
    forked = await client.threads.update_state(
        thread_id, {"topic": "f"}, as_node="one", checkpoint=before["checkpoint"]
    )
    result = await client.runs.wait(thread_id, "row", checkpoint=forked["checkpoint"])
    return [[state["next"] for state in history], result]


async def assistants_store_crons(url: str) -> Any:
    client = get_client(url=url)
    made = await client.assistants.create("row", name="Mine")
    drawing = await client.assistants.get_graph(made["assistant_id"])
    schemas = await client.assistants.get_schemas(made["assistant_id"])
    await client.assistants.delete(made["assistant_id"])
    await client.store.put_item(["a", "b"], "k", {"n": 1})
    item = await client.store.get_item(["a", "b"], "k")
    found = await client.store.search_items(["a"])
    cron = await client.crons.create("row", schedule="0 0 1 1 *", input={})
    crons = await client.crons.search()
    await client.crons.delete(cron["cron_id"])
    return [
        [node["id"] for node in drawing["nodes"]],
        sorted(schemas["input_schema"]["properties"]),
        item["value"],
        len(found["items"]),
        len(crons),
    ]


async def blocking(url: str) -> Any:
    client = get_sync_client(url=url)
    thread_id = client.threads.create()["thread_id"]
    events = client.runs.stream(thread_id, "row", input={"topic": "t"}, stream_mode="updates")
    return [part.event for part in events]


async def remote_graph(url: str) -> Any:
    client = get_client(url=url)
    thread_id = (await client.threads.create())["thread_id"]
    config: Any = {"configurable": {"thread_id": thread_id}}
    remote = RemoteGraph("approval", url=url)
    streamed = [
        chunk async for chunk in remote.astream({"draft": "d"}, config, stream_mode="updates")
    ]
    state = await remote.aget_state(config)
    resumed = await remote.ainvoke(Command(resume="yes"), config)
    history = [one.next async for one in remote.aget_state_history(config)]
    drawn = await remote.aget_graph()
    return [list(streamed[0]), list(state.next), resumed, len(history), sorted(drawn.nodes)]


async def main(url: str) -> None:
    groups = (
        threads,
        runs,
        streams,
        interrupts,
        states,
        assistants_store_crons,
        blocking,
        remote_graph,
    )
    print(json.dumps({group.__name__: await group(url) for group in groups}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
