"""Assistants, crons and the store: looked at and edited in a browser, checked on the server."""

from __future__ import annotations

from collections.abc import Callable

from langgraph_client import SyncLangGraphClient

from .browser import Page

Visit = Callable[[str], Page]


def test_an_assistant_is_made_changed_and_set_back(
    visit: Visit, client: SyncLangGraphClient
) -> None:
    """A change makes a version; an older version can be used again; the drawing is there."""
    page = visit("assistants")
    page.click("[data-new]")
    page.choose("dialog select", "chat")
    page.fill("dialog label:nth-of-type(2) input", "Helper")
    page.click("dialog button", "Save")
    page.wait_text("Helper", "h1")
    page.wait_for("document.querySelector('[data-node=answer]')")
    page.click(".view-head button", "Edit")
    page.fill("dialog textarea", '{"tone": "kind"}')
    page.click("dialog button", "Save")
    page.wait_text("version 2", ".view-head")
    (assistant,) = client.assistants.search(name="Helper")
    assert (assistant.graph_id, assistant.context) == ("chat", {"tone": "kind"})
    page.click(".versions li button", "Use")
    page.wait_text("version 1", ".view-head")
    assert client.assistants.get(assistant.assistant_id).version == 1


def test_an_assistant_is_deleted(visit: Visit, client: SyncLangGraphClient) -> None:
    """Deleting asks first."""
    made = client.assistants.create("chat", name="Helper")
    page = visit(f"assistants/{made.assistant_id}")
    page.click("button", "Delete assistant")
    page.click("dialog button", "Delete")
    page.wait_text("default", ".rows")
    assert client.assistants.search(name="Helper") == []


def test_a_thread_is_started_from_an_assistant(visit: Visit, client: SyncLangGraphClient) -> None:
    """The new thread has the assistant's graph, and runs with that assistant."""
    made = client.assistants.create("row", name="Helper")
    page = visit(f"assistants/{made.assistant_id}")
    page.click(".view-head button", "New thread")
    page.fill("[aria-label=topic]", "cats")
    page.click("[type=submit]", "Send")
    page.wait_text("two:cats", ".tab-body")
    (thread,) = client.threads.search(metadata={"assistant_id": made.assistant_id})
    assert client.runs.list(thread.thread_id)[0].assistant_id == made.assistant_id


def test_a_cron_is_made_changed_switched_off_and_deleted(
    visit: Visit, client: SyncLangGraphClient
) -> None:
    """Each change is the server's."""
    page = visit("crons")
    page.wait_text("No crons")
    page.click("[data-new]")
    page.choose("dialog select", "row")
    page.fill("dialog textarea", '{"topic": "cats"}')
    page.click("dialog button", "Save")
    page.wait_text("0 9 * * *", ".crons")
    (cron,) = client.crons.search()
    assert cron.payload["input"] == {"topic": "cats"}
    page.click("[aria-label='Edit cron']")
    page.fill("dialog input.code", "30 7 * * *")
    page.click("dialog button", "Save")
    page.wait_text("30 7 * * *", ".crons")
    page.click(".crons button", "Switch off")
    page.wait_text("Switch on", ".crons")
    assert client.crons.get(cron.cron_id).enabled is False
    page.click("[aria-label='Delete cron']")
    page.click("dialog button", "Delete")
    page.wait_text("No crons")
    assert client.crons.search() == []


def test_what_the_server_refuses_is_said(visit: Visit, client: SyncLangGraphClient) -> None:
    """A schedule that is none is refused with the server's words, and what was typed stays."""
    page = visit("crons")
    page.click("[data-new]")
    page.fill("dialog input.code", "often")
    page.click("dialog button", "Save")
    page.wait_text("Invalid cron schedule", ".toasts")
    assert page.evaluate("document.querySelector('dialog input.code').value") == "often"
    page.problems.clear()  # The console of a browser names each answer above 399.


def test_an_item_is_written_changed_and_deleted(visit: Visit, client: SyncLangGraphClient) -> None:
    """Items are found by their namespaces, and edited as JSON."""
    client.store.put_item(("users", "ada"), "prefs", {"colour": "green"})
    page = visit("store")
    page.click(".namespaces a", "users")
    page.click(".namespaces a", "ada")
    page.wait_text("green", ".items")
    page.click("[aria-label='Edit prefs']")
    page.fill("dialog textarea", '{"colour": "red"}')
    page.click("dialog button", "Save")
    page.wait_text("red", ".items")
    item = client.store.get_item(("users", "ada"), "prefs")
    assert item is not None
    assert item.value == {"colour": "red"}
    page.click("[data-new]")
    page.fill("dialog label:nth-of-type(2) input", "other/key")
    page.click("dialog button", "Save")
    page.wait_text("other/key", ".items")
    page.click("[aria-label='Delete prefs']")
    page.click("dialog button", "Delete")
    page.wait_for("!document.querySelector('.items').innerText.includes('prefs')")
    keys = [item.key for item in client.store.search_items(("users", "ada")).items]
    assert keys == ["other/key"]


def test_a_thread_is_made_copied_changed_and_deleted(
    visit: Visit, client: SyncLangGraphClient
) -> None:
    """New, Duplicate, the metadata, and Delete."""
    page = visit("threads")
    page.click("[data-new]")
    page.wait_for("document.querySelector('dialog select').options.length")
    page.choose("dialog select", "row")
    page.click("dialog button", "Create")
    page.wait_text("row", ".view-head .graph")
    first = page.evaluate("location.hash").split("/")[2]
    page.click(".view-head button", "Details")
    page.fill("dialog textarea", '{"user": "ada"}')
    page.click("dialog button", "Save")
    page.wait_for("!document.querySelector('dialog')")
    assert client.threads.get(first).metadata == {"graph_id": "row", "user": "ada"}
    page.click(".view-head button", "Duplicate")
    page.wait_for(f"location.hash.split('/')[2] !== '{first}'")
    page.wait_for(f"!document.querySelector('.view-head h1').textContent.includes('{first}')")
    page.click("[aria-label='Delete thread']")
    page.click("dialog button", "Delete")
    page.wait_text("New thread")
    assert [thread.thread_id for thread in client.threads.search()] == [first]
