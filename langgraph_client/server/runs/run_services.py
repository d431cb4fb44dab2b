"""The objects that the parts of the engine share."""

from __future__ import annotations

from dataclasses import dataclass

from langgraph_client.server.clock import Clock
from langgraph_client.server.hooks import RunHooks
from langgraph_client.server.runs.background_tasks import BackgroundTasks
from langgraph_client.server.runs.job_factory import JobFactory
from langgraph_client.server.runs.locks import KeyedLocks
from langgraph_client.server.runs.metrics import Metrics
from langgraph_client.server.runs.protocol_runs import ProtocolRuns
from langgraph_client.server.runs.run_queue import RunQueue
from langgraph_client.server.runs.run_states import GraphRunner
from langgraph_client.server.runs.thread_events import ThreadLogs
from langgraph_client.server.storage.protocol import Storage


@dataclass(frozen=True)
class RunServices:
    """The objects that the parts of the engine share. `Engine` creates them."""

    #: Stores threads, runs and resumable events.
    storage: Storage
    #: Gives times and event ids.
    clock: Clock
    #: Runs a job's graph, and reads a thread's state.
    graph_runner: GraphRunner
    #: Are called at points in the life of a run.
    hooks: RunHooks
    #: The locks of threads.
    locks: KeyedLocks
    #: Runs tasks that must not be cancelled with a request.
    tasks: BackgroundTasks
    #: Counts runs, and how long they have waited.
    metrics: Metrics
    #: The logs of threads that are being read.
    thread_logs: ThreadLogs
    #: The v3 event logs of threads.
    protocol_runs: ProtocolRuns
    #: Creates jobs.
    job_factory: JobFactory
    #: The runs of this process that are not over.
    queue: RunQueue
