"""The command that serves a `langgraph.json`."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.eventually import eventually

GRAPH = """
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

class State(TypedDict):
    n: int

def add(state: State):
    return {"n": state["n"] + 1}

graph = StateGraph(State).add_node("add", add).add_edge(START, "add").add_edge("add", END).compile()
"""


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "langgraph_client.server", *arguments]


def config(folder: Path, **more: object) -> str:
    (folder / "codecs.py").write_text(GRAPH)  # also the name of a standard module
    file = folder / "langgraph.json"
    file.write_text(json.dumps({"graphs": {"add": "./codecs.py:graph"}, **more}))
    return str(file)


def test_serves_until_interrupted(tmp_path: Path) -> None:
    """The command serves the graphs of a config, asks for the key, and ends cleanly on Ctrl-C."""
    process = subprocess.Popen(
        command(config(tmp_path), "--port", "0", "--api-key", "k"),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    try:
        url = process.stdout.readline().split()[0]
        assert httpx.get(f"{url}/ok", timeout=60).status_code == 200
        body = {"assistant_id": "add", "input": {"n": 1}}
        assert httpx.post(f"{url}/runs/wait", json=body, timeout=60).status_code == 401
        answer = httpx.post(f"{url}/runs/wait", json=body, headers={"x-api-key": "k"}, timeout=60)
        assert answer.json() == {"n": 2}
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def failure(*arguments: str) -> str:
    done = subprocess.run(
        command(*arguments), capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return done.stderr.strip()


def test_bad_config_is_one_line(tmp_path: Path) -> None:
    """What is wrong with a config is said in one line that names the file."""
    missing = failure(str(tmp_path / "none.json"))
    assert missing.endswith("none.json: No such file or directory")
    (tmp_path / "langgraph.json").write_text(json.dumps({"graphs": {"a": "./nope.py:graph"}}))
    absent = failure(str(tmp_path / "langgraph.json"))
    assert "graph 'a'" in absent
    assert len(absent.splitlines()) == 1


def test_a_port_or_a_file_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    """What is wrong with --port or --db says so, without a traceback."""
    file = config(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        text = failure(file, "--port", port)
        assert text == f"cannot listen on 127.0.0.1:{port}: Address already in use"
    assert "99999 is not a port" in failure(file, "--port", "99999")
    assert "abc is not a port" in failure(file, "--port", "abc")
    assert "(--role)" in failure(file, "--port", "0", "--role", "worker")
    (tmp_path / "bad.db").write_text("no database " * 500)
    for name in ("bad.db", "no/such/folder/x.db"):
        text = failure(file, "--port", "0", "--db", str(tmp_path / name))
        assert len(text.splitlines()) == 1
        assert name in text


def test_auth_that_cannot_be_loaded(tmp_path: Path) -> None:
    """A config that restricts access is not served without."""
    text = failure(config(tmp_path, auth={"path": "./auth.py:auth"}), "--port", "0")
    assert "auth.path: ./auth.py: FileNotFoundError" in text


def test_what_has_no_effect_is_warned_of(tmp_path: Path) -> None:
    """Keys by name, and a missing .env; the server starts all the same."""
    with serving(config(tmp_path, auht={}, env=".env"), "--port", "0") as (url, process):
        assert httpx.get(f"{url}/ok", timeout=60).status_code == 200
        process.terminate()
        text = process.communicate(timeout=120)[1]
    assert "'auht' is not a known key" in text
    assert "'env' names .env, which does not exist" in text


def test_serves_where_the_name_of_a_graph_cannot_be_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first line shows an escape."""
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    file = config(tmp_path, graphs={"caf\u00e9": "./codecs.py:graph"})
    with serving(file, "--port", "0") as (url, _):
        body = {"assistant_id": "caf\u00e9", "input": {"n": 1}}
        assert httpx.post(f"{url}/runs/wait", json=body, timeout=60).json() == {"n": 2}


SLOW = """
import os, time
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

class State(TypedDict, total=False):
    n: int

def slow(state: State):
    with open("acted", "a") as file:
        file.write(f"{os.getpid()}\\n")
    if not os.path.exists("quick"):
        time.sleep(3600)
    return {"n": 1}

graph = StateGraph(State).add_node("slow", slow).add_edge(START, "slow").compile()
"""


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The command's URL and process, in the folder of its config."""
    process = subprocess.Popen(
        command(*arguments),
        cwd=Path(arguments[0]).parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    try:
        yield process.stdout.readline().split()[0], process
    finally:
        process.kill()
        process.communicate()


def wait_for(path: Path, lines: int) -> list[str]:
    eventually(lambda: path.exists() and len(path.read_text().split()) >= lines)
    return path.read_text().split()


@pytest.mark.parametrize("signals", [[signal.SIGTERM], [signal.SIGINT, signal.SIGINT]])
def test_signals_end_the_process_whatever_a_node_does(
    tmp_path: Path, signals: list[signal.Signals]
) -> None:
    """Soon, though a codec waits for ever; the run is taken up at the next start."""
    file = config(tmp_path)
    (tmp_path / "codecs.py").write_text(SLOW)
    with serving(file, "--port", "0", "--db", "state.db") as (url, process):
        thread = httpx.post(f"{url}/threads", json={}, timeout=60).json()["thread_id"]
        run = {"assistant_id": "add", "input": {}}
        path = f"/threads/{thread}/runs"
        run_id = httpx.post(f"{url}{path}", json=run, timeout=60).json()["run_id"]
        wait_for(tmp_path / "acted", 1)
        for number in signals:
            process.send_signal(number)
            time.sleep(0.2)
        process.wait(30)
        assert process.stderr
        assert "Traceback" not in process.stderr.read()
    (tmp_path / "quick").touch()
    with serving(file, "--port", "0", "--db", "state.db") as (url, _):
        assert httpx.get(f"{url}{path}/{run_id}/join", timeout=60).json() == {"n": 1}


def test_nothing_is_taken_up_before_the_port_is_bound(tmp_path: Path) -> None:
    """The same command typed twice: the second one fails, and no node has acted in it."""
    file = config(tmp_path)
    (tmp_path / "codecs.py").write_text(SLOW)
    with serving(file, "--port", "0", "--db", "state.db") as (url, process):
        thread = httpx.post(f"{url}/threads", json={}, timeout=60).json()["thread_id"]
        httpx.post(
            f"{url}/threads/{thread}/runs", json={"assistant_id": "add", "input": {}}, timeout=60
        )
        wait_for(tmp_path / "acted", 1)
        port = str(httpx.URL(url).port)
        again = failure(file, "--port", port, "--db", str(tmp_path / "state.db"))
        assert again == f"cannot listen on 127.0.0.1:{port}: Address already in use"
        assert wait_for(tmp_path / "acted", 1) == [str(process.pid)]


def test_failures_are_logged_with_tracebacks(tmp_path: Path) -> None:
    """A failure is shown with its traceback, a request at debug only."""
    file = config(tmp_path)
    (tmp_path / "codecs.py").write_text(GRAPH.replace("return", "raise ZeroDivisionError or"))
    said = {}
    for level in ("debug", "error"):
        with serving(file, "--port", "0", "--log-level", level) as (url, process):
            httpx.post(
                f"{url}/runs/wait", json={"assistant_id": "add", "input": {"n": 1}}, timeout=60
            )
            process.terminate()
            said[level] = process.communicate(timeout=120)[1]
    assert "ZeroDivisionError" in said["debug"]
    assert "POST /runs/wait 200" in said["debug"]
    assert "httpcore" not in said["debug"]
    assert said["error"] == ""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_requests_are_not_kept(tmp_path: Path) -> None:
    """Neither requests that are refused nor those that are answered make the process grow."""
    refused = b'{"assistant_id": "no", "input": {"x": [' + b",".join([b"[]"] * 40_000) + b"]}}"
    answered = json.dumps(
        {"assistant_id": "add", "input": {"n": 1}, "metadata": {"x": "y" * 100_000}}
    )
    with serving(config(tmp_path), "--port", "0", "--log-level", "error") as (url, process):

        def memory() -> int:
            lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
            return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])

        with httpx.Client(base_url=url, timeout=60) as http:

            def ask(times: int) -> None:
                for _ in range(times):
                    assert http.post("/runs/wait", content=refused).status_code == 422
                    assert http.post("/runs/wait", content=answered).json() == {"n": 2}

            ask(10)
            before = memory()
            ask(30)
            assert memory() - before < 20_000  # kB; each of the refused takes 4 MB when decoded


def test_no_key_no_other_machines(tmp_path: Path) -> None:
    """Without a key the command does not listen beyond this machine."""
    text = failure(config(tmp_path), "--host", "0.0.0.0", "--port", "0")
    assert text.startswith("host: '0.0.0.0' can be reached from other machines")
    assert "--api-key" in text


AUTH = """
from langgraph_client import Auth

auth = Auth()

@auth.authenticate
def authenticate(headers):
    if headers.get(b"x-token") != b"ann":
        raise Auth.exceptions.HTTPException(401)
    return "ann"
"""


def test_an_auth_in_place_of_a_key(tmp_path: Path) -> None:
    """An application that authenticates every request is served to other machines."""
    (tmp_path / "users.py").write_text(AUTH)
    file = config(tmp_path, auth={"path": "./users.py:auth"})
    with serving(file, "--host", "0.0.0.0", "--port", "0") as (url, _):
        url = url.replace("0.0.0.0", "127.0.0.1")
        assert httpx.post(f"{url}/threads/count", json={}, timeout=60).status_code == 401
        found = httpx.post(f"{url}/threads/count", json={}, headers={"x-token": "ann"}, timeout=60)
        assert found.json() == 0


def test_reloads_when_a_file_changes(tmp_path: Path) -> None:
    """With --reload a change is served on the same URL, and a mistake told until it is mended."""
    file = config(tmp_path)
    process = subprocess.Popen(
        command(file, "--port", "0", "--reload", "--log-level", "error"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stderr

    def add() -> int:
        body = {"assistant_id": "add", "input": {"n": 1}}
        return int(httpx.post(f"{url}/runs/wait", json=body, timeout=60).json()["n"])

    def change(text: str) -> None:
        new = tmp_path / "new"
        new.write_text(text)
        new.replace(tmp_path / "codecs.py")  # At once: the server must not see an empty file.

    try:
        url = process.stdout.readline().split()[0]
        assert add() == 2
        change(GRAPH.replace("+ 1", "+ 10"))
        assert process.stdout.readline().split()[0] == url
        assert add() == 11
        change("oops =")
        lines = (line for line in process.stderr if " INFO " not in line)
        said = [next(lines) for _ in range(3)]
        assert said[:2] == ["a file has changed: restarting\n"] * 2
        assert "codecs.py:1: SyntaxError" in said[2]
        change(GRAPH.replace("+ 1", "+ 100"))
        assert process.stdout.readline().split()[0] == url
        assert add() == 101
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    finally:
        process.terminate()  # It ends the process that serves, too.
        process.wait()
        process.stdout.close()
        process.stderr.close()


WAITING = """
import asyncio, os
from langgraph.graph import START, StateGraph

async def wait(state: dict):
    while not os.path.exists("open"):
        await asyncio.sleep(0.01)
    return state

graph = StateGraph(dict).add_node(wait).add_edge(START, "wait").compile()
"""


@pytest.mark.parametrize(("flag", "most"), [("--max-runs", 1), ("--n-jobs-per-worker", 2)])
def test_so_many_runs_at_a_time(tmp_path: Path, flag: str, most: int) -> None:
    """`--max-runs` runs are at work at the same time; the others wait, and all are done."""
    (tmp_path / "waiting.py").write_text(WAITING)
    (tmp_path / "langgraph.json").write_text('{"graphs": {"wait": "./waiting.py:graph"}}')
    process = subprocess.Popen(
        command("--port", "0", flag, str(most)), cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    try:
        with httpx.Client(base_url=process.stdout.readline().split()[0], timeout=60) as http:
            places = []
            for _ in range(4):
                thread = http.post("/threads", json={}).json()["thread_id"]
                run = {"assistant_id": "wait", "input": {"n": 1}}
                made = http.post(f"/threads/{thread}/runs", json=run).json()
                places.append(f"/threads/{thread}/runs/{made['run_id']}")

            def statuses() -> list[str]:
                return [http.get(place).json()["status"] for place in places]

            eventually(lambda: statuses().count("running") >= most)
            assert statuses() == ["running"] * most + ["pending"] * (4 - most)
            (tmp_path / "open").touch()
            for place in places:
                http.get(f"{place}/join")
            assert statuses() == ["success"] * 4
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
