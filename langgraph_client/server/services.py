"""The services a request handler can reach, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from langgraph_client.hosting import Host
from langgraph_client.server.auth.authorization import Authorization
from langgraph_client.server.background.event_expiry import EventExpiry
from langgraph_client.server.background.scheduler import Scheduler
from langgraph_client.server.background.ttl import ThreadTTLs
from langgraph_client.server.background.webhooks import Webhooks
from langgraph_client.server.clock import Clock
from langgraph_client.server.encryption.requests import RequestContexts
from langgraph_client.server.graphs.drain_checks import ControlledRuns
from langgraph_client.server.graphs.hosted_graphs import Graphs
from langgraph_client.server.runs.commands import Commands
from langgraph_client.server.runs.create_run import RunCreator
from langgraph_client.server.runs.engine import Engine
from langgraph_client.server.storage.protocol import Storage

if TYPE_CHECKING:
    from langgraph.store.base import BaseStore


@dataclass(frozen=True)
class Services:
    """What the server is made of; built by `Server`, found at `app.state.services`."""

    clock: Clock
    storage: Storage
    graphs: Graphs
    engine: Engine
    #: Makes runs of requests.
    runs: RunCreator
    #: Takes what callers of runs with a control answer.
    controlled: ControlledRuns
    #: Carries out the commands of the event protocol.
    commands: Commands
    #: The key-value store that is shown: the storage's own, or one that a graph brought along;
    #: None where langgraph is not installed.
    store: BaseStore | None
    #: Starts the runs of crons.
    scheduler: Scheduler
    #: Deletes threads whose time to live is over.
    thread_ttl: ThreadTTLs
    #: Deletes the events of runs that ended some time ago.
    event_expiry: EventExpiry
    #: Tells URLs that runs are over.
    webhooks: Webhooks
    #: The server itself, as who may do everything.
    host: Host
    #: The application's `Auth`; None if it has none.
    authorization: Authorization | None = None
    #: What the data of a request is encrypted with; None without an `Encryption`.
    encryption: RequestContexts | None = None
