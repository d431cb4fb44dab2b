from abc import ABC
from typing import Any, Generic, TypeVar

from langchain_core.runnables.config import RunnableConfig as RunnableConfig

_Input = TypeVar("_Input")
_Output = TypeVar("_Output")

class Runnable(ABC, Generic[_Input, _Output]):
    name: str | None
    def get_name(self, suffix: str | None = None, *, name: str | None = None) -> str: ...
    def batch(
        self,
        inputs: list[_Input],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any | None,
    ) -> list[_Output]: ...
    async def abatch(
        self,
        inputs: list[_Input],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any | None,
    ) -> list[_Output]: ...

class RunnableSerializable(Runnable[_Input, _Output]):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
    @classmethod
    def lc_id(cls) -> list[str]: ...
