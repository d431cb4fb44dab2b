"""Encode and decode JSON.

Types that JSON lacks are encoded as servers encode them: datetimes, dates and times in ISO 8601, a
timedelta as seconds, UUIDs, paths and IP addresses as text, an enum as its value, a Decimal as a
number, bytes as base64 (standard alphabet, with padding), sets, tuples and deques as arrays (named
tuples too), dataclasses, pydantic models and other objects with `model_dump` or `dict` as objects.
Keys that are times, UUIDs, paths or enums become text. Messages of langchain, and langgraph's
`Command`, `Send` and `Interrupt`, are recognised by their shape; neither library is imported.
NaN and infinity are refused, and so is every value that would arrive as something else.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import math
import re
import sys
import uuid
from codecs import BOM_UTF8
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeGuard

from langgraph_client.errors import InvalidArgumentError
from langgraph_client.models.fields import JsonObject

if TYPE_CHECKING:
    from pydantic import BaseModel

orjson: Any
try:
    import orjson
except ImportError:  # It is optional: the `speed` extra.
    orjson = None

_OPTIONS = (
    0 if orjson is None else orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_SUBCLASS
)

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_TEXT = (uuid.UUID, PurePath, IPv4Address, IPv6Address)
_BAD_KEY = "a key must be text, a number, a boolean, None, a time, a UUID or a path"


def _slow_decode(content: bytes | bytearray | str) -> object:
    """Decode with pydantic's parser, which accepts NaN and infinity. It is imported when needed."""
    from pydantic_core import from_json

    # Some servers write a byte order mark, which RFC 8259 lets a reader ignore.
    if isinstance(content, str):
        content = content.removeprefix("\ufeff")
    else:
        content = content.removeprefix(BOM_UTF8)
    try:
        decoded: object = from_json(content)
    except ValueError as error:
        text = content if isinstance(content, str) else content.decode()
        is_deep = "recursion" in str(error)  # For that parser, more than 200 levels.
        if not is_deep and _SURROGATE.search(text) is None:
            raise
        return _decode_with_json(text)
    return decoded


def _decode_with_json(text: str) -> object:
    # Escapes of lone surrogates are correct JSON (RFC 8259, section 8.2), which `json.dumps` of any
    # Python server writes. Only this parser accepts them, and more levels than pydantic's.
    try:
        decoded: object = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return decoded


#: Decodes standard JSON. `decode` takes more (NaN, infinity, lone surrogates), and is slower then.
fast_decode: Callable[[bytes], object] = _slow_decode if orjson is None else orjson.loads


def decode(content: bytes | bytearray | str) -> object:
    """Return the value of a JSON document.

    A lone surrogate in a text stays as it is. `encode` refuses it: it has no form in UTF-8.
    With the `speed` extra, integers beyond 64 bits become floats, as they do in langgraph_sdk.

    Raises:
        ValueError: The content is not JSON.
    """
    if orjson is not None:
        try:
            return orjson.loads(content)
        except ValueError:
            pass  # It may have what servers write and orjson refuses; see `fast_decode`.
    return _slow_decode(content)


def encode(value: object, name: str = "json") -> bytes:
    """Return `value` as compact JSON.

    Args:
        value: The value.
        name: The parameter's name for error messages. The path to an error inside a mapping begins
            with its keys instead.

    Raises:
        InvalidArgumentError: A part of the value cannot be encoded. The error names the path to it.
    """
    if orjson is not None and (fast := _encode_fast(value)) is not None:
        return fast
    try:
        return _ENCODER.encode(value).encode()
    except (TypeError, ValueError, RecursionError) as error:
        # The encoder's error does not say where it happened: walk through the value to find it.
        found = _offence(value, "" if isinstance(value, dict) else name)
        if found is None and isinstance(error, TypeError):  # Only keys were refused: convert them.
            return _ENCODER.encode(_with_text_keys(value)).encode()
        if found is None:
            found = (name, str(error))
        raise InvalidArgumentError(*found) from error


def _encode_fast(value: object) -> bytes | None:
    """Return orjson's encoding of `value`; None if it may be wrong or `value` is refused."""
    try:
        text = orjson.dumps(value, _convert, _OPTIONS)
    except (TypeError, ValueError, RecursionError):
        return None  # The slow encoder accepts more, and reports errors.
    # orjson encodes NaN as null without an error. So text with a null is encoded again by the slow
    # encoder, which refuses NaN.
    return None if b"null" in text else text


def _with_text_keys(value: object) -> object:
    """Return `value` with text for keys that are times, UUIDs and the like."""
    if isinstance(value, Mapping):
        return {_key(key): _with_text_keys(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_with_text_keys(inner) for inner in value]
    if value is None or isinstance(value, str | int | float):
        return value
    return _with_text_keys(_convert(value))


def _key(key: object) -> object:
    """Return a key in a type that the encoder accepts. Raises _UnencodableError for others."""
    if isinstance(key, Enum) and not isinstance(key, str | int | float):
        key = key.value
    if key is None or isinstance(key, str | int | float):
        return key
    if isinstance(key, datetime | date | time):
        return key.isoformat()
    if isinstance(key, _TEXT):
        return str(key)
    raise _UnencodableError(_BAD_KEY)


class _UnencodableError(TypeError):
    pass


def _convert(value: object) -> object:
    """Convert a value that the encoder refuses, one level deep."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if _is_model(value):
        return _message(value) or _convert_model(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Set | deque):
        return list(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, _TEXT):
        return str(value)
    if isinstance(value, Decimal):
        return _convert_decimal(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, tzinfo):
        return str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode("ascii")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _convert_dataclass(value, [field.name for field in dataclasses.fields(value)])
    return _convert_by_shape(value)


def _is_model(value: object) -> TypeGuard[BaseModel]:
    """Return whether a value is a pydantic model. Pydantic is not imported: that is slow."""
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and isinstance(value, pydantic.BaseModel)


def _convert_model(value: BaseModel) -> object:
    # Not `mode="json"`: it encodes bytes, decimals and timedeltas in other ways than `_convert`.
    return value.model_dump()


def _convert_decimal(value: Decimal) -> int | float:
    if not value.is_finite():
        raise _UnencodableError(f"JSON has no number {value}")
    exponent = value.as_tuple().exponent
    return int(value) if isinstance(exponent, int) and exponent >= 0 else float(value)


def _convert_dataclass(value: object, names: Sequence[str]) -> JsonObject:
    fields = {name: getattr(value, name) for name in names}
    module = type(value).__module__
    if module.startswith("langgraph"):
        name = type(value).__name__
        if name == "Command":
            return _convert_command(fields)
        if name == "Interrupt":
            return {key: fields[key] for key in ("value", "id") if key in fields}
    return fields


def _convert_command(fields: JsonObject) -> JsonObject:
    # Fields that are None are left out, because servers give null a meaning of its own.
    if fields.get("graph") is not None:
        raise _UnencodableError("a Command for a parent graph cannot be sent to a server")
    command = {key: fields[key] for key in ("update", "resume") if fields.get(key) is not None}
    goto = fields.get("goto")
    if goto:
        command["goto"] = list(goto) if isinstance(goto, list | tuple) else goto
    return command


def _convert_by_shape(value: Any) -> object:  # noqa: ANN401  # Its shape says what it is.
    kind = type(value)
    if kind.__name__ == "Send" and hasattr(value, "node") and hasattr(value, "arg"):
        return {"node": value.node, "input": value.arg}
    if (module := kind.__module__).startswith("numpy") or module.startswith("pandas"):
        if hasattr(value, "tolist"):
            return value.tolist()
        if hasattr(value, "isoformat"):
            return value.isoformat()
    if isinstance(value, type):
        raise _UnencodableError(
            f"Type is not JSON serializable: the class {value.__qualname__}; an instance may be"
        )
    for method in ("model_dump", "dict"):  # Pydantic 1 models, and objects that look like models.
        if callable(dump := getattr(value, method, None)):
            return dump()
    raise _UnencodableError(
        f"a value of type {kind.__module__}.{kind.__qualname__} cannot be encoded as JSON"
    )


def _message(value: BaseModel) -> JsonObject | None:
    """Return a langchain message as the flat object that servers use; None for other models."""
    kind = getattr(value, "type", None)
    fields = type(value).model_fields
    if not isinstance(kind, str) or "response_metadata" not in fields or "content" not in fields:
        return None
    document: JsonObject = {}
    extra = value.__pydantic_extra__ or {}
    for key in (*fields, *extra):
        document[key] = getattr(value, key)
    return document


_ENCODER = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_convert
)


def _offence(root: object, name: str) -> tuple[str, str] | None:
    """Return the path to the first value that cannot be encoded, and why; None if there is none.

    The search is depth-first and not recursive, because too deep nesting may be the error.
    """
    above: dict[int, int] = {}  # id -> depth, of the containers around the current value
    todo: list[tuple[object, str, int]] = [(root, name, 0)]
    trail: list[int] = []
    while todo:
        value, path, depth = todo.pop()
        while len(trail) > depth:
            above.pop(trail.pop(), None)
        problem = _problem(value)
        if problem is not None:
            return path, problem
        if value is None or isinstance(value, str | int | float):
            continue
        if id(value) in above:
            return path, "a circular reference cannot be encoded as JSON"
        if depth > _MAX_DEPTH:
            return path, f"nested more than {_MAX_DEPTH} levels deep"
        above[id(value)] = depth
        trail.append(id(value))
        try:
            inside = list(_inside(value, path))
        except _UnencodableError as error:
            return path, str(error)
        for key, item in reversed(inside):
            if key is None:
                return str(item), _BAD_KEY
            todo.append((item, key, depth + 1))
    return None


_MAX_DEPTH = 900


def _inside(value: object, path: str) -> Iterator[tuple[str | None, object]]:
    if isinstance(value, dict):
        for key, item in value.items():
            try:
                _key(key)
            except _UnencodableError:
                yield None, f"{path}[{key!r}]"
            else:
                plain = isinstance(key, str) and key.isidentifier()
                dotted = f"{path}.{key}" if path else str(key)
                yield dotted if plain else f"{path}[{key!r}]", item
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield f"{path}[{index}]", item
    else:
        converted = _convert(value)
        if isinstance(converted, dict | list | tuple):
            yield from _inside(converted, path)
        else:
            yield path, converted


def _problem(value: object) -> str | None:
    if isinstance(value, float) and not math.isfinite(value):
        return f"JSON has no number {value}"
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return "text with a lone surrogate cannot be sent"
    return None
