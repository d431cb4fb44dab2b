"""Event streaming of a RemoteGraph: langgraph's own run streams, over the parts of `stream`.

A local graph makes its run stream in the same way, over the parts of its own `stream`. So nothing
of a caller's transformer crosses the wire, and any server will do. What those push that the graph
was compiled with, the bundled server sends beside.
"""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Generator,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import aclosing, closing
from typing import TYPE_CHECKING

from langgraph_client.models.fields import JSON, JsonObject
from langgraph_client.remote.aliases import Config, Foreign, MergedConfig
from langgraph_client.remote.compat import event_streaming
from langgraph_client.remote.extensions import server_channels
from langgraph_client.remote.message_events import MessageEvents
from langgraph_client.remote.nested import TASK_ID

if TYPE_CHECKING:
    from langgraph_client.remote.compat import AsyncGraphRunStream, GraphRunStream

Transformer = Callable[[tuple[str, ...]], Foreign]
"""Makes a projection for a scope: a class of langgraph's, or a factory."""
_OWN = ("stream_mode", "subgraphs")


class EventStreaming:
    """What a run stream of version "v3" is made of.

    Args:
        transformers: Further projections beside those that every run stream has.
        is_async: Whether the run stream is read by async code.
        options: The caller's further keywords, which go to `stream`.
        config: The config of the run. Of a namespace that it names, without a parent graph, the
            projections show what is inside it, as locally: of a remote run that is nothing.

    Raises:
        MissingExtraError: langgraph is not installed, or is too old for event streaming.
        TypeError: A transformer is an instance, or an option is event streaming's own.
    """

    def __init__(
        self,
        transformers: Sequence[Transformer] | None,
        *,
        is_async: bool,
        options: Mapping[str, JSON],
        config: MergedConfig,
    ) -> None:
        if taken := [name for name in _OWN if name in options]:
            raise TypeError(f'version="v3" chooses {" and ".join(taken)} itself')
        self._classes = event_streaming()
        built: list[Foreign] = []

        def noted(make: Transformer) -> Transformer:
            if isinstance(make, self._classes.transformer) or not callable(make):
                raise TypeError(
                    f"transformers: {type(make).__name__} is a pre-built instance; give the class "
                    "or a factory, since each subgraph gets one of its own"
                )

            def factory(scope: tuple[str, ...]) -> Foreign:
                built.append(make(scope))
                return built[-1]

            return factory

        factories = [noted(make) for make in (*self._classes.builtin, *(transformers or ()))]
        self._mux = self._classes.mux(
            [server_channels()],  # Of the root graph alone: factories are for subgraphs as well.
            factories=factories,
            scope=_scope(config["configurable"]),
            is_async=is_async,
        )
        # What is made for subgraphs later needs no other modes.
        self._modes = sorted({mode for one in built for mode in one.required_stream_modes})
        self._options = options

    def arguments(self, input: JSON, config: Config | None) -> JsonObject:
        """Return the arguments of the `stream` that is read."""
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
        return self._classes.async_run_stream(_aconverted(parts), self._mux)


def _scope(configurable: JsonObject) -> tuple[str, ...]:
    namespace = configurable.get("checkpoint_ns")
    return tuple(namespace.split("|")) if namespace and TASK_ID not in configurable else ()


def _converted(parts: Generator[Foreign, None, None]) -> Iterator[Foreign]:
    events = MessageEvents()
    with closing(parts):
        for part in parts:
            yield from events.convert(part)
    yield from events.finish()


async def _aconverted(parts: AsyncGenerator[Foreign, None]) -> AsyncIterator[Foreign]:
    events = MessageEvents()
    async with aclosing(parts):
        async for part in parts:
            for converted in events.convert(part):
                yield converted
    for converted in events.finish():
        yield converted
