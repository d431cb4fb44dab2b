from typing import Any

from pydantic import BaseModel

class BaseChatModel(BaseModel):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
    def bind(self, **kwargs: Any) -> Any: ...
