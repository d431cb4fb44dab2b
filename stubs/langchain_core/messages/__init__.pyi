from typing import Any

from pydantic import BaseModel

class BaseMessage(BaseModel):
    content: str | list[str | dict[Any, Any]]
    additional_kwargs: dict[Any, Any]
    response_metadata: dict[Any, Any]
    name: str | None
    id: str | None
    def __init__(self, content: Any = None, content_blocks: Any = None, **kwargs: Any) -> None: ...

class HumanMessage(BaseMessage):
    def __init__(self, content: Any = None, content_blocks: Any = None, **kwargs: Any) -> None: ...

class AIMessage(BaseMessage):
    tool_calls: list[Any]
    invalid_tool_calls: list[Any]
    usage_metadata: Any
    def __init__(self, content: Any = None, content_blocks: Any = None, **kwargs: Any) -> None: ...

class SystemMessage(BaseMessage):
    def __init__(self, content: Any = None, content_blocks: Any = None, **kwargs: Any) -> None: ...

class ToolMessage(BaseMessage):
    def __init__(self, content: Any = None, content_blocks: Any = None, **kwargs: Any) -> None: ...

class FunctionMessage(BaseMessage):
    def __init__(self, content: Any = None, content_blocks: Any = None, **kwargs: Any) -> None: ...

class ChatMessage(BaseMessage):
    def __init__(self, content: Any = None, content_blocks: Any = None, **kwargs: Any) -> None: ...

class HumanMessageChunk(BaseMessage):
    def __init__(self, content: Any = None, content_blocks: Any = None, **kwargs: Any) -> None: ...

class AIMessageChunk(AIMessage):
    def __init__(self, content: Any = None, content_blocks: Any = None, **kwargs: Any) -> None: ...

class SystemMessageChunk(BaseMessage):
    def __init__(self, content: Any = None, content_blocks: Any = None, **kwargs: Any) -> None: ...

class ToolMessageChunk(BaseMessage):
    def __init__(self, content: Any = None, content_blocks: Any = None, **kwargs: Any) -> None: ...

class FunctionMessageChunk(BaseMessage):
    def __init__(self, content: Any = None, content_blocks: Any = None, **kwargs: Any) -> None: ...

class ChatMessageChunk(BaseMessage):
    def __init__(self, content: Any = None, content_blocks: Any = None, **kwargs: Any) -> None: ...

class RemoveMessage(BaseMessage):
    def __init__(self, id: str, **kwargs: Any) -> None: ...

def message_chunk_to_message(chunk: BaseMessage) -> BaseMessage: ...

class BaseMessageChunk(BaseMessage):
    def __init__(self, content: Any = None, content_blocks: Any = None, **kwargs: Any) -> None: ...
