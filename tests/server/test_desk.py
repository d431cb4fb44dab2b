"""What the command offers a developer: flags, HTTPS, and where the event loop is held up."""

from __future__ import annotations

import asyncio
import queue
import ssl
import subprocess
import sys
import threading
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import httpx
import pytest
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from langgraph_client.server.cli.arguments import parse
from langgraph_client.server.cli.reload import arguments_of_child
from langgraph_client.server.loop_watch import LoopWatch
from langgraph_client.server.server import Server

TLS = Path(__file__).parents[1] / "support" / "tls"
CERTIFICATE, KEY = str(TLS / "cert.pem"), str(TLS / "key.pem")


def test_the_flags_of_langgraph_dev() -> None:
    """Each is taken: with its effect, or with a note that it has none and why."""
    given = """--host 127.0.0.1 --port 8123 --no-reload --config other.json --n-jobs-per-worker 3
        --no-browser --debug-port 5678 --wait-for-client --studio-url https://x.example
        --allow-blocking --tunnel --server-log-level WARNING"""
    options = parse(given.split())
    assert (options.config, options.port, options.max_runs) == ("other.json", 8123, 3)
    assert (options.log_level, options.allow_blocking) == ("warning", True)
    assert [note.split(" has no effect here: ")[0] for note in options.notes] == [
        "--no-browser",
        "--no-reload",
        "--debug-port",
        "--wait-for-client",
        "--studio-url",
        "--tunnel",
    ]
    assert parse([]).notes == []


def test_the_config_is_given_once(capsys: pytest.CaptureFixture[str]) -> None:
    """As argument or as option; two different ones are refused, as one would be ignored."""
    assert parse(["a.json", "--config", "a.json"]).config == "a.json"
    with pytest.raises(SystemExit):
        parse(["a.json", "--config", "b.json"])
    assert "two config files are given: a.json and b.json" in capsys.readouterr().err


@pytest.mark.parametrize("end", [["a.json"], ["--", "a.json"]])
def test_the_port_of_a_server_that_reloads(end: list[str]) -> None:
    """Each process is told the port that was chosen, also behind a `--`."""
    arguments = arguments_of_child(["--reload", "--port", "0", *end], 2024)
    options = parse(arguments)
    assert (options.config, options.port, options.reload) == ("a.json", 2024, False)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["--max-runs", "0"], "more than 0"),
        (["--max-run-seconds", "nan"], "more than 0"),
        (["--ssl-certfile", "c.pem"], "must be given together"),
        (["--unknown"], "unrecognized"),
    ],
)
def test_wrong_arguments(
    arguments: list[str], match: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Are told with the usage, and exit status 2."""
    with pytest.raises(SystemExit) as ended:
        parse(arguments)
    assert ended.value.code == 2
    assert match in capsys.readouterr().err


class State(TypedDict, total=False):
    n: int


def hosted(node: Any) -> Any:
    return StateGraph(State).add_node("node", node).add_edge(START, "node").compile()


def test_a_certificate_serves_by_https() -> None:
    """A certificate and its key serve by HTTPS, and the URL says so."""
    with Server({"g": hosted(lambda state: {"n": 1})}) as server:
        url = server.listen(certfile=CERTIFICATE, keyfile=KEY)
        assert url.startswith("https://127.0.0.1:")
        context = ssl.create_default_context(cafile=CERTIFICATE)
        context.check_hostname = False
        with httpx.Client(base_url=url, verify=context, trust_env=False, timeout=60) as http:
            assert http.post("/runs/wait", json={"assistant_id": "g", "input": {}}).json() == {
                "n": 1
            }


@pytest.mark.parametrize("files", [("none.pem", KEY), (CERTIFICATE, CERTIFICATE)])
def test_a_certificate_that_cannot_be_used(files: tuple[str, str]) -> None:
    """Is known before the server starts, by the names of the files."""
    with pytest.raises(OSError, match="pem"):
        Server({}).listen(certfile=files[0], keyfile=files[1])


class OnLoop:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


def test_a_node_that_holds_up_the_loop_is_named(caplog: pytest.LogCaptureFixture) -> None:
    """The warning has the node's name and the line that it is at; it comes once for each place."""
    heard = queue.SimpleQueue[CodeType]()
    seen: list[CodeType] = []

    async def node(state: State) -> State:
        seen.append(heard.get(timeout=60))  # What it must not do: wait without `await`.
        return {"n": 1}

    class Heard(LoopWatch):
        def _log_blocked(self, frame: FrameType) -> None:
            super()._log_blocked(frame)
            heard.put(frame.f_code)

    with Server({"g": hosted(node)}) as server, Heard(server, 0.2):
        client = server.sync_client()
        for _ in range(2):
            seen.clear()
            # A busy machine may stop the loop's thread elsewhere: then that place is what is heard.
            while not seen or seen[-1] is not node.__code__:
                assert client.runs.wait(None, "g", input={}) == {"n": 1}
    said = [note for note in caplog.messages if f'File "{__file__}"' in note]
    assert len(said) == 1
    assert "the event loop has been blocked for 0.2 s by node 'node'" in said[0]
    assert "seen.append(heard.get(timeout=60))" in said[0]


def test_a_loop_that_is_not_held_up(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is said, and a loop that has ended ends the watch."""
    runner = OnLoop()
    with LoopWatch(runner, 0.5) as watch:
        # Time itself is what the test is about.
        asyncio.run_coroutine_threadsafe(asyncio.sleep(1.2), runner.loop).result()
        runner.close()
        watch._thread.join(60)
        assert not watch._thread.is_alive()
    assert "has been blocked" not in caplog.text


def test_a_server_that_cannot_start_says_so_in_one_line(tmp_path: Path) -> None:
    """Also where it is a part of the application that fails."""
    (tmp_path / "app.py").write_text(
        "from langgraph.graph import START, StateGraph\n"
        "graph = StateGraph(dict).add_node('n', lambda s: s).add_edge(START, 'n').compile()\n"
        "def make(): raise ConnectionError('no database')\n"
    )
    (tmp_path / "langgraph.json").write_text(
        '{"graphs": {"g": "./app.py:graph"}, "checkpointer": {"path": "./app.py:make"}}'
    )
    done = subprocess.run(
        [sys.executable, "-m", "langgraph_client.server", "--port", "0"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 1
    assert done.stderr == ("the checkpointer could not be opened: ConnectionError: no database\n")
