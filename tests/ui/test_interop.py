"""What the page reads, on the bundled server and, with `--interop`, on a real `langgraph dev`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from langgraph_client import Server, SyncLangGraphClient, get_sync_client
from tests.support.graphs import shared_graphs

from .browser import Browser, Page
from .test_forward import command


@pytest.fixture
def url(subject: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of the server in turn."""
    if subject == "real":
        yield request.getfixturevalue("real_url")
        return
    server = Server(shared_graphs())
    found = server.listen()
    with server:
        yield found


@pytest.fixture
def real_client(url: str) -> Iterator[SyncLangGraphClient]:
    """A client of that server."""
    with get_sync_client(url=url, api_key=None) as client:
        yield client


@pytest.fixture
def opened(url: str, chromium: Browser) -> Iterator[Page]:
    """The page for that server, through the command."""
    with command("--url", url) as address, chromium.page() as page:
        page.open(address)
        page.wait_text("Threads", "h1")
        yield page
        assert page.problems == []


def test_a_conversation_is_read(opened: Page, real_client: SyncLangGraphClient) -> None:
    """The list shows the messages' texts; the thread shows them as a conversation."""
    thread_id = real_client.threads.create(metadata={"case": "talk"}).thread_id
    messages = [{"role": "user", "content": "hi! I'm bob"}]
    real_client.runs.wait(thread_id, "chat", input={"messages": messages})
    opened.fill("[data-search]", "case=talk")
    opened.wait_text("hi! I'm bob", ".threads")
    opened.click("[data-row]")
    opened.wait_text("Hello there", ".messages")
    opened.wait_for("document.querySelector('[data-node=chat]')")


def test_history_runs_and_forks_are_read(opened: Page, real_client: SyncLangGraphClient) -> None:
    """Checkpoints as a tree with its fork, differences, and the runs' nodes by time."""
    thread_id = real_client.threads.create().thread_id
    real_client.runs.wait(thread_id, "row", input={"topic": "cats"})
    history = real_client.threads.get_history(thread_id, limit=10)
    before_one = next(state for state in history if list(state["next"]) == ["one"])
    real_client.threads.update_state(
        thread_id, {"topic": "dogs"}, checkpoint=before_one["checkpoint"], as_node="one"
    )
    real_client.runs.wait(thread_id, "row", input=None)
    opened.evaluate(f"location.hash = '#/threads/{thread_id}/history'")
    opened.wait_text("1 fork", ".history")
    opened.click("[data-checkpoint]", "end")
    opened.wait_text("log", ".changes")
    opened.evaluate(f"location.hash = '#/threads/{thread_id}/runs'")
    opened.wait_for("document.querySelectorAll('.run .is-success').length === 2")
    opened.wait_for("document.querySelectorAll('.bar-name').length >= 3")


def test_interrupts_and_errors_are_read(opened: Page, real_client: SyncLangGraphClient) -> None:
    """What waits, and what failed, with the exception's text."""
    waits = real_client.threads.create().thread_id
    real_client.runs.wait(waits, "approval", input={"draft": "a draft"})
    opened.evaluate(f"location.hash = '#/threads/{waits}'")
    opened.wait_text("approve?", ".pending")
    failed = real_client.threads.create().thread_id
    real_client.runs.wait(failed, "failing", input={"how": "value"}, raise_error=False)
    opened.evaluate(f"location.hash = '#/threads/{failed}'")
    opened.wait_text("value is wrong", ".pending")


def test_a_run_is_followed_live(opened: Page, real_client: SyncLangGraphClient) -> None:
    """A run that is started on the page lights its node, and its events come as they happen."""
    thread_id = real_client.threads.create(graph_id="slow").thread_id
    opened.evaluate(f"location.hash = '#/threads/{thread_id}/events'")
    opened.wait_text("live", ".view-head")
    opened.click("[type=submit]", "Send")
    opened.wait_text("started", ".event-list")
    opened.wait_for("document.querySelector('[data-node=wait].is-running')")
    opened.click(".view-head button", "Cancel run")
    opened.wait_text("interrupted", ".view-head")


def test_assistants_crons_and_store_are_read(
    opened: Page, real_client: SyncLangGraphClient
) -> None:
    """Each shows what the server has."""
    real_client.store.put_item(("page", "test"), "key", {"colour": "green"})
    cron = real_client.crons.create("row", schedule="0 0 1 1 *", input={"topic": "cats"})
    try:
        opened.press("2")
        opened.wait_text("approval", ".rows")
        opened.press("3")
        opened.wait_text("0 0 1 1 *", ".crons")
        opened.press("4")
        opened.click(".namespaces a", "page")
        opened.wait_text("green", ".items")
    finally:
        real_client.crons.delete(cron.cron_id)
        real_client.store.delete_item(("page", "test"), "key")
