"""Messages out of JSON: the same as the constructors make them, and only of what is a message."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core import messages
from langchain_core.messages import BaseMessage
from langchain_core.messages.tool import tool_call_chunk

from langgraph_client.remote.messages import message_from

CALL = {"name": "t", "args": {"a": [1]}, "id": "c", "type": "tool_call"}
BAD_CALL = {"name": "t", "args": "{", "id": "c", "error": None, "type": "invalid_tool_call"}
USAGE = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
MESSAGES: list[BaseMessage] = [
    messages.HumanMessage("hi", id="1", name="n"),
    messages.HumanMessage([{"type": "text", "text": "hi"}, "and"]),
    messages.HumanMessage("hi", odd=1, example=True),
    messages.SystemMessage("be kind"),
    messages.AIMessage("x", additional_kwargs={"k": 1}, response_metadata={"m": 1}),
    messages.AIMessage("", tool_calls=[CALL]),
    messages.AIMessage("", invalid_tool_calls=[BAD_CALL]),
    messages.AIMessage("x", usage_metadata=USAGE),
    messages.AIMessage(
        "",
        additional_kwargs={
            "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "t", "arguments": "{}"}}
            ]
        },
    ),
    messages.ToolMessage("r", tool_call_id="c", artifact={"a": 1}, status="error"),
    messages.FunctionMessage("r", name="f"),
    messages.ChatMessage("r", role="judge"),
    messages.RemoveMessage(id="1"),
    messages.AIMessageChunk("x", id="1"),
    messages.AIMessageChunk("x", chunk_position="last"),
    messages.AIMessageChunk("", tool_call_chunks=[tool_call_chunk(name="t", args="{}", id="c")]),
    messages.AIMessageChunk("", tool_calls=[CALL]),
    messages.HumanMessageChunk("x"),
    messages.ToolMessageChunk("r", tool_call_id="c"),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_dump_is_read_as_the_constructor_does(message: BaseMessage) -> None:
    """The same class, fields, extra fields and text."""
    document = message.model_dump(mode="json")
    if isinstance(message, messages.RemoveMessage):
        expected: Any = message
    else:
        expected = type(message)(**{k: v for k, v in document.items() if k != "type"})
    made = message_from(document)
    assert type(made) is type(message)
    assert made == expected
    assert repr(made) == repr(expected)
    assert made.model_extra == expected.model_extra
    assert made.model_dump() == expected.model_dump()
    assert made.model_copy(update={"id": "other"}).id == "other"
    assert message.content_blocks == made.content_blocks


def test_what_is_left_out_has_its_default() -> None:
    """Defaults are made for each message anew."""
    least = {"type": "ai", "content": "x", "additional_kwargs": {}, "response_metadata": {}}
    first, second = message_from(dict(least)), message_from(dict(least))
    assert first == messages.AIMessage("x")
    first.tool_calls.append(CALL)
    assert second.tool_calls == []


LEAST = {"content": "x", "additional_kwargs": {}, "response_metadata": {}}


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"type": "text", "text": "x"},
        {**LEAST, "type": "nothing"},
        {**LEAST, "type": 1},
        {**LEAST, "type": "ai", "content": {"an": "object"}},
        {**LEAST, "type": "ai", "additional_kwargs": None},
        {**LEAST, "type": "tool"},
        {**LEAST, "type": "remove"},
        {"type": "ai", "content": "x"},
    ],
)
def test_what_is_no_message_stays_what_it_is(document: dict[str, Any]) -> None:
    """Keys of a message with other values, or not all of them, are the user's own."""
    assert message_from(document) is None
