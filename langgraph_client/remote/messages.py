"""Convert messages from the server's JSON to message objects.

Most of a stream is messages, and langchain-core's constructors take ten times as long as reading
the JSON did. What a server has dumped was a valid message there. So each class has a second
validator, which takes a document whose fields are all of the types that a dump has, and makes the
same message without the steps that change nothing then; tests compare it with the constructor's.
Any other document goes through the constructor.
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
# Not `dict_schema` and `list_schema`, which would copy what was decoded a moment ago.
_DICT = core_schema.is_instance_schema(dict)
_LIST = core_schema.is_instance_schema(list)
#: What a dump has in a field. Anything else is for the constructor.
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
    "type": core_schema.any_schema(),  # The class was chosen by it.
}
_OTHER_FIELD = core_schema.none_schema()
_new = object.__new__
# The slots of every model, set without the class's own `__setattr__`, in half of the time that
# `object.__setattr__` takes.
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
    """Return the message object that a JSON object stands for, or None if it is not a message.

    Servers always write `content`, `additional_kwargs` and `response_metadata`; a dict of the
    user's that merely has a `type`, such as a content block, stays a dict. None, too, where
    langchain-core is not installed.
    """
    kind = document.get("type")
    maker = _makers().get(kind) if isinstance(kind, str) else None
    return None if maker is None else maker.message(document)


@cache
def _makers() -> dict[str, _Maker]:
    return {name: _Maker(kind) for name, kind in message_classes().items()}


class _Filled:
    """Stands for the class of a message where a validator is built; there are none of it."""


#: The name of a field, and what makes its default.
_Default: TypeAlias = tuple[str, Callable[[], JSON]]


class _Latest(NamedTuple):
    """The latest chunk of a class that was made out of its document without the constructor.

    Attributes:
        document: Equal to its document, but for the content; nobody else has what is inside.
        factories: What makes the defaults of fields that the document does not have.
        given: The keys of the document that are fields.
    """

    document: JsonObject
    factories: Sequence[_Default]
    given: set[str]


class _Maker:
    """Makes messages of one class."""

    def __init__(self, kind: type[BaseModel]) -> None:
        fields = kind.model_fields
        self._kind = kind
        self._calls_tools = "tool_calls" in fields
        self._is_chunk = "tool_call_chunks" in fields
        # A later version may keep state beside its fields, which only its constructor knows.
        self._is_simple = not kind.__private_attributes__ and kind.__name__ != "RemoveMessage"
        self._fill = _validator(kind).validate_python
        self._latest: _Latest | None = None
        #: All fields in their order, which `repr` shows.
        self._defaults: JsonObject = {name: field.default for name, field in fields.items()}

    def message(self, document: JsonObject) -> Foreign | None:
        """Return the message; None where the document is not one in spite of its keys."""
        if self._latest is not None:
            latest, factories, given = self._latest
            # The chunks of a message are alike but for their content.
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
            pass
        try:
            if document["type"] == "remove":  # Takes its id alone; its content is always empty.
                return self._kind(id=document["id"])
            return self._kind(**{k: value for k, value in document.items() if k != "type"})
        except (ValueError, TypeError, LookupError, AttributeError):
            return None

    def _made_plainly(self, document: JsonObject) -> Foreign:
        """Return a message of a plain document.

        Raises:
            ValidationError: It is not plain.
        """
        made: Foreign = _new(self._kind)
        self._fill(document, self_instance=made)
        made.__pydantic_fields_set__.discard("type")  # As no caller of the class gives it.
        if self._is_chunk and not made.__pydantic_extra__ and _repeatable(document):
            # Whoever has the message may change what is inside.
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
        """Return a message of a document that is like the latest one."""
        values = {**self._defaults, **document}
        for name, factory in factories:
            values[name] = factory()
        # As `model_construct` does, without its looking up of aliases and defaults.
        made = _new(self._kind)
        _set_values(made, values)
        _set_given(made, given.copy())
        _set_extra(made, {})
        _set_private(made, None)
        return made

    def _is_plain(self, document: JsonObject) -> bool:
        """Return whether the constructor would leave content and calls of tools as they are."""
        content = document["content"]
        if type(content) is list and not (
            all(type(block) in (str, dict) for block in content)
            # The last chunk of a message finishes the calls in its content.
            and document.get("chunk_position") is None
        ):
            return False
        if "content_blocks" in document:  # The constructor takes them for the content.
            return False
        if not self._calls_tools:
            return True
        more, calls = document["additional_kwargs"], document.get("tool_calls")
        if more and "tool_calls" in more:  # The constructor finds calls there.
            return False
        # It makes chunks of calls, and calls of chunks.
        if document.get("invalid_tool_calls") or document.get("tool_call_chunks"):
            return False
        return not calls or (not self._is_chunk and all(map(_is_plain_call, calls)))


def _validator(kind: type[BaseModel]) -> SchemaValidator:
    """Return what fills a message of a class with plain fields, defaults and extra keys."""
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
    # For `kind` itself pydantic would take the validator that the constructor has.
    return SchemaValidator(core_schema.model_schema(_Filled, inside))


def _factory(field: FieldInfo) -> Callable[[], JSON]:
    return cast("Callable[[], JSON]", field.default_factory)


def _repeatable(document: JsonObject) -> bool:
    """Return whether what is equal to a plain document is as plain: True equals 1, for one."""
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
