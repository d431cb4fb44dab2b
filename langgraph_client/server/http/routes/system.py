"""The server about itself."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from langgraph_client.server.graphs.graph_runner import versions
from langgraph_client.server.http.openapi import document, page
from langgraph_client.server.http.replies import fail, reply
from langgraph_client.server.services import services_of
from langgraph_client.values import HEADER, VERSION


async def ok(request: Request) -> Response:
    """GET /ok"""
    text = request.query_params.get("check_db", "0")
    try:
        deep = int(text)
    except ValueError as error:
        raise fail(400, str(error)) from None
    if deep:
        await services_of(request).storage.ping()
    return reply({"ok": True, "services": {}})


async def info(request: Request) -> Response:
    """GET /info"""
    found = versions()
    nobody = ("project_id", "host_revision_id", "revision_id", "tenant_id")
    return reply(
        {
            "version": found["langgraph_api_version"],
            "langgraph_py_version": found["langgraph_version"],
            "flags": {
                "assistants": True,
                "crons": True,
                "langsmith": False,
                "langsmith_tracing_replicas": True,
                "langsmith_tracing_session_on_runs": True,
            },
            "host": {"kind": "self-hosted", **dict.fromkeys(nobody)},
        },
        headers={HEADER: VERSION},
    )


async def metrics(request: Request) -> Response:
    """GET /metrics"""
    engine = services_of(request).engine
    queue, workers = engine.numbers()
    if request.query_params.get("format") == "json":
        return reply({"queue": queue, "api": {}, "workers": workers})
    lines = []
    for prefix, numbers in (("lg_api_num", queue), ("lg_api_workers", workers)):
        for name, value in numbers.items():
            lines += [f"# TYPE {prefix}_{name} gauge", f"{prefix}_{name} {value or 0}"]
    return PlainTextResponse("\n".join(lines) + "\n")


def _version() -> str:
    return str(versions()["langgraph_api_version"])


async def openapi(request: Request) -> Response:
    """GET /openapi.json"""
    return reply(document(_version()))


async def docs(request: Request) -> Response:
    """GET /docs"""
    return HTMLResponse(page(document(_version())))


routes = [
    Route("/ok", ok, methods=["GET"]),
    Route("/", ok, methods=["GET"]),
    Route("/info", info, methods=["GET"]),
    Route("/metrics", metrics, methods=["GET"]),
    Route("/openapi.json", openapi, methods=["GET"]),
    Route("/docs", docs, methods=["GET"]),
]
