"""Interim threads and state, until routes/threads.py and routes/state.py are here."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from langgraph_client.server.http import fail, nothing, read_json, reply, uuid_text
from langgraph_client.server.parts import parts_of
from langgraph_client.server.performing import interrupt_document, thread_config, thread_fields
from langgraph_client.server.requests import _new_thread


def _thread(request: Request) -> dict[str, Any]:
    thread_id = uuid_text(request.path_params["thread_id"], "Invalid thread ID: must be a UUID")
    thread = parts_of(request).storage.threads.get(thread_id)
    if thread is None:
        raise fail(404, f"Thread with ID {thread_id} not found")
    return thread


async def create(request: Request) -> Response:
    body = await read_json(request)
    parts = parts_of(request)
    thread_id = body.get("thread_id") or parts.clock.uuid7()
    old = parts.storage.threads.get(thread_id)
    if old is not None:
        if body.get("if_exists") == "do_nothing":
            return reply(old)
        raise fail(409, f"Thread with ID {thread_id} already exists")
    thread = _new_thread(parts, thread_id, parts.clock.stamp())
    thread["metadata"] = body.get("metadata") or {}
    parts.storage.threads.insert(thread)
    return reply(thread)


async def get(request: Request) -> Response:
    return reply(_thread(request))


async def delete(request: Request) -> Response:
    thread = _thread(request)
    parts = parts_of(request)
    await parts.engine.delete_thread(thread["thread_id"])
    parts.storage.delete_thread(thread["thread_id"])
    return nothing()


def checkpoint_of(config: Any) -> Any:
    if not config:
        return None
    keys = ("checkpoint_id", "thread_id", "checkpoint_ns", "checkpoint_map")
    return {k: config["configurable"][k] for k in keys if k in config["configurable"]}


def state_document(state: Any) -> dict[str, Any]:
    tasks = []
    for task in state.tasks:
        sub = task.state
        nested = sub is not None and not isinstance(sub, dict)
        tasks.append(
            {
                "id": task.id,
                "name": task.name,
                "path": task.path,
                "error": task.error
                if task.error is None or isinstance(task.error, str)
                else repr(task.error),
                "interrupts": [interrupt_document(i) for i in task.interrupts],
                "checkpoint": checkpoint_of(sub) if isinstance(sub, dict) else None,
                "state": state_document(sub) if nested else None,
                "result": task.result,
            }
        )
    checkpoint, parent = checkpoint_of(state.config), checkpoint_of(state.parent_config)
    if state.created_at is None:
        checkpoint = parent = None
    return {
        "values": state.values if state.created_at else {},
        "next": list(state.next),
        "tasks": tasks,
        "metadata": {**state.metadata, "thread_id": state.config["configurable"].get("thread_id")}
        if state.metadata
        else None,
        "created_at": state.created_at,
        "checkpoint": checkpoint,
        "parent_checkpoint": parent,
        "interrupts": [i for t in tasks for i in t["interrupts"]],
        "checkpoint_id": (checkpoint or {}).get("checkpoint_id"),
        "parent_checkpoint_id": (parent or {}).get("checkpoint_id"),
    }


async def state(request: Request) -> Response:
    thread = _thread(request)
    graph_id = thread["metadata"].get("graph_id")
    subgraphs = request.query_params.get("subgraphs") in ("true", "True")
    config = thread_config(thread["thread_id"])
    if checkpoint_id := request.path_params.get("checkpoint_id"):
        config["configurable"]["checkpoint_id"] = checkpoint_id
    async with parts_of(request).graphs.open(graph_id, config) as graph:
        return reply(state_document(await graph.aget_state(config, subgraphs=subgraphs)))


async def update(request: Request) -> Response:
    thread = _thread(request)
    body = await read_json(request)
    parts = parts_of(request)
    if busy := parts.engine.busy(thread["thread_id"]):
        raise fail(409, f"Thread {thread['thread_id']} has in-flight runs: {busy}")
    config = thread_config(thread["thread_id"], **(body.get("checkpoint") or {}))
    if body.get("checkpoint_id"):
        config["configurable"]["checkpoint_id"] = body["checkpoint_id"]
    config["metadata"] = {"graph_id": thread["metadata"]["graph_id"]}
    async with parts.graphs.open(thread["metadata"]["graph_id"], config) as graph:
        made = await graph.aupdate_state(config, body.get("values"), body.get("as_node"))
        found = await graph.aget_state(thread_config(thread["thread_id"]))
    thread.update(thread_fields(found, found.values))
    parts.storage.threads.put(thread)
    parts.engine.announce(
        thread["thread_id"],
        "state_update",
        {"state": state_document(found), "thread_id": thread["thread_id"]},
    )
    checkpoint = checkpoint_of(made)
    return reply(
        {
            "checkpoint": checkpoint,
            "configurable": checkpoint,
            "checkpoint_id": checkpoint["checkpoint_id"],
        }
    )


async def history(request: Request) -> Response:
    thread = _thread(request)
    limit = int(request.query_params.get("limit", 1))
    if request.method == "POST":
        limit = (await read_json(request)).get("limit", 1)
    config = thread_config(thread["thread_id"])
    async with parts_of(request).graphs.open(thread["metadata"]["graph_id"], config) as graph:
        found = [state_document(s) async for s in graph.aget_state_history(config, limit=limit)]
    return reply(found)


async def search_assistants(request: Request) -> Response:
    body = await read_json(request)
    where = {"graph_id": body["graph_id"]} if "graph_id" in body else {}
    return reply(parts_of(request).storage.assistants.search(where=where))


async def create_assistant(request: Request) -> Response:
    body = await read_json(request)
    parts = parts_of(request)
    config, context = body.get("config") or {}, body.get("context") or {}
    context = context or config.get("configurable") or {}
    if context:
        config = {**config, "configurable": context}
    now = parts.clock.stamp()
    doc = {
        "assistant_id": body.get("assistant_id") or parts.clock.uuid4(),
        "graph_id": body["graph_id"],
        "config": config,
        "context": context,
        "metadata": body.get("metadata") or {},
        "name": "Untitled",
        "created_at": now,
        "updated_at": now,
        "version": 1,
        "description": None,
    }
    parts.storage.assistants.insert(doc)
    return reply(doc)


async def ok(request: Request) -> Response:
    return reply({"ok": True, "services": {}})


routes = [
    Route("/assistants/search", search_assistants, methods=["POST"]),
    Route("/assistants", create_assistant, methods=["POST"]),
    Route("/threads", create, methods=["POST"]),
    Route("/threads/{thread_id}", get, methods=["GET"]),
    Route("/threads/{thread_id}", delete, methods=["DELETE"]),
    Route("/threads/{thread_id}/state", state, methods=["GET"]),
    Route("/threads/{thread_id}/state", update, methods=["POST"]),
    Route("/threads/{thread_id}/state/{checkpoint_id}", state, methods=["GET"]),
    Route("/threads/{thread_id}/history", history, methods=["GET", "POST"]),
    Route("/ok", ok, methods=["GET"]),
]
