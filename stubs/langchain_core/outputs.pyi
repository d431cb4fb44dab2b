from typing import Any

from langchain_core.messages import BaseMessage, BaseMessageChunk
from pydantic import BaseModel

class Generation(BaseModel):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

class GenerationChunk(Generation):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

class ChatGeneration(Generation):
    def __init__(self, *args: Any, message: BaseMessage, **kwargs: Any) -> None: ...

class ChatGenerationChunk(ChatGeneration):
    message: BaseMessageChunk

    def __init__(self, *args: Any, message: BaseMessage, **kwargs: Any) -> None: ...
    def __add__(
        self, other: ChatGenerationChunk | list[ChatGenerationChunk]
    ) -> ChatGenerationChunk: ...

class ChatResult(BaseModel):
    def __init__(self, *, generations: list[ChatGeneration], **kwargs: Any) -> None: ...

class LLMResult(BaseModel):
    def __init__(self, *, generations: list[list[Any]], **kwargs: Any) -> None: ...
