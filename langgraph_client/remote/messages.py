"""Convert messages from the server's JSON to message objects.

Most of a stream is messages, and langchain-core's constructors take ten times as long as reading
the JSON did. What a server has dumped was a valid message there. So a document whose fields are all
of the types that a dump has is made into a message without the constructor; it is the same message,
which a test compares for each class. Any other document goes through the constructor.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple, cast

from pydantic import BaseModel

from langgraph_client.remote.aliases import JSON, Foreign, JsonObject
from langgraph_client.remote.compat import message_classes

_KEYS = {"content", "response_metadata"}
_TOOL_CALL = {"name", "args", "id", "type"}
_NONE = type(None)
#: The types that a dump has in a field. Any other is for the constructor.
_TYPES: dict[str, frozenset[type]] = {
    "additional_kwargs": frozenset({dict}),
    "artifact": frozenset({_NONE, str, int, float, bool, list, dict, tuple}),
    "chunk_position": frozenset({_NONE, str}),
    "content": frozenset({str, list}),
    "id": frozenset({_NONE, str}),
    "invalid_tool_calls": frozenset({list}),
    "name": frozenset({_NONE, str}),
    "response_metadata": frozenset({dict}),
    "role": frozenset({str}),
    "status": frozenset({str}),
    "tool_call_chunks": frozenset({list}),
    "tool_call_id": frozenset({str}),
    "tool_calls": frozenset({list}),
    "type": frozenset({str}),
    "usage_metadata": frozenset({_NONE}),
}
_set: Callable[[object, str, object], None] = object.__setattr__


def message_from(document: JsonObject) -> Foreign | None:
    """Return the message object that a JSON object stands for, or None if it is not a message.

    Servers always write `content`, `additional_kwargs` and `response_metadata`; a dict of the
    user's that merely has a `type`, such as a content block, stays a dict. None, too, where
    langchain-core is not installed.
    """
    if not (
        "additional_kwargs" in document
        and "response_metadata" in document
        and "content" in document
    ):
        return None
    kind = document.get("type")
    maker = _makers().get(kind) if isinstance(kind, str) else None
    return None if maker is None else maker.message(document)


@cache
def _makers() -> dict[str, _Maker]:
    return {name: _Maker(kind) for name, kind in message_classes().items()}


class _Plan(NamedTuple):
    """How documents of one shape (their keys, and the types of their values) become messages."""

    defaults: JsonObject
    #: Defaults to be made for each message.
    factories: list[tuple[str, Callable[[], JSON]]]
    #: Keys that are no fields.
    unknown: list[str]
    given: set[str]


#: How many shapes a class remembers. A stream has one or two.
_REMEMBERED = 1000
_new = object.__new__


class _Maker:
    """Makes messages of one class."""

    def __init__(self, kind: type[BaseModel]) -> None:
        self._kind = kind
        self._fields = kind.model_fields
        self._plans: dict[tuple[object, ...], _Plan | None] = {}
        self._is_chunk = "tool_call_chunks" in self._fields
        self._calls_tools = "tool_calls" in self._fields
        self._is_plain = not self._calls_tools and "status" not in self._fields
        # A later version may keep state beside its fields, which only its constructor knows.
        self._is_simple = not kind.__private_attributes__ and kind.__name__ != "RemoveMessage"

    def message(self, document: JsonObject) -> Foreign | None:
        """Return the message; None where the document is not one in spite of its keys."""
        made = self._fast(document) if self._is_simple else None
        if made is not None:
            return made
        try:
            if document["type"] == "remove":  # Takes its id alone; its content is always empty.
                return self._kind(id=document["id"])
            return self._kind(**{k: value for k, value in document.items() if k != "type"})
        except (ValueError, TypeError, LookupError, AttributeError):
            return None

    def _fast(self, document: JsonObject) -> Foreign | None:
        shape = (*document, *map(type, document.values()))
        try:
            plan = self._plans[shape]
        except KeyError:
            plan = self._plan(document, shape)
        if plan is None:
            return None
        defaults, factories, unknown, given = plan
        values = {**defaults, **document}
        extra: JsonObject = {}
        if factories or unknown:
            for name, default in factories:
                values[name] = default()
            extra = {name: values.pop(name) for name in unknown}
        if not self._is_plain and not self._are_calls_plain(values):
            return None
        if type(values["content"]) is list and not _is_plain_content(values["content"]):
            return None
        # As `model_construct` does, without its looking up of aliases and defaults.
        made = _new(self._kind)
        _set(made, "__dict__", values)
        _set(made, "__pydantic_fields_set__", given.copy())
        _set(made, "__pydantic_extra__", extra)
        _set(made, "__pydantic_private__", None)
        return made

    def _plan(self, document: JsonObject, shape: tuple[object, ...]) -> _Plan | None:
        """Return what to do with a shape, and remember it; None leaves it to the constructor."""
        missing = {name: field for name, field in self._fields.items() if name not in document}
        defaults = {name: field.default for name, field in missing.items()}
        plan = None
        if not any(field.is_required() for field in missing.values()) and all(
            type(document[name]) in _TYPES.get(name, ())
            for name in self._fields
            if name in document
        ):
            factories = [
                (name, cast("Callable[[], JSON]", field.default_factory))
                for name, field in missing.items()
                if field.default_factory is not None
            ]
            unknown = [key for key in document if key not in self._fields]
            plan = _Plan(defaults, factories, unknown, set(document) - {"type"})
        if len(self._plans) < _REMEMBERED:
            self._plans[shape] = plan
        return plan

    def _are_calls_plain(self, values: JsonObject) -> bool:
        """Return whether the constructor would leave the calls of tools as they are."""
        if not self._calls_tools:  # A tool's answer.
            return values["status"] in ("success", "error")
        if values["invalid_tool_calls"] or "tool_calls" in values["additional_kwargs"]:
            return False
        calls = values["tool_calls"]
        if self._is_chunk:  # Its constructor makes chunks of calls, and calls of chunks.
            position = values["chunk_position"]
            return not calls and not values["tool_call_chunks"] and position in (None, "last")
        return not calls or all(map(_is_plain_call, calls))


def _is_plain_content(blocks: list[JSON]) -> bool:
    return all(type(block) in (str, dict) for block in blocks)


def _is_plain_call(call: JSON) -> bool:
    return (
        type(call) is dict
        and call.keys() == _TOOL_CALL
        and type(call["name"]) is str
        and type(call["args"]) is dict
        and type(call["id"]) in (str, _NONE)
        and call["type"] == "tool_call"
    )
