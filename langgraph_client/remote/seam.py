"""Everything that RemoteGraph takes from langgraph and langchain-core, each optional.

The only module of the client that imports them. Type checkers see the originals (through
`stubs/`); at run time `lookalike` stands in for what is not installed.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from langgraph_client.errors import RemoteException

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langchain_core.runnables.graph import Edge, Graph, Node
    from langgraph.pregel.protocol import PregelProtocol as GraphBase
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
    try:
        from langgraph.pregel.protocol import PregelProtocol as GraphBase
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
    except ImportError:
        from langgraph_client.remote.lookalike import (
            Command,
            GraphBase,
            GraphOutput,
            Interrupt,
            Overwrite,
            PregelTask,
            Send,
            StateSnapshot,
            StateUpdate,
        )
    try:
        from langchain_core.runnables.graph import Edge, Graph, Node
    except ImportError:
        from langgraph_client.remote.lookalike import Edge, Graph, Node

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
    "ambient_config",
    "async_callback_manager",
    "bubble_up",
    "callback_manager",
    "hears_models",
    "message_from",
    "pause",
    "run_error",
    "streamed_messages",
    "token_of",
    "tracing_headers",
    "whole_answer",
]

_MESSAGE_KEYS = ("content", "additional_kwargs", "response_metadata")
_message_classes: dict[str, Any] | None = None


def _load_message_classes() -> dict[str, Any]:
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


def message_from(document: dict[str, Any]) -> Any:
    """The message object that a JSON object stands for, or None where it is not a message.

    Servers always write `content`, `additional_kwargs` and `response_metadata`; a dict of the
    user's that merely has a `type`, such as a content block, stays a dict. None, too, where
    langchain-core is not installed.
    """
    global _message_classes
    kind = document.get("type")
    if not isinstance(kind, str) or not all(key in document for key in _MESSAGE_KEYS):
        return None
    if _message_classes is None:
        _message_classes = _load_message_classes()
    made = _message_classes.get(kind)
    if made is None:
        return None
    fields = {key: value for key, value in document.items() if key != "type"}
    if kind == "remove":  # Takes its id alone; its content is always empty.
        return made(id=fields["id"])
    return made(**fields)


def pause(interrupts: tuple[Interrupt, ...]) -> Exception:
    """The exception that pauses the parent graph around this call."""
    from langgraph.errors import GraphInterrupt

    return GraphInterrupt(interrupts)


def bubble_up(command: Command[Any]) -> Exception:
    """The exception that takes a command to the parent graph around this call."""
    from langgraph.errors import ParentCommand

    return ParentCommand(command)


def callback_manager(config: Mapping[str, Any]) -> Any:
    """The caller's callbacks and tracers, ready to be called; None without langchain-core."""
    try:
        from langchain_core.runnables.config import get_callback_manager_for_config
    except ImportError:
        return None
    return get_callback_manager_for_config(config)


def async_callback_manager(config: Mapping[str, Any]) -> Any:
    """The same for async code."""
    try:
        from langchain_core.runnables.config import get_async_callback_manager_for_config
    except ImportError:
        return None
    return get_async_callback_manager_for_config(config)


def streamed_messages(callbacks: Any) -> list[set[Any]]:
    """The ids of the messages that the graphs around this call have streamed; see `Nested`.

    As langgraph 1.2 keeps them: a handler of the mode "messages" has them as `seen`.
    """
    handlers = getattr(callbacks, "handlers", None) or []
    return [
        one.seen for one in handlers if hasattr(one, "tap_output_aiter") and hasattr(one, "seen")
    ]


_MODEL_CALLS = ("on_chat_model_start", "on_llm_new_token", "on_llm_end")


def hears_models(handler: Any) -> bool:
    """Whether a handler does something with what chat models say.

    Not a tracer, as the server traces its models itself; nor one that feeds a stream, as a parent
    graph's, which is told of remote messages by the stream itself.
    """
    from langchain_core.tracers import BaseTracer

    if isinstance(handler, BaseTracer) or hasattr(handler, "tap_output_iter"):
        return False
    own = (getattr(type(handler), name, None) for name in _MODEL_CALLS)
    return any(getattr(call, "__module__", None) != "langchain_core.callbacks.base" for call in own)


def token_of(message: Any) -> Any:
    """A chunk of a message, as callbacks are given it; None for a whole message."""
    from langchain_core.messages import BaseMessageChunk
    from langchain_core.outputs import ChatGenerationChunk

    return ChatGenerationChunk(message=message) if isinstance(message, BaseMessageChunk) else None


def whole_answer(message: Any) -> Any:
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


def ambient_config() -> Mapping[str, Any] | None:
    """The config of the node that is being run around this call, where there is one."""
    try:
        from langchain_core.runnables.config import var_child_runnable_config
    except ImportError:
        return None
    return var_child_runnable_config.get()


_error_classes: dict[str, type[RemoteException]] = {}


def run_error(error: str, message: str, **details: Any) -> RemoteException:
    """The exception for a run that failed with an exception called `error`.

    A subclass of `RemoteException`, and of the local class of that name too, where there is one
    (Python's own exceptions, langgraph's errors), so that either `except` catches it.
    """
    made = _error_classes.get(error)
    if made is None:
        made = _error_classes[error] = _error_class(error)
    return made(error, message, **details)


def _error_class(error: str) -> type[RemoteException]:
    local = getattr(builtins, error, None)
    if local is None:
        try:
            from langgraph import errors
        except ImportError:
            return RemoteException
        local = getattr(errors, error, None)
    if not (isinstance(local, type) and issubclass(local, Exception)):
        return RemoteException
    try:
        return type(
            f"Remote{error}",
            (RemoteException, local),
            {"__module__": __name__, "__reduce__": _reduce_run_error},
        )
    except TypeError:  # Some built-in exceptions have a layout that does not combine.
        return RemoteException


def _reduce_run_error(self: RemoteException) -> tuple[Any, ...]:
    # Classes made on demand cannot be pickled by name; remake them from what they were made of.
    return _restore_run_error, (self.error, self.message, dict(self.__dict__))


def _restore_run_error(error: str, message: str, state: dict[str, Any]) -> RemoteException:
    restored = run_error(error, message)
    restored.__dict__.update(state)
    return restored
