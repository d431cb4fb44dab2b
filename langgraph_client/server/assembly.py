"""Create the services of a server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from langgraph_client.current_server import HostingServer
from langgraph_client.server.auth.authorization import Authorization
from langgraph_client.server.background.event_expiry import EventExpiry
from langgraph_client.server.background.scheduler import Scheduler
from langgraph_client.server.background.ttl import ThreadTTLs
from langgraph_client.server.background.webhooks import Webhooks
from langgraph_client.server.clock import Clock
from langgraph_client.server.custom_storage import CustomStorage
from langgraph_client.server.documents import assistants
from langgraph_client.server.encryption.requests import RequestContexts
from langgraph_client.server.encryption.storage import EncryptedStorage
from langgraph_client.server.graphs.drain_checks import ControlledRuns
from langgraph_client.server.graphs.hosted_graphs import Graphs, store_of_graphs
from langgraph_client.server.hooks import RunHooks
from langgraph_client.server.options import ThreadTTL, WebhookOptions
from langgraph_client.server.runs.commands import Commands
from langgraph_client.server.runs.create_run import RunCreator
from langgraph_client.server.runs.engine import Engine
from langgraph_client.server.runs.graph_runner import HostedGraphRunner
from langgraph_client.server.services import Services
from langgraph_client.server.storage.protocol import Storage

if TYPE_CHECKING:
    from langgraph.store.base import BaseStore


@dataclass(frozen=True)
class Settings:
    """The settings of a `Server`, by the names of its parameters."""

    graphs: Mapping[str, object]
    clock: Clock
    hooks: RunHooks
    #: The user's own store and saver.
    custom: CustomStorage
    authorization: Authorization | None
    webhooks: WebhookOptions
    thread_ttl: ThreadTTL | None
    descriptions: Mapping[str, str]
    max_runs: int
    max_run_seconds: float | None
    event_ttl: float
    show_errors: bool
    show_tracebacks: bool
    lend_checkpointer: bool
    #: Whether runs may go on after a restart.
    may_resume: bool
    #: Whether this process executes runs.
    works: bool


@dataclass(frozen=True)
class OwnServer:
    """The server that services and runs are part of, for their requests to it."""

    url: str | None
    transport: httpx.AsyncBaseTransport
    #: This server as it is seen by the server's own requests, without authorization.
    hosting: HostingServer
    #: Returns this server as it is seen by a run.
    hosting_of_run: Callable[[Mapping[str, object]], HostingServer]


async def assemble(settings: Settings, storage: Storage, own_server: OwnServer) -> Services:
    """Return the services of a server, with an assistant for each graph.

    Args:
        settings: The server's settings.
        storage: The open storage.
        own_server: The server that the services are part of.
    """
    clock = settings.clock
    encrypted = storage if isinstance(storage, EncryptedStorage) else None
    store = _store(settings, storage)
    graphs = _graphs(settings, storage, store)
    clock.start_after(await storage.events.last_id())
    webhooks = Webhooks(clock, storage, settings.webhooks, own_server.transport)
    event_expiry = EventExpiry(clock, storage, settings.event_ttl)
    controlled = ControlledRuns()
    runner = HostedGraphRunner(
        graphs,
        own_server.url,
        settings.hooks,
        own_server.hosting_of_run,
        controlled,
        show_errors=settings.show_errors,
    )
    engine = Engine(
        storage,
        clock,
        runner,
        limit=settings.max_runs,
        seconds=settings.max_run_seconds,
        show_errors=settings.show_errors,
        show_tracebacks=settings.show_tracebacks,
        hooks=settings.hooks,
        ending=webhooks.run_ending,
        ended=[webhooks.run_ended, event_expiry.run_ended],
        works=settings.works,
    )
    graphs.before_checkpoints(engine.write_logs)
    thread_ttl = ThreadTTLs(clock, storage, engine, settings.thread_ttl)
    runs = RunCreator(
        storage, clock, graphs, engine, webhooks.check, thread_ttl.new_document, thread_ttl.wake
    )
    cron_context = None if encrypted is None else encrypted.context_of_cron
    scheduler = Scheduler(clock, storage, runs, engine.locks, settings.authorization, cron_context)
    services = Services(
        clock=clock,
        storage=storage,
        graphs=graphs,
        engine=engine,
        runs=runs,
        controlled=controlled,
        commands=Commands(storage, engine, runs),
        store=store,
        scheduler=scheduler,
        thread_ttl=thread_ttl,
        event_expiry=event_expiry,
        webhooks=webhooks,
        hosting=own_server.hosting,
        authorization=settings.authorization,
        encryption=None if encrypted is None else RequestContexts(encrypted),
    )
    for name in graphs.names:
        await assistants.ensure_default(services, name, settings.descriptions.get(name))
    return services


def _graphs(settings: Settings, storage: Storage, store: BaseStore | None) -> Graphs:
    """Return the graphs, with what they are lent."""
    return Graphs(
        settings.graphs,
        storage.checkpointer,
        store,
        storage.script_states,
        storage.allow,
        lend_checkpointer=settings.lend_checkpointer,
        may_resume=settings.may_resume,
        undoes_writes=not settings.custom.has_checkpointer,
    )


def _store(settings: Settings, storage: Storage) -> BaseStore | None:
    """Return the store: the user's own, one that graphs were compiled with, or the storage's.

    Clients must find what graphs write, by the graphs' index.
    """
    brought = store_of_graphs(settings.graphs)
    custom = settings.custom.store
    if custom is not None and isinstance(storage, EncryptedStorage):
        custom = storage.encrypted_store(custom)
    return custom or brought or storage.store
