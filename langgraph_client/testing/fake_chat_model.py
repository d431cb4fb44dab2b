"""A chat model for tests of real graphs: it gives scripted replies, and calls tools."""

from __future__ import annotations

import difflib
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, message_chunk_to_message
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.outputs import ChatGenerationChunk as LangchainChunk
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import PrivateAttr

from langgraph_client.errors import InvalidArgumentError
from langgraph_client.models.fields import JsonMapping, JsonObject

Reply: TypeAlias = str | JsonMapping | Sequence[JsonMapping] | AIMessage | BaseException
"""A text, one tool call or several as `{"name": ..., "args": {...}}`, a message, or an exception
to raise."""

_CALL_FIELDS = ("name", "args", "id", "type")
_LOCK = threading.Lock()
"""Counts the calls, of all models: with a lock of its own, a model could not be copied."""


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

    A message reaches a graph with all its fields, also when the graph's tokens are streamed. Two
    are lost where langchain puts the parts together by itself, in event streams and in a sum of
    what `stream` yields: the `name`, and the `error` of an invalid tool call. In such a sum,
    arguments that are cut off, such as `{"a": 1`, are read as far as they can be.

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
        InvalidArgumentError: `replies` is one reply and not a list of them, or has something that
            is no reply.
    """

    _replies: list[Reply] | Callable[[list[BaseMessage]], Reply] = PrivateAttr()
    _calls: list[ModelCall] = PrivateAttr(default_factory=list)

    def __init__(
        self, replies: Sequence[Reply] | Callable[[list[BaseMessage]], Reply], **options: object
    ) -> None:
        if not callable(replies):
            is_one = isinstance(replies, str | bytes)
            if is_one or not isinstance(replies, Sequence):
                raise InvalidArgumentError("replies", f"must be a list of replies, not {replies!r}")
            for number, reply in enumerate(replies):
                if problem := _problem(reply):
                    raise InvalidArgumentError(f"replies[{number}]", problem)
        super().__init__(**options)
        self._replies = replies if callable(replies) else list(replies)

    @property
    def calls(self) -> list[ModelCall]:
        """The calls so far, oldest first."""
        with _LOCK:
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
        message = self._next_reply(messages, stop, options)
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: object = None,
        **options: object,
    ) -> Iterator[LangchainChunk]:
        reply = self._next_reply(messages, stop, options)
        for chunk in _chunks(reply):
            yield ChatGenerationChunk(chunk, reply)

    def _next_reply(
        self, messages: list[BaseMessage], stop: list[str] | None, options: JsonObject
    ) -> AIMessage:
        """Return the next reply as a message; raise it if it is an exception."""
        tools = [_tool_name(tool) for tool in options.get("tools", ())]
        others = {name: value for name, value in options.items() if name != "tools"}
        if stop is not None:
            others["stop"] = stop
        # Numbered and noted at once: nodes that run side by side call the model from threads.
        with _LOCK:
            number = len(self._calls)
            self._calls.append(ModelCall(list(messages), tools, others))
        if callable(self._replies):
            reply = self._replies(list(messages))
        elif number < len(self._replies):
            reply = self._replies[number]
        else:
            known = len(self._replies)
            raise AssertionError(
                f"no reply is left for call {number + 1} of the model: FakeChatModel got {known}"
            )
        message = _message(reply, number, messages)
        for call in message.tool_calls:
            if call["name"] not in tools:
                raise AssertionError(
                    f"reply {number + 1} calls the tool {call['name']!r}, which is not bound;"
                    f" bound tools: {', '.join(map(repr, tools)) or 'none'}"
                )
        return message


class ChatGenerationChunk(LangchainChunk):
    """A part of a streamed reply. Added up by langchain, the parts are the reply again.

    The sum of messages has no name. It reads the arguments of a tool call as far as they can be
    read, so that an invalid call becomes a valid one. This class has the name of langchain's, as
    what is sent or traced is told apart by that.
    """

    _reply: AIMessage = PrivateAttr()

    def __init__(self, message: AIMessageChunk, reply: AIMessage) -> None:
        super().__init__(message=message)
        self._reply = reply

    def __add__(self, other: LangchainChunk | list[LangchainChunk]) -> LangchainChunk:
        total = super().__add__(other)
        if isinstance(other, list) and isinstance(total.message, AIMessageChunk):  # All the rest.
            total.message.name = self._reply.name
            total.message.tool_calls = self._reply.tool_calls
            total.message.invalid_tool_calls = self._reply.invalid_tool_calls
        return total


def _tool_name(tool: JsonMapping) -> str:
    """Return the name of a bound tool; of a provider's own tool, its type."""
    schema = tool.get("function", tool)
    return str(schema.get("name") or schema.get("type"))


def _message(reply: Reply, number: int, prompt: Sequence[BaseMessage]) -> AIMessage:
    """Return a reply as a message with everything that the test wrote."""
    if problem := _problem(reply):  # A function gave it.
        raise AssertionError(f"reply {number + 1} is not a reply: {problem}")
    if isinstance(reply, BaseException):
        raise reply
    if isinstance(reply, str):
        message = AIMessage(reply)
    # Before `AIMessage`, whose subclass it is: `_generate` must not return a chunk.
    elif isinstance(reply, AIMessageChunk):
        message = cast("AIMessage", message_chunk_to_message(reply))
    elif isinstance(reply, AIMessage):
        # A copy, because langchain writes the run's id to it.
        message = reply.model_copy(deep=True)
    elif isinstance(reply, Mapping):
        message = _calling([reply])
    else:
        message = _calling(reply)
    first = _free_number(number + 1, prompt)
    for position, call in enumerate(message.tool_calls, start=1):
        call["id"] = call["id"] or f"call_{first}_{position}"
    reason = "tool_calls" if message.tool_calls else "stop"
    message.response_metadata = {"finish_reason": reason, **message.response_metadata}
    return message


def _problem(reply: object) -> str | None:
    """Return what is wrong with a reply; None if nothing is."""
    if isinstance(reply, str | AIMessage | BaseException):
        return None
    calls = [reply] if isinstance(reply, Mapping) else reply
    if not isinstance(calls, Sequence) or isinstance(calls, bytes):
        return f"must be a text, tool calls, an AIMessage or an exception, not {reply!r}"
    for call in calls:
        is_call = isinstance(call, Mapping) and isinstance(call.get("name"), str)
        if not is_call or not isinstance(call.get("args", {}), Mapping):
            return f'a tool call must be like {{"name": "weather", "args": {{}}}}, not {call!r}'
        for name in call:
            if name not in _CALL_FIELDS:
                near = difflib.get_close_matches(str(name), _CALL_FIELDS, 1)
                advice = f"; did you mean {near[0]!r}?" if near else ""
                return f"a tool call has {', '.join(_CALL_FIELDS)}, and no {name!r}{advice}"
    return None


def _free_number(number: int, prompt: Sequence[BaseMessage]) -> int:
    """Return the first number, from this one on, that no id of a tool call in the prompt has.

    Another model may have made those: an agent would take a call with the same id for answered.
    """
    ids = {
        str(call["id"]) for message in prompt for call in getattr(message, "tool_calls", ()) or ()
    }
    while any(known.startswith(f"call_{number}_") for known in ids):
        number += 1
    return number


def _calling(calls: Sequence[JsonMapping]) -> AIMessage:
    return AIMessage(
        "",
        tool_calls=[
            {"name": call["name"], "args": dict(call.get("args", {})), "id": call.get("id")}
            for call in calls
        ],
    )


def _chunks(message: AIMessage) -> Iterator[AIMessageChunk]:
    """Yield a message in parts: words, or blocks; tool calls; the rest with the last part."""
    content = message.content
    pieces: list[dict[str, object]] = (
        [{"content": piece} for piece in re.findall(r"\S+\s*|\s+", content)]
        if isinstance(content, str)
        else [{"content": [block]} for block in content]
    )
    nothing: object = "" if isinstance(content, str) else []
    calls = [(call, json.dumps(call["args"])) for call in message.tool_calls]
    calls += [(call, call["args"] or "") for call in message.invalid_tool_calls]
    for index, (call, arguments) in enumerate(calls):
        # As providers do: the name first, then the arguments in parts.
        half = len(arguments) // 2
        for name, call_id, part in (
            (call["name"], call["id"], ""),
            (None, None, arguments[:half]),
            (None, None, arguments[half:]),
        ):
            chunk = {"name": name, "args": part, "id": call_id, "index": index}
            pieces.append({"content": nothing, "tool_call_chunks": [chunk]})
    rest = ("response_metadata", "usage_metadata", "additional_kwargs")
    pieces.append({"content": nothing, **{field: getattr(message, field) for field in rest}})
    for piece in pieces:
        yield AIMessageChunk(**piece, id=message.id, name=message.name)
