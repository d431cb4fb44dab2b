"""Convert messages from the server's JSON to message objects.

Most of a stream is messages, and langchain-core's constructors take ten times as long as decoding
the JSON. But a server's message was valid there, so most steps of the constructor change nothing.
So each class has a second, faster validator here. It accepts only documents whose fields all have
the types of a dump, and gives the same message as the constructor; tests compare the two. All other
documents go through the constructor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple, TypeAlias, cast

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import SchemaValidator, ValidationError, core_schema
from pydantic_core.core_schema import CoreSchema

from langgraph_client.remote.aliases import JSON, Foreign, JsonObject
from langgraph_client.remote.compat import message_classes

_TOOL_CALL = {"name", "args", "id", "type"}
_NONE = type(None)
_TEXT = core_schema.str_schema(strict=True)
_TEXT_OR_NONE = core_schema.nullable_schema(_TEXT)
# Not `dict_schema` and `list_schema`, because they copy. The decoded JSON belongs to this module.
_DICT = core_schema.is_instance_schema(dict)
_LIST = core_schema.is_instance_schema(list)
#: The type of each field in a dump. A document with other types goes through the constructor.
_FIELDS: dict[str, CoreSchema] = {
    "additional_kwargs": _DICT,
    "artifact": core_schema.any_schema(),
    "chunk_position": core_schema.literal_schema([None, "last"]),
    "content": core_schema.union_schema([_TEXT, _LIST], mode="left_to_right"),
    "example": core_schema.bool_schema(strict=True),
    "id": _TEXT_OR_NONE,
    "invalid_tool_calls": _LIST,
    "name": _TEXT_OR_NONE,
    "response_metadata": _DICT,
    "role": _TEXT,
    "status": core_schema.literal_schema(["success", "error"]),
    "tool_call_chunks": _LIST,
    "tool_call_id": _TEXT,
    "tool_calls": _LIST,
    "type": core_schema.any_schema(),  # Checked already: it has chosen the class.
}
_OTHER_FIELD = core_schema.none_schema()
_new = object.__new__
# Setters of the slots of every model. They bypass the class's `__setattr__`, and take half the time
# of `object.__setattr__`.
_set_values, _set_given, _set_extra, _set_private = (
    cast("Callable[[object, object], None]", vars(BaseModel)[slot].__set__)
    for slot in (
        "__dict__",
        "__pydantic_fields_set__",
        "__pydantic_extra__",
        "__pydantic_private__",
    )
)


def message_from(document: JsonObject) -> Foreign | None:
    """Return the message object for a JSON object; None if it is not a message.

    Servers always send `content`, `additional_kwargs` and `response_metadata`. So a user's dict
    that only has a `type`, such as a content block, stays a dict. The result is also None if
    langchain-core is not installed.
    """
    kind = document.get("type")
    maker = _makers().get(kind) if isinstance(kind, str) else None
    return None if maker is None else maker.message(document)


@cache
def _makers() -> dict[str, _Maker]:
    return {name: _Maker(kind) for name, kind in message_classes().items()}


class _Filled:
    """Takes the place of a message class in a validator's schema. It has no instances."""


#: The name of a field, and the factory of its default.
_Default: TypeAlias = tuple[str, Callable[[], JSON]]


class _Latest(NamedTuple):
    """The latest chunk of a class that was created without the constructor.

    Attributes:
        document: A copy of its document; `content` is replaced for each comparison.
        factories: The factories of fields that the document does not have.
        given: The keys of the document that are fields.
    """

    document: JsonObject
    factories: Sequence[_Default]
    given: set[str]


class _Maker:
    """Creates messages of one class."""

    def __init__(self, kind: type[BaseModel]) -> None:
        fields = kind.model_fields
        self._kind = kind
        self._calls_tools = "tool_calls" in fields
        self._is_chunk = "tool_call_chunks" in fields
        # A class with private attributes needs its constructor, which sets them.
        self._is_simple = not kind.__private_attributes__ and kind.__name__ != "RemoveMessage"
        self._fill = _validator(kind).validate_python
        self._latest: _Latest | None = None
        #: All fields in their order, which `repr` shows.
        self._defaults: JsonObject = {name: field.default for name, field in fields.items()}

    def message(self, document: JsonObject) -> Foreign | None:
        """Return the message; None if the document is not valid as one."""
        if self._latest is not None:
            latest, factories, given = self._latest
            # A shortcut for speed: the chunks of a message are equal except for their content.
            # All threads share `latest`. A race costs the shortcut and nothing else, because the
            # message is made of `document`, not of `latest`.
            content = latest["content"] = document.get("content")
            if document == latest and type(content) is str:
                return self._made_again(document, factories, given)
        if not (
            "additional_kwargs" in document
            and "response_metadata" in document
            and "content" in document
        ):
            return None
        try:
            if self._is_simple and self._is_plain(document):
                return self._made_plainly(document)
        except (ValidationError, TypeError):
            pass  # Its fields have other types than a dump: the constructor decides.
        try:
            if document["type"] == "remove":  # Its constructor refuses any content.
                return self._kind(id=document["id"])
            return self._kind(**{k: value for k, value in document.items() if k != "type"})
        except (ValueError, TypeError, LookupError, AttributeError):
            return None

    def _made_plainly(self, document: JsonObject) -> Foreign:
        """Return the message of a document, by the faster validator.

        Raises:
            ValidationError: A field has another type than in a dump.
        """
        made: Foreign = _new(self._kind)
        self._fill(document, self_instance=made)
        # Callers of the constructor never pass `type`, so it must not count as set.
        made.__pydantic_fields_set__.discard("type")
        if self._is_chunk and not made.__pydantic_extra__ and _repeatable(document):
            # A copy, because the owner of the message may change its lists and dicts.
            alone = {k: v.copy() if type(v) in (dict, list) else v for k, v in document.items()}
            factories = [
                (name, _factory(field))
                for name, field in self._kind.model_fields.items()
                if field.default_factory is not None and name not in document
            ]
            self._latest = _Latest(alone, factories, made.__pydantic_fields_set__.copy())
        return made

    def _made_again(
        self, document: JsonObject, factories: Sequence[_Default], given: set[str]
    ) -> Foreign:
        """Return the message of a document that equals the latest one except for its content."""
        values = {**self._defaults, **document}
        for name, factory in factories:
            values[name] = factory()
        # As `model_construct`, but without its search for aliases and defaults, which is slow.
        made = _new(self._kind)
        _set_values(made, values)
        _set_given(made, given.copy())
        _set_extra(made, {})
        _set_private(made, None)
        return made

    def _is_plain(self, document: JsonObject) -> bool:
        """Return whether the constructor would not change content and tool calls."""
        content = document["content"]
        if type(content) is list and not (
            all(type(block) in (str, dict) for block in content)
            # For the last chunk, the constructor completes tool calls in the content.
            and document.get("chunk_position") is None
        ):
            return False
        if "content_blocks" in document:  # The constructor makes the content of them.
            return False
        if not self._calls_tools:
            return True
        more, calls = document["additional_kwargs"], document.get("tool_calls")
        if more and "tool_calls" in more:  # The constructor reads tool calls from there.
            return False
        # The constructor makes chunks of tool calls, and tool calls of chunks.
        if document.get("invalid_tool_calls") or document.get("tool_call_chunks"):
            return False
        return not calls or (not self._is_chunk and all(map(_is_plain_call, calls)))


def _validator(kind: type[BaseModel]) -> SchemaValidator:
    """Return the faster validator of a class: it sets fields, defaults and extra keys."""
    fields = {}
    for name, field in kind.model_fields.items():
        schema = _FIELDS.get(name, _OTHER_FIELD)
        if field.is_required() and schema is _TEXT_OR_NONE:  # The name of a function.
            schema = _TEXT
        if field.default_factory is not None:
            schema = core_schema.with_default_schema(schema, default_factory=_factory(field))
        elif not field.is_required():
            schema = core_schema.with_default_schema(schema, default=field.default)
        fields[name] = core_schema.model_field(schema)
    inside = core_schema.model_fields_schema(fields, extra_behavior="allow")
    # With `kind` itself, pydantic would use the class's own validator.
    return SchemaValidator(core_schema.model_schema(_Filled, inside))


def _factory(field: FieldInfo) -> Callable[[], JSON]:
    return cast("Callable[[], JSON]", field.default_factory)


def _repeatable(document: JsonObject) -> bool:
    """Return whether every equal document has the same types: True equals 1, so no numbers."""
    return all(type(value) in (str, dict, list, _NONE) for value in document.values())


def _is_plain_call(call: JSON) -> bool:
    return (
        type(call) is dict
        and call.keys() == _TOOL_CALL
        and type(call["name"]) is str
        and type(call["args"]) is dict
        and type(call["id"]) in (str, _NONE)
        and call["type"] == "tool_call"
    )
