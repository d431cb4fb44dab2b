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

_E = Endpoint
AGENT_ENDPOINTS: tuple[Endpoint, ...] = (
    _E(
        "POST",
        "/mcp",
        access.MCP,
        mcp.message,
        "MCP: assistants as tools",
        _BODY,
        "json",
        not_json=_NOT_JSON,
        refuses="json",
        also=(202,),
    ),
    _E(
        "GET",
        "/mcp",
        access.MCP,
        mcp.no_stream,
        "MCP: refused, as there are no streams",
        refuses="",
    ),
    _E(
        "DELETE",
        "/mcp",
        access.MCP,
        mcp.no_session,
        "MCP: refused, as there are no sessions",
        refuses="",
    ),
    _E(
        "POST",
        _AGENT,
        access.A2A,
        a2a.message,
        "A2A: an assistant as an agent",
        _BODY,
        "application/json|text/event-stream",
        not_json=_NOT_JSON,
        refuses="json",
    ),
    _E("GET", _AGENT, access.A2A, a2a.not_here, "A2A: refused", refuses=""),
    _E("DELETE", _AGENT, access.A2A, a2a.nothing_to_end, "A2A: refused", refuses=""),
    _E(
        "GET", _AGENT + _CARD, access.AGENT_CARD, a2a.card, _CARD_TEXT, gives="json", refuses="json"
    ),
    _E(
        "GET",
        f"{_AGENT}/.well-known/agent.json",
        access.AGENT_CARD,
        a2a.card,
        _CARD_TEXT,
        gives="json",
        refuses="json",
    ),
    _E(
        "GET",
        _CARD,
        access.AGENT_CARD,
        a2a.card,
        _CARD_TEXT,
        gives="json",
        refuses="json",
        query={"assistant_id": text()},
    ),
)
