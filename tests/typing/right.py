"""Programs as users write them. Type checkers run over this file; nobody else does."""

from __future__ import annotations

from datetime import datetime
from typing import Any, assert_type

import httpx

from langgraph_client import (
    APIStatusError,
    ConflictError,
    SyncLangGraphClient,
    get_client,
    get_sync_client,
)
from langgraph_client._async.stream import AsyncRunStream
from langgraph_client._sync.stream import RunStream
from langgraph_client.models import (
    Assistant,
    AssistantsSearchResponse,
    Cron,
    Drawing,
    GraphSchema,
    Interrupt,
    Item,
    Run,
    SearchItem,
    StreamPart,
    StreamPartV2,
    Thread,
    ThreadState,
)
from langgraph_client.models.events import CheckpointPayload, ErrorPayload, RunMetadataPayload
from langgraph_client.testing import LoggedRequest, TestServer


async def replies() -> None:
    client = get_client(url="http://localhost:2024", headers={"x-tenant": "a"}, timeout=30)
    thread = await client.threads.create(metadata={"user": "ann"}, ttl=60)
    assert_type(thread, Thread)
    assert_type(thread.thread_id, str)
    assert_type(thread.created_at, datetime)
    assert_type(thread.interrupts, dict[str, list[Interrupt]])
    again: dict[str, Any] = {**thread}
    config = {"configurable": {"thread_id": thread["thread_id"]}, "again": again}
    assert_type(await client.threads.get_state(config["configurable"]["thread_id"]), ThreadState)
    assert_type(await client.threads.search(status="idle", select=["thread_id"]), list[Thread])
    assert_type(
        await client.threads.get_history("t", before={"checkpoint_id": "c"}), list[ThreadState]
    )
    assert_type(await client.threads.count(), int)
    assert_type(await client.assistants.search(), list[Assistant])
    assert_type(await client.assistants.search(response_format="object"), AssistantsSearchResponse)
    assert_type(await client.assistants.get_graph("agent", xray=True), Drawing)
    assert_type(await client.assistants.get_subgraphs("agent"), dict[str, GraphSchema])
    assert_type(await client.runs.list("t", status="pending"), list[Run])
    assert_type(await client.store.get_item(["a"], "k"), Item | None)
    assert_type(await client.crons.create("agent", schedule="0 9 * * 1"), Cron)
    async for found in client.threads.iter(limit=3):
        assert_type(found, Thread)
    async for item in client.store.iter_items(["a"]):
        assert_type(item, SearchItem)


async def runs() -> None:
    async with get_client() as client:
        run = await client.runs.create(
            None,
            "agent",
            input={"messages": [{"role": "user", "content": "hi"}]},
            config={"tags": ["a"], "configurable": {"user": "ann"}},
            multitask_strategy="enqueue",
            interrupt_before="*",
        )
        assert_type(run, Run)
        result = await client.runs.wait("t", "agent", command={"resume": True})
        print(result["messages"][-1]["content"])
        stream = client.runs.stream("t", "agent", stream_mode=["values", "updates"])
        assert_type(stream, AsyncRunStream[StreamPart])
        async for part in stream:
            assert_type(part.event, str)
            assert_type(part.id, str | None)
        async with client.runs.join_stream("t", "r", version="v2") as typed:
            assert_type(typed.run_id, str | None)
            async for narrowed in typed:
                narrow(narrowed)


def narrow(part: StreamPartV2) -> None:
    assert_type(part["ns"], list[str])
    if part["type"] == "metadata":
        assert_type(part["data"], RunMetadataPayload)
    elif part["type"] == "updates":
        assert_type(part["data"], dict[str, Any])
    elif part["type"] == "checkpoints":
        assert_type(part["data"], CheckpointPayload)
    elif part["type"] == "error":
        assert_type(part["data"], ErrorPayload)
        print(part["data"]["error"])


def blocking() -> None:
    with httpx.Client() as given, get_sync_client(http_client=given, api_key=None) as client:
        assert_type(client.threads.create(), Thread)
        stream = client.runs.stream(None, "agent", version="v2")
        assert_type(stream, RunStream[StreamPartV2])
        for part in client.runs.stream(None, "agent"):
            assert_type(part, StreamPart)
        assert_type(next(iter(client.assistants.iter())), Assistant)


def title(thread: Thread) -> str:
    """As with the SDK: documents are read by key."""
    values = thread["values"]
    name: str = thread["metadata"].get("title", thread["thread_id"])
    return name if isinstance(values, dict) else ""


def documents() -> None:
    client = get_sync_client(url="http://localhost:2024")
    thread = client.threads.get("t")
    thread["mine"] = 1
    thread.status = "idle"
    assert_type(thread.copy(), Thread)
    assert_type(thread.get("status", "idle"), Any)
    state = client.threads.get_state("t")
    print(title(thread), state.values["messages"][-1], list(state.values()))
    assert_type(state.tasks[0].interrupts, list[Interrupt])
    found = client.store.search_items(["a"])
    assert_type(found.items[0], SearchItem)
    for key, value in found.items():
        print(key, value)
    own = SyncLangGraphClient(httpx.Client(base_url="http://localhost:2024"))
    assert_type(own.runs.get("t", "r", params="a=b"), Run)
    get_client(timeout=(5, 60))


def failures() -> None:
    try:
        get_sync_client().threads.get("t")
    except httpx.HTTPStatusError as error:
        assert_type(error.response, httpx.Response)
    except httpx.ConnectError as error:
        assert_type(error.request, httpx.Request)
    try:
        get_sync_client().threads.get("t")
    except APIStatusError as status:
        assert_type(status.status_code, int)
        assert_type(status.request_id, str | None)
        assert_type(status.response, httpx.Response)
    response = httpx.Response(409, request=httpx.Request("GET", "http://localhost"))
    raise ConflictError("busy", response=response, body={"code": "busy"})


def testing_kit(server: TestServer) -> None:
    server.clock.advance(hours=1, minutes=30)
    assert_type(server.clock.now(), datetime)
    assert_type(server.requests[-1], LoggedRequest)
    assert_type(server.requests[-2:], list[LoggedRequest])
    assert_type(list(reversed(server.requests)), list[LoggedRequest])
