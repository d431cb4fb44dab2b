from collections.abc import Awaitable, Callable
from typing import Any

class StreamMux:
    def __init__(
        self,
        transformers: list[Any] | None = ...,
        *,
        is_async: bool = ...,
        factories: list[Callable[[tuple[str, ...]], Any]] | None = ...,
        scope: tuple[str, ...] = ...,
        _assign_seq: bool = ...,
    ) -> None: ...
    _transformers: list[Any]
    _pump_fn: Callable[[], bool] | None
    _apump_fn: Callable[[], Awaitable[bool]] | None
    extensions: dict[str, Any]
    def _bind_and_wire(self, projection: dict[str, Any], *, native: bool = ...) -> None: ...
    def _forward(self, method: str, item: Any) -> None: ...
    async def aclose(self) -> None: ...
    async def afail(self, err: BaseException) -> None: ...
