"""The commands, each over a client of the server. Each returns the exit status."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
import sys
import time
import uuid
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from langgraph_client import SyncLangGraphClient
from langgraph_client._core.run_progress import RunFailed, RunProgress
from langgraph_client.errors import ConflictError, NotFoundError
from langgraph_client.models.fields import JSON
from langgraph_client.models.params import CancelAction
from langgraph_client.terminal.drawing import draw
from langgraph_client.terminal.output import PlainOutput
from langgraph_client.terminal.text import (
    as_json,
    checkpoint_row,
    clean,
    state_lines,
    thread_row,
)

FAILED, WAITING = 1, 3


def threads(client: SyncLangGraphClient, options: Namespace, out: PlainOutput) -> int:
    """List threads."""
    listed = client.threads.search(
        metadata=options.metadata, status=options.status, limit=options.limit
    )
    out.table(["THREAD", "STATUS", "GRAPH", "UPDATED"], map(thread_row, listed))
    for thread in listed:
        out.value(thread)
    return 0


def show(client: SyncLangGraphClient, options: Namespace, out: PlainOutput) -> int:
    """Show a thread, its state and its history."""
    thread = client.threads.get(options.thread)
    state = client.threads.get_state(options.thread, checkpoint_id=options.checkpoint)
    history = client.threads.get_history(options.thread, limit=options.history)
    out.value({"thread": thread, "state": state, "history": history})
    row = thread_row(thread)
    out.line(f"{row[0]}  {row[1]}  {row[2]}", "bold")
    if error := thread.get("error"):
        out.line(f"error: {clean(as_json(error))}", "red")
    for line in state_lines(state["values"]):
        out.line(line)
    if state["next"]:
        out.line(f"next: {clean(', '.join(state['next']))}")
    for question in state.interrupts:
        out.line(f"? {clean(as_json(question['value']))}", "yellow")
    if history:
        out.line("")
        titles = ["STEP", "CHECKPOINT", "PARENT", "SOURCE", "NEXT"]
        out.table(titles, map(checkpoint_row, history))
    return 0


def tail(client: SyncLangGraphClient, options: Namespace, out: PlainOutput) -> int:
    """Follow a thread, run after run."""
    client.threads.get(options.thread)  # So that a wrong ID is an error, not silence.
    progress = RunProgress()
    with (
        client.threads.join_stream(options.thread, last_event_id=options.after) as stream,
        out.working(),
    ):
        for part in stream:
            out.value({"event": part.event, "data": part.data, "id": part.id})
            for step in progress.read(part, time.monotonic()):
                out.step(step)
            if part.event == "values" and not out.is_json:
                for line in state_lines(part.data):
                    out.line(line)
    return 0


def graph(client: SyncLangGraphClient, options: Namespace, out: PlainOutput) -> int:
    """Draw a graph."""
    drawing = client.assistants.get_graph(assistant_id(client, options.graph), xray=options.xray)
    out.value(drawing)
    for line in draw(drawing):
        out.line(clean(line))
    return 0


def assistant_id(client: SyncLangGraphClient, name: str) -> str:
    """Return the ID of an assistant, given its ID or the name of its graph."""
    try:
        return str(uuid.UUID(name))
    except ValueError:
        assistants = client.assistants.search(graph_id=name, limit=1)
        return assistants[0]["assistant_id"] if assistants else name


def cancel(client: SyncLangGraphClient, options: Namespace, out: PlainOutput) -> int:
    """Cancel one run of a thread, or all that are not over."""
    action: CancelAction = "rollback" if options.rollback else "interrupt"
    if options.run:
        run_ids = [options.run]
    else:
        listed = client.runs.list(options.thread, limit=1000)
        run_ids = [run["run_id"] for run in listed if run["status"] in ("pending", "running")]
    for run_id in run_ids:
        try:
            client.runs.cancel(options.thread, run_id, wait=True, action=action)
        except (ConflictError, NotFoundError):
            if options.run:
                raise
            continue  # It has ended since it was listed; the others have not.
        out.line(f"cancelled {run_id}")
        out.value({"run_id": run_id})
    if not run_ids:
        out.line("nothing runs")
    return 0


def run(client: SyncLangGraphClient, options: Namespace, out: PlainOutput) -> int:
    """Run a graph. At an interrupt, ask for the response if stdin is a terminal."""
    run_arguments: dict[str, Any] = {"input": _input(options)}
    if options.resume is not None:
        run_arguments = {"command": {"resume": options.resume}}
    thread_id = options.thread or client.threads.create()["thread_id"]
    checkpoint = options.checkpoint and {"checkpoint_id": options.checkpoint}
    while True:
        failed = _stream(
            client, options, out, thread_id, {**run_arguments, "checkpoint": checkpoint}
        )
        state = client.threads.get_state(thread_id)
        if failed or not state.interrupts:
            break
        answers = _ask(out, state.interrupts)
        if answers is None:
            break
        run_arguments, checkpoint = {"command": {"resume": answers}}, None
    questions = state.interrupts
    status = FAILED if failed else WAITING if questions else 0
    out.value({"thread_id": thread_id, "status": status, "state": state})
    for line in state_lines(state["values"]):
        out.line(line)
    out.line(f"thread {thread_id}", "dim")
    if failed:
        raise CommandFailedError(f"{failed.error}: {failed.message}")
    return status


class CommandFailedError(Exception):
    """The command failed. The message says why."""


class UsageError(Exception):
    """The arguments of the command are wrong."""


def _input(options: Namespace) -> JSON:
    if options.input != "-":
        return options.input
    try:
        return json.load(sys.stdin)
    except ValueError as error:
        raise UsageError(f"the input is not JSON: {error}") from None


def _stream(
    client: SyncLangGraphClient,
    options: Namespace,
    out: PlainOutput,
    thread_id: str,
    run_arguments: Mapping[str, Any],
) -> RunFailed | None:
    """Run once, and show the events. Return the error of the run; None without an error."""
    failed = None
    progress = RunProgress()
    stream = client.runs.stream(
        thread_id,
        options.graph,
        **run_arguments,
        config=options.config,
        context=options.context,
        stream_mode=["tasks", "messages-tuple"],
        stream_subgraphs=True,
        stream_resumable=True,
        on_disconnect="cancel",
        if_not_exists="create",
    )
    with stream, out.working():
        for part in stream:
            out.value({"event": part.event, "data": part.data, "id": part.id})
            for step in progress.read(part, time.monotonic()):
                if isinstance(step, RunFailed):
                    failed = step
                else:
                    out.step(step)
    return failed


def _ask(out: PlainOutput, questions: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Ask on the terminal. Return the responses by ID; None if stdin is not a terminal."""
    if out.is_json or not sys.stdin.isatty():
        for question in questions:
            out.line(f"? {clean(as_json(question['value']))}", "yellow")
        return None
    answers = {}
    for question in questions:
        out.line(f"? {clean(as_json(question['value']))}", "yellow")
        try:
            text = input("answer> ")
        except EOFError:
            return None
        try:
            answers[question["id"]] = json.loads(text)
        except ValueError:
            answers[question["id"]] = text
    return answers


def pull(client: SyncLangGraphClient, options: Namespace, out: PlainOutput) -> int:
    """Copy a thread of a server into a database file of the bundled server."""
    # Only now: the other commands need neither langgraph nor Starlette.
    from langgraph_client.server.cli.config import ConfigError, read_config
    from langgraph_client.server.cli.load import server_of
    from langgraph_client.server.errors import ServerError, StartError

    namespaces = [namespace.split(".") for namespace in options.store]
    try:
        server = server_of(read_config(Path(options.config)), {"path": options.db})
        with server:
            pulled = server.pull(client, options.thread, store=namespaces)
    except ServerError as error:
        place = f"{options.db} with the graphs of {options.config}"
        raise CommandFailedError(f"cannot copy into {place}: {error}") from error
    except (ConfigError, StartError, TypeError, ValueError, sqlite3.Error) as error:
        raise CommandFailedError(str(error)) from error
    out.value(dataclasses.asdict(pulled))
    counts = {"checkpoint": pulled.checkpoints, "run": pulled.runs, "item": pulled.items}
    out.line(", ".join(f"{n} {name}{'' if n == 1 else 's'}" for name, n in counts.items()))
    for sentence in pulled.missing:
        out.line(f"missing: {clean(sentence)}", "yellow")
    for left in pulled.not_copied:
        out.line(f"not copied: {clean(left)}")
    return 0


Command: TypeAlias = Callable[[SyncLangGraphClient, Namespace, PlainOutput], int]
COMMANDS: Mapping[str, Command] = {
    "threads": threads,
    "show": show,
    "tail": tail,
    "graph": graph,
    "cancel": cancel,
    "run": run,
    "pull": pull,
}
