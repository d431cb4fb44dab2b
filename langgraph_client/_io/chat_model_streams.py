"""Messages that are being streamed: langchain-core's objects where it is installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from langgraph_client._core.event_filter import Namespace
from langgraph_client._core.run_log import MakeMessage, MessageSink
from langgraph_client._io.tasks import Signal as AsyncSignal
from langgraph_client._io.threads import Signal
from langgraph_client.errors import MissingExtraError
from langgraph_client.models.fields import JSON


class RawMessage:
    """A message if langchain-core is not installed: its events in the order of their arrival.

    Attributes:
        namespace: The graph that it belongs to.
        message_id: Its id; None if the server does not send it.
        events: The data of its `messages` events so far.
        done: Whether it is complete, or failed.
        error: The reason why it is not complete.
    """

    def __init__(self, namespace: Namespace, message_id: str | None) -> None:
        self.namespace = list(namespace)
        self.message_id = message_id
        self.events: list[JSON] = []
        self.done = False
        self.error: BaseException | None = None

    def dispatch(self, event: JSON) -> None:
        """Take the next event."""
        self.events.append(event)
        self.done = self.done or event.get("event") in ("message-finish", "error")

    def fail(self, error: BaseException) -> None:
        """End the message with an error."""
        self.done, self.error = True, error

    def __getattr__(self, name: str) -> NoReturn:
        if name in ("text", "reasoning", "tool_calls", "output"):
            raise MissingExtraError(f"{name} of a streamed message", "langgraph")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


def async_messages(changed: AsyncSignal) -> MakeMessage:
    """Return what makes messages for async readers."""
    try:
        from langchain_core.language_models.chat_model_stream import AsyncChatModelStream
    except ImportError:
        return RawMessage

    def make(namespace: Namespace, message_id: str | None) -> MessageSink:
        return AsyncChatModelStream(namespace=list(namespace), message_id=message_id)

    return make


def blocking_messages(changed: Signal) -> MakeMessage:
    """Return what makes messages for blocking readers, who wait on `changed` for more."""
    try:
        from langchain_core.language_models.chat_model_stream import ChatModelStream
    except ImportError:
        return RawMessage

    def make(namespace: Namespace, message_id: str | None) -> MessageSink:
        message = ChatModelStream(namespace=list(namespace), message_id=message_id)
        message.set_request_more(_waiting(changed))
        return message

    return make


def _waiting(changed: Signal) -> Callable[[], bool]:
    """Return a call that waits for the next change. One that came since the last call counts."""
    seen = -1

    def more() -> bool:
        nonlocal seen
        before = seen
        changed.wait(lambda: changed.count != before)
        seen = changed.count
        return True

    return more
