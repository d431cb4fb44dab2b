from collections.abc import Callable, Sequence
from typing import Any

class StreamMux:
    _transformers: list[Any]
    def __init__(
        self,
        *,
        factories: Sequence[Callable[[tuple[str, ...]], Any]] | None = ...,
        scope: tuple[str, ...] = ...,
        is_async: bool = ...,
    ) -> None: ...
    async def aclose(self) -> None: ...
    async def afail(self, err: BaseException) -> None: ...
