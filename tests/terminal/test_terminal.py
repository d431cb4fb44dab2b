"""The command `langgraph-client`, as a process, against a server on a port."""

from __future__ import annotations

import codecs
import contextlib
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import tomllib
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from langgraph_client import (
    NotFoundError,
    ScriptedGraph,
    Server,
    SyncLangGraphClient,
    get_sync_client,
)
from langgraph_client._core.run_progress import NodeStarted
from langgraph_client.server.graphs.script_steps import Ask, Say
from langgraph_client.terminal.__main__ import main
from langgraph_client.terminal.commands import cancel
from langgraph_client.terminal.output import PlainOutput, RichOutput
from tests.support.graphs import fresh_graph, graphs
from tests.support.hosted import Gate, hosted
from tests.support.wire import URL, Wire, reply

COMMAND = [sys.executable, "-m", "langgraph_client.terminal"]
LIMIT = 300


@pytest.fixture
def gate() -> Gate:
    """Where the graph `gate` waits."""
    return Gate()


@pytest.fixture
def server(gate: Gate) -> Iterator[Server]:
    """A server on a port."""
    script = ScriptedGraph([Say("Hm.", node="look"), Ask("sure?", node="ask")])
    odd = ScriptedGraph(
        [Say("at 10:key:30", node=":a:"), {"text": "[b]caf\u00e9[/b] \U0001f600 :a:"}]
    )
    with Server({**hosted(gate), **graphs(), "script": script, "odd": odd}) as running:
        running.listen()
        yield running
        gate.open()


@pytest.fixture
def client(server: Server) -> Iterator[SyncLangGraphClient]:
    """A client of it."""
    with server.sync_client() as made:
        yield made


@pytest.fixture
def environment(server: Server) -> dict[str, str]:
    """What the command finds its server by."""
    assert server.url is not None
    return {**os.environ, "LANGGRAPH_URL": server.url, "COLUMNS": "200", "TERM": "xterm"}


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(environment: dict[str, str]) -> Run:
    """Runs the command, without a terminal."""

    def run(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments],
            input=given,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
            env=environment,
        )

    return run


class Terminal:
    """A command whose input and output are a terminal."""

    def __init__(self, process: subprocess.Popen[bytes], handle: int) -> None:
        self.process = process
        self._handle = handle
        self.seen = ""
        # A piece may end within a character.
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def read_until(self, text: str) -> str:
        """Read until the command has written a text; return all that it has written."""
        while text not in self.seen:
            try:
                piece = os.read(self._handle, 65536)
            except OSError:  # So Linux says that nobody writes any more.
                piece = b""
            assert piece, f"{text!r} never came:\n{self.seen}"
            self.seen += self._decoder.decode(piece)
        return self.seen

    def write(self, text: str) -> None:
        """Type."""
        os.write(self._handle, text.encode())


@contextmanager
def on_terminal(environment: dict[str, str], *arguments: str) -> Iterator[Terminal]:
    """Run the command on a terminal of its own."""
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [*COMMAND, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment,
            start_new_session=True,
        )
        os.close(theirs)
        try:
            yield Terminal(process, ours)
        finally:
            process.kill()
            process.wait(LIMIT)
    finally:
        os.close(ours)


def json_lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def test_run_shows_nodes_and_the_result(run: Run) -> None:
    """A line for each node with its time, then the state; the status is 0."""
    done = run("run", "row", "--input", '{"topic": "t"}')
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line.split()[:2] for line in lines[1:3]] == [["*", "one"], ["*", "two"]]
    assert lines[1].endswith(" s")
    assert lines[3:5] == ['topic: "t"', 'log: ["one", "two:t"]']


def test_run_shows_tokens(run: Run) -> None:
    """Tokens of a message go to one line, after the node's name."""
    given = '{"messages": [{"role": "user", "content": "hi"}]}'
    done = run("run", "chat", "--input", "-", given=given)
    assert "chat: Hello there" in done.stdout.splitlines()
    assert "ai: Hello there" in done.stdout.splitlines()


def test_run_for_programs(run: Run) -> None:
    """With `--json`, each event is a line, and the last one has the state."""
    *events, last = json_lines(run("run", "row", "--input", "{}", "--json").stdout)
    assert [event["event"] for event in events] == ["metadata", *["tasks"] * 4]
    assert last["status"] == 0
    assert last["state"]["values"]["log"] == ["one", "two:None"]


def test_run_of_a_script(run: Run) -> None:
    """The steps of a scripted graph are shown as nodes are."""
    done = run("run", "script", "--input", "{}")
    assert (done.returncode, done.stderr) == (3, "")
    lines = done.stdout.splitlines()
    assert lines[1] == "look: Hm."
    assert [line.split()[:2] for line in lines[2:4]] == [["*", "look"], ["?", "ask"]]


def test_a_failing_run(run: Run) -> None:
    """Its error is one line on stderr, and the status is 1."""
    done = run("run", "failing", "--input", '{"how": "value"}')
    assert done.returncode == 1
    assert done.stderr == "ValueError: value is wrong\n"


def test_a_question_nobody_answers(run: Run, client: SyncLangGraphClient) -> None:
    """Without a terminal the status is 3, and `--resume` answers."""
    done = run("run", "approval", "--input", '{"draft": "d"}')
    assert done.returncode == 3
    assert '? {"question": "approve?", "draft": "d!"}' in done.stdout.splitlines()
    thread_id = done.stdout.split()[-1]
    done = run("run", "approval", "--thread", thread_id, "--resume", "yes")
    assert done.returncode == 0
    assert 'answers: ["yes"]' in done.stdout.splitlines()


def test_a_question_on_a_terminal(environment: dict[str, str]) -> None:
    """The question is asked, and the answer resumes the run."""
    with on_terminal(environment, "run", "approval", "--input", '{"draft": "d"}') as terminal:
        terminal.read_until("answer> ")
        terminal.write("yes\n")
        assert 'answers: ["yes"]' in terminal.read_until("thread ")
        assert terminal.process.wait(LIMIT) == 0


def test_a_question_left_by_end_of_input(environment: dict[str, str]) -> None:
    """Ctrl-D leaves the run waiting; the status is 3."""
    with on_terminal(environment, "run", "approval", "--input", '{"draft": "d"}') as terminal:
        terminal.read_until("answer> ")
        terminal.write("\x04")
        terminal.read_until("thread ")
        assert terminal.process.wait(LIMIT) == 3


def test_ctrl_c_cancels_the_run(
    environment: dict[str, str], gate: Gate, client: SyncLangGraphClient
) -> None:
    """A run that is left by Ctrl-C is cancelled on the server; the status is 130."""
    with on_terminal(environment, "run", "gate", "--input", "{}") as terminal:
        gate.arrived()
        terminal.read_until("held")
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.process.wait(LIMIT) == 130
    [thread] = client.threads.search()
    [run] = client.runs.list(thread["thread_id"])
    client.runs.join(thread["thread_id"], run["run_id"])
    assert client.runs.get(thread["thread_id"], run["run_id"])["status"] == "interrupted"


def test_what_steers_a_terminal_is_not_written(run: Run) -> None:
    """Escapes in a state or a question are shown as a replacement character."""
    done = run("run", "approval", "--input", r'{"draft": "\u001b]0;title\u0007\u009b2J"}')
    assert not {"\x1b", "\x07", "\x9b"} & set(done.stdout)


def test_texts_are_shown_as_they_are(environment: dict[str, str]) -> None:
    """On a terminal, too: no part of a text is taken for markup or for the code of an emoji."""
    with on_terminal(environment, "run", "odd", "--input", "{}") as terminal:
        shown = terminal.read_until("thread ")
    assert ":a:: at 10:key:30" in re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert 'text: "[b]caf\u00e9[/b] \U0001f600 :a:"' in shown


def test_the_names_of_running_nodes_are_shown_as_they_are() -> None:
    """The line of a running node shows markup in its name as text."""
    out = io.StringIO()
    output = RichOutput(Console(file=out, force_terminal=True))
    with output.working():
        output.node_started(NodeStarted("[b]:a:[/b]", ()))
    assert "[b]:a:[/b]" in out.getvalue()


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_output_in_an_encoding_that_lacks_a_character(
    environment: dict[str, str], encoding: str
) -> None:
    """It is shown as an escape; what programs read is JSON."""
    environment = {**environment, "PYTHONIOENCODING": encoding}
    command = [*COMMAND, "run", "odd", "--input", "{}"]
    done = subprocess.run(command, capture_output=True, env=environment, check=True, timeout=LIMIT)
    assert b"[/b] \\U0001f600 :a:" in done.stdout
    done = subprocess.run(
        [*command, "--json"], capture_output=True, env=environment, check=True, timeout=LIMIT
    )
    last = json_lines(done.stdout.decode("ascii"))[-1]
    assert last["state"]["values"]["text"] == "[b]caf\u00e9[/b] \U0001f600 :a:"
    with on_terminal(environment, "run", "odd", "--input", "{}") as terminal:
        shown = terminal.read_until("thread ")
        assert terminal.process.wait(LIMIT) == 0
    assert "[/b] \\U0001f600 :a:" in shown
    assert "\\u28" not in shown  # A spinner of braille dots.


def test_threads_command(run: Run, client: SyncLangGraphClient) -> None:
    """Threads are listed by status and metadata, as rows or as JSON."""
    thread = client.threads.create(metadata={"team": "a"})
    client.runs.wait(thread["thread_id"], "row", input={})
    client.threads.create()
    title, row = run("threads", "--metadata", '{"team": "a"}').stdout.splitlines()
    assert title.split() == ["THREAD", "STATUS", "GRAPH", "UPDATED"]
    assert row.split()[:3] == [thread["thread_id"], "idle", "row"]
    assert len(json_lines(run("threads", "--status", "idle", "--json").stdout)) == 2


def test_show_command(run: Run, client: SyncLangGraphClient) -> None:
    """State and history are shown, also of a checkpoint."""
    thread_id = client.threads.create()["thread_id"]
    client.runs.wait(thread_id, "row", input={"topic": "t"})
    shown = run("show", thread_id).stdout
    assert 'log: ["one", "two:t"]' in shown.splitlines()
    [state] = [
        one for one in client.threads.get_history(thread_id, limit=9) if one["next"] == ["two"]
    ]
    checkpoint_id = state["checkpoint"]["checkpoint_id"]
    assert f"1     {checkpoint_id}" in shown
    at = run("show", thread_id, "--checkpoint", checkpoint_id).stdout.splitlines()
    assert at[1:4] == ['topic: "t"', 'log: ["one"]', "next: two"]


def test_graph_command(run: Run) -> None:
    """A graph is drawn along its edges; a node that was drawn before is named with `^`."""
    assert run("graph", "loop").stdout.splitlines() == [
        "__start__",
        "`-- start",
        "    `-- decide",
        "        |-- __end__ ?",
        "        `-- start ? ^",
    ]


def test_tail_and_cancel(
    environment: dict[str, str], run: Run, gate: Gate, client: SyncLangGraphClient
) -> None:
    """What happens on a thread is shown as it happens; `cancel` ends what runs."""
    thread_id = client.threads.create()["thread_id"]
    command = [*COMMAND, "tail", thread_id, "--after", "-", "--json"]
    started = client.runs.create(
        thread_id, "gate", input={}, stream_mode=["tasks"], stream_resumable=True
    )
    with contextlib.ExitStack() as ends:
        tail = ends.enter_context(
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        )
        ends.callback(tail.kill)  # Leaving waits for its end, also where the test has failed.
        assert tail.stdout is not None
        for line in tail.stdout:
            part = json.loads(line)
            if part["event"] == "tasks" and part["data"]["name"] == "held":
                break
        gate.arrived()
        done = run("cancel", thread_id)
        assert done.stdout == f"cancelled {started['run_id']}\n"
        assert run("cancel", thread_id).stdout == "nothing runs\n"
        again = client.runs.create(thread_id, "row", input={}, stream_mode=["tasks"])
        for line in tail.stdout:
            part = json.loads(line)
            if part["event"] == "metadata" and part["data"]["run_id"] == again["run_id"]:
                break
        tail.send_signal(signal.SIGINT)
        assert tail.wait(LIMIT) == 130


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "00000000-0000-4000-8000-000000000000"], "not found"),
        (["tail", "nothing"], "not found"),
        (["run", "nope"], "nope"),
        (["graph", "nope"], "nope"),
        (["threads", "--url", "http://127.0.0.1:1"], "127.0.0.1:1"),
        (["threads", "--url", "nonsense"], "url: must begin"),
    ],
)
def test_errors_are_one_line(run: Run, arguments: list[str], words: str) -> None:
    """What the server, the connection or the client says is one line on stderr, status 1."""
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert words in done.stderr


def test_wrong_arguments(run: Run) -> None:
    """They are status 2, and nothing is sent."""
    assert run("threads", "--metadata", "[]").returncode == 2
    assert run("run", "row", "--input", "-", given="{").returncode == 2
    assert run("run", "row", "--thread", "").returncode == 2  # A variable that is not set.
    assert run().returncode == 2


def test_a_reader_that_leaves(environment: dict[str, str], client: SyncLangGraphClient) -> None:
    """`| head` ends the command without a traceback."""
    for _ in range(3):
        client.threads.create(metadata={"text": "x" * 100_000})
    command = [*COMMAND, "threads", "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_pull_copies(run: Run, client: SyncLangGraphClient, server: Server, tmp_path: Path) -> None:
    """A thread is copied into a file, with the graphs of a langgraph.json; a second time fails."""
    (tmp_path / "graph.py").write_text(PULLED_GRAPH)
    config = tmp_path / "langgraph.json"
    config.write_text(
        json.dumps({"dependencies": ["."], "graphs": {"counter": "./graph.py:graph"}})
    )
    thread_id = client.threads.create()["thread_id"]
    client.runs.wait(thread_id, "counter", input={"count": 1})
    client.store.put_item(["team", "a"], "k", {"n": 1})
    assert server.url is not None
    file = tmp_path / "state.db"
    arguments = ["pull", server.url, thread_id, "--db", str(file), "--config", str(config)]
    done = run(*arguments, "--store", "team", "--json")
    (pulled,) = json_lines(done.stdout)
    (events,) = pulled.pop("not_copied")
    assert events.startswith("the events of 1 run:")
    counts = {"checkpoints": 3, "runs": 1, "items": 1}
    assert pulled == {"thread_id": thread_id, **counts, "missing": []}
    again = run(*arguments)
    assert again.returncode == 1
    place = f"{file} with the graphs of {config}"
    reason = f"Thread with ID {thread_id} already exists"
    assert again.stderr == f"cannot copy into {place}: {reason}\n"
    with Server({"counter": fresh_graph("counter")}, path=file) as taken:
        assert taken.sync_client().threads.get_state(thread_id)["values"] == {"count": 2}
    assert run(*arguments[:-1], str(tmp_path / "none.json")).returncode == 1


def test_a_thread_by_the_id_of_a_remote_graph(run: Run, server: Server) -> None:
    """The command finds the thread that a `RemoteGraph` calls `bob`."""
    server.remote_graph("counter").invoke({"count": 1}, {"configurable": {"thread_id": "bob"}})
    done = run("show", "bob", "--json")
    (shown,) = json_lines(done.stdout)
    assert shown["thread"]["metadata"]["given_thread_id"] == "bob"
    assert shown["state"]["values"] == {"count": 2}
    assert run("show", "nobody").returncode == 1


PULLED_GRAPH = """
from typing import TypedDict
from langgraph.graph import START, StateGraph

class Count(TypedDict):
    count: int

def increment(state: Count):
    return {"count": state["count"] + 1}

graph = StateGraph(Count).add_node(increment).add_edge(START, "increment").compile()
"""


def test_serve_command(environment: dict[str, str]) -> None:
    """`serve` is the server's own command."""
    done = subprocess.run(
        [*COMMAND, "serve", "no-such.json"],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
        env=environment,
    )
    assert done.returncode == 1
    assert "no-such.json" in done.stderr


def test_the_script_is_the_command() -> None:
    """`langgraph-client` is what `python -m langgraph_client.terminal` is."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"langgraph-client": f"{main.__module__}:{main.__name__}"}


def test_help_loads_nothing() -> None:
    """Neither httpx nor langgraph is imported to show the help."""
    program = (
        "import sys; from langgraph_client.terminal.arguments import make_parser; make_parser();"
        "print([name for name in ('httpx', 'langgraph', 'rich') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=LIMIT
    )
    assert done.stdout.strip() == "[]"


def test_a_run_that_ends_before_it_is_cancelled() -> None:
    """Without `--run`, the others are cancelled all the same; a run that is named must be there."""
    runs = [{"run_id": "1", "status": "running"}, {"run_id": "2", "status": "pending"}]
    gone = reply({"detail": "Run not found"}, 404)
    out = io.StringIO()
    with get_sync_client(url=URL, transport=Wire(reply(runs), gone, reply({}))) as client:
        cancel(client, Namespace(thread="t", run=None, rollback=False), PlainOutput(out))
    assert out.getvalue() == "cancelled 2\n"
    with get_sync_client(url=URL, transport=Wire(gone)) as client, pytest.raises(NotFoundError):
        cancel(client, Namespace(thread="t", run="1", rollback=False), PlainOutput(out))


def test_on_a_real_server(request: pytest.FixtureRequest, run: Run) -> None:
    """Runs, answers, states and drawings of a `langgraph dev`, with --interop."""
    if not request.config.getoption("--interop"):
        pytest.skip("needs a langgraph dev: run with --interop (make interop)")
    server = ("--url", request.getfixturevalue("real_url"))
    done = run("run", "nested", "--input", '{"draft": "d"}', *server)
    assert done.returncode == 3
    thread_id = done.stdout.split()[-1]
    done = run("run", "nested", "--thread", thread_id, "--resume", "yes", *server)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[1] for line in done.stdout.splitlines()[1:3]] == ["inner/review", "inner"]
    assert 'answers: ["yes"]' in run("show", thread_id, *server).stdout.splitlines()
    assert run("graph", "loop", *server).stdout.splitlines()[1] == "`-- start"
    assert "nope" in run("graph", "nope", *server).stderr


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ('{"topic": tea}', "no JSON: Expecting value"),
        ("[1", "no JSON: Expecting"),
        ("@missing.json", "missing.json: No such file or directory"),
    ],
)
def test_an_input_with_a_slip(run: Run, given: str, said: str) -> None:
    """What looks like JSON and is none, or a file that is not there, is no text: nothing runs."""
    done = run("run", "row", "--input", given)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""


def test_an_input_of_a_file(run: Run, tmp_path: Path) -> None:
    """`--input @FILE` reads the input from a file."""
    (tmp_path / "input.json").write_text('{"topic": "filed"}')
    done = run("run", "row", "--input", f"@{tmp_path / 'input.json'}")
    assert "two:filed" in done.stdout
