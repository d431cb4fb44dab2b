"""Everything that RemoteGraph uses of langgraph and langchain-core. Both are optional.

This is the only module of the client that imports them. Type checkers see the originals (through
`stubs/`). At run time, `fallbacks` replaces classes that are not installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from langgraph_client.errors import MissingExtraError
from langgraph_client.remote.aliases import Config, Foreign, GraphValue, JsonObject, Reply

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langchain_core.runnables.graph import Edge, Graph, Node
    from langgraph.pregel.protocol import PregelProtocol as GraphBase
    from langgraph.stream import AsyncGraphRunStream as AsyncGraphRunStream
    from langgraph.stream import GraphRunStream as GraphRunStream
    from langgraph.stream import StreamChannel as StreamChannel
    from langgraph.stream._mux import StreamMux as StreamMux
    from langgraph.types import (
        Command,
        GraphOutput,
        Interrupt,
        Overwrite,
        PregelTask,
        Send,
        StateSnapshot,
        StateUpdate,
    )
else:
    RunnableConfig = dict
    from langgraph_client.remote import fallbacks

    try:
        from langgraph.pregel.protocol import PregelProtocol as GraphBase
    except ImportError:
        from langgraph_client.remote.fallbacks import GraphBase
    try:
        from langgraph import types
    except ImportError:
        types = fallbacks
    # Looked up one by one: langgraph 1.0 has neither GraphOutput nor Overwrite, and a single import
    # statement would then fail for all of them.
    _originals = {**vars(fallbacks), **vars(types)}
    Command = _originals["Command"]
    GraphOutput = _originals["GraphOutput"]
    Interrupt = _originals["Interrupt"]
    Overwrite = _originals["Overwrite"]
    PregelTask = _originals["PregelTask"]
    Send = _originals["Send"]
    StateSnapshot = _originals["StateSnapshot"]
    StateUpdate = _originals["StateUpdate"]
    try:
        from langchain_core.runnables.graph import Edge, Graph, Node
    except ImportError:
        from langgraph_client.remote.fallbacks import Edge, Graph, Node

__all__ = [
    "Command",
    "Edge",
    "Graph",
    "GraphBase",
    "GraphOutput",
    "Interrupt",
    "Node",
    "Overwrite",
    "PregelTask",
    "RunnableConfig",
    "Send",
    "StateSnapshot",
    "StateUpdate",
    "add_event",
    "ambient_config",
    "async_callback_manager",
    "bubble_up",
    "bubble_up_class",
    "call_value",
    "callback_manager",
    "deep_streams",
    "deprecation_warning",
    "event_streaming",
    "finished_message",
    "graph_callbacks",
    "graph_classes",
    "hears_calls",
    "hears_models",
    "is_ai_chunk",
    "is_handler_of_events",
    "is_tracer",
    "langchain_error",
    "langgraph_deprecation",
    "langgraph_error",
    "langgraph_remote_exception",
    "lifecycle_event",
    "merged_callbacks",
    "message_classes",
    "new_channel",
    "new_send",
    "node_runnable",
    "pause",
    "replayed_before",
    "streamed_messages",
    "streams_models",
    "token_of",
    "tracing_headers",
    "whole_answer",
]


class EventStreamingClasses(NamedTuple):
    """langgraph's classes of event streaming, and the projections that every run stream has."""

    mux: type[StreamMux]
    run_stream: type[GraphRunStream]
    async_run_stream: type[AsyncGraphRunStream]
    transformer: type
    channel: type[StreamChannel]
    builtin: tuple[Callable[[tuple[str, ...]], Foreign], ...]


@cache
def event_streaming() -> EventStreamingClasses:
    """Return the classes of run streams.

    Raises:
        MissingExtraError: langgraph is not installed, or is too old (seen in 1.2).
    """
    try:
        from langgraph import stream
        from langgraph.stream._mux import StreamMux
        from langgraph.stream.transformers import MessagesTransformer, ValuesTransformer
    except ImportError:
        raise MissingExtraError('events of version="v3"', "langgraph") from None
    builtin = (
        ValuesTransformer,
        MessagesTransformer,
        stream.LifecycleTransformer,
        stream.SubgraphTransformer,
    )
    return EventStreamingClasses(
        StreamMux,
        stream.GraphRunStream,
        stream.AsyncGraphRunStream,
        stream.StreamTransformer,
        stream.StreamChannel,
        builtin,
    )


# These two use private methods of langgraph (seen in 1.2.24): its public ones can add channels only
# before a run stream is read.


def new_channel(mux: StreamMux, key: str) -> StreamChannel:
    """Add a channel to a multiplexer that is being read already, and return it."""
    channel = event_streaming().channel()
    mux._bind_and_wire({key: channel})  # noqa: SLF001
    channel._request_more = mux._pump_fn  # noqa: SLF001
    channel._arequest_more = mux._apump_fn  # noqa: SLF001
    return channel


def add_event(mux: StreamMux, method: str, data: Foreign) -> None:
    """Add an event to a run stream without passing it to its transformers."""
    mux._forward(method, data)  # noqa: SLF001


def is_ai_chunk(message: object) -> bool:
    """Return whether an object is a chunk of a model's message."""
    chunk = message_classes().get("AIMessageChunk")
    return chunk is not None and isinstance(message, chunk)


def finished_message(chunks: list[Foreign]) -> Foreign:
    """Return the complete message for its chunks. Needs langchain-core."""
    from langchain_core.messages import message_chunk_to_message

    return message_chunk_to_message(_sum(chunks))


def finish_reasons(message: Foreign) -> JsonObject:
    """Return the fields of a message's last event that say why it ended.

    Providers set them in `response_metadata`. langchain-core copies them into the event since
    1.8.4, and corrects the one whose words do not depend on the provider.
    """
    streams = import_module("langchain_core.language_models.chat_model_stream")
    names: tuple[str, ...] = getattr(streams, "_FINISH_REASON_KEYS", ())
    metadata = message.response_metadata
    reasons = {name: metadata[name] for name in names if metadata.get(name)}
    if reason := reasons.get("normalized_finish_reason"):
        if any(block["type"] == "refusal" for block in message.content_blocks):
            reason = "refusal"
        elif reason == "stop" and message.tool_calls:
            reason = "tool_call"
        reasons["normalized_finish_reason"] = reason
    return reasons


def _sum(chunks: list[Foreign]) -> Foreign:
    # At once: to add one after the other takes quadratic time, as each sum parses a tool's call.
    return chunks[0] + chunks[1:] if len(chunks) > 1 else chunks[0]


@cache
def message_classes() -> dict[str, type]:
    """Return langchain-core's message classes by their `type`; empty if it is not installed."""
    try:
        from langchain_core import messages
    except ImportError:
        return {}
    return {
        "human": messages.HumanMessage,
        "ai": messages.AIMessage,
        "system": messages.SystemMessage,
        "tool": messages.ToolMessage,
        "function": messages.FunctionMessage,
        "remove": messages.RemoveMessage,
        "chat": messages.ChatMessage,
        "HumanMessageChunk": messages.HumanMessageChunk,
        "AIMessageChunk": messages.AIMessageChunk,
        "SystemMessageChunk": messages.SystemMessageChunk,
        "ToolMessageChunk": messages.ToolMessageChunk,
        "FunctionMessageChunk": messages.FunctionMessageChunk,
        "ChatMessageChunk": messages.ChatMessageChunk,
    }


def node_runnable(description: Mapping[str, Foreign]) -> Foreign | None:
    """Return an object for the runnable of a remote node; None without langchain-core.

    `Graph.to_json()` shows the class of the node on the server. The object cannot be run. It can be
    read by key and compared like the dict that langgraph's RemoteGraph has there.

    Args:
        description: The server sends `id`, the module and name of the class, and perhaps `name`.
    """
    made = _remote_node_class()
    return None if made is None else made(description=dict(description))


@cache
def _remote_node_class() -> Foreign | None:
    try:
        from langchain_core.runnables import RunnableSerializable
    except ImportError:
        return None

    class RemoteNode(RunnableSerializable[Foreign, Foreign]):
        """A node of a remote graph."""

        description: dict[str, Foreign]

        def lc_id(self) -> list[str]:  # type: ignore[override]  # a class method, there
            return list(self.description["id"])

        def __getitem__(self, key: str) -> Foreign:
            return self.description[key]

        def __eq__(self, other: object) -> bool:
            return self.description == (
                other.description if isinstance(other, RemoteNode) else other
            )

        __hash__ = None  # type: ignore[assignment]

        def invoke(self, input: Foreign, config: Foreign = None, **kwargs: Foreign) -> Foreign:
            raise NotImplementedError(
                "a node of a remote graph cannot be run by itself: invoke the graph"
            )

    return RemoteNode


def pause(interrupts: tuple[Interrupt, ...]) -> Exception:
    """Return the exception that interrupts the parent graph of this call."""
    from langgraph.errors import GraphInterrupt

    return GraphInterrupt(interrupts)


def bubble_up(command: Command[str]) -> Exception:
    """Return the exception that passes a command to the parent graph of this call."""
    from langgraph.errors import ParentCommand

    return ParentCommand(command)


def callback_manager(config: Config) -> Foreign | None:
    """Return the manager of the caller's callbacks and tracers; None without langchain-core."""
    try:
        from langchain_core.runnables.config import get_callback_manager_for_config
    except ImportError:
        return None
    return get_callback_manager_for_config(config)


def merged_callbacks(base: Foreign, added: Foreign) -> Foreign:
    """Merge the callbacks of two configs, each a list or a manager."""
    if base is None:
        return list(added) if isinstance(added, list) else added.copy()
    if isinstance(base, list) and isinstance(added, list):
        return base + added
    if not isinstance(base, list) and not isinstance(added, list):
        return base.merge(added)
    handlers: list[Foreign] = added if isinstance(added, list) else base
    manager: Foreign = base if handlers is added else added
    merged: Foreign = manager.copy()
    for handler in handlers:
        merged.add_handler(handler, inherit=True)
    return merged


def async_callback_manager(config: Config) -> Foreign | None:
    """Return the async manager of callbacks and tracers; None without langchain-core."""
    try:
        from langchain_core.runnables.config import get_async_callback_manager_for_config
    except ImportError:
        return None
    return get_async_callback_manager_for_config(config)


def graph_callbacks(manager: Foreign, run_id: Foreign) -> Foreign | None:
    """Return the manager of handlers for a graph's lifecycle; None if there are none.

    langgraph has such handlers only in newer versions (seen in 1.2) than the rest needs.
    """
    try:
        from langgraph import callbacks
    except ImportError:
        return None
    make = (
        callbacks.get_async_graph_callback_manager_for_config
        if manager.is_async
        else callbacks.get_sync_graph_callback_manager_for_config
    )
    made = make({"callbacks": manager}, run_id=run_id)
    return made if made.handlers else None


def lifecycle_event(event: Config, run_id: Foreign) -> tuple[str, Foreign]:
    """Return the handler method for an interrupt or a resumption, and its argument."""
    from langgraph.callbacks import GraphInterruptEvent, GraphResumeEvent

    fields = {key: value for key, value in event.items() if key != "event"}
    if event["event"] == "interrupt":
        return "on_interrupt", GraphInterruptEvent(run_id=run_id, **fields)
    return "on_resume", GraphResumeEvent(run_id=run_id, **fields)


def replayed_before(replay: Foreign, namespace: str) -> str | None:
    """Return the checkpoint before which a subgraph had the state with which a replay starts it.

    None if the replay has started that subgraph before.

    Args:
        replay: langgraph's state of the parent's replay (seen in 1.2), which notes the call.
        namespace: The namespace of the subgraph.
    """
    is_first = replay._is_first_visit(namespace)  # noqa: SLF001
    return str(replay.checkpoint_id) if is_first else None


def streamed_messages(callbacks: Foreign) -> list[set[str]]:
    """Return the ids of messages that parent graphs have streamed; see `Nested`.

    In langgraph 1.2, the handler of the mode "messages" keeps them as `seen`. So does a handler of
    the bundled server, for a graph around the one that it hosts.
    """
    handlers = getattr(callbacks, "handlers", None) or []
    return [
        handler.seen
        for handler in handlers
        if hasattr(handler, "seen")
        and (hasattr(handler, "tap_output_aiter") or hasattr(handler, "notes_seen_messages"))
    ]


def deep_streams(callbacks: Foreign) -> list[Foreign]:
    """Return the handlers that feed streams of graphs which show their subgraphs, too."""
    return [
        handler
        for handler in getattr(callbacks, "handlers", None) or []
        if _feeds_a_graph_stream(handler) and getattr(handler, "subgraphs", False)
    ]


def is_handler_of_events(handler: Foreign) -> bool:
    """Return whether a handler of langgraph's takes events of messages and not their chunks."""
    return any(kind.__name__ == "StreamMessagesHandlerV2" for kind in type(handler).__mro__)


_MODEL_CALLS = ("on_chat_model_start", "on_llm_new_token", "on_llm_end")


def hears_models(handler: Foreign) -> bool:
    """Return whether a handler has its own methods for chat models.

    Tracers do not count, because the server traces its models itself. Nor do handlers that feed the
    stream of a parent graph: that gets remote messages from the stream.
    """
    from langchain_core.tracers import BaseTracer

    if isinstance(handler, BaseTracer) or _feeds_a_graph_stream(handler):
        return False
    return _overrides(handler, _MODEL_CALLS)


def streams_models(handler: Foreign) -> bool:
    """Return whether models stream for a handler, as they do for that of `astream_events`.

    The handlers that feed the stream of a parent graph do not count: the mode "messages" is there
    for them.
    """
    try:
        from langchain_core.tracers._streaming import _StreamingCallbackHandler
    except ImportError:
        return hears_models(handler)
    return isinstance(handler, _StreamingCallbackHandler) and not _feeds_a_graph_stream(handler)


def _overrides(handler: Foreign, names: Iterable[str]) -> bool:
    own = (getattr(type(handler), name, None) for name in names)
    return any(getattr(call, "__module__", None) != "langchain_core.callbacks.base" for call in own)


_INNER_CALLS = (
    *_MODEL_CALLS,
    "on_chain_end",
    "on_chain_error",
    "on_chain_start",
    "on_custom_event",
    "on_llm_error",
    "on_llm_start",
    "on_retriever_end",
    "on_retriever_error",
    "on_retriever_start",
    "on_tool_end",
    "on_tool_error",
    "on_tool_start",
)


def hears_calls(handler: Foreign) -> bool:
    """Return whether a handler has its own methods for calls inside a run.

    Tracers do not count (see `is_tracer`), nor do handlers that feed the stream of a parent graph.
    Those of langchain, such as that of `astream_events`, do.
    """
    from langchain_core.tracers import BaseTracer

    if isinstance(handler, BaseTracer) or _feeds_a_graph_stream(handler):
        return False
    return _overrides(handler, _INNER_CALLS)


def is_tracer(handler: Foreign) -> bool:
    """Return whether a handler is a tracer that needs the runs inside a remote run.

    LangSmith's tracer does not: the server sends its runs to LangSmith itself, with the same ids,
    and the headers of `distributed_tracing` connect them to the caller's. Nor do handlers that feed
    the stream of a parent graph.
    """
    from langchain_core.tracers import BaseTracer, LangChainTracer

    return (
        isinstance(handler, BaseTracer)
        and not isinstance(handler, LangChainTracer)
        and not _feeds_a_graph_stream(handler)
    )


def _feeds_a_graph_stream(handler: Foreign) -> bool:
    # Not by method names, which any user's handler may have too.
    return any(
        kind.__module__.startswith("langgraph.pregel.") and hasattr(kind, "tap_output_iter")
        for kind in type(handler).__mro__
    )


def call_value(name: str, value: Foreign) -> Foreign:
    """Convert an argument of a handler call from JSON to langchain's object.

    Args:
        name: The handler's method.
        value: The argument as JSON.
    """
    from langchain_core.documents import Document
    from langchain_core.outputs import LLMResult

    if name == "on_llm_end":
        answers = [[_generation(item) for item in batch] for batch in value["generations"]]
        return LLMResult(generations=answers, llm_output=value.get("llm_output"))
    if name == "on_llm_new_token" and isinstance(value, dict):
        return _generation(value)
    if name == "on_retriever_end":
        return [Document(**document) for document in value]
    return value


def _generation(document: Config) -> Foreign:
    from langchain_core import outputs

    kinds: dict[str, type] = {
        "ChatGeneration": outputs.ChatGeneration,
        "ChatGenerationChunk": outputs.ChatGenerationChunk,
        "GenerationChunk": outputs.GenerationChunk,
    }
    kind = kinds.get(document["type"], outputs.Generation)
    return kind(**{key: value for key, value in document.items() if key != "type"})


@cache
def graph_classes() -> tuple[type, ...]:
    """Return langgraph's classes of values that nodes return or send, as far as it has them."""
    try:
        known = vars(import_module("langgraph.types"))
        final = vars(import_module("langgraph.func"))["entrypoint"].final
    except ImportError:
        return (Overwrite,)
    names = ("Command", "Send", "TimeoutPolicy")
    return (Overwrite, final, *(known[name] for name in names if name in known))


def new_send(node: str, arg: GraphValue, timeout: Reply | None) -> Send:
    """Return a Send, with a timeout policy of these fields if langgraph has it (seen in 1.2)."""
    if not timeout:
        return Send(node, arg)
    policy = vars(import_module("langgraph.types")).get("TimeoutPolicy")
    return Send(node, arg) if policy is None else Send(node, arg, timeout=policy(**timeout))


def token_of(message: Foreign) -> Foreign | None:
    """Return a message chunk in the form for callbacks; None for a complete message."""
    from langchain_core.messages import BaseMessageChunk
    from langchain_core.outputs import ChatGenerationChunk

    return ChatGenerationChunk(message=message) if isinstance(message, BaseMessageChunk) else None


def whole_answer(parts: list[Foreign]) -> Foreign:
    """Return a model's message, or the one that its chunks make, in the form for callbacks."""
    from langchain_core.messages import BaseMessageChunk
    from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, LLMResult

    message = _sum(parts)
    kind = ChatGenerationChunk if isinstance(message, BaseMessageChunk) else ChatGeneration
    return LLMResult(generations=[[kind(message=message)]])


def tracing_headers() -> dict[str, str]:
    """Return headers that connect the server's traces to the current one.

    These are LangSmith's headers of the current run, if there is one, and the W3C headers
    `traceparent`, `tracestate` and `baggage` of the active OpenTelemetry span. A package that is
    not installed adds none.
    """
    headers: dict[str, str] = {}
    try:
        from langsmith.run_helpers import get_current_run_tree
    except ImportError:
        pass
    else:
        if (run := get_current_run_tree()) is not None:
            headers.update(run.to_headers())
    try:
        from opentelemetry.propagate import inject
    except ImportError:
        pass
    else:
        inject(headers)
    return headers


def deprecation_warning() -> type[DeprecationWarning]:
    """Return langchain's class of deprecation warnings; the built-in one without langchain."""
    try:
        from langchain_core._api import LangChainDeprecationWarning
    except ImportError:
        return DeprecationWarning
    return LangChainDeprecationWarning


def langgraph_deprecation() -> type[DeprecationWarning]:
    """Return langgraph's class of deprecation warnings; the built-in one without langgraph."""
    try:
        from langgraph.warnings import LangGraphDeprecatedSinceV10
    except ImportError:
        return DeprecationWarning
    return LangGraphDeprecatedSinceV10


def ambient_config() -> Config | None:
    """Return the config of the node in which this call is made; None outside a node."""
    try:
        from langchain_core.runnables.config import var_child_runnable_config
    except ImportError:
        return None
    return var_child_runnable_config.get()


def langgraph_error(name: str) -> object:
    """Return the object of this name in `langgraph.errors`; None if there is none."""
    try:
        from langgraph import errors
    except ImportError:
        return None
    return vars(errors).get(name)


def langchain_error(name: str) -> object:
    """Return the object of this name in `langchain_core.exceptions`; None if there is none."""
    try:
        from langchain_core import exceptions
    except ImportError:
        return None
    return vars(exceptions).get(name)


def bubble_up_class() -> type[Exception] | None:
    """Return the base class of exceptions for a parent graph; None without langgraph."""
    try:
        from langgraph.errors import GraphBubbleUp
    except ImportError:
        return None
    return GraphBubbleUp


@cache
def langgraph_remote_exception() -> type[Exception] | None:
    """Return the exception class of langgraph's own RemoteGraph; None without langgraph."""
    try:
        from langgraph.pregel.remote import RemoteException
    except ImportError:
        return None
    return RemoteException
