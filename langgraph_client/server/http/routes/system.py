"""The server's health, version and metrics."""

from __future__ import annotations

from starlette.responses import PlainTextResponse, Response

from langgraph_client.server.http.endpoint import ValidRequest
from langgraph_client.server.http.replies import reply
from langgraph_client.server.runs.graph_runner import versions
from langgraph_client.server.runs.metrics import gauges
from langgraph_client.values import HEADER, VERSION


async def ok(request: ValidRequest) -> Response:
    """GET /ok."""
    if request.query["check_db"]:
        await request.services.storage.ping()
    return reply({"ok": True, "services": {}})


async def info(request: ValidRequest) -> Response:
    """GET /info."""
    numbers = versions()
    missing = ("project_id", "host_revision_id", "revision_id", "tenant_id")
    return reply(
        {
            "version": numbers["langgraph_api_version"],
            "langgraph_py_version": numbers["langgraph_version"],
            "flags": {
                "assistants": True,
                "crons": True,
                "idempotency_key": True,
                "langsmith": False,
                "run_control": True,
                "langsmith_tracing_replicas": True,
                "langsmith_tracing_session_on_runs": True,
            },
            "host": {"kind": "self-hosted", **dict.fromkeys(missing)},
        },
        headers={HEADER: VERSION},
    )


async def metrics(request: ValidRequest) -> Response:
    """GET /metrics."""
    engine = request.services.engine
    numbers = engine.numbers()
    queue = {
        "n_pending": numbers.pending,
        "n_running": numbers.running,
        "pending_runs_wait_time_max_secs": numbers.longest_wait,
        "pending_runs_wait_time_med_secs": numbers.median_wait,
        "pending_unblocked_runs_wait_time_max_secs": numbers.longest_wait,
    }
    workers = {
        "max": numbers.limit,
        "active": numbers.running,
        "available": numbers.available,
    }
    if request.query["format"] == "json":
        return reply({"queue": queue, "api": {}, "workers": workers})
    lines = []
    for prefix, values in (("lg_api_num", queue), ("lg_api_workers", workers)):
        for name, value in values.items():
            lines += [f"# TYPE {prefix}_{name} gauge", f"{prefix}_{name} {value or 0}"]
    lines += gauges("langgraph_runs", "status", await engine.unfinished_counts())
    if engine.cluster is not None:
        connections = engine.cluster.shared.connection_numbers()
        lines += gauges("langgraph_database_connections", "state", connections)
    lines += engine.metrics.lines()
    return PlainTextResponse("\n".join(lines) + "\n")


def version() -> str:
    """Return the version that the server shows."""
    return str(versions()["langgraph_api_version"])
