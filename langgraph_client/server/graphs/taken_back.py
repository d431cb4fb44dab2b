"""Take back what a deleted run has written to the checkpoint from which it started.

A run that answers a question adds its answer, and the results of tasks, to the checkpoint that was
the latest before it. A checkpointer can delete the run's own checkpoints, but not these writes. If
they stayed, the next run would go past the question, with the answer of the deleted run.
"""

from __future__ import annotations

from typing import Any

from langgraph_client.server.graphs.hosted_saver import HostedSaver
from langgraph_client.server.graphs.langgraph_names import ERROR, INTERRUPT, NULL_TASK_ID, RESUME
from langgraph_client.server.graphs.protocol import Config, Snapshot

#: What a task that waits or has failed has written.
_UNFINISHED = (INTERRUPT, ERROR)
_COPY = "__copy__"
"""langgraph's name for an update that copies a checkpoint without its writes."""


async def take_back_writes(graph: Any, config: Config, run_id: str) -> None:
    """Remove the writes of a deleted run from the latest checkpoints of a thread.

    It is not known which writes are the run's. So the tasks of the step are done again.

    Args:
        graph: The compiled graph.
        config: Names the thread.
        run_id: The run. If its checkpoints are still there, nothing is changed.
    """
    saver: HostedSaver = graph.checkpointer
    await _take_back(graph, saver, await graph.aget_state(config, subgraphs=True), run_id)


async def _take_back(graph: Any, saver: HostedSaver, state: Snapshot, run_id: str) -> None:
    for task in state.tasks:
        below: Any = task.state
        if hasattr(below, "tasks"):
            await _take_back(graph, saver, below, run_id)
    saved = await saver.aget_tuple(state.config)
    if saved is None or saved.metadata.get("run_id") == run_id:
        return
    writes = [(task == NULL_TASK_ID, channel) for task, channel, _ in saved.pending_writes or ()]
    answer = (True, RESUME)
    if any(write != answer and write[1] not in _UNFINISHED for write in writes):
        await graph.aupdate_state(state.config, None, _COPY)
    elif answer in writes:
        # This replaces the stored answer: savers keep one for each task. None counts as no answer.
        await saver.aput_writes(saved.config, [(RESUME, None)], NULL_TASK_ID)
