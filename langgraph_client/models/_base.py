"""What all replies have in common: frozen, readable as attributes and as a mapping, lossless."""

from __future__ import annotations

from collections.abc import (
    ItemsView,
    Iterator,
    KeysView,
    Mapping,
    ValuesView,
)
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Self, TypeAlias, TypeVar, overload

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ModelWrapValidatorHandler,
    PrivateAttr,
    SerializationInfo,
    model_serializer,
    model_validator,
)

T = TypeVar("T")

# Open JSON: what a graph takes and gives is not ours to describe.
JSON: TypeAlias = Any
JsonObject: TypeAlias = dict[str, Any]


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


# A time as servers write it; one without an offset is taken for UTC.
Timestamp: TypeAlias = Annotated[datetime, AfterValidator(_aware)]

# For fields that servers fill with an object, or a list: where one says null, they read as empty.
# (As JSON, the reply still has its null.)
NULL_IS_EMPTY_OBJECT: Final = BeforeValidator(lambda value: {} if value is None else value)
NULL_IS_EMPTY_LIST: Final = BeforeValidator(lambda value: [] if value is None else value)
OpenObject: TypeAlias = Annotated[JsonObject, NULL_IS_EMPTY_OBJECT]

# The default of a field that every server is supposed to send. Where one did not (or `select`
# left it out), reading the attribute raises AttributeError, so that what the annotation says is
# always what the value is; `in` and `get` tell beforehand.
SENT: Final[Any] = object()


class Record(BaseModel, frozen=True):
    """A reply. Attributes and keys give the same values; a reply cannot be changed.

    As a mapping it has the top-level keys that the server sent, in the server's order, fields
    that are unknown here included. `==` with a dict is true for the JSON form (times as the
    server wrote them) and for the Python form (times as datetimes). `model_dump(mode="json")`
    and `model_dump_json()` give back what the server sent.
    """

    model_config = ConfigDict(
        extra="allow", protected_namespaces=(), defer_build=True, ser_json_bytes="utf8"
    )

    _wire: dict[str, Any] = PrivateAttr(default_factory=dict)

    @model_validator(mode="wrap")
    @classmethod
    def _keep_wire(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        record = handler(data)
        if record is data:  # An instance was given, and is used as it is.
            return record
        fields = cls.model_fields
        if len(record.model_fields_set) < len(fields):
            present: dict[str, Any] = vars(record)
            for name in fields.keys() - record.model_fields_set:
                if present.get(name) is SENT:
                    del present[name]
        wire = data if isinstance(data, dict) else dict(data)
        private = record.__pydantic_private__
        assert private is not None
        private["_wire"] = wire
        return record

    @model_serializer(mode="plain")
    def _as_sent(self, info: SerializationInfo) -> dict[str, Any]:
        if info.mode == "json":
            return self._wire
        return {key: _plain(self[key]) for key in self._wire}

    # Hidden from type checkers, which would take it to mean that every name is a field. What is
    # not declared is read by key.
    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name in type(self).model_fields:
                raise AttributeError(
                    f"this {type(self).__name__} came without {name!r}: "
                    "the server left it out, or select= did"
                )
            return super().__getattr__(name)

    # --- as a mapping ---

    def __getitem__(self, key: str) -> Any:
        if key not in self._wire:
            raise KeyError(key)
        values = self.__dict__
        return values[key] if key in values else (self.__pydantic_extra__ or {})[key]

    @overload
    def get(self, key: str) -> Any | None: ...
    @overload
    def get(self, key: str, default: T) -> Any | T: ...
    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key, or `default` where the server did not send it."""
        return self[key] if key in self._wire else default

    def keys(self) -> KeysView[str]:
        """The keys that the server sent, in its order."""
        return self._wire.keys()

    def __contains__(self, key: object) -> bool:
        return key in self._wire

    def __iter__(self) -> Iterator[str]:  # type: ignore[override]
        return iter(self._wire)

    def __len__(self) -> int:
        return len(self._wire)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Record):
            return type(self) is type(other) and self._wire == other._wire
        if isinstance(other, Mapping):
            return self._wire == other or {key: self[key] for key in self._wire} == other
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, with the given fields changed and checked again."""
        if not update:
            return super().model_copy(deep=deep)
        return type(self).model_validate({**self._wire, **update})


class Model(Record, frozen=True):
    """A reply none of whose fields is called `items` or `values`: has these two methods as well."""

    def items(self) -> ItemsView[str, Any]:
        """Keys and values, as a dict's."""
        return {key: self[key] for key in self._wire}.items()

    def values(self) -> ValuesView[Any]:
        """The values, as a dict's."""
        return {key: self[key] for key in self._wire}.values()


# `match` and `isinstance(reply, Mapping)` see a reply as the mapping that it is. (Inheriting is
# not possible: the ABC's `values` and `items` would stand in the way of fields of that name.)
Mapping.register(Record)  # pyright: ignore[reportAttributeAccessIssue]


def _plain(value: Any) -> Any:
    if isinstance(value, Record):
        return {key: _plain(value[key]) for key in value}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
