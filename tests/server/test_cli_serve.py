"""The command that serves a `langgraph.json`."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx

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
        assert httpx.get(f"{url}/ok").status_code == 200
        body = {"assistant_id": "add", "input": {"n": 1}}
        assert httpx.post(f"{url}/runs/wait", json=body).status_code == 401
        answer = httpx.post(f"{url}/runs/wait", json=body, headers={"x-api-key": "k"})
        assert answer.json() == {"n": 2}
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def failure(*arguments: str) -> str:
    done = subprocess.run(command(*arguments), capture_output=True, text=True, check=False)
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


def test_no_key_no_other_machines(tmp_path: Path) -> None:
    """Without a key the command does not listen beyond this machine."""
    assert "--api-key" in failure(config(tmp_path), "--host", "0.0.0.0")


def test_reloads_when_a_file_changes(tmp_path: Path) -> None:
    """With --reload a change is served on the same URL, and a mistake told until it is mended."""
    file = config(tmp_path)
    process = subprocess.Popen(
        command(file, "--port", "0", "--reload"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stderr

    def add() -> int:
        body = {"assistant_id": "add", "input": {"n": 1}}
        return int(httpx.post(f"{url}/runs/wait", json=body).json()["n"])

    try:
        url = process.stdout.readline().split()[0]
        assert add() == 2
        (tmp_path / "codecs.py").write_text(GRAPH.replace("+ 1", "+ 10"))
        assert process.stdout.readline().split()[0] == url
        assert add() == 11
        (tmp_path / "codecs.py").write_text("oops =")
        said = [process.stderr.readline() for _ in range(3)]
        assert said[:2] == ["a file has changed\n"] * 2
        assert "graph 'add': ./codecs.py: SyntaxError" in said[2]
        (tmp_path / "codecs.py").write_text(GRAPH.replace("+ 1", "+ 100"))
        assert process.stdout.readline().split()[0] == url
        assert add() == 101
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    finally:
        process.terminate()  # It ends the process that serves, too.
        process.wait()
        process.stdout.close()
        process.stderr.close()
