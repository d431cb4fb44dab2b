"""One request as a value, and how its response is read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, Generic, Protocol, TypeVar, cast, get_args, get_origin, runtime_checkable
from urllib.parse import parse_qsl, quote
from uuid import UUID

from langgraph_client._core.codec import decode
from langgraph_client._core.exchange import Opening
from langgraph_client._core.settings import check_headers
from langgraph_client._core.unset import UNSET, Unset
from langgraph_client.errors import APIResponseValidationError, InvalidArgumentError
from langgraph_client.models.fields import JsonObject
from langgraph_client.models.params import QueryParams
from langgraph_client.models.record import Record

T = TypeVar("T")
Query = list[tuple[str, str]]


class UnexpectedShapeError(ValueError):
    """A response is JSON of another type than documented, such as a list for an object."""


class ReplyReader(Generic[T]):
    """Reads a JSON response into a type: a record, a list or dict of records, or a plain type.

    Only the outermost type is checked here. A record checks its fields when they are read.
    """

    def __init__(self, kind: type[T]) -> None:
        self._outer: type = get_origin(kind) or kind
        inner = get_args(kind)[-1] if get_args(kind) else kind
        self._record: type[Record] | None = None
        if isinstance(inner, type) and issubclass(inner, Record):
            self._record = inner

    def read(self, content: bytes) -> T:
        """Return the response's value.

        Raises:
            ValueError: It is not JSON, or of another type.
        """
        value = decode(content)
        expected = dict if self._outer is self._record else self._outer
        if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
            raise UnexpectedShapeError(f"expected {_SHAPES[expected]}, not {value!r:.80}")
        return cast(T, value if self._record is None else self._recorded(value, self._record))

    def _recorded(self, value: object, record: type[Record]) -> object:
        if isinstance(value, list):
            # Replaced in place: each freed dict's memory is reused by the next record, which is
            # faster than building a second list.
            for index, document in enumerate(_objects(value)):
                value[index] = record(document)
            return value
        assert isinstance(value, dict)
        if self._outer is record:
            return record(value)
        return dict(zip(value, map(record, _objects(value.values())), strict=True))


def _objects(documents: Collection[JsonObject]) -> Collection[JsonObject]:
    if not set(map(type, documents)) <= {dict}:
        raise UnexpectedShapeError("expected every element to be an object")
    return documents


_SHAPES = {dict: "an object", list: "an array", int: "a whole number"}


class Nullable(ReplyReader[T | None]):
    """Reads a JSON response that may be null or empty; both are None."""

    def __init__(self, kind: type[T]) -> None:
        self._some = ReplyReader(kind)

    def read(self, content: bytes) -> T | None:
        return None if content.strip() in (b"null", b"") else self._some.read(content)


class AnyReply(ReplyReader[object]):
    """Reads any JSON; an empty body is None."""

    def __init__(self) -> None:
        super().__init__(object)

    def read(self, content: bytes) -> object:
        return decode(content) if content.strip() else None


class NoReply(ReplyReader[None]):
    """Ignores the value of a response, which may be empty but must be JSON otherwise.

    A web page with status 200 does not come from the server: nothing was written or deleted.
    """

    def __init__(self) -> None:
        super().__init__(type(None))

    def read(self, content: bytes) -> None:
        """Check the response.

        Raises:
            ValueError: It is not JSON.
        """
        if content.strip():
            decode(content)


class UnreadReply(ReplyReader[None]):
    """Ignores the body of a response, whatever it is: that of an application's own route."""

    def __init__(self) -> None:
        super().__init__(type(None))

    def read(self, content: bytes) -> None:
        """Return None."""


ANY = AnyReply()
NOTHING = NoReply()
UNREAD = UnreadReply()


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request.

    Attributes:
        method: The HTTP method.
        path: The path below the server's URL, its parts quoted.
        reply: How the response is read.
        query: The query's pairs, in order.
        params: The pairs that the caller passed. Later requests about the same run repeat them.
        body: The JSON body; UNSET for none.
        headers: Headers of this request alone, in lower case.
        safe: Whether the request can be sent again even if the server has received it already.
        starts: Whether it starts a run; then its headers contain an idempotency key.
        on_headers: Called with the response's headers if the status is no error.
        on_response: Called with each whole response (`httpx.Response`), also with an error status.
        opening: With what another task or thread can end the wait for the response; None if none.
    """

    method: str
    path: str
    reply: ReplyReader[T]
    query: Query = field(default_factory=list)
    params: Query = field(default_factory=list)
    body: object = UNSET
    headers: Mapping[str, str] = field(default_factory=dict)
    safe: bool = False
    starts: bool = False
    on_headers: Callable[[Mapping[str, str]], None] | None = None
    on_response: Callable[[Any], None] | None = None
    opening: Opening | None = None

    def read(self, content: bytes, *, url: str, content_type: str) -> T:
        """Return the response's value.

        Raises:
            APIResponseValidationError: It is not JSON, or not of the documented type.
        """
        try:
            return self.reply.read(content)
        except UnexpectedShapeError as error:
            problem = f"the response has an unexpected shape: {error}"
            raise self._invalid(problem, url, content) from None
        except ValueError as error:
            kind = f" ({content_type or 'no content type'})"
            problem = f"the response is not JSON{kind}: {error}"
            if not content.strip():
                problem = "the response is empty"
            raise self._invalid(problem, url, content) from error

    def _invalid(self, problem: str, url: str, content: bytes) -> APIResponseValidationError:
        return APIResponseValidationError(
            problem, method=self.method, url=url, body=content[:2000].decode("utf-8", "replace")
        )


def call(
    method: str,
    path: str,
    reply: ReplyReader[T],
    *,
    query: Mapping[str, object] | None = None,
    body: object = UNSET,
    headers: Mapping[str, str] | None = None,
    params: QueryParams | None = None,
    extra_headers: Mapping[str, str] | None = None,
    safe: bool | None = None,
    on_headers: Callable[[Mapping[str, str]], None] | None = None,
    on_response: Callable[[Any], None] | None = None,
) -> Call[T]:
    """Return the `Call` of a method. Values of `query` that are None are left out.

    The caller's `params` and `headers` replace the method's own, `query` and `extra_headers`.
    """
    given_params = merge_query({}, params)
    own = {k.lower(): v for k, v in (extra_headers or {}).items()}
    given = {k.lower(): v for k, v in check_headers(headers, may_have_key=True).items()}
    return Call(
        method,
        path,
        reply,
        query=merge_query(query or {}, given_params),
        params=given_params,
        body=body,
        headers={**own, **given},
        safe=method in ("GET", "HEAD") if safe is None else safe,
        on_headers=on_headers,
        on_response=on_response,
    )


@runtime_checkable
class HasMultipleItems(Protocol):
    """A mapping that may have several values for a key, such as `httpx.QueryParams`."""

    def multi_items(self) -> list[tuple[str, object]]: ...


def merge_query(own: Mapping[str, object], params: QueryParams | None) -> Query:
    """Return the pairs of a query: a method's own, then the caller's, which replace like names."""
    given = _given_pairs(params)
    replaced = {key for key, _ in given}
    pairs: Query = []
    for key, value in own.items():
        if value is not None and key not in replaced:
            pairs.extend(_pairs(key, value))
    for key, value in given:
        pairs.extend(_pairs(key, value))
    return pairs


def _given_pairs(params: QueryParams | None) -> list[tuple[str, object]]:
    if params is None:
        return []
    # A protocol is slow to check, and these two are what nearly all calls have.
    if not isinstance(params, dict | list) and isinstance(params, HasMultipleItems):
        return list(params.multi_items())
    if isinstance(params, Mapping):
        return list(params.items())
    if isinstance(params, str | bytes):
        text = params if isinstance(params, str) else params.decode("ascii", "replace")
        return list(parse_qsl(text.removeprefix("?"), keep_blank_values=True))
    try:
        return [(key, value) for key, value in params]
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError("params", "must be a mapping or a list of pairs") from error


def _pairs(key: object, value: object) -> Query:
    if not isinstance(key, str):
        raise InvalidArgumentError("params", f"{key!r} is not a parameter's name")
    values = value if isinstance(value, list | tuple) else [value]
    return [(key, _text(f"params[{key!r}]", item)) for item in values]


def _text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    if isinstance(value, Enum):
        return _text(name, value.value)
    if isinstance(value, str | int | float | Decimal | UUID):
        return _check_text(name, str(value))
    if isinstance(value, date):  # A datetime is one, too.
        return value.isoformat()
    raise InvalidArgumentError(name, f"must be text, a number or a boolean, not {value!r:.80}")


def _check_text(name: str, text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgumentError(name, "has a lone surrogate") from error
    return text


def path(template: str, **ids: object) -> str:
    """Return `template` with quoted ids for its `{names}`: `path("/threads/{thread_id}", ...)`.

    Raises:
        InvalidArgumentError: An id is not text, or is empty.
    """
    return template.format(**{name: quote_id(check_id(name, value)) for name, value in ids.items()})


def quote_id(text: str) -> str:
    """Return an id, with whatever characters, as one segment of a path."""
    if text.strip("."):
        return quote(text, safe="")
    return "%2E" * len(text)  # Unquoted, `.` and `..` would lead to another resource.


def check_path(given: object) -> str:
    """Return a path that the caller has quoted.

    Raises:
        InvalidArgumentError: It does not begin with a slash, or begins with two, which would lead
            to another host.
    """
    if not isinstance(given, str) or not given.startswith("/") or given.startswith("//"):
        raise InvalidArgumentError("path", f"must begin with one slash: {given!r:.80}")
    return _check_text("path", given)


def check_id(name: str, value: object) -> str:
    """Return an id as text. UUID objects are converted."""
    if isinstance(value, str):
        text = value
    elif type(value).__name__ == "UUID":
        text = str(value)
    else:
        kind = "None" if value is None else type(value).__name__
        raise InvalidArgumentError(name, f"must be an id as text, not {kind}")
    if not text.strip():
        raise InvalidArgumentError(name, "is empty")
    _check_text(name, text)
    return text


def optional_id(name: str, value: object) -> str | None:
    """Return an id as text, or None."""
    return None if value is None else check_id(name, value)


def body(**fields: object) -> JsonObject:
    """Return the JSON body of a request, without fields that are None or UNSET."""
    return {k: v for k, v in fields.items() if v is not None and not isinstance(v, Unset)}


def one_of(name: str, value: object, allowed: Sequence[str]) -> object:
    """Return `value`, which must be one of the allowed words, or None."""
    if value is not None and value not in allowed:
        words = ", ".join(map(repr, allowed))
        raise InvalidArgumentError(name, f"must be one of {words}, not {value!r}")
    return value


def word(name: str, value: object) -> str | None:
    """Return `value`, which must be text, or None. The server decides which words it knows.

    An empty text is None, as for langgraph_sdk: forms of web pages send it for "any".
    """
    if value is not None and not isinstance(value, str):
        raise InvalidArgumentError(name, f"must be text, not {value!r:.80}")
    return value or None


def at_least(name: str, value: object, least: int) -> int | None:
    """Return `value`, which must be a whole number of at least `least`, or None."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InvalidArgumentError(name, f"must be a whole number from {least} on, not {value!r}")
    return value


def texts(name: str, value: object, *, may_be_empty: bool = True) -> list[str] | None:
    """Return a list of texts from any sequence or set of them, or None.

    A single text is refused: it would be taken for a list of its characters.
    """
    if value is None:
        return None
    if isinstance(value, str | bytes) or not isinstance(value, Sequence | set | frozenset):
        raise InvalidArgumentError(name, f"must be a list of texts, not {value!r:.80}")
    items = [str(item) if type(item).__name__ == "UUID" else item for item in value]
    for index, item in enumerate(items):
        if not isinstance(item, str):
            raise InvalidArgumentError(f"{name}[{index}]", f"must be text, not {item!r:.80}")
        _check_text(f"{name}[{index}]", item)
    if not items and not may_be_empty:
        raise InvalidArgumentError(name, "is empty")
    return items


def mapping(name: str, value: object) -> object:
    """Return `value`: None, a mapping, or an object that the codec converts to a mapping."""
    if value is None or isinstance(value, Mapping):
        return value
    if isinstance(value, str | bytes | int | float | list | tuple | set | frozenset):
        raise InvalidArgumentError(name, f"must be a mapping, not {type(value).__name__}")
    return value
