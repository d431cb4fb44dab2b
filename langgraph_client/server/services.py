"""The services that endpoints' functions use, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from langgraph_client.current_server import HostingServer
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
    """The services of the server; `Server` creates them, and they are in `app.state.services`."""

    clock: Clock
    storage: Storage
    graphs: Graphs
    engine: Engine
    #: Creates runs from requests.
    runs: RunCreator
    #: Gets the replies of callers of runs with a control.
    controlled: ControlledRuns
    #: Executes the commands of the event protocol.
    commands: Commands
    #: The key-value store: the storage's, the user's, or one of a graph; None without langgraph.
    store: BaseStore | None
    #: Starts the runs of crons.
    scheduler: Scheduler
    #: Deletes expired threads.
    thread_ttl: ThreadTTLs
    #: Deletes the events of runs that ended some time ago.
    event_expiry: EventExpiry
    #: Sends webhooks.
    webhooks: Webhooks
    #: This server as it is seen by the server's own requests, without authorization.
    hosting: HostingServer
    #: The application's `Auth`; None if it has none.
    authorization: Authorization | None = None
    #: Gives the encryption context of a request; None without an `Encryption`.
    encryption: RequestContexts | None = None
