from collections.abc import Callable, Sequence
from typing import Any

class StreamMux:
    def __init__(
        self,
        *,
        factories: Sequence[Callable[[tuple[str, ...]], Any]] | None = ...,
        scope: tuple[str, ...] = ...,
        is_async: bool = ...,
    ) -> None: ...
