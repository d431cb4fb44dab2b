"""What notebooks show of threads, states, graphs and runs."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import nbformat
import pytest
from langchain_core.messages import AIMessage
from nbclient import NotebookClient
from traitlets.config import Config

from langgraph_client import RemoteGraph, Server, SyncLangGraphClient, get_client
from langgraph_client.display import live
from tests.support.graphs import shared_graphs

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
MODES: Any = ["tasks", "messages-tuple", "values"]


@pytest.fixture
def hosting() -> Iterator[Server]:
    """A server with the graphs of `support.graphs`."""
    with Server(shared_graphs()) as server:
        yield server


@pytest.fixture
def client(hosting: Server) -> Iterator[SyncLangGraphClient]:
    """A client of it."""
    with hosting.sync_client() as made:
        yield made


class Tags(HTMLParser):
    """Collects the elements and the text of a document."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(document)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not any(name.startswith("on") for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


def shown(value: Any) -> Tags:
    """What a notebook shows of a value."""
    return Tags(value._repr_html_())


def test_a_thread_is_shown_as_html(client: SyncLangGraphClient) -> None:
    """Its ID, status, metadata and values; messages as a conversation."""
    thread_id = client.threads.create(metadata={"team": "a"})["thread_id"]
    client.runs.wait(thread_id, "chat", input={"messages": [("user", "hi")]})
    text = shown(client.threads.get(thread_id)).text
    for part in (thread_id, "idle", "team", "human hi", "ai Hello there"):
        assert part in text


def test_states_are_shown_as_html(client: SyncLangGraphClient, hosting: Server) -> None:
    """Values, next nodes and questions, of the client's and of a RemoteGraph's states."""
    thread_id = client.threads.create()["thread_id"]
    client.runs.wait(thread_id, "approval", input={"draft": "d"})
    config: Any = {"configurable": {"thread_id": thread_id}}
    snapshot = hosting.remote_graph("approval").get_state(config)
    for state in (client.threads.get_state(thread_id), snapshot):
        text = shown(state).text
        assert "review" in text
        assert "approve?" in text
    assert repr(snapshot).startswith("StateSnapshot(")


def test_hostile_text_is_text(client: SyncLangGraphClient, hosting: Server) -> None:
    """No HTML of a state, a message, metadata or an error becomes part of the document."""
    thread_id = client.threads.create(metadata={HOSTILE: HOSTILE})["thread_id"]
    client.runs.wait(thread_id, "chat", input={"messages": [("user", HOSTILE)]})
    config: Any = {"configurable": {"thread_id": thread_id}}
    snapshot = hosting.remote_graph("chat").get_state(config)
    unknown = RemoteGraph(HOSTILE, sync_client=client)
    for value in (
        client.threads.get(thread_id),
        client.threads.get_state(thread_id),
        snapshot,
        unknown,
    ):
        seen = shown(value)
        assert not {"script", "img"} & seen.tags
        assert "<script>" in seen.text


def test_a_graph_is_drawn(hosting: Server) -> None:
    """A node has a box with its name, an edge a line; dashed, if a condition decides."""
    seen = hosting.remote_graph("loop")._repr_html_()
    assert seen.startswith("<svg")
    for name in ("__start__", "start", "decide", "__end__"):
        assert f">{name}<" in seen
    assert seen.count("<path d=") == 1 + 4  # The tip of arrows is one as well.
    assert seen.count("stroke-dasharray") == 2


def test_a_graph_that_cannot_be_drawn() -> None:
    """Without a server, the graph's repr and the error are shown."""
    seen = shown(RemoteGraph("agent", client=get_client(url="http://127.0.0.1:1")))
    assert "no drawing" in seen.text


def test_a_stream_is_shown_unread(client: SyncLangGraphClient) -> None:
    """A run's stream shows its run and thread, and is not read for it."""
    with client.runs.stream(None, "row", input={"topic": "t"}) as stream:
        assert "run" in shown(stream).text
        assert [part.event for part in stream] == ["metadata", "values", "values", "values"]


def test_live_writes_lines_elsewhere(
    client: SyncLangGraphClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """Outside of notebooks, nodes and tokens are lines; the last values are returned."""
    given = {"messages": [("user", "hi")]}
    values = live(client.runs.stream(None, "chat", input=given, stream_mode=MODES))
    assert [message["content"] for message in values["messages"]] == ["hi", "Hello there"]
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "chat: Hello there"
    assert re.fullmatch(r"\* chat  \d+\.\d\d s", lines[2])


async def test_live_of_async_streams(hosting: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """An async stream is awaited; those of a RemoteGraph are read as well."""
    graph = hosting.remote_graph("chat")
    given = {"messages": [("user", "hi")]}
    values = await live(graph.astream(given, stream_mode=["messages", "updates", "values"]))
    assert isinstance(values["messages"][-1], AIMessage)
    assert capsys.readouterr().out.splitlines() == ["chat: Hello there", "* chat"]
    live(hosting.remote_graph("row").stream({}, stream_mode="updates"), mode="updates")
    assert capsys.readouterr().out.splitlines() == ["* one", "* two"]


NOTEBOOK = """
from langgraph_client import get_sync_client
from langgraph_client.display import live

client = get_sync_client(url={url!r})
thread_id = client.threads.create()["thread_id"]
given = {{"messages": [("user", {hostile!r})]}}
modes = ["tasks", "messages-tuple", "values"]
"""


@pytest.mark.filterwarnings("default")  # Those of the packages that drive the kernel.
def test_in_a_notebook(hosting: Server) -> None:
    """In a real kernel, one output is kept up to date, and values are shown as HTML."""
    sources = [
        NOTEBOOK.format(url=hosting.listen(), hostile=HOSTILE),
        'values = live(client.runs.stream(thread_id, "chat", input=given, stream_mode=modes))',
        "client.threads.get(thread_id)",
    ]
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    notebook = nbformat.v4.new_notebook(cells=cells)
    kernel = {"display_name": "python", "language": "python", "name": "python3"}
    notebook.metadata["kernelspec"] = kernel
    # Not over TCP: the kernel opens its ports seconds after they were chosen as free ones.
    config = Config({"KernelManager": {"transport": "ipc"}})
    NotebookClient(
        notebook, kernel_name="python3", config=config, timeout=300, startup_timeout=300
    ).execute()
    [followed] = notebook.cells[1].outputs
    seen = Tags(followed["data"]["text/html"])
    assert "chat Hello there" in seen.text
    assert re.search(r"✓ chat  \d+\.\d\d s", seen.text)
    [thread] = notebook.cells[2].outputs
    assert "<script>" in Tags(thread["data"]["text/html"]).text
    assert "script" not in Tags(thread["data"]["text/html"]).tags


def test_ipython_is_not_imported() -> None:
    """Importing `display` does not import IPython."""
    program = "import sys, langgraph_client.display; print('IPython' in sys.modules)"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.strip() == "False"


def test_a_thread_stream(client: SyncLangGraphClient, capsys: pytest.CaptureFixture[str]) -> None:
    """Nodes and tokens of a thread stream are shown as they come, and its last values returned."""
    with client.threads.stream(assistant_id="chat") as thread:
        thread.run.start(input={"messages": [{"role": "user", "content": "hi"}]})
        values = live(thread)
    assert values["messages"][-1]["content"][0]["text"] == "Hello there"
    shown = capsys.readouterr().out
    assert "Hello there" in shown
    assert re.search(r"chat .* s", shown)


async def test_an_async_thread_stream_that_fails(
    hosting: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    """The failure of a run is shown; of an async stream, an awaitable is returned."""
    async with hosting.client() as client, client.threads.stream(assistant_id="failing") as thread:
        await thread.run.start(input={"how": "value"})
        await live(thread)
    shown = capsys.readouterr().out
    assert "value is wrong" in shown
    assert "failed" in shown


@pytest.mark.filterwarnings("ignore:The v3 streaming protocol")
def test_a_run_stream_of_v3(hosting: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """What `stream_events(version="v3")` of a RemoteGraph gives is shown, too."""
    given: Any = {"messages": [{"role": "user", "content": "hi"}]}
    values = live(hosting.remote_graph("chat").stream_events(given, version="v3"))
    assert "Hello there" in str(values["messages"][-1].content)
    assert "Hello there" in capsys.readouterr().out
