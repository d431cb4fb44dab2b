"""The kinds of fields in replies, from their annotations: how values are checked and described.

Each `Kind` stands for one annotation and answers three questions about a JSON value:

- `nest`: which documents inside it become records, in place, without a check;
- `read`: which Python value an attribute gives, or why the value does not fit (`ValueError`);
- `schema`: which JSON schema describes it.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import (
    Annotated,
    Any,
    ClassVar,
    Final,
    Generic,
    Literal,
    TypeAlias,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from langgraph_client.errors import APIResponseValidationError

# Open JSON: the inputs and outputs of graphs, which the protocol does not describe.
JSON: TypeAlias = Any
JsonObject: TypeAlias = dict[str, Any]
# The same where it is only read.
JsonMapping: TypeAlias = Mapping[str, Any]
JsonSchema: TypeAlias = dict[str, Any]

# The field's name, and the reply with `_ITSELF` in place of its value. A reference to the reply
# itself would be a cycle, and large states would stay in memory until the next garbage collection.
_Around: TypeAlias = tuple[str, JsonObject]
_ITSELF: Final = object()

E = TypeVar("E")
V = TypeVar("V")


class MissingFieldError(APIResponseValidationError, AttributeError):
    """A field that every reply should have is missing.

    It is an `AttributeError`, so that `hasattr` and `getattr` work, and an error of the client: its
    own code reads fields, too.
    """


class Document(dict[str, Any]):
    """A JSON object whose class says by annotations what its fields are. See `Record`."""

    _fields: ClassVar[dict[str, Field]] = {}


class CallableDict(dict[str, V], Generic[V]):
    """The value of a field whose name is also a method of every dict: `reply.values`.

    It is a plain dict in all respects, and calling it does what the method of that name would.
    """

    __slots__ = ("_around",)
    _around: _Around

    def __call__(self) -> Any:
        """Return what `dict.values` or `dict.items` returns for the reply."""
        return _call_method(self, *self._around)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (dict(self),)


class CallableList(list[E], Generic[E]):
    """The value of a field whose name is also a method of every dict: `reply.items`.

    It is a plain list in all respects, and calling it does what the method of that name would.
    """

    __slots__ = ("_around",)
    _around: _Around

    def __call__(self) -> Any:
        """Return what `dict.values` or `dict.items` returns for the reply."""
        return _call_method(self, *self._around)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (list(self),)


def _call_method(value: object, name: str, around: JsonObject) -> object:
    document = {key: value if inner is _ITSELF else inner for key, inner in around.items()}
    return document.values() if name == "values" else document.items()


class Kind:
    """Any JSON value; the base of the other kinds."""

    has_documents = False

    def nest(self, value: object) -> object:
        """Return `value`, the documents inside it made records, where they are documents."""
        return value

    def read(self, value: object) -> object:
        """Return what an attribute gives for `value`. Raises ValueError if it does not fit."""
        return value

    def schema(self, seen: frozenset[type] = frozenset()) -> JsonSchema:
        """Return a JSON schema. `seen` holds the documents around this one."""
        return {}


class Plain(Kind):
    """A text, a number, a boolean or null."""

    def __init__(self, name: str, *accepted: type) -> None:
        self._name = name
        self._accepted = accepted

    def read(self, value: object) -> object:
        if type(value) in self._accepted or (
            isinstance(value, self._accepted) and not isinstance(value, bool)
        ):
            return value
        raise ValueError(f"expected {self._name}, not {value!r:.80}")

    def schema(self, seen: frozenset[type] = frozenset()) -> JsonSchema:
        return {"type": self._name}


class Word(Kind):
    """One of some words."""

    def __init__(self, words: Sequence[object]) -> None:
        self._words = words

    def read(self, value: object) -> object:
        if value in self._words:
            return value
        raise ValueError(f"expected one of {', '.join(map(repr, self._words))}, not {value!r:.80}")

    def schema(self, seen: frozenset[type] = frozenset()) -> JsonSchema:
        return {"enum": list(self._words)}


class Moment(Kind):
    """A time in ISO 8601, read as an aware datetime; without an offset it is UTC."""

    def read(self, value: object) -> object:
        if isinstance(value, datetime):
            moment = value
        elif isinstance(value, str):
            moment = datetime.fromisoformat(value.strip())
        else:
            raise ValueError(f"expected a time as text, not {value!r:.80}")
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)

    def schema(self, seen: frozenset[type] = frozenset()) -> JsonSchema:
        return {"type": "string", "format": "date-time"}


class ListOf(Kind):
    """An array. The document's own list is used, and its elements become records in place."""

    def __init__(self, element: Kind) -> None:
        self._element = element
        self.has_documents = element.has_documents

    def nest(self, value: object) -> object:
        if self.has_documents and isinstance(value, list):
            for index, element in enumerate(value):
                value[index] = self._element.nest(element)
        return value

    def read(self, value: object) -> object:
        if not isinstance(value, list):
            raise ValueError(f"expected an array, not {value!r:.80}")
        for index, element in enumerate(value):
            with_place(f"[{index}]", self._element, element)
        return value

    def schema(self, seen: frozenset[type] = frozenset()) -> JsonSchema:
        return {"type": "array", "items": self._element.schema(seen)}


class DictOf(Kind):
    """An object with open keys. The document's own dict is used."""

    def __init__(self, value: Kind) -> None:
        self._value = value
        self.has_documents = value.has_documents

    def nest(self, value: object) -> object:
        if self.has_documents and isinstance(value, dict):
            for key, inner in value.items():
                value[key] = self._value.nest(inner)
        return value

    def read(self, value: object) -> object:
        if not isinstance(value, dict):
            raise ValueError(f"expected an object, not {value!r:.80}")
        if type(self._value) is not Kind:
            for key, inner in value.items():
                with_place(f"[{key!r}]", self._value, inner)
        return value

    def schema(self, seen: frozenset[type] = frozenset()) -> JsonSchema:
        return {"type": "object", "additionalProperties": self._value.schema(seen) or True}


class DocumentOf(Kind):
    """A document of a class of its own."""

    has_documents = True

    def __init__(self, document: type[Document]) -> None:
        self._document = document

    def nest(self, value: object) -> object:
        if isinstance(value, dict) and not isinstance(value, self._document):
            return self._document(value)
        return value

    def read(self, value: object) -> object:
        if isinstance(value, self._document):
            return value
        raise ValueError(f"expected an object, not {value!r:.80}")

    def schema(self, seen: frozenset[type] = frozenset()) -> JsonSchema:
        return document_schema(self._document, seen)


class CallableField(Kind):
    """A field that must stay callable: its dict or list becomes one that can be called."""

    has_documents = True

    def __init__(self, inner: Kind) -> None:
        self._inner = inner

    def nest(self, value: object) -> object:
        if isinstance(value, dict) and not isinstance(value, CallableDict):
            value = CallableDict(value)
        elif isinstance(value, list) and not isinstance(value, CallableList):
            value = CallableList(value)
        return self._inner.nest(value)

    def read(self, value: object) -> object:
        return self._inner.read(value)

    def schema(self, seen: frozenset[type] = frozenset()) -> JsonSchema:
        return self._inner.schema(seen)


class OneOf(Kind):
    """The first of several kinds that fits."""

    def __init__(self, kinds: Sequence[Kind]) -> None:
        self._kinds = kinds
        self.has_documents = any(kind.has_documents for kind in kinds)

    def nest(self, value: object) -> object:
        for kind in self._kinds:
            value = kind.nest(value)
        return value

    def read(self, value: object) -> object:
        problems = []
        for kind in self._kinds:
            try:
                return kind.read(value)
            except ValueError as error:
                problems.append(str(error))
        raise ValueError(problems[0])

    def schema(self, seen: frozenset[type] = frozenset()) -> JsonSchema:
        return {"anyOf": [kind.schema(seen) for kind in self._kinds]}


def with_place(place: str, kind: Kind, value: object) -> None:
    """Check a value inside another one; an error says where it is."""
    try:
        kind.read(value)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None


NULL: Final = Plain("null", type(None))
_PLAIN: dict[Any, Kind] = {
    Any: Kind(),
    str: Plain("string", str),
    int: Plain("integer", int),
    float: Plain("number", float, int),
    bool: Plain("boolean", bool),
    type(None): NULL,
}


@cache
def kind_of(annotation: object) -> Kind:
    """Return the kind for an annotation. Raises TypeError for one that is not known here."""
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    if isinstance(annotation, type) and issubclass(annotation, datetime):
        return Moment()  # Not in `_PLAIN`: under freezegun, the class is a subclass for good.
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return Word(arguments)
    if origin in (Union, types.UnionType):
        return OneOf([kind_of(argument) for argument in arguments])
    if origin is Annotated and CallableDict in arguments:
        return CallableField(kind_of(arguments[0]))
    if origin is CallableList:
        return CallableField(ListOf(kind_of(arguments[0])))
    if origin is list:
        return ListOf(kind_of(arguments[0]))
    if origin is dict:
        return DictOf(kind_of(arguments[1]))
    if isinstance(annotation, type) and issubclass(annotation, Document):
        return DocumentOf(annotation)
    raise TypeError(f"no kind of field for {annotation!r}")


# The default of a field that every server sends: reading it raises where it is missing.
REQUIRED: Final = object()


class _Empty:
    def __init__(self, make: Callable[[], object]) -> None:
        self.make = make


def empty(make: Callable[[], E]) -> E:
    """Declare that a field reads as an empty object or list where it is null or missing.

    The empty value is not part of the reply: the document keeps its null.
    """
    return cast(E, _Empty(make))


class Field:
    """The descriptor of one field: reads the key of the same name, and writes it."""

    def __init__(self, document: type[Document], name: str, default: object) -> None:
        self._document = document
        self._name = name
        self._default = default
        self._found_kind: Kind | None = None

    @property
    def kind(self) -> Kind:
        """The field's kind, found at first use: annotations name classes that come later."""
        if self._found_kind is None:
            hints = get_type_hints(self._document, include_extras=True)
            self._found_kind = kind_of(hints[self._name])
        return self._found_kind

    @property
    def required(self) -> bool:
        return self._default is REQUIRED

    def __get__(self, document: Document | None, owner: type | None = None) -> object:
        if document is None:
            return self
        name = self._name
        value = document.get(name)
        if value is None:
            if isinstance(self._default, _Empty):
                value = self.kind.nest(self._default.make())
            elif name not in document:
                if self._default is REQUIRED:
                    raise MissingFieldError(
                        f"this {type(document).__name__} came without {name!r}: "
                        "the server left it out, or select= did",
                        body=document,
                    )
                return self._default
        try:
            value = self.kind.read(value)
        except ValueError as error:
            raise APIResponseValidationError(
                f"{type(document).__name__}.{name}: {error}", body=document
            ) from None
        if isinstance(value, CallableDict | CallableList):
            around = dict(document)
            if around.get(name) is value:  # Not an empty one that stands for null.
                around[name] = _ITSELF
            value._around = (name, around)
        return value

    def __set__(self, document: Document, value: object) -> None:
        document[self._name] = value

    def __delete__(self, document: Document) -> None:
        del document[self._name]


def document_schema(document: type[Document], seen: frozenset[type] = frozenset()) -> JsonSchema:
    """Return a document's JSON schema. A document inside one of its own kind is left open."""
    described: JsonSchema = {"title": document.__name__, "type": "object"}
    if document in seen:
        return described
    if document.__doc__:
        described["description"] = document.__doc__.partition("\n\n")[0]
    fields = document._fields
    described["properties"] = {
        name: field.kind.schema(seen | {document}) for name, field in fields.items()
    }
    described["required"] = [name for name, field in fields.items() if field.required]
    return described
