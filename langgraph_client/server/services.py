"""The services a request handler can reach, as one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

if TYPE_CHECKING:
    from langgraph_client.server.background.scheduler import Scheduler
    from langgraph_client.server.background.ttl import ThreadTTLs
    from langgraph_client.server.background.webhooks import Webhooks
    from langgraph_client.server.clock import Clock
    from langgraph_client.server.graphs.hosted_graphs import Graphs
    from langgraph_client.server.graphs.script_states import ScriptStates
    from langgraph_client.server.runs.engine import Engine
    from langgraph_client.server.storage.sqlite import Storage


@dataclass
class Services:
    """What the server is made of; built by `Server`, found at `request.app.state.services`."""

    clock: Clock
    storage: Storage
    graphs: Graphs
    engine: Engine
    #: The key-value store that is shown; None where langgraph is not installed.
    store: Any
    #: Checkpoints of compiled graphs, None where langgraph is not installed, and of scripted ones.
    checkpoints: Any
    script_states: ScriptStates
    #: Starts the runs of crons; set once the rest is there.
    scheduler: Scheduler = field(init=False)
    #: Deletes what has outlived its time; set likewise.
    thread_ttl: ThreadTTLs = field(init=False)
    #: langgraph's store over the shared connection, if that is there; shown unless a graph brings
    #: another one.
    own_store: Any = None
    #: Where the server is reached from outside, shown in metadata; None if it listens nowhere.
    url: str | None = None
    #: Tells URLs what became of runs; set once the rest is there.
    webhooks: Webhooks = field(init=False)

    def delete_state(self, thread_id: str) -> None:
        """Delete the checkpoints of a thread."""
        self.script_states.delete_thread(thread_id)
        if self.checkpoints is not None:
            self.checkpoints.delete_thread(thread_id)

    async def remove_thread(self, thread_id: str) -> None:
        """End a thread's runs and delete all that belongs to it."""
        await self.engine.delete_thread(thread_id)
        with self.storage.transaction():
            self.storage.delete_thread(thread_id)
            self.delete_state(thread_id)

    def copy_state(self, source: str, target: str) -> None:
        """Copy the checkpoints of a thread to another one."""
        self.script_states.copy_thread(source, target)
        if self.checkpoints is not None:
            self.checkpoints.copy_thread(source, target)

    def keep_latest_state(self, thread_id: str) -> None:
        """Delete all checkpoints of a thread but the latest."""
        self.script_states.prune(thread_id)
        if self.checkpoints is not None:
            self.checkpoints.prune([thread_id], strategy="keep_latest")


def services_of(request: Request) -> Services:
    """Return the services of the server that a request reached."""
    services: Services = request.app.state.services
    return services
