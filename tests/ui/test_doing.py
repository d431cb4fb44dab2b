"""What the page does to threads: each action, used in a browser and checked on the server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

from langgraph_client import Server, SyncLangGraphClient
from tests.support.hosted import Gate

from .browser import Page

Visit = Callable[[str], Page]


def ran(client: SyncLangGraphClient, graph: str, given: dict[str, Any]) -> str:
    """Make a thread with one run of a graph; return its id."""
    thread_id = client.threads.create().thread_id
    client.runs.wait(thread_id, graph, input=given, raise_error=False)
    return thread_id


def values(client: SyncLangGraphClient, thread_id: str) -> dict[str, Any]:
    """Return the values of a thread's state."""
    return dict(client.threads.get_state(thread_id)["values"])


def run_python(code: str) -> str:
    """Run lines of Python, and return what they print."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout


def test_an_interrupt_is_answered(visit: Visit, client: SyncLangGraphClient) -> None:
    """An interrupt shows its value, and takes text or JSON for an answer."""
    thread_id = ran(client, "approval", {"draft": "a draft"})
    page = visit(f"threads/{thread_id}")
    page.wait_text("approve?", ".pending")
    page.fill(".interrupt textarea", '{"ok": true}')
    page.click(".pending [type=submit]", "Answer")
    page.wait_text("idle", ".view-head")
    assert values(client, thread_id)["answers"] == [{"ok": True}]


def test_an_interrupt_is_answered_with_a_word(visit: Visit, client: SyncLangGraphClient) -> None:
    """Yes and No are a click."""
    thread_id = ran(client, "approval", {"draft": "a draft"})
    page = visit(f"threads/{thread_id}")
    page.click(".interrupt button", "No")
    page.wait_text("idle", ".view-head")
    assert values(client, thread_id)["answers"] == [False]


def test_several_interrupts_are_answered_one_by_one(
    visit: Visit, client: SyncLangGraphClient
) -> None:
    """Of two interrupts one can be answered alone; the other one waits on."""
    thread_id = ran(client, "parallel", {"draft": "a"})
    page = visit(f"threads/{thread_id}")
    page.wait_text("Waits for 2 answers", ".pending")
    page.fill(".interrupt textarea", "first")
    page.click(".pending [type=submit]", "Answer 1 of 2")
    page.wait_text("Waits for an answer", ".pending")
    page.fill(".interrupt textarea", "second")
    page.click(".pending [type=submit]", "Answer")
    page.wait_text("idle", ".view-head")
    answers = values(client, thread_id)["answers"]
    assert {next(iter(answer.values())) for answer in answers} == {"first", "second"}


def test_an_error_is_shown(visit: Visit, client: SyncLangGraphClient) -> None:
    """A failed run shows the node, the exception and its text, and marks the node."""
    page = visit(f"threads/{ran(client, 'failing', {'how': 'value'})}")
    page.wait_text("bad failed", ".pending")
    page.wait_text("ValueError('value is wrong')", ".pending")
    page.wait_for("document.querySelector('[data-node=bad].is-failed')")


def test_a_run_goes_on_from_an_older_checkpoint(visit: Visit, client: SyncLangGraphClient) -> None:
    """A fork goes on from the checkpoint; the history shows both branches."""
    thread_id = ran(client, "row", {"topic": "cats"})
    page = visit(f"threads/{thread_id}/history")
    page.click("[data-checkpoint]", "0 one")
    page.click(".checkpoint-detail button", "Fork from here")
    page.wait_text("Going on from checkpoint", ".composer")
    page.click(".composer button", "Run on from here")
    page.wait_text("1 fork", ".history")
    page.wait_text("2 branches", ".history")
    history = client.threads.get_history(thread_id, limit=20)
    parents = [state["parent_checkpoint"]["checkpoint_id"] for state in history[:-1]]
    assert len(set(parents)) == len(parents) - 1


def test_a_state_is_edited_and_goes_on(visit: Visit, client: SyncLangGraphClient) -> None:
    """Values are written at an older checkpoint, as a node, and the graph runs on from there."""
    thread_id = ran(client, "row", {"topic": "cats"})
    page = visit(f"threads/{thread_id}/history")
    page.click("[data-checkpoint]", "0 one")
    page.click(".checkpoint-detail button", "Edit state here")
    page.fill("dialog textarea", '{"topic": "dogs", "log": ["by hand"]}')
    page.wait_for("document.querySelector('dialog select').options.length > 2")
    page.choose("dialog select", "one")
    page.click("dialog button", "Write and go on")
    page.wait_for("!document.querySelector('dialog')")
    page.wait_text("1 fork", ".history")
    # The run was created before the dialog closed; the page may still show the status from before.
    client.runs.join(thread_id, client.runs.list(thread_id)[0].run_id)
    page.wait_for("document.querySelector('.view-head .status.is-idle')")
    assert values(client, thread_id) == {"topic": "dogs", "log": ["by hand", "two:dogs"]}


BIG = 9007199254740993  # JavaScript reads it as ...992.


def test_numbers_that_nobody_touched_stay(visit: Visit, client: SyncLangGraphClient) -> None:
    """An edit of the state writes integers and floats back as they were, and so does Python."""
    given = {"topic": {"id": BIG, "share": 1.0, "score": 0.5}}
    thread_id = ran(client, "row", given)
    page = visit(f"threads/{thread_id}/state")
    page.wait_text(str(BIG), ".state")
    page.wait_text("1.0", ".state")
    page.click("button", "Edit state")
    page.click("dialog button", "Copy as Python")
    page.wait_for("document.querySelector('[data-python]')")
    assert f'"id": {BIG}, "share": 1.0, "score": 0.5' in page.text("[data-python]")
    page.press("Escape")
    page.wait_for("!document.querySelector('[data-python]')")
    page.click("dialog button", "Write")
    page.wait_for("!document.querySelector('dialog')")
    assert len(client.threads.get_history(thread_id, limit=20)) == 5
    topic = values(client, thread_id)["topic"]
    assert topic == given["topic"]
    assert type(topic["share"]) is float


def test_a_run_that_is_started_again_has_the_same_numbers(
    visit: Visit, client: SyncLangGraphClient
) -> None:
    """A run that is started again gets its input with large numbers and floats unchanged."""
    thread_id = ran(client, "row", {"topic": [BIG, 1.0]})
    page = visit(f"threads/{thread_id}/runs")
    page.click(".run button", "Run again")
    page.wait_for("document.querySelectorAll('.run .is-success').length === 2")
    again = client.runs.list(thread_id)[0]["kwargs"]["input"]["topic"]
    assert again == [BIG, 1.0]
    assert type(again[1]) is float


def test_a_number_is_sent_as_it_was_written(visit: Visit, client: SyncLangGraphClient) -> None:
    """In a form and in JSON."""
    thread_id = client.threads.create(graph_id="order").thread_id
    page = visit(f"threads/{thread_id}")
    page.fill("[aria-label=amount]", str(BIG))
    page.click("[type=submit]", "Send")
    page.wait_for("document.querySelector('[aria-label=amount]').value === ''")
    page.click(".composer-foot .check", "JSON")
    page.fill(".composer textarea", f'{{"amount": {BIG}, "topic": "x"}}')
    page.click("[type=submit]", "Send")
    page.click(".tabs a", "Runs")
    page.wait_for("document.querySelectorAll('.run').length === 2")
    amounts = [run["kwargs"]["input"]["amount"] for run in client.runs.list(thread_id)]
    assert amounts == [BIG, BIG]


def test_two_checkpoints_are_compared(visit: Visit, client: SyncLangGraphClient) -> None:
    """The difference to the parent is shown, or to any other checkpoint."""
    thread_id = ran(client, "row", {"topic": "cats"})
    page = visit(f"threads/{thread_id}/history")
    page.click("[data-checkpoint]", "2 end")
    page.wait_text("log[1]", ".changes")
    assert "log[0]" not in page.text(".changes")
    page.choose("[aria-label='Compare with']", "step -1")
    page.wait_text("topic", ".changes")


def test_a_run_is_started_again(visit: Visit, client: SyncLangGraphClient) -> None:
    """A run that is started again has the same input."""
    thread_id = ran(client, "row", {"topic": "cats"})
    page = visit(f"threads/{thread_id}/runs")
    page.click(".run button", "Run again")
    page.wait_for("document.querySelectorAll('.run .is-success').length === 2")
    runs = client.runs.list(thread_id)
    assert [run["kwargs"]["input"] for run in runs] == [{"topic": "cats"}] * 2


def test_a_run_is_cancelled(visit: Visit, client: SyncLangGraphClient, gate: Gate) -> None:
    """A run that is cancelled stops; the thread shows what is next, and goes on from there."""
    thread_id = client.threads.create().thread_id
    client.runs.create(thread_id, "order", input={"topic": "cats"})
    gate.arrived()
    page = visit(f"threads/{thread_id}")
    page.click(".view-head button", "Cancel run")
    page.wait_text("interrupted", ".view-head")
    assert [run.status for run in client.runs.list(thread_id)] == ["interrupted"]


def test_runs_show_their_nodes_by_time(visit: Visit, client: SyncLangGraphClient) -> None:
    """Each run has its duration and a bar for each node, also if it sent no events."""
    thread_id = ran(client, "row", {"topic": "cats"})
    page = visit(f"threads/{thread_id}/runs")
    page.wait_text("one", ".waterfall")
    names = page.evaluate("[...document.querySelectorAll('.bar-name')].map((e) => e.textContent)")
    assert names == ["one", "two"]
    assert page.text("[data-duration]").endswith("s")
    widths = page.evaluate(
        "[...document.querySelectorAll('.bar-track i')].map((e) => e.offsetWidth)"
    )
    assert all(width >= 3 for width in widths)


def test_raw_events_come_as_they_happen(
    visit: Visit, client: SyncLangGraphClient, gate: Gate
) -> None:
    """Events are listed while the run is under way, and can be filtered."""
    thread_id = client.threads.create(graph_id="order").thread_id
    page = visit(f"threads/{thread_id}/events")
    page.wait_text("live", ".view-head")
    client.runs.create(thread_id, "order", input={"topic": "cats"}, stream_mode=["updates"])
    gate.arrived()
    page.wait_text("checked cats", ".event-list")
    assert "packed" not in page.text(".event-list")
    gate.open()
    page.wait_text("packed", ".event-list")
    page.choose("[aria-label='Kind of event']", "metadata")
    page.wait_for("!document.querySelector('.event-list').innerText.includes('packed')")


def test_what_is_copied_as_python_does_the_same(
    visit: Visit, client: SyncLangGraphClient, server: Server
) -> None:
    """The lines that the page gives run as they are, and send the same input."""
    thread_id = ran(client, "row", {"topic": "first"})
    page = visit(f"threads/{thread_id}")
    page.fill("[aria-label=topic]", 'a "quoted"\tword – ü 🙂')
    page.click(".composer button", "Copy as Python")
    page.wait_for("document.querySelector('[data-python]')")
    assert "two" in run_python(page.text("[data-python]"))
    assert values(client, thread_id)["topic"] == 'a "quoted"\tword – ü 🙂'


def test_an_edited_state_is_copied_as_python(visit: Visit, client: SyncLangGraphClient) -> None:
    """The lines for an edit at an older checkpoint write and go on there."""
    thread_id = ran(client, "row", {"topic": "cats"})
    page = visit(f"threads/{thread_id}/history")
    page.click("[data-checkpoint]", "0 one")
    page.click(".checkpoint-detail button", "Edit state here")
    page.fill("dialog textarea", '{"topic": "dogs", "log": [], "deep": [null, true, 1.5]}')
    page.wait_for("document.querySelector('dialog select').options.length > 2")
    page.choose("dialog select", "one")
    page.click("dialog button", "Copy as Python")
    page.wait_for("document.querySelector('[data-python]')")
    run_python(page.text("[data-python]"))
    assert values(client, thread_id) == {"topic": "dogs", "log": ["two:dogs"]}


def test_a_bad_input_is_refused_where_it_is_written(
    visit: Visit, client: SyncLangGraphClient
) -> None:
    """JSON that is none, and a number that is none, are named before anything is sent."""
    thread_id = client.threads.create(graph_id="order").thread_id
    page = visit(f"threads/{thread_id}")
    page.fill("[aria-label=amount]", "many")
    page.click("[type=submit]", "Send")
    page.wait_text("amount has to be a number", ".toasts")
    page.click(".composer-foot .check", "JSON")
    page.fill(".composer textarea", '{"topic": ')
    page.wait_text("JSON", ".composer .wrong")
    assert page.evaluate("document.querySelector('[type=submit]').disabled")
    assert client.runs.list(thread_id) == []
