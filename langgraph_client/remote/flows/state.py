"""The requests of RemoteGraph's state methods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import cast

from langgraph_client.errors import InvalidArgumentError
from langgraph_client.remote.aliases import JSON, GraphValue, JsonObject, MergedConfig, Reply
from langgraph_client.remote.clients import Clients, detail_of, headers_of, status_of
from langgraph_client.remote.commands import input_or_command, plain_update
from langgraph_client.remote.compat import Command, RunnableConfig, StateSnapshot, StateUpdate
from langgraph_client.remote.config import Address
from langgraph_client.remote.decode import Decoder
from langgraph_client.remote.exceptions import invalid_update, remote_error
from langgraph_client.remote.flow import Flow, ask
from langgraph_client.remote.flows.bundled_server import (
    bundled_server_headers,
    own_options,
    reads_envelopes,
)
from langgraph_client.remote.nested import parents_of
from langgraph_client.remote.snapshot import HistoryPages, empty_snapshot, snapshot_from
from langgraph_client.remote.threads import KnownThreads, thread_arguments, thread_headers
from langgraph_client.remote.typed_values import enclosed_config, enclosed_values, plain_messages
from langgraph_client.values import ERROR_HEADER

NOT_FOUND = 404


@dataclass(frozen=True)
class StateCall:
    """One call of a state method: its thread, decoder, clients, headers and parameters."""

    assistant_id: str
    address: Address
    decoder: Decoder
    clients: Clients
    threads: KnownThreads
    #: The config that a local graph returns for a thread without checkpoints.
    asked: RunnableConfig
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, object] | None = None
    #: The config for the graph, which the bundled server gets with an update.
    config: JsonObject = field(default_factory=dict)

    @property
    def own(self) -> JsonObject:
        """The caller's headers and query parameters, as keyword arguments of any request."""
        return own_options(self.headers, self.params)

    def decoder_for_server(self) -> Decoder:
        """Return the decoder, which depends on the server. The server must have been asked."""
        return replace(self.decoder, is_bundled=bool(self.clients.reads_envelopes))

    def request_options(self) -> Flow[JsonObject]:
        """Return `own`, and the headers that the bundled server reads, for a state request."""
        agreed = dict((yield from bundled_server_headers(self.clients, self.own)))
        if agreed:
            agreed.update(thread_headers(self.assistant_id, self.address))
        return {"headers": {**agreed, **self.headers} or None, "params": self.params}


def get_state(call: StateCall, *, subgraphs: bool = False) -> Flow[StateSnapshot]:
    """Read a state; return an empty one for a thread that does not exist, or for none.

    GET /threads/{thread_id}/state
    """
    if call.address.thread_id is None:
        return empty_snapshot(call.asked)
    options = yield from call.request_options()
    try:
        with graph_errors(call.address):
            state = yield from ask(
                lambda client: client.threads.get_state(
                    str(call.address.thread_id),
                    call.address.checkpoint or None,
                    subgraphs=subgraphs,
                    **options,
                )
            )
    except Exception as error:
        if status_of(error) != NOT_FOUND:
            raise
        return empty_snapshot(call.asked)
    return snapshot_from(state, call.decoder_for_server(), call.asked)


def get_history_page(call: StateCall, pages: HistoryPages) -> Flow[list[StateSnapshot]]:
    """Read the next page of a history; return an empty one for a thread that does not exist.

    POST /threads/{thread_id}/history
    """
    options = yield from call.request_options()
    try:
        with graph_errors(call.address):
            states = yield from ask(
                lambda client: client.threads.get_history(
                    str(call.address.thread_id), **pages.request(), **options
                )
            )
    except Exception as error:
        if status_of(error) != NOT_FOUND:
            raise
        states = []
    pages.add_page(states)
    decoder = call.decoder_for_server()
    return [snapshot_from(state, decoder, call.asked) for state in states]


def update_state(
    call: StateCall, values: GraphValue, as_node: str | None, task_id: str | None = None
) -> Flow[RunnableConfig]:
    """Write to a state, and return the config of the new checkpoint.

    POST /threads/{thread_id}/state, or with a `task_id` POST /threads

    Raises:
        NotImplementedError: A `task_id` is passed, and the server is not the bundled one.
    """
    if task_id is not None:
        written = yield from bulk_update_state(call, [[StateUpdate(values, as_node, task_id)]])
        return written
    checkpoint = yield from _write(call, values, as_node)
    written = yield from _written_config(call, checkpoint)
    return written


def _written_config(call: StateCall, checkpoint: Reply) -> Flow[RunnableConfig]:
    """Return the config of a checkpoint that was written.

    For a node of a local graph, it also has the checkpoints of the graphs around it. If the
    caller's config has none, they are read from the new state.

    GET /threads/{thread_id}/state
    """
    address = call.address
    if not address.namespace:
        return {"configurable": address.configurable(checkpoint)}
    parents = parents_of(call.asked.get("configurable") or {})
    # The entry of this graph itself does not tell the checkpoints of the graphs around it.
    if parents.keys() - {"|".join(address.namespace)}:
        return {"configurable": address.configurable(checkpoint, parents)}
    state = yield from get_state(
        replace(call, address=replace(address, checkpoint=dict(checkpoint)))
    )
    return state.config


def _write(call: StateCall, values: GraphValue, as_node: str | None) -> Flow[JsonObject]:
    """Write to a state, and return the new checkpoint."""
    if call.threads.needs_graph(call.address):
        yield from _make_thread(call)
    try:
        updated = yield from _update(call, values, as_node)
    except Exception as error:
        # The thread was known to exist, but may have been deleted since: create it and try again.
        if status_of(error) != NOT_FOUND or not call.threads.forget(call.address):
            raise
        yield from _make_thread(call)
        updated = yield from _update(call, values, as_node)
    return dict(updated["checkpoint"])


def _update(call: StateCall, values: GraphValue, as_node: str | None) -> Flow[JsonObject]:
    options = yield from call.request_options()
    thread_id, checkpoint = str(call.address.thread_id), call.address.checkpoint or None
    is_bundled = yield from reads_envelopes(call.clients, call.own)
    if is_bundled:
        enclosed = enclosed_values(values)
        sent = values if enclosed is None else enclosed
    else:
        sent = plain_messages(plain_update(values), "values")
    with graph_errors(call.address):
        if is_bundled and call.config:  # The client's method has no parameter for it.
            update = {"values": sent, "as_node": as_node, "checkpoint": checkpoint}
            updated = yield from _post(call, f"/threads/{thread_id}/state", update, options)
        else:
            updated = yield from ask(
                lambda client: client.threads.update_state(
                    thread_id, sent, as_node=as_node, checkpoint=checkpoint, **options
                )
            )
    return dict(updated)


def _post(call: StateCall, path: str, body: JsonObject, options: JsonObject) -> Flow[JSON]:
    """Send a request of the bundled server, with the config for the graph."""
    config = enclosed_config(call.config) or call.config
    sent = {name: value for name, value in {**body, "config": config}.items() if value is not None}
    return (yield from ask(lambda client: client.http.post(path, json=sent, **options)))


def bulk_update_state(
    call: StateCall, supersteps: Sequence[Sequence[StateUpdate]]
) -> Flow[RunnableConfig]:
    """Write supersteps to a state, and return the config of the last checkpoint.

    A superstep with one update is sent as a state update. The protocol accepts a superstep with
    several updates only when a thread is created; the bundled server accepts it at any time.

    Raises:
        NotImplementedError: The server is not the bundled one, and a superstep has several updates
            and the thread exists, or an update has a `task_id`. On any server: such a superstep and
            a config with a `checkpoint_id`.
        InvalidArgumentError: There is no update, or one of several has no `as_node`.
    """
    steps = checked_supersteps(supersteps)
    has_task_ids = any(update.task_id is not None for step in steps for update in step)
    if all(len(step) == 1 for step in steps) and not has_task_ids:
        written = yield from _write_one_by_one(call, [update for (update,) in steps])
        return written
    is_bundled = yield from reads_envelopes(call.clients, call.own)
    if has_task_ids and not is_bundled:
        raise NotImplementedError(
            "task_id: the protocol's state update has no such field; only the bundled server does"
        )
    if call.address.checkpoint.get("checkpoint_id"):
        raise NotImplementedError(
            "config.configurable.checkpoint_id: a superstep with several updates, or with a "
            "task_id, can be written to the latest state only"
        )
    written = yield from _write_at_once(call, steps, is_bundled)
    return written


def _write_one_by_one(call: StateCall, updates: Sequence[StateUpdate]) -> Flow[RunnableConfig]:
    for update in updates:
        checkpoint = yield from _write(call, update.values, update.as_node)
        # The next update forks from the checkpoint that this one has written.
        call = replace(call, address=replace(call.address, checkpoint=dict(checkpoint)))
    written = yield from _written_config(call, call.address.checkpoint)
    return written


def _write_at_once(
    call: StateCall, steps: Sequence[Sequence[StateUpdate]], is_bundled: bool
) -> Flow[RunnableConfig]:
    """Write supersteps with the request that creates a thread.

    POST /threads
    """
    if is_bundled:
        yield from _make_thread(call)
    else:
        yield from _refuse_existing(call)
    graph_id = yield from _graph_id(call)
    options = yield from call.request_options()
    arguments = thread_arguments(call.address)
    arguments |= {
        "metadata": {**arguments.get("metadata", {}), "graph_id": graph_id},
        "if_exists": "do_nothing" if is_bundled else "raise",
        "supersteps": [
            {"updates": [_update_document(update, is_bundled) for update in step]} for step in steps
        ],
    }
    with graph_errors(call.address):
        if is_bundled and call.config:
            yield from _post(call, "/threads", arguments, options)
        else:
            yield from ask(lambda client: client.threads.create(**arguments, **options))
    call.threads.remember(call.address, with_graph=True)
    state = yield from get_state(call)
    return state.config


def checked_supersteps(
    supersteps: Sequence[Sequence[StateUpdate]],
) -> list[list[StateUpdate]]:
    """Return the supersteps as lists, after checking them.

    Raises:
        InvalidArgumentError: A list is empty, or an update without `as_node` needs it.
    """
    steps = [[StateUpdate(*update) for update in step] for step in supersteps]
    if not steps:
        # "No supersteps provided" and "No updates provided" are langgraph's own words.
        raise InvalidArgumentError("supersteps", "is empty. No supersteps provided")
    for step in steps:
        if not step:
            raise InvalidArgumentError("supersteps", "has an empty superstep. No updates provided")
        for update in step:
            if (len(step) > 1 or update.task_id is not None) and update.as_node is None:
                raise invalid_update(
                    "an update needs `as_node` if its superstep has several or it has a task_id",
                )
    return steps


@contextmanager
def graph_errors(address: Address) -> Iterator[None]:
    """Raise the error of a refused state call as an instance of the local exception's class too.

    The bundled server sends the class in a header. Errors of other servers are raised unchanged.
    """
    try:
        yield
    except Exception as error:
        name = headers_of(error).get(ERROR_HEADER)
        if name is None:
            raise
        document = {"error": name, "message": detail_of(error)}
        raise remote_error(document, thread_id=address.given) from error


def _update_document(update: StateUpdate, is_bundled: bool) -> JsonObject:
    """Return an update in the form of a new thread's supersteps."""
    document: JsonObject = {"as_node": update.as_node}
    if update.task_id is not None:
        document["task_id"] = update.task_id
    if is_bundled and (enclosed := enclosed_values(update.values)) is not None:
        return {**document, "values": enclosed}
    if isinstance(update.values, Command):
        return {**document, **input_or_command(update.values)}
    return {**document, "values": plain_messages(update.values, "values")}


def _make_thread(call: StateCall) -> Flow[None]:
    """Create the thread, or set the graph of an existing one: a state update needs a graph.

    POST /threads
    """
    graph_id = yield from _graph_id(call)
    arguments = thread_arguments(call.address, graph_id)
    thread = yield from ask(lambda client: client.threads.create(**arguments, **call.own))
    # "do_nothing" leaves the metadata of an existing thread alone, so the graph needs a request.
    if isinstance(thread, Mapping) and not (thread.get("metadata") or {}).get("graph_id"):
        yield from ask(
            lambda client: client.threads.update(
                str(call.address.thread_id), metadata={"graph_id": graph_id}, **call.own
            )
        )
    call.threads.remember(call.address, with_graph=True)


def _graph_id(call: StateCall) -> Flow[str]:
    """Return the graph of the assistant. It is requested once if `assistant_id` is a UUID.

    GET /assistants/{assistant_id}
    """
    if call.threads.graph_id is None:
        assistant = yield from ask(
            lambda client: client.assistants.get(call.assistant_id, **call.own)
        )
        call.threads.graph_id = str(assistant["graph_id"])
    return call.threads.graph_id


def _refuse_existing(call: StateCall) -> Flow[None]:
    """Raise `NotImplementedError` if the thread exists.

    GET /threads/{thread_id}
    """
    try:
        yield from ask(lambda client: client.threads.get(str(call.address.thread_id), **call.own))
    except Exception as error:
        if status_of(error) != NOT_FOUND:
            raise
    else:
        raise NotImplementedError(
            "bulk_update_state: the thread exists, and the protocol accepts a superstep with "
            "several updates only when a thread is created"
        )


def asked_config(merged: MergedConfig, address: Address) -> RunnableConfig:
    """Return the config of a state call in the form that a local graph returns it."""
    asked = {key: value for key, value in merged.items() if value}
    if address.namespace:  # That of the task, or of the node with `checkpointer=True`.
        place = {"checkpoint_ns": "|".join(address.namespace)}
        asked["configurable"] = {**merged["configurable"], **place}
    return cast(RunnableConfig, asked)
