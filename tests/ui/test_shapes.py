"""Threads of every kind of graph, and messages of every kind, can be looked at."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from langgraph_client import Server, SyncLangGraphClient
from tests.support.graphs import graphs as every_graph

from .browser import Browser, Page

Visit = Callable[[str], Page]
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "YPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
INPUTS = {
    "functional": 3,
    "counter": {"count": 1},
    "fanout": {"items": [1, 2, 3]},
    "square": {"item": 2},
    "approval": {"draft": "a"},
    "parallel": {"draft": "a"},
    "nested": {"draft": "a"},
    "failing": {"how": "custom"},
    "chat": {"messages": ["hi"]},
    "slow": None,
}
TABS = ("state", "history", "runs", "events")


def test_every_graph_can_be_looked_at(chromium: Browser) -> None:
    """Each tab of a thread shows, whatever the state is: numbers, subgraphs, `Send`, failures."""
    server = Server(every_graph())
    url = server.listen()
    with server, chromium.page() as page:
        client = server.sync_client()
        page.open(f"{url}/ui/")
        for name in every_graph():
            thread_id = client.threads.create(graph_id=name).thread_id
            given = INPUTS.get(name, {"topic": "left"})
            if given is not None:
                client.runs.wait(thread_id, name, input=given, raise_error=False)
            for tab in TABS:
                page.evaluate(f"location.hash = '#/threads/{thread_id}/{tab}'")
                page.wait_for(f"document.querySelector('h1').textContent.includes('{thread_id}')")
                page.wait_for("document.querySelector('.tab-body')?.innerText.trim()")
                page.wait_for("document.querySelector('.node')")
                page.wait_for(
                    f"document.querySelector('.tabs [aria-current]').hash.endsWith('{tab}')"
                )
            assert page.problems == [], name


def test_messages_of_every_kind_are_shown(visit: Visit, client: SyncLangGraphClient) -> None:
    """Blocks of text, pictures in the message, reasoning, unknown blocks, calls and results."""
    content = [
        {"type": "text", "text": "A block of text"},
        {"type": "image_url", "image_url": {"url": PIXEL}},
        {"type": "image_url", "image_url": {"url": "https://tracker.example/pixel.png"}},
        {"type": "reasoning", "reasoning": "because of that"},
        {"type": "unheard", "of": [1, {"deep": None}]},
        "a bare text",
    ]
    thread_id = client.threads.create(graph_id="chat").thread_id
    messages = [
        {"type": "system", "content": "Be kind."},
        {"type": "human", "content": content, "name": "ada"},
        {"type": "ai", "content": "", "tool_calls": [{"name": "f", "args": {}, "id": "1"}]},
        {"type": "tool", "content": "not JSON {", "tool_call_id": "1", "status": "error"},
        {"type": "ai", "content": ""},
    ]
    client.threads.update_state(thread_id, {"messages": messages}, as_node="answer")
    page = visit(f"threads/{thread_id}")
    for text in (
        "Be kind.",
        "A block of text",
        "Reasoning",
        "unheard",
        "a bare text",
        "not JSON {",
    ):
        page.wait_text(text, ".messages")
    page.wait_text("failed", ".message.is-tool")
    assert page.evaluate("[...document.querySelectorAll('main img')].map((i) => i.src)") == [PIXEL]
    page.wait_for("document.querySelector('main img').naturalWidth === 1")  # It is decoded later.
    assert not [url for url in page.requests if "tracker" in url]


def test_a_long_conversation_is_shown_from_its_end(
    visit: Visit, client: SyncLangGraphClient
) -> None:
    """Two hundred messages are shown at first, earlier ones when they are asked for."""
    thread_id = client.threads.create(graph_id="chat").thread_id
    messages = [{"type": "human", "content": f"message {number}."} for number in range(450)]
    client.threads.update_state(thread_id, {"messages": messages}, as_node="answer")
    page = visit(f"threads/{thread_id}")
    page.wait_text("message 449.", ".messages")
    assert "message 249." not in page.text(".messages")
    page.click(".conversation button", "250 earlier messages")
    page.wait_text("message 50.", ".messages")


@pytest.mark.parametrize(("flags", "there"), [([], True), (["--no-ui"], False)])
def test_the_command_serves_the_page(tmp_path: Path, flags: list[str], there: bool) -> None:
    """`/ui` is there by default on this machine, and `--no-ui` leaves it out."""
    (tmp_path / "app.py").write_text(
        "from langgraph.graph import START, MessagesState, StateGraph\n"
        "graph = StateGraph(MessagesState).add_node('n', lambda s: {}).add_edge(START, 'n')\n"
    )
    config = tmp_path / "langgraph.json"
    config.write_text(json.dumps({"graphs": {"agent": "./app.py:graph"}, "dependencies": ["."]}))
    command = [sys.executable, "-m", "langgraph_client.server", str(config), "--port", "0", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[0]
            assert (
                httpx.get(f"{url}/ui/", trust_env=False, timeout=60).status_code == 200
            ) is there
        finally:
            process.terminate()
