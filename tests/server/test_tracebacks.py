"""Tracebacks of failed runs, in the `error` of their threads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from langgraph.graph import START, StateGraph

from langgraph_client import Server


def divide(state: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"x": 1 / state["x"]}
    except ZeroDivisionError as error:
        raise ValueError("cannot divide") from error


GRAPH = StateGraph(dict).add_node("divide", divide).add_edge(START, "divide").compile()


def failed(http: httpx.Client) -> tuple[Any, Any, str]:
    """Let a run fail. Returns the thread's error, what waiting for it answers, and its events."""
    thread = http.post("/threads", json={}).json()["thread_id"]
    run = {"assistant_id": "graph", "input": {"x": 0}}
    events = http.post(f"/threads/{thread}/runs/stream", json=run).text
    (known,) = http.get(f"/threads/{thread}/runs").json()
    answer = http.get(f"/threads/{thread}/runs/{known['run_id']}/join").json()
    return http.get(f"/threads/{thread}").json()["error"], answer, events


def test_they_are_shown_if_asked_for() -> None:
    """The application's frames and the exceptions behind the last one, not ours or langgraph's."""
    server = Server({"graph": GRAPH}, show_tracebacks=True)
    with (
        server,
        httpx.Client(transport=server.transport(), base_url="http://test", timeout=60) as http,
    ):
        error, answer, events = failed(http)
    text = error["traceback"]
    assert "ZeroDivisionError: division by zero" in text
    assert "\nValueError: cannot divide\n" in text
    assert __file__ in text
    assert "site-packages/langgraph" not in text
    assert "langgraph_client/server" not in text
    assert answer == {"__error__": {"error": "ValueError", "message": "cannot divide"}}
    assert "Traceback" not in events


def test_they_are_not_shown_otherwise() -> None:
    """Nobody is shown code who has not asked for it."""
    server = Server({"graph": GRAPH})
    with (
        server,
        httpx.Client(transport=server.transport(), base_url="http://test", timeout=60) as http,
    ):
        assert failed(http)[0] == {"error": "ValueError", "message": "cannot divide"}


def test_a_failure_with_very_many_causes_is_shown() -> None:
    """A node that tries again and again, and links its failures, fails as any other."""

    def insist(state: dict[str, Any]) -> dict[str, Any]:
        failure: Exception | None = None
        for number in range(1500):
            try:
                raise ValueError(f"try {number}") from failure
            except ValueError as error:
                failure = error
        raise failure or ValueError

    graph = StateGraph(dict).add_node("insist", insist).add_edge(START, "insist").compile()
    server = Server({"graph": graph}, show_tracebacks=True)
    with (
        server,
        httpx.Client(transport=server.transport(), base_url="http://test", timeout=60) as http,
    ):
        error, answer, _ = failed(http)
    assert answer == {"__error__": {"error": "ValueError", "message": "try 1499"}}
    assert "ValueError: try 1499" in error["traceback"]


@pytest.mark.parametrize(
    ("flags", "shown"),
    [([], True), (["--no-show-tracebacks"], False), (["--api-key", "k"], False)],
)
def test_the_command_shows_tracebacks_on_loopback_only(
    tmp_path: Path, flags: list[str], shown: bool
) -> None:
    """The command shows them where only this machine can ask, and who it is does not matter."""
    (tmp_path / "app.py").write_text(
        "from langgraph.graph import START, StateGraph\n"
        "def divide(state): return {'x': 1 / state['x']}\n"
        "graph = StateGraph(dict).add_node(divide).add_edge(START, 'divide').compile()\n"
    )
    (tmp_path / "langgraph.json").write_text('{"graphs": {"graph": "./app.py:graph"}}')
    process = subprocess.Popen(
        [sys.executable, "-m", "langgraph_client.server", "--port", "0", *flags],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split()[0]
        with httpx.Client(base_url=url, headers={"x-api-key": "k"}, timeout=60) as http:
            error = failed(http)[0]
        assert ("traceback" in error) is shown
        assert ("app.py" in str(error)) is shown
    finally:
        process.terminate()
        process.communicate(timeout=120)
