"""The numbers of a server, in Prometheus' text format."""

from __future__ import annotations

import re

import httpx

LINE = re.compile(r'(# TYPE \w+ (gauge|counter|histogram))|(\w+(\{(\w+="[^"]*",?)+\})? [0-9.e+-]+)')


def test_unknown_methods_are_one_label(http: httpx.Client) -> None:
    """Clients cannot fill the memory, or Prometheus, with methods that they make up."""
    for method in ("BREW", "M1", 'GE"T', "get"):
        assert http.request(method, "/threads").is_error
    counts = [line for line in http.get("/metrics").text.splitlines() if "requests_total{" in line]
    methods = {re.findall(r'method="(.*?)",route', line)[0] for line in counts}
    assert methods - {"GET", "POST"} == {"other"}


def test_metrics_count_runs_and_requests(http: httpx.Client, thread: str) -> None:
    """Every line is well-formed; runs, waiting times and requests by route are counted."""
    body = {"assistant_id": "row", "input": {"name": "a"}, "stream_resumable": True}
    http.post(f"/threads/{thread}/runs/stream", json=body)
    http.post(f"/threads/{thread}/runs/wait", json={**body, "assistant_id": "fail"})
    http.get("/threads/no-thread")
    http.get("/nothing")
    text = http.get("/metrics").text
    lines = text.splitlines()
    assert [line for line in lines if not LINE.fullmatch(line)] == []
    assert 'langgraph_runs_ended_total{status="success"} 1' in lines
    assert 'langgraph_runs_ended_total{status="error"} 1' in lines
    assert 'langgraph_runs{status="running"} 0' in lines
    assert "langgraph_claim_seconds_count 2" in lines
    assert re.search(r"langgraph_event_seconds_count [1-9]", text)
    waited = 'method="POST",route="/threads/{thread_id}/runs/wait",status="200"'
    assert f"langgraph_requests_total{{{waited}}} 1" in lines
    assert 'langgraph_requests_total{method="GET",route="other",status="404"} 1' in lines
