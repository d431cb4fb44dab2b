"""A page with the React hook `useStream`, built by vite, in Chromium, on our server."""

from __future__ import annotations

import fcntl
import functools
import http.server
import shutil
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import interrupt

from langgraph_client import Server, SyncLangGraphClient
from tests.support.hosted import Gate
from tests.ui.browser import CHROMIUM, Browser, Page, browser

HERE = Path(__file__).parent
HUMAN = "human: hello"
WHOLE = "ai: first second third"


class HeldModel(BaseChatModel):
    """Streams three words, and is held at a gate after the first."""

    gate: Any

    @property
    def _llm_type(self) -> str:
        return "held"

    def _generate(self, *_: Any, **__: Any) -> ChatResult:
        raise NotImplementedError

    async def _astream(self, *_: Any, **__: Any) -> AsyncIterator[ChatGenerationChunk]:
        yield ChatGenerationChunk(message=AIMessageChunk("first"))
        await self.gate.hold()
        for word in (" second", " third"):
            yield ChatGenerationChunk(message=AIMessageChunk(word))


def graphs(gate: Gate) -> dict[str, Any]:
    """Return the graphs that the page talks to, by name."""
    model = HeldModel(gate=gate)

    async def chat(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    def ask(state: MessagesState) -> dict[str, list[BaseMessage | tuple[str, str]]]:
        return {"messages": [("ai", f"you said {interrupt('really?')}")]}

    def fail(state: MessagesState) -> dict[str, Any]:
        raise ValueError("the model is out of order")

    nodes = {"chat": chat, "ask": ask, "fail": fail}
    return {
        name: StateGraph(MessagesState)
        .add_node(name, node)
        .add_edge(START, name)
        .compile(name=name)
        for name, node in nodes.items()
    }


@pytest.fixture(scope="module")
def built(request: pytest.FixtureRequest) -> Path:
    """The folder with the built page."""
    if not request.config.getoption("--interop"):
        pytest.skip("needs other people's packages: run with --interop (make browser)")
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("node and npm are not installed")
    with (HERE / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # Tests run in several processes.
        installed = HERE / "node_modules" / ".package-lock.json"
        if not installed.exists() or installed.stat().st_mtime < Path(lock.name).stat().st_mtime:
            # Not `npm ci`: that refuses a lock file without a package that is for Windows only.
            install = [npm, "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"]
            subprocess.run(install, cwd=HERE, check=True, timeout=300, capture_output=True)
        subprocess.run(
            [npm, "run", "build"], cwd=HERE, check=True, timeout=120, capture_output=True
        )
    return HERE / "dist"


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing."""


@pytest.fixture(scope="module")
def page_url(built: Path) -> Iterator[str]:
    """The URL of the page, on a port of its own: another origin than the server's."""
    handler = functools.partial(_Silent, directory=built)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as pages:
        thread = threading.Thread(target=pages.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{pages.server_port}/"
        pages.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A running Chromium."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with browser(tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest.fixture
def gate() -> Gate:
    """Where the model is held after its first word."""
    return Gate()


@pytest.fixture
def server(gate: Gate) -> Iterator[Server]:
    """A server on a port."""
    with Server(graphs(gate)) as running:
        running.listen()
        yield running
        gate.open()


@pytest.fixture
def client(server: Server) -> Iterator[SyncLangGraphClient]:
    """A client of the server, to see what the page has done to it."""
    with server.sync_client() as made:
        yield made


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A window of the browser; the console of its page must not have shown an error."""
    with chromium.page() as opened:
        yield opened
        assert opened.problems == []


@pytest.fixture(params=["sse", "websocket"])
def visit(
    request: pytest.FixtureRequest, page: Page, page_url: str, server: Server
) -> Callable[[str], Page]:
    """Opens the chat with a graph; the hook uses each of its transports."""

    def visit(graph: str) -> Page:
        place = {"url": server.url, "assistant": graph, "transport": request.param}
        page.open(f"{page_url}?{urlencode(place)}")
        return page

    return visit


def send(page: Page) -> str:
    """Send `hello` and return the thread's ID, once the page has one."""
    page.fill("#text", "hello")
    page.click("#send")
    thread_id: str = page.wait_for("new URL(location.href).searchParams.get('thread')")
    return thread_id


def wait_for_messages(page: Page, *messages: str) -> None:
    """Wait until the page shows exactly these messages."""
    shown = "[...document.querySelectorAll('#messages li')].map((li) => li.innerText).join('|')"
    page.wait_for(f"{shown} === {'|'.join(messages)!r}")


def wait_for_status(page: Page, status: str) -> None:
    """Wait until the page shows whether a run goes on."""
    page.wait_for(f"document.querySelector('#status').innerText === {status!r}")


def test_a_message_streams_in(visit: Callable[[str], Page], gate: Gate) -> None:
    """The first word is on the page while the model is held, and the rest once it goes on."""
    page = visit("chat")
    send(page)
    gate.arrived()
    wait_for_messages(page, HUMAN, "ai: first")
    wait_for_status(page, "running")
    gate.open()
    wait_for_messages(page, HUMAN, WHOLE)
    wait_for_status(page, "idle")


def test_a_reload_finds_the_thread(visit: Callable[[str], Page], gate: Gate) -> None:
    """The conversation is on the page after a reload, and takes another message."""
    page = visit("chat")
    send(page)
    gate.arrived()
    gate.open()
    wait_for_messages(page, HUMAN, WHOLE)
    wait_for_status(page, "idle")
    page.reload()
    wait_for_messages(page, HUMAN, WHOLE)
    send(page)
    gate.arrived()
    wait_for_messages(page, HUMAN, WHOLE, HUMAN, "ai: first")
    gate.open()
    wait_for_messages(page, HUMAN, WHOLE, HUMAN, WHOLE)


def test_interrupt_and_resume(visit: Callable[[str], Page]) -> None:
    """A question is shown, also after a reload, and the answer resumes the run."""
    page = visit("ask")
    send(page)
    page.wait_text("really?", "#interrupt")
    wait_for_status(page, "idle")
    page.reload()
    page.wait_text("really?", "#interrupt")
    page.click("#answer")
    wait_for_messages(page, HUMAN, "ai: you said yes")
    page.wait_for("document.querySelector('#interrupt') === null")


def test_a_failing_run_shows_its_error(visit: Callable[[str], Page]) -> None:
    """The page shows the text of the exception."""
    page = visit("fail")
    send(page)
    page.wait_text("the model is out of order", "#error")
    wait_for_status(page, "idle")


def test_a_reload_in_mid_run_goes_on(visit: Callable[[str], Page], gate: Gate) -> None:
    """A page that was loaded while the model is held shows the first word, then the rest."""
    page = visit("chat")
    send(page)
    gate.arrived()
    wait_for_messages(page, HUMAN, "ai: first")
    page.reload()
    wait_for_messages(page, HUMAN, "ai: first")
    wait_for_status(page, "running")
    gate.open()
    wait_for_messages(page, HUMAN, WHOLE)
    wait_for_status(page, "idle")


def test_stop_ends_the_run(
    visit: Callable[[str], Page], gate: Gate, client: SyncLangGraphClient
) -> None:
    """The button cancels the run on the server."""
    page = visit("chat")
    thread_id = send(page)
    gate.arrived()
    wait_for_messages(page, HUMAN, "ai: first")
    page.click("#stop")
    wait_for_status(page, "idle")
    [run] = client.runs.list(thread_id)
    client.runs.join(thread_id, run["run_id"])
    assert client.runs.get(thread_id, run["run_id"])["status"] == "interrupted"
