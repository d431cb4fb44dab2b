"""How a later attempt of a run goes on, after a kill or a restart of the server.

The earlier attempt may have stored the run's input, and may have given its answers to questions. An
answer is used once: another question, even one of the same node, must not get it. So in doubt the
question is asked again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from langgraph_client.models.fields import JsonMapping
from langgraph_client.server.graphs.hosted_saver import HostedSaver
from langgraph_client.server.graphs.interrupt_ids import has_interrupt_ids
from langgraph_client.server.graphs.langgraph_names import NULL_TASK_ID, RESUME
from langgraph_client.server.graphs.protocol import GraphRun, Snapshot
from langgraph_client.values import PARENT

_PLACE = ("thread_id", "checkpoint_ns", "checkpoint_id")


async def continued_run(graph: Any, run: GraphRun) -> GraphRun:
    """Return a run without what an earlier attempt of it has stored or used already.

    langgraph does not execute finished tasks of that attempt again, but repeats their events.

    Args:
        graph: The compiled graph.
        run: The run, as requested.
    """
    saver: HostedSaver | None = graph.checkpointer or None
    config: Any = {"configurable": {"thread_id": run.thread_id, "checkpoint_ns": ""}}
    saved = await saver.aget_tuple(config) if saver else None
    if saver is None or saved is None:
        return run
    # The run has written a checkpoint, before which its input or its command is stored.
    if saved.metadata.get("run_id") == run.run_id:
        return run.continuing()
    run = await _with_open_answers(graph, run)
    command = run.kwargs.get("command") or {}
    resume = command.get("resume")
    is_by_id = has_interrupt_ids(resume)
    # A command is stored before the first checkpoint of its run, with the one it starts from.
    kept = [write for task, *write in saved.pending_writes or () if task == NULL_TASK_ID]
    if not _is_kept(command, kept):
        return run
    if is_by_id:  # These answers are stored with their tasks.
        return run.continuing(resume or None)
    if resume is not None and await _is_used(graph, saver, config, run, resume):
        # This replaces the stored answer: savers keep one for each task. None counts as no answer.
        await saver.aput_writes(saved.config, [(RESUME, None)], NULL_TASK_ID)
    return run.continuing()


async def _with_open_answers(graph: Any, run: GraphRun) -> GraphRun:
    """Return a run without answers by the ids of interrupts that do not wait any more.

    langgraph would give such an answer to the next question of the same node.
    """
    command = run.kwargs.get("command") or {}
    parent = run.kwargs.get(PARENT) or {}
    resume, answers = command.get("resume"), parent.get("answers") or {}
    if not (answers or has_interrupt_ids(resume)):
        return run
    place = {"checkpoint_ns": "", **run.config["configurable"]}
    start = {"configurable": {key: place[key] for key in _PLACE if key in place}}
    waiting = _waiting(await graph.aget_state(start, subgraphs=True))
    kwargs = {**run.kwargs, PARENT: {**parent, "answers": _only(answers, waiting)}}
    if has_interrupt_ids(resume):
        kwargs["command"] = {**command, "resume": _only(resume, waiting)}
    return replace(run, kwargs=kwargs)


def _is_kept(command: JsonMapping, kept: Sequence[Sequence[object]]) -> bool:
    """Return whether the stored writes without a task are those of this command."""
    resume = command.get("resume")
    if resume is not None and not has_interrupt_ids(resume):
        return [RESUME, resume] in kept
    wanted = command.get("update") is not None or bool(command.get("goto"))
    return wanted and any(channel != RESUME for channel, _ in kept)


def _waiting(state: Snapshot) -> set[str]:
    """Return the ids of the interrupts that wait for an answer, at the innermost graphs."""
    interrupt_ids: set[str] = set()
    for task in state.tasks:
        below: Any = task.state
        # A graph around the one that asks still shows the question after it has been answered.
        if hasattr(below, "tasks"):
            interrupt_ids |= _waiting(below)
        else:
            interrupt_ids.update(interrupt.id for interrupt in task.interrupts)
    return interrupt_ids


def _only(answers: Any, waiting: set[str]) -> dict[str, object]:
    return {key: answer for key, answer in answers.items() if key in waiting}


async def _is_used(
    graph: Any, saver: HostedSaver, config: Any, run: GraphRun, answer: object
) -> bool:
    """Return whether an interrupt may have taken the answer in an earlier attempt.

    Either a task has stored it, or a subgraph has gone on since.
    """
    for state in _with_subgraphs(await graph.aget_state(config, subgraphs=True)):
        saved = await saver.aget_tuple(state.config)
        for task, channel, answers in (saved and saved.pending_writes) or ():
            if task != NULL_TASK_ID and channel == RESUME and answer in _listed(answers):
                return True
        if saved is not None and saved.metadata.get("run_id") == run.run_id:
            return True
    return False


def _with_subgraphs(state: Snapshot) -> Iterator[Snapshot]:
    yield state
    for task in state.tasks:
        below: Any = task.state
        if hasattr(below, "tasks"):
            yield from _with_subgraphs(below)


def _listed(answers: object) -> list[object]:
    return answers if isinstance(answers, list) else [answers]
