from typing import Any, Generic, TypeVar

from langchain_core.runnables import Runnable

_State = TypeVar("_State")
_Context = TypeVar("_Context")
_Input = TypeVar("_Input")
_Output = TypeVar("_Output")

class PregelProtocol(Runnable[_Input, Any], Generic[_State, _Context, _Input, _Output]): ...
