"""The part of the endpoint table that other agents use: MCP and A2A."""

from __future__ import annotations

from langgraph_client.server.http import access
from langgraph_client.server.http.endpoint import Endpoint, text
from langgraph_client.server.http.routes import a2a, mcp

_AGENT = "/a2a/{assistant_id}"
_CARD = "/.well-known/agent-card.json"
_NOT_JSON = (400, "Invalid JSON")
_BODY = "JsonRpcMessage"
_CARD_TEXT = "The card of an assistant, as an A2A agent"

AGENT_ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "POST",
        "/mcp",
        access.MCP,
        mcp.message,
        summary="MCP: assistants as tools",
        body=_BODY,
        response="json",
        other_statuses=(202,),
        not_json=_NOT_JSON,
        error_response="json",
    ),
    Endpoint(
        "GET",
        "/mcp",
        access.MCP,
        mcp.get_not_allowed,
        summary="MCP: refused, because the server has no streams",
        error_response="",
    ),
    Endpoint(
        "DELETE",
        "/mcp",
        access.MCP,
        mcp.delete_not_found,
        summary="MCP: refused, because the server has no sessions",
        error_response="",
    ),
    Endpoint(
        "POST",
        _AGENT,
        access.A2A,
        a2a.message,
        summary="A2A: an assistant as an agent",
        body=_BODY,
        response="application/json|text/event-stream",
        not_json=_NOT_JSON,
        error_response="json",
    ),
    Endpoint(
        "GET", _AGENT, access.A2A, a2a.get_not_allowed, summary="A2A: refused", error_response=""
    ),
    Endpoint(
        "DELETE",
        _AGENT,
        access.A2A,
        a2a.delete_not_found,
        summary="A2A: refused",
        error_response="",
    ),
    Endpoint(
        "GET",
        _AGENT + _CARD,
        access.AGENT_CARD,
        a2a.card,
        summary=_CARD_TEXT,
        response="json",
        error_response="json",
    ),
    Endpoint(
        "GET",
        f"{_AGENT}/.well-known/agent.json",
        access.AGENT_CARD,
        a2a.card,
        summary=_CARD_TEXT,
        response="json",
        error_response="json",
    ),
    Endpoint(
        "GET",
        _CARD,
        access.AGENT_CARD,
        a2a.card,
        summary=_CARD_TEXT,
        response="json",
        query={"assistant_id": text()},
        error_response="json",
    ),
)
