"""`distributed_tracing=True` ties the server's traces to the caller's."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from langsmith.run_trees import RunTree
from opentelemetry import trace

from langgraph_client import RemoteGraph, get_sync_client

TRACE = 0x0AF7651916CD43DD8448EB211C80319C
SPAN = 0xB7AD6B7169203331


class Listener(httpx.BaseTransport):
    """Answers every call with an empty state, and keeps the headers."""

    def __init__(self) -> None:
        self.headers: list[httpx.Headers] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.headers.append(request.headers)
        return httpx.Response(200, json={"values": {}, "next": [], "tasks": []})


@pytest.fixture
def listener() -> Listener:
    return Listener()


def read(listener: Listener, **options: Any) -> httpx.Headers:
    with get_sync_client(url="http://server.example", transport=listener) as client:
        RemoteGraph("row", sync_client=client, **options).get_state(
            {"thread_id": "1"}, headers={"x-own": "1"}
        )
    return listener.headers[-1]


def test_the_active_span_is_sent(listener: Listener) -> None:
    """W3C `traceparent` of the active OpenTelemetry span, beside the caller's own headers."""
    context = trace.SpanContext(TRACE, SPAN, is_remote=False, trace_flags=trace.TraceFlags(1))
    with trace.use_span(trace.NonRecordingSpan(context)):
        sent = read(listener, distributed_tracing=True)
    assert sent["traceparent"] == f"00-{TRACE:032x}-{SPAN:016x}-01"
    assert sent["x-own"] == "1"


def test_the_current_langsmith_run_is_sent(listener: Listener) -> None:
    """`langsmith-trace` of the run around the call."""
    from langsmith.run_helpers import tracing_context

    run = RunTree(name="parent", run_type="chain", inputs={})
    with tracing_context(parent=run, enabled=True):
        sent = read(listener, distributed_tracing=True)
    assert sent["langsmith-trace"] == run.to_headers()["langsmith-trace"]


def test_nothing_is_sent_unless_asked_for(listener: Listener) -> None:
    """By default no trace leaves the process."""
    context = trace.SpanContext(TRACE, SPAN, is_remote=False, trace_flags=trace.TraceFlags(1))
    with trace.use_span(trace.NonRecordingSpan(context)):
        assert "traceparent" not in read(listener)
