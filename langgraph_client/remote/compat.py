"""Everything that RemoteGraph takes from langgraph and langchain-core, each optional.

The only module of the client that imports them. Type checkers see the originals (through
`stubs/`); at run time `fallbacks` stands in for what is not installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from langgraph_client.errors import MissingExtraError
from langgraph_client.remote.aliases import Config, Foreign

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
    # Each by itself: langgraph 1.0 has neither GraphOutput nor Overwrite, and one that is missing
    # must not take the others away.
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
    "deprecation_warning",
    "event_streaming",
    "finished_message",
    "graph_callbacks",
    "hears_calls",
    "hears_models",
    "is_ai_chunk",
    "is_tracer",
    "langgraph_deprecation",
    "langgraph_error",
    "langgraph_remote_exception",
    "lifecycle_event",
    "merged_callbacks",
    "message_classes",
    "new_channel",
    "node_runnable",
    "pause",
    "streamed_messages",
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
    """Return what run streams are made of.

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


# Private to langgraph (seen in 1.2.24): channels are added before a run stream is read, otherwise.


def new_channel(mux: StreamMux, key: str) -> StreamChannel:
    """Return a channel that is read like those which a multiplexer has from its beginning."""
    channel = event_streaming().channel()
    mux._bind_and_wire({key: channel})  # noqa: SLF001
    channel._request_more = mux._pump_fn  # noqa: SLF001
    channel._arequest_more = mux._apump_fn  # noqa: SLF001
    return channel


def add_event(mux: StreamMux, method: str, data: Foreign) -> None:
    """Add an event to those that a run stream yields, without showing it to transformers."""
    mux._forward(method, data)  # noqa: SLF001


def is_ai_chunk(message: object) -> bool:
    """Return whether something is a chunk of a model's message."""
    chunk = message_classes().get("AIMessageChunk")
    return chunk is not None and isinstance(message, chunk)


def finished_message(chunk: Foreign) -> Foreign:
    """Return the message that chunks, added up, are. Needs langchain-core."""
    from langchain_core.messages import message_chunk_to_message

    return message_chunk_to_message(chunk)


@cache
def message_classes() -> dict[str, type]:
    """Return langchain-core's message classes by their `type`; empty where it is not installed."""
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


def node_runnable(told: Mapping[str, Foreign]) -> Foreign | None:
    """Return what stands for the runnable of a remote node in a drawing; None without langchain.

    It tells the class of the node on the server, as `Graph.to_json()` shows it, and cannot be run.
    It is read by key and compared as the dict that langgraph's RemoteGraph has in its place.

    Args:
        told: What the server says: `id`, the module and name of that class, and perhaps `name`.
    """
    made = _remote_node_class()
    return None if made is None else made(told=dict(told))


@cache
def _remote_node_class() -> Foreign | None:
    try:
        from langchain_core.runnables import RunnableSerializable
    except ImportError:
        return None

    class RemoteNode(RunnableSerializable[Foreign, Foreign]):
        """A node of a remote graph."""

        told: dict[str, Foreign]

        def lc_id(self) -> list[str]:  # type: ignore[override]  # a class method, there
            return list(self.told["id"])

        def __getitem__(self, key: str) -> Foreign:
            return self.told[key]

        def __eq__(self, other: object) -> bool:
            return self.told == (other.told if isinstance(other, RemoteNode) else other)

        __hash__ = None  # type: ignore[assignment]

        def invoke(self, input: Foreign, config: Foreign = None, **kwargs: Foreign) -> Foreign:
            raise NotImplementedError("a node of a remote graph cannot be run by itself")

    return RemoteNode


def pause(interrupts: tuple[Interrupt, ...]) -> Exception:
    """The exception that pauses the parent graph around this call."""
    from langgraph.errors import GraphInterrupt

    return GraphInterrupt(interrupts)


def bubble_up(command: Command[str]) -> Exception:
    """The exception that takes a command to the parent graph around this call."""
    from langgraph.errors import ParentCommand

    return ParentCommand(command)


def callback_manager(config: Config) -> Foreign | None:
    """The caller's callbacks and tracers, ready to be called; None without langchain-core."""
    try:
        from langchain_core.runnables.config import get_callback_manager_for_config
    except ImportError:
        return None
    return get_callback_manager_for_config(config)


def merged_callbacks(base: Foreign, added: Foreign) -> Foreign:
    """Return the callbacks of two configs, each a list or a manager, as one."""
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
    """The same for async code."""
    try:
        from langchain_core.runnables.config import get_async_callback_manager_for_config
    except ImportError:
        return None
    return get_async_callback_manager_for_config(config)


def graph_callbacks(manager: Foreign, run_id: Foreign) -> Foreign | None:
    """Return what calls the handlers of a graph's lifecycle; None where there are none.

    They are younger than what the rest needs (seen in langgraph 1.2).
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
    """Return the method of a handler to call for an interrupt or a resumption, and its argument."""
    from langgraph.callbacks import GraphInterruptEvent, GraphResumeEvent

    told = {key: value for key, value in event.items() if key != "event"}
    if event["event"] == "interrupt":
        return "on_interrupt", GraphInterruptEvent(run_id=run_id, **told)
    return "on_resume", GraphResumeEvent(run_id=run_id, **told)


def streamed_messages(callbacks: Foreign) -> list[set[str]]:
    """The ids of the messages that the graphs around this call have streamed; see `Nested`.

    As langgraph 1.2 keeps them: a handler of the mode "messages" has them as `seen`.
    """
    handlers = getattr(callbacks, "handlers", None) or []
    return [
        one.seen for one in handlers if hasattr(one, "tap_output_aiter") and hasattr(one, "seen")
    ]


_MODEL_CALLS = ("on_chat_model_start", "on_llm_new_token", "on_llm_end")


def hears_models(handler: Foreign) -> bool:
    """Whether a handler does something with what chat models say.

    Not a tracer, as the server traces its models itself; nor one that feeds a stream, as a parent
    graph's, which is told of remote messages by the stream itself.
    """
    from langchain_core.tracers import BaseTracer

    if isinstance(handler, BaseTracer) or hasattr(handler, "tap_output_iter"):
        return False
    return _overrides(handler, _MODEL_CALLS)


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
    """Whether a handler does something with what happens inside of a run.

    Not a tracer, see `is_tracer`; nor one that feeds a stream of langchain's or langgraph's.
    """
    from langchain_core.tracers import BaseTracer

    if isinstance(handler, BaseTracer) or _feeds_a_stream(handler):
        return False
    return _overrides(handler, _INNER_CALLS)


def is_tracer(handler: Foreign) -> bool:
    """Whether a handler is a tracer that is to see the runs inside of a remote run.

    Not LangSmith's: the server sends its runs there itself, under the same ids, and the headers of
    `distributed_tracing` join them to the caller's. Nor one that feeds a stream.
    """
    from langchain_core.tracers import BaseTracer, LangChainTracer

    return (
        isinstance(handler, BaseTracer)
        and not isinstance(handler, LangChainTracer)
        and not _feeds_a_stream(handler)
    )


def _feeds_a_stream(handler: Foreign) -> bool:
    # By inheritance, as langgraph has it: any exporter may have methods of those names.
    return any(kind.__name__ == "_StreamingCallbackHandler" for kind in type(handler).__mro__)


def call_value(name: str, value: Foreign) -> Foreign:
    """Return what a call of a handler is given, made of the JSON that stands for it.

    Args:
        name: The call.
        value: One of its arguments.
    """
    from langchain_core.documents import Document
    from langchain_core.outputs import LLMResult

    if name == "on_llm_end":
        answers = [[_generation(one) for one in several] for several in value["generations"]]
        return LLMResult(generations=answers, llm_output=value.get("llm_output"))
    if name == "on_llm_new_token" and isinstance(value, dict):
        return _generation(value)
    if name == "on_retriever_end":
        return [Document(**document) for document in value]
    return value


def _generation(told: Config) -> Foreign:
    from langchain_core import outputs

    kinds: dict[str, type] = {
        "ChatGeneration": outputs.ChatGeneration,
        "ChatGenerationChunk": outputs.ChatGenerationChunk,
        "GenerationChunk": outputs.GenerationChunk,
    }
    kind = kinds.get(told["type"], outputs.Generation)
    return kind(**{key: value for key, value in told.items() if key != "type"})


def token_of(message: Foreign) -> Foreign | None:
    """A chunk of a message, as callbacks are given it; None for a whole message."""
    from langchain_core.messages import BaseMessageChunk
    from langchain_core.outputs import ChatGenerationChunk

    return ChatGenerationChunk(message=message) if isinstance(message, BaseMessageChunk) else None


def whole_answer(message: Foreign) -> Foreign:
    """A model's answer, as callbacks are given it."""
    from langchain_core.messages import BaseMessageChunk
    from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, LLMResult

    kind = ChatGenerationChunk if isinstance(message, BaseMessageChunk) else ChatGeneration
    return LLMResult(generations=[[kind(message=message)]])


def tracing_headers() -> dict[str, str]:
    """Headers that tie the server's traces to the current one.

    LangSmith's of the current run, where there is one, and W3C `traceparent`, `tracestate` and
    `baggage` of the active OpenTelemetry span; each where its package is installed.
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
    """Return langchain's class of warnings of what is deprecated; the built-in one without it."""
    try:
        from langchain_core._api import LangChainDeprecationWarning
    except ImportError:
        return DeprecationWarning
    return LangChainDeprecationWarning


def langgraph_deprecation() -> type[DeprecationWarning]:
    """Return langgraph's class of warnings of what 1.0 deprecated; the built-in one without it."""
    try:
        from langgraph.warnings import LangGraphDeprecatedSinceV10
    except ImportError:
        return DeprecationWarning
    return LangGraphDeprecatedSinceV10


def ambient_config() -> Config | None:
    """The config of the node that is being run around this call, where there is one."""
    try:
        from langchain_core.runnables.config import var_child_runnable_config
    except ImportError:
        return None
    return var_child_runnable_config.get()


def langgraph_error(name: str) -> object:
    """Return what `langgraph.errors` calls by that name; None without langgraph, or such a name."""
    try:
        from langgraph import errors
    except ImportError:
        return None
    return vars(errors).get(name)


def bubble_up_class() -> type[Exception] | None:
    """Return the base of what a graph raises to its parent; None without langgraph."""
    try:
        from langgraph.errors import GraphBubbleUp
    except ImportError:
        return None
    return GraphBubbleUp


@cache
def langgraph_remote_exception() -> type[Exception] | None:
    """Return the exception of langgraph's own RemoteGraph; None where that is not installed."""
    try:
        from langgraph.pregel.remote import RemoteException
    except ImportError:
        return None
    return RemoteException
