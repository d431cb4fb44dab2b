"""Messages out of JSON: the same as the constructors make them, and only of what is a message."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, strategies
from langchain_core import messages
from langchain_core.messages import BaseMessage
from langchain_core.messages.tool import tool_call_chunk

from langgraph_client.remote.compat import message_classes
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
        {**LEAST, "type": "function", "name": None},
        {"type": "ai", "content": "x"},
    ],
)
def test_what_is_no_message_stays_what_it_is(document: dict[str, Any]) -> None:
    """Keys of a message with other values, or not all of them, are the user's own."""
    assert message_from(document) is None


# --- the fast way beside the constructor, for whatever documents there may be ---

_JSON = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers(-9, 9) | strategies.text("ab"),
    lambda inner: (
        strategies.lists(inner, max_size=2)
        | strategies.dictionaries(strategies.text("ab"), inner, max_size=2)
    ),
    max_leaves=4,
)
_OBJECT = strategies.dictionaries(
    strategies.sampled_from(["tool_calls", "output_version", "a"]), _JSON | strategies.just("v1")
)
_BLOCK = strategies.sampled_from(
    [
        "text",
        7,
        {"type": "text", "text": "x"},
        {"type": "server_tool_call_chunk", "args": '{"a": 1}', "id": "c", "index": 0},
    ]
)
_CALLS = strategies.sampled_from(
    [[], [CALL], [{**CALL, "id": None}], [{**CALL, "args": None}], [{"name": "t"}], None, 1]
)
_CHUNKS = strategies.sampled_from(
    [[], [tool_call_chunk(name="t", args='{"a"', id="c", index=0)], [{"name": "t"}], None]
)
_OPTIONAL_TEXT = strategies.sampled_from([None, "a", "b", 1])
_KINDS = [*message_classes(), "nothing"]
_DOCUMENTS = strategies.fixed_dictionaries(
    {
        "type": strategies.sampled_from(_KINDS),
        "content": strategies.sampled_from(["", "x", "y", None, 1])
        | strategies.lists(_BLOCK, max_size=2),
        "additional_kwargs": _OBJECT | strategies.just({}),
        "response_metadata": _OBJECT | strategies.just({}),
    },
    optional={
        "name": _OPTIONAL_TEXT,
        "id": _OPTIONAL_TEXT,
        "tool_calls": _CALLS,
        "invalid_tool_calls": strategies.sampled_from([[], [BAD_CALL], None]),
        "tool_call_chunks": _CHUNKS,
        "usage_metadata": strategies.sampled_from([None, USAGE, {}]),
        "chunk_position": strategies.sampled_from([None, "last", "first"]),
        "tool_call_id": _OPTIONAL_TEXT,
        "artifact": _JSON,
        "status": strategies.sampled_from(["success", "error", "odd"]),
        "role": _OPTIONAL_TEXT,
        "example": strategies.sampled_from([True, False, 1]),
        "content_blocks": strategies.just([{"type": "text", "text": "z"}]),
        "other": _JSON,
    },
)


def validated(document: dict[str, Any]) -> Any:
    """What the constructor makes of a document; None where it refuses."""
    kind = message_classes().get(document["type"])
    if kind is None:
        return None
    try:
        if document["type"] == "remove":
            return kind(id=document["id"])
        return kind(**{key: value for key, value in document.items() if key != "type"})
    except (ValueError, TypeError, LookupError, AttributeError):
        return None


def parts_of(message: Any) -> tuple[Any, ...]:
    """All that a message is made of; `repr` tells True from 1, and shows the order of fields."""
    return (
        type(message),
        repr(message),
        repr(vars(message)),
        message.model_fields_set,
        message.model_extra,
        message.__pydantic_private__,
        message.model_dump_json(warnings=False),
    )


def outcome(act: Callable[[], Any]) -> tuple[Any, ...]:
    """What a use of a message gives, or how it fails."""
    try:
        return parts_of(act())
    except Exception as error:
        return (type(error), str(error))


@given(
    strategies.lists(_DOCUMENTS, min_size=1, max_size=3), strategies.lists(strategies.text("ab"))
)
def test_any_document_gives_what_the_constructor_gives(
    documents: list[dict[str, Any]], contents: list[str]
) -> None:
    """The same message, and the same of each further use, however often a document comes."""
    more = [{**documents[-1], "content": content} for content in contents]
    for document in (*documents, *more):
        made, expected = message_from(copy.deepcopy(document)), validated(copy.deepcopy(document))
        assert (made is None) == (expected is None)
        if made is None:
            continue
        assert made == expected
        assert parts_of(made) == parts_of(expected)
        assert outcome(lambda: made + made) == outcome(lambda: expected + expected)  # noqa: B023
        assert outcome(lambda: pickle.loads(pickle.dumps(made))) == outcome(lambda: expected)  # noqa: B023
        assert outcome(lambda: made.model_copy(deep=True)) == outcome(lambda: expected)  # noqa: B023
        made.additional_kwargs["tool_calls"] = 1  # Nothing of it is in the next message.
        made.id = "changed"
        assert "id" in made.model_fields_set
