from collections.abc import Callable
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
    async def aclose(self) -> None: ...
    async def afail(self, err: BaseException) -> None: ...
