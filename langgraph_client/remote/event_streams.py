"""Create langgraph's run streams (v3) for a RemoteGraph from the parts of its `stream`.

A local graph creates its run stream in the same way, from the parts of its own `stream`. So a
caller's transformers run in this process, and any server works. For transformers that the graph was
compiled with, the bundled server sends what they push.
"""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    Callable,
    Generator,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import closing
from typing import TYPE_CHECKING

from langgraph_client.remote.aliases import JSON, Config, Foreign, JsonObject, MergedConfig
from langgraph_client.remote.closing import AsyncConverted
from langgraph_client.remote.compat import event_streaming
from langgraph_client.remote.extensions import server_channels
from langgraph_client.remote.message_events import MessageEvents

if TYPE_CHECKING:
    from langgraph_client.remote.compat import AsyncGraphRunStream, GraphRunStream

Transformer = Callable[[tuple[str, ...]], Foreign]
"""Creates a projection for a scope: one of langgraph's classes, or a factory."""
_OWN = ("stream_mode", "subgraphs")


class EventStreaming:
    """Creates a run stream of version "v3".

    Args:
        transformers: Projections in addition to those that every run stream has.
        is_async: Whether the run stream is for async code.
        options: The caller's other keywords, which are passed to `stream`.
        config: The config of the run. If it has a `checkpoint_ns`, the projections show only
            events inside that namespace, as in a local graph: without a parent graph there are
            none.

    Raises:
        MissingExtraError: langgraph is not installed, or is too old for event streaming.
        TypeError: A transformer is an instance, or `options` has `stream_mode` or `subgraphs`.
    """

    def __init__(
        self,
        transformers: Sequence[Transformer],
        *,
        is_async: bool,
        options: Mapping[str, JSON],
        config: MergedConfig,
    ) -> None:
        if taken := [name for name in _OWN if name in options]:
            raise TypeError(f'version="v3" sets {" and ".join(taken)} itself: leave it out')
        self._classes = event_streaming()
        built: list[Foreign] = []

        def noted(make: Transformer) -> Transformer:
            if isinstance(make, self._classes.transformer) or not callable(make):
                raise TypeError(
                    f"transformers: {type(make).__name__} is a pre-built instance; pass the class "
                    "or a factory, because each subgraph gets its own instance"
                )

            def factory(scope: tuple[str, ...]) -> Foreign:
                built.append(make(scope))
                return built[-1]

            return factory

        factories = [noted(make) for make in (*self._classes.builtin, *transformers)]
        namespace = config["configurable"].get("checkpoint_ns")
        self._mux = self._classes.mux(
            [server_channels()],  # An instance: only for the root. Factories are for subgraphs too.
            factories=factories,
            scope=tuple(namespace.split("|")) if namespace else (),
            is_async=is_async,
        )
        # The instances for subgraphs, which are made later, are of the same classes and modes.
        self._modes = sorted(
            {mode for transformer in built for mode in transformer.required_stream_modes}
        )
        self._options = options

    def arguments(self, input: JSON, config: Config | None) -> JsonObject:
        """Return the arguments of the `stream` whose parts the run stream reads."""
        return {
            "input": input,
            "config": config,
            "stream_mode": self._modes,
            "subgraphs": True,
            "version": "v2",
            "run_stream": True,
            "kwargs": dict(self._options),
        }

    def run_stream(self, parts: Generator[Foreign, None, None]) -> GraphRunStream:
        """Return the run stream over the parts of `stream(version="v2", subgraphs=True)`."""
        return self._classes.run_stream(_converted(parts), self._mux)

    def async_run_stream(self, parts: AsyncGenerator[Foreign, None]) -> AsyncGraphRunStream:
        """Return the run stream over the parts of `astream(version="v2", subgraphs=True)`."""
        events = MessageEvents()
        converted = AsyncConverted(parts, events.convert, at_end=events.finish)
        return self._classes.async_run_stream(converted, self._mux)


def _converted(parts: Generator[Foreign, None, None]) -> Iterator[Foreign]:
    events = MessageEvents()
    with closing(parts):
        for part in parts:
            yield from events.convert(part)
    yield from events.finish()
