"""Call the caller's callbacks and tracers for a remote run as for a local one.

They are called for the whole run: its start, its end with the output, or its error. For events
inside the run, the bundled server sends every call that a handler got there, for nodes, models,
tools, retrievers, interrupts and resumptions. With other servers, callbacks are called for chat
models that stream: their start, tokens and end.
"""

from __future__ import annotations

import contextlib
import uuid
from typing import TYPE_CHECKING

from langgraph_client.remote.aliases import Foreign, GraphValue, JsonObject, MergedConfig, Reply
from langgraph_client.remote.compat import (
    async_callback_manager,
    callback_manager,
    graph_callbacks,
    hears_models,
    lifecycle_event,
    streams_models,
    token_of,
    whole_answer,
)
from langgraph_client.remote.handler_calls import Calls, HandlerCalls
from langgraph_client.values import LIFECYCLE_EVENT

if TYPE_CHECKING:
    from langgraph_client.remote.event_reader import PendingEvents


class RunCallbacks:
    """A context manager around a run. Without langchain-core or callbacks it does nothing."""

    def __init__(self, config: MergedConfig, input: GraphValue, name: str) -> None:
        self._config = {**config, "metadata": _metadata(config)}
        self._input = input
        self._started = {
            "name": config.get("run_name") or name,
            "run_id": config.get("run_id"),
        }
        self._run: Foreign = None
        self._models = Models()
        #: Whether a handler has methods for chat models.
        self.wants_messages = False
        #: Whether there is a handler for which models stream.
        self.streams_models = False
        #: The additional events of the bundled server that handlers need.
        self.extra_events: list[str] = []
        self._calls: HandlerCalls | None = None
        self._graph: Foreign = None
        self._handler_error: BaseException | None = None
        #: The output of the run, set when it is over.
        self.output: GraphValue = None

    @property
    def wants_output(self) -> bool:
        """Whether there is a handler, so that the output must be requested."""
        return self._run is not None

    def __enter__(self) -> RunCallbacks:
        _make(self._start(callback_manager(self._config)))
        return self

    async def __aenter__(self) -> RunCallbacks:
        await _amake(self._start(async_callback_manager(self._config)))
        return self

    @property
    def wants_more(self) -> bool:
        """Whether a handler needs more than the start and end of the whole run."""
        return self.wants_messages or bool(self.extra_events)

    def dispatch(self, pending: PendingEvents) -> None:
        """Call the handlers for events inside the run."""
        try:
            _make(self._handler_calls(pending))
        except BaseException as error:
            # Noted for `cancelling`: the error of a handler stops the run, a client's does not.
            self._handler_error = error
            raise

    async def adispatch(self, pending: PendingEvents) -> None:
        """Async twin of `dispatch`."""
        try:
            await _amake(self._handler_calls(pending))
        except BaseException as error:
            self._handler_error = error
            raise

    def is_handler_error(self, error: Exception) -> bool:
        """Return whether a handler has raised an error, when it was called by `dispatch`."""
        return error is self._handler_error

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object
    ) -> None:
        _make(self._end(error))

    async def __aexit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object
    ) -> None:
        await _amake(self._end(error))

    def _start(self, manager: Foreign) -> Calls:
        if manager is not None and manager.handlers:
            # As a local graph does (seen in langgraph 1.2), so that handlers see the same metadata.
            if "ls_integration" not in manager.metadata:
                manager.add_metadata({"ls_integration": "langgraph"})
            self.wants_messages = any(map(hears_models, manager.handlers))
            self.streams_models = any(map(streams_models, manager.handlers))
            self._run = yield manager.on_chain_start(None, self._input, **self._started)
            self._graph = graph_callbacks(manager, self._run.run_id)
            self._calls = HandlerCalls(self._run)
            self.extra_events = [*self._calls.events, *([LIFECYCLE_EVENT] if self._graph else [])]

    def _handler_calls(self, pending: PendingEvents) -> Calls:
        if self._calls is not None:
            for to, calls in pending.calls:
                yield from self._calls.calls(to, calls)
        for event in pending.lifecycle:
            name, argument = lifecycle_event(event, self._run.run_id)
            yield getattr(self._graph, name)(argument)
        for message, metadata in pending.messages:
            yield from self._models.on_message(self._run, message, metadata)

    def _end(self, error: BaseException | None) -> Calls:
        if self._run is None:
            return
        if error is None:
            yield self._run.on_chain_end(self.output)
            return
        for model in self._models.unfinished():
            yield model.on_llm_error(error)
        if self._calls is not None:
            yield from self._calls.fail(error)
        yield self._run.on_chain_error(error)


#: What langgraph copies from `configurable` to the metadata for handlers (seen in 1.2).
_COPIED = (
    "assistant_id",
    "checkpoint_id",
    "checkpoint_ns",
    "graph_id",
    "run_id",
    "task_id",
    "thread_id",
)


def _metadata(config: MergedConfig) -> JsonObject:
    """Return the metadata of a run for handlers: as in a local graph, with the thread's id."""
    configurable = config["configurable"]
    copied = {key: configurable[key] for key in _COPIED if configurable.get(key)}
    return {**copied, **config.get("metadata", {})}


class Models:
    """The chat models of a run that are streaming, and their messages so far."""

    def __init__(self) -> None:
        self._streaming: dict[str, tuple[Foreign, list[Foreign]]] = {}

    def on_message(self, run: Foreign, message: Foreign, metadata: Reply) -> Calls:
        """Yield the handler calls for a message or a chunk of one."""
        token = token_of(message)
        if token is None and "ls_model_type" not in metadata:
            return  # A node returned this message: no model has made it.
        model, chunks = self._streaming.get(message.id, (None, []))
        if model is None:
            (model,) = yield run.get_child().on_chat_model_start(
                {}, [[]], run_id=_run_id(message.id), name=metadata.get("ls_model_name")
            )
        chunks.append(message)
        self._streaming[message.id] = model, chunks
        if token is not None:
            yield model.on_llm_new_token(message.content, chunk=token)
        if token is None or getattr(message, "chunk_position", None) == "last":
            del self._streaming[message.id]
            yield model.on_llm_end(whole_answer([message] if token is None else chunks))

    def unfinished(self) -> list[Foreign]:
        """Return the models whose messages have not ended."""
        return [model for model, _ in self._streaming.values()]


def _make(calls: Calls) -> None:
    """Make blocking calls: each is made when it is yielded, and its result is sent back."""
    # This hides no error of a handler: Python turns a StopIteration that leaves a generator or
    # a coroutine into a RuntimeError.
    with contextlib.suppress(StopIteration):
        result = next(calls)
        while True:
            result = calls.send(result)


async def _amake(calls: Calls) -> None:
    """Make async calls: each is awaited, and its result is sent back."""
    # This hides no error of a handler: Python turns a StopIteration that leaves a generator or
    # a coroutine into a RuntimeError.
    with contextlib.suppress(StopIteration):
        result = await next(calls)
        while True:
            result = await calls.send(result)


def _run_id(message_id: str | None) -> uuid.UUID | None:
    """Return the run id in a message's id, `lc_run--<run_id>` in langchain-core; else None."""
    try:
        return uuid.UUID((message_id or "").rpartition("--")[2])
    except ValueError:
        return None
