"""Interim system endpoints, until routes/system.py is here."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from langgraph_client.server.http import reply


async def ok(request: Request) -> Response:
    """GET /ok"""
    return reply({"ok": True, "services": {}})


routes = [Route("/ok", ok, methods=["GET"]), Route("/", ok, methods=["GET"])]
