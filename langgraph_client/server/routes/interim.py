"""Interim threads and state, until routes/threads.py and routes/state.py are here."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from langgraph_client.server.http import read_json, reply
from langgraph_client.server.parts import parts_of


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
    Route("/ok", ok, methods=["GET"]),
]
