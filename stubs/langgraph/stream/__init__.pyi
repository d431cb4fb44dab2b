from collections.abc import AsyncIterator, Iterator
from typing import Any

from langgraph.stream._mux import StreamMux

class StreamTransformer:
    required_stream_modes: Any

class LifecycleTransformer(StreamTransformer):
    def __init__(self, scope: tuple[str, ...] = ...) -> None: ...

class SubgraphTransformer(StreamTransformer):
    def __init__(self, scope: tuple[str, ...] = ...) -> None: ...

class GraphRunStream:
    def __init__(self, graph_iter: Iterator[Any] | None, mux: StreamMux) -> None: ...

class AsyncGraphRunStream:
    def __init__(self, graph_aiter: AsyncIterator[Any] | None, mux: StreamMux) -> None: ...
