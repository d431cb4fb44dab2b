"""Other people's clients against the bundled server, on a port. With --interop."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from langgraph_client import Server
from tests.interop.real import ENVIRONMENT, environment
from tests.support.graphs import shared_graphs

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    if not request.config.getoption("--interop"):
        pytest.skip("needs other people's clients: run with --interop (make interop)")
    with Server(shared_graphs()) as server:
        yield server.listen()


def printed(command: list[str], where: Path) -> Any:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, cwd=where
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def python_saw(url: str) -> Any:
    """What langgraph_sdk and its RemoteGraph saw."""
    return printed([str(environment() / "python"), str(HERE / "python_client.py"), url], HERE)


def javascript(script: str, url: str) -> Any:
    """What a script with the JavaScript SDK prints."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("needs node and npm")
    environment()
    packages = ["@langchain/core", "@langchain/langgraph", "@langchain/langgraph-sdk", "ws", "zod"]
    if not all((ENVIRONMENT / "node_modules" / package).is_dir() for package in packages):
        install = [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", "."]
        subprocess.run([*install, *packages], cwd=ENVIRONMENT, check=True, timeout=300)
    copied = ENVIRONMENT / script  # Packages are looked for beside the script.
    shutil.copy(HERE / script, copied)
    return printed(["node", str(copied), url], ENVIRONMENT)


@pytest.fixture(scope="module")
def js_saw(url: str) -> Any:
    """What the JavaScript SDK saw."""
    return javascript("js_client.mjs", url)


ROW = {"topic": "t", "log": ["one", "two:t"]}
MODES = {
    "values": ["metadata", "values", "values", "values"],
    "updates": ["metadata", "updates", "updates"],
    "custom": ["metadata", "custom"],
    "tasks": ["metadata", "tasks", "tasks", "tasks", "tasks"],
}
RESUMED = {"draft": "d!", "answers": ["yes"]}
ASKED = {"question": "approve?", "draft": "d!"}


class TestPythonSdk:
    """langgraph_sdk, and langgraph.pregel.remote.RemoteGraph."""

    def test_threads(self, python_saw: Any) -> None:
        """Create, find, change, count."""
        assert python_saw["threads"] == [
            True,
            {"by": "stranger", "graph_id": "row", "more": 1},
            1,
        ]

    def test_runs(self, python_saw: Any) -> None:
        """Wait, create, join, list, batch."""
        assert python_saw["runs"] == [ROW, {"count": 2}, ["success", "success"], 1]

    def test_streams(self, python_saw: Any) -> None:
        """Every mode, and a stream that is joined in its middle."""
        seen = python_saw["streams"]
        assert {mode: seen[mode] for mode in MODES} == MODES
        assert len(seen["debug"]) > 5
        assert set(seen["messages-tuple"]) == {"metadata", "messages"}
        assert set(seen["events"]) >= {"metadata", "events"}
        assert seen["after the second"] == [{"two": {"log": ["two:t"]}}]

    def test_interrupts(self, python_saw: Any) -> None:
        """Pause, state, resume."""
        assert python_saw["interrupts"] == [ASKED, ["review"], RESUMED]

    def test_states(self, python_saw: Any) -> None:
        """History, and a fork."""
        assert python_saw["states"] == [
            [[], ["two"], ["one"], ["__start__"]],
            {"topic": "f", "log": ["one", "two:f"]},
        ]

    def test_assistants_store_and_crons(self, python_saw: Any) -> None:
        """Drawing, schemas, items, crons."""
        assert python_saw["assistants_store_crons"] == [
            ["__start__", "one", "two", "__end__"],
            ["log", "topic"],
            {"n": 1},
            1,
            1,
        ]

    def test_the_blocking_client(self, python_saw: Any) -> None:
        """Streams, too."""
        assert python_saw["blocking"] == MODES["updates"]

    def test_their_remote_graph(self, python_saw: Any) -> None:
        """Stream, state, resume, history, drawing."""
        assert python_saw["remote_graph"] == [
            ["write"],
            ["review"],
            RESUMED,
            4,
            ["__end__", "__start__", "review", "write"],
        ]


class TestJavaScriptSdk:
    """@langchain/langgraph-sdk."""

    def test_threads(self, js_saw: Any) -> None:
        """Create, find, change."""
        assert js_saw["threads"] == [1, {"by": "js", "more": 1}]

    def test_runs(self, js_saw: Any) -> None:
        """Wait, create, join, list."""
        assert js_saw["runs"] == [ROW, ["success", "success"]]

    def test_streams(self, js_saw: Any) -> None:
        """The modes."""
        seen = js_saw["streams"]
        assert {mode: seen[mode] for mode in MODES} == MODES

    def test_interrupts(self, js_saw: Any) -> None:
        """Pause, state, resume, history."""
        assert js_saw["interrupts"] == [ASKED, ["review"], RESUMED, 4]

    def test_store_and_crons(self, js_saw: Any) -> None:
        """Items and crons."""
        assert js_saw["storeAndCrons"] == [{"n": 1}, 1]


def test_event_streams_of_the_javascript_sdk(url: str) -> None:
    """Threads are followed and answered, by server-sent events and by a WebSocket."""
    snapshots = [{"topic": "t", "log": log} for log in ([], ["one"], ["one", "two:t"])]
    seen = [snapshots, [ASKED, ["yes"]]]
    assert javascript("js_event_streams.mjs", url) == {"sse": seen, "websocket": seen}


def test_events_of_the_javascript_remote_graph(url: str) -> None:
    """`streamEvents` v3 gives snapshots, output, tokens, interrupts and failures."""
    seen = javascript("js_remote_graph.mjs", url)
    snapshots = [{"topic": "t", "log": log} for log in ([], ["one"], ["one", "two:t"])]
    assert seen["values"] == [snapshots, ROW]
    assert seen["messages"] == ["Hello ", "there"]
    assert seen["interrupts"] == [True, [ASKED]]
    assert "value is wrong" in seen["failure"]
