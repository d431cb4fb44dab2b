"""The base of all replies: dicts as the server sent them, with typed attributes."""

from __future__ import annotations

from inspect import get_annotations
from typing import TYPE_CHECKING, Any, ClassVar, Self

from langgraph_client.models.fields import (
    REQUIRED,
    Document,
    Field,
    document_schema,
)

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema


class Record(Document):
    """A reply: the dict that the server sent, and typed attributes beside it.

    By key, a value is what the server sent (times are text); documents inside are records of
    their own. By attribute, it is checked and read when it is asked for (times are datetimes).
    Both show the same values: changing one changes the other, and the JSON.

    A class declares a field once, by an annotation: `status: str`. Without a default, reading it
    raises AttributeError where the server did not send it. `= None` reads as None then, and
    `= empty(dict)` as an empty object where it is null, too. A value that does not fit its
    annotation raises APIResponseValidationError, which names document and field, when it is read.

    Args:
        total: Whether fields of this class without a default are required. If not, they are None.
    """

    _nested: ClassVar[dict[str, Field] | None] = None

    def __init_subclass__(cls, *, total: bool = True) -> None:
        # `total` as for a `TypedDict`: code that extended one of those extends this class.
        super().__init_subclass__()
        cls._nested = None
        cls._fields = dict(cls._fields)
        for name in get_annotations(cls):
            if not name.startswith("_"):
                missing = REQUIRED if total else None
                cls._fields[name] = Field(cls, name, vars(cls).get(name, missing))
                setattr(cls, name, cls._fields[name])

    @classmethod
    def _nested_fields(cls) -> dict[str, Field]:
        if cls._nested is None:
            cls._nested = {name: f for name, f in cls._fields.items() if f.kind.has_documents}
        return cls._nested

    def __getitem__(self, key: str) -> Any:
        value = super().__getitem__(key)
        # Nested documents become records at the first access and not at arrival. Most are never
        # accessed, and so a reply costs no more than its JSON.
        if isinstance(value, dict | list) and (field := self._nested_fields().get(key)):
            nested = field.kind.nest(value)
            if nested is not value:
                self[key] = value = nested
        return value

    def copy(self) -> Self:
        """Return a shallow copy of the same class."""
        return type(self)(self)

    def __reduce__(self) -> tuple[Any, ...]:
        # The default would ask for `items`, which is a field of some replies.
        return type(self), (dict(self),)

    # Hidden from type checkers: the first has the signature that `dict` has, the second would be
    # taken to mean that every name is a field.
    if not TYPE_CHECKING:

        def get(self, key: str, default: object = None, /) -> object:
            """Return the value of a key, or `default` where the server did not send it."""
            if key not in self:
                return default
            return self[key]

        def __setattr__(self, name: str, value: Any) -> None:
            if name not in self._fields:
                raise AttributeError(
                    f"{type(self).__name__} has no field {name!r}; other keys are set by [{name!r}]"
                )
            super().__setattr__(name, value)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[Any], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        # Users name replies in pydantic models and in FastAPI's signatures; a reply is passed on
        # as it is, and described by its fields.
        from pydantic_core import core_schema

        plain = core_schema.dict_schema(core_schema.str_schema(), core_schema.any_schema())
        return core_schema.no_info_after_validator_function(cls, plain)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return document_schema(cls)
