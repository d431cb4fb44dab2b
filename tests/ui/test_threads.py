"""The page's list of threads, and a thread, used in a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langgraph_client import SyncLangGraphClient
from tests.support.hosted import Gate

from .browser import Page
from .graphs import HOSTILE

Visit = Callable[[str], Page]
OPEN_ALL = """[...document.querySelectorAll('details:not([open]) > summary')]
  .map((closed) => closed.click()).length === 0"""


def talk(client: SyncLangGraphClient, text: str, **metadata: Any) -> str:
    """Make a thread with one exchange of messages; return its id."""
    thread = client.threads.create(metadata=metadata)
    client.runs.wait(
        thread.thread_id, "chat", input={"messages": [{"role": "user", "content": text}]}
    )
    return thread.thread_id


def order(client: SyncLangGraphClient, topic: str) -> str:
    """Make a thread whose run waits at the gate; return its id."""
    thread = client.threads.create()
    client.runs.create(thread.thread_id, "order", input={"topic": topic})
    return thread.thread_id


def test_threads_are_listed(visit: Visit, client: SyncLangGraphClient) -> None:
    """Each thread shows its first and last message, graph, metadata and status."""
    talk(client, "about cats", user="ada")
    page = visit("threads")
    page.wait_text("about cats", "[data-row]")
    row = page.text("[data-row]")
    assert "You said about cats." in row
    assert all(text in row for text in ("chat", "user=ada", "idle"))


def test_an_input_is_sent_from_a_form(
    visit: Visit, client: SyncLangGraphClient, gate: Gate
) -> None:
    """The form has the fields of the input schema; the node that runs is lit while it runs."""
    thread = client.threads.create(graph_id="order")
    page = visit(f"threads/{thread.thread_id}")
    page.fill("[aria-label=topic]", "cats")
    page.fill("[aria-label=amount]", "3")
    page.choose("[aria-label=size]", "large")
    page.click("[type=submit]", "Send")
    gate.arrived()
    page.wait_for("document.querySelector('[data-node=pack].is-running')")
    page.wait_text("busy", ".view-head")
    gate.open()
    page.wait_for("!document.querySelector('.is-running')")
    page.wait_text("packed", ".tab-body")
    values = client.threads.get_state(thread.thread_id)["values"]
    assert (values["topic"], values["amount"], values["size"]) == ("cats", 3, "large")


def test_no_html_of_a_model_is_run(visit: Visit, client: SyncLangGraphClient, page: Page) -> None:
    """Whatever a message holds is shown as text: no tag, handler or javascript: link works."""
    thread_id = talk(client, "hostile", title=HOSTILE[0])
    shown = {"conversation": "onerror", "state": "messages", "history": "answer", "runs": "success"}
    paths = {"threads": "hostile"} | {f"threads/{thread_id}/{tab}": shown[tab] for tab in shown}
    for path, text in paths.items():
        visit(path)
        page.wait_text(text, "main")
        page.wait_for(OPEN_ALL)  # What opens has more to open within, a moment later.
        if path != f"threads/{thread_id}/runs":
            page.wait_text("<script>window.hacked", "main")
        assert page.evaluate("window.hacked ?? null") is None
        places = page.evaluate("[...document.querySelectorAll('main a')].map((a) => a.protocol)")
        assert set(places) <= {"http:", "https:"}
        made = page.evaluate("document.querySelectorAll('main script, iframe, main img').length")
        assert made == 0
    assert page.dialogs == []
    assert [url for url in page.requests if "example" in url or "data:text" in url] == []


def test_hostile_text_is_text_everywhere(visit: Visit, client: SyncLangGraphClient) -> None:
    """In metadata, names, interrupts, errors, states, items and crons, too."""
    bad = HOSTILE[1]
    assistant = client.assistants.create("row", name=bad, description=bad, context={bad: bad})
    client.store.put_item(("place", bad.replace(".", "")), bad, {bad: bad})
    client.crons.create("row", schedule="0 0 1 1 *", input={"topic": bad})
    waits = client.threads.create(metadata={bad: bad}).thread_id
    client.runs.wait(waits, "approval", input={"draft": bad})
    failed = client.threads.create().thread_id
    client.runs.wait(failed, "shout", input={"topic": bad}, raise_error=False)
    paths = ["threads", f"threads/{waits}", f"threads/{waits}/history", f"threads/{failed}"]
    paths += ["assistants", f"assistants/{assistant.assistant_id}", "crons", "store"]
    for path in paths:
        page = visit(path)
        page.wait_text(bad, "main")
        assert page.evaluate("window.hacked ?? null") is None, path
        assert page.evaluate("document.querySelectorAll('main img, main script').length") == 0, path
