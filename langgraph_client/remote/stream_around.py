"""The streams of graphs around a call on a thread of its own. No I/O.

Such a call is no subgraph of the graph in whose node it is made. But that graph streams what it
hears from callbacks, which the call inherits: the messages of its models and its tools (seen in
langgraph 1.2). It does so only together with those of subgraphs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from langgraph_client.remote.aliases import Foreign, GraphValue
from langgraph_client.remote.compat import deep_streams, is_handler_of_events

_Event = tuple[tuple[str, ...], str, GraphValue]


@dataclass(frozen=True)
class StreamAround:
    """The streams of the graphs around one call."""

    #: The namespace of the call in the events.
    namespace: tuple[str, ...]
    #: Adds `(namespace, mode, data)` to the streams.
    emit: Callable[[_Event], None]
    #: The modes of which they get events: "messages" and "tools".
    modes: frozenset[str]
    #: Whether they get events of messages and not their chunks, for version "v3".
    wants_message_events: bool
    #: The ids of messages that they have streamed and must not stream again.
    streamed: Sequence[set[str]]

    @classmethod
    def of(
        cls, callbacks: Foreign, namespace: tuple[str, ...], *, takes_messages: bool
    ) -> StreamAround | None:
        """Return the streams that the callbacks of a call feed; None if they feed none.

        Args:
            callbacks: The callbacks of the call.
            namespace: Its namespace.
            takes_messages: See `Nested.of`.
        """
        handlers = deep_streams(callbacks)
        messages = [handler for handler in handlers if hasattr(handler, "seen")]
        chunks = [handler for handler in messages if not is_handler_of_events(handler)]
        by_mode = {
            "messages": chunks or ([] if takes_messages else messages),
            "tools": [handler for handler in handlers if not hasattr(handler, "seen")],
        }
        modes = frozenset(mode for mode, feeding in by_mode.items() if feeding)

        def emit(event: _Event) -> None:
            for handler in by_mode[event[1]]:
                handler.stream(event)

        streamed = [handler.seen for handler in by_mode["messages"]]
        wants_message_events = bool(by_mode["messages"]) and not chunks
        return cls(namespace, emit, modes, wants_message_events, streamed) if modes else None
