"""A chat model for tests of real graphs: it gives scripted replies, and calls tools."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import PrivateAttr

from langgraph_client.errors import InvalidArgumentError
from langgraph_client.models.fields import JsonMapping, JsonObject

Reply: TypeAlias = str | JsonMapping | Sequence[JsonMapping] | AIMessage | BaseException
"""A text, one tool call or several as `{"name": ..., "args": {...}}`, a message, or an exception
to raise."""


@dataclass(frozen=True)
class ModelCall:
    """One call of a `FakeChatModel`.

    Attributes:
        messages: The prompt.
        tools: The names of the tools that were bound.
        options: The other bound or passed options, such as `stop` and `tool_choice`.
    """

    messages: list[BaseMessage]
    tools: list[str]
    options: JsonObject = field(default_factory=dict)


class FakeChatModel(BaseChatModel):
    """A chat model that gives scripted replies, for real graphs in tests.

    It streams its replies word by word, binds tools as real models do, and works with
    `with_structured_output`. Make one for each test, since it goes through its replies once.

        model = FakeChatModel([{"name": "weather", "args": {"city": "Rome"}}, "It is sunny."])
        agent = create_agent(model, tools=[weather])

    Args:
        replies: One for each call, in order: a text; a tool call as `{"name": ..., "args": {...}}`;
            a list of such; an `AIMessage`; an exception to raise. Or a function that gets the
            messages of a call and returns its reply.
        **options: The fields of every chat model, such as `tags` and `metadata`.

    Attributes:
        calls: The calls so far, oldest first; see `ModelCall`.

    Raises:
        InvalidArgumentError: `replies` is one reply, and not a list of them.
    """

    _replies: list[Reply] | Callable[[list[BaseMessage]], Reply] = PrivateAttr()
    _calls: list[ModelCall] = PrivateAttr(default_factory=list)
    _lock: threading.Lock = PrivateAttr(default_factory=threading.Lock)

    def __init__(
        self, replies: Sequence[Reply] | Callable[[list[BaseMessage]], Reply], **options: object
    ) -> None:
        if isinstance(replies, str | Mapping | BaseMessage | BaseException):
            raise InvalidArgumentError("replies", f"must be a list of replies, not {replies!r}")
        super().__init__(**options)
        self._replies = replies if callable(replies) else list(replies)

    @property
    def calls(self) -> list[ModelCall]:
        """The calls so far, oldest first."""
        with self._lock:
            return list(self._calls)

    def bind_tools(
        self, tools: Sequence[object], *, tool_choice: object = None, **options: object
    ) -> Any:
        """Return the model with tools that its replies may call.

        Args:
            tools: Functions, tools of LangChain, pydantic classes or schemas.
            tool_choice: Recorded in `calls`; replies are scripted.
            **options: Recorded likewise.

        Returns:
            A runnable that calls this model with the tools.
        """
        schemas = [convert_to_openai_tool(tool) for tool in tools]
        if tool_choice is not None:
            options = {"tool_choice": tool_choice, **options}
        return self.bind(tools=schemas, **options)

    @property
    def _llm_type(self) -> str:
        return "fake"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: object = None,
        **options: object,
    ) -> ChatResult:
        text, tool_calls = self._next_reply(messages, stop, options)
        message = AIMessage(text, tool_calls=tool_calls, response_metadata=_metadata(tool_calls))
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: object = None,
        **options: object,
    ) -> Iterator[ChatGenerationChunk]:
        text, tool_calls = self._next_reply(messages, stop, options)
        pieces: list[dict[str, object]] = [
            {"content": piece} for piece in re.findall(r"\S+\s*|\s+", text)
        ]
        for index, call in enumerate(tool_calls):
            # As providers do: the name first, then the arguments in parts.
            named = {"name": call["name"], "args": "", "id": call["id"], "index": index}
            arguments = json.dumps(call["args"])
            half = len(arguments) // 2
            for chunk in (
                named,
                {"name": None, "args": arguments[:half], "id": None, "index": index},
                {"name": None, "args": arguments[half:], "id": None, "index": index},
            ):
                pieces.append({"content": "", "tool_call_chunks": [chunk]})
        pieces.append({"content": "", "response_metadata": _metadata(tool_calls)})
        for piece in pieces:
            yield ChatGenerationChunk(message=AIMessageChunk(**piece))

    def _next_reply(
        self, messages: list[BaseMessage], stop: list[str] | None, options: JsonObject
    ) -> tuple[str, list[JsonObject]]:
        """Return the text and the tool calls of the next reply; raise it if it is an exception."""
        tools = [tool["function"]["name"] for tool in options.get("tools", ())]
        others = {name: value for name, value in options.items() if name != "tools"}
        if stop is not None:
            others["stop"] = stop
        with self._lock:
            number = len(self._calls)
            self._calls.append(ModelCall(list(messages), tools, others))
        if callable(self._replies):
            reply = self._replies(list(messages))
        elif number < len(self._replies):
            reply = self._replies[number]
        else:
            raise AssertionError(f"call {number + 1} of a model with {number} replies")
        text, tool_calls = _parse(reply, number)
        for call in tool_calls:
            if call["name"] not in tools:
                raise AssertionError(
                    f"reply {number + 1} calls {call['name']!r}, bound are {tools}"
                )
        return text, tool_calls


def _parse(reply: Reply, number: int) -> tuple[str, list[JsonObject]]:
    if isinstance(reply, BaseException):
        raise reply
    text = ""
    calls: Sequence[JsonMapping] = ()
    if isinstance(reply, str):
        text = reply
    elif isinstance(reply, AIMessage):
        fields = reply.model_dump()
        text, calls = fields["content"], fields["tool_calls"]
    elif isinstance(reply, Mapping):
        calls = [reply]
    else:
        calls = reply
    return text, [
        {
            "type": "tool_call",
            "name": call["name"],
            "args": dict(call.get("args", {})),
            "id": call.get("id") or f"call_{number + 1}_{position}",
        }
        for position, call in enumerate(calls, start=1)
    ]


def _metadata(tool_calls: Sequence[object]) -> JsonObject:
    return {"finish_reason": "tool_calls" if tool_calls else "stop"}
