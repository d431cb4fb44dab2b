"""Encode Python values as JSON, in the protocol's form.

orjson is used if it is installed, otherwise pydantic-core. Both encode plain JSON alike. All other
values are first converted by `plainer`, so that both give the same result.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import decimal
import enum
import ipaddress
import math
import pathlib
import re
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pydantic_core
from pydantic import BaseModel

from langgraph_client.errors import RemoteException

_fast: Any
try:
    import orjson as _fast
except ImportError:  # It is optional: the `speed` extra.
    _fast = None

_HIDDEN = "An internal error occurred"
# Exceptions whose text is always shown to callers. langgraph's and this package's are compared by
# name, so that nothing must be imported for it.
_SHOWN = (ValueError, TypeError, KeyError, AttributeError, RuntimeError, TimeoutError)
_SHOWN_NAMES = {
    "InvalidUpdateError",
    "EmptyInputError",
    "GraphRecursionError",
    "TaskNotFound",
    "GraphBubbleUp",
    "HTTPException",
    "UserInterrupt",
    "UserRollback",
}
_TEXT = (
    uuid.UUID,
    pathlib.Path,
    ipaddress.IPv4Address,
    ipaddress.IPv6Address,
    ipaddress.IPv4Interface,
    ipaddress.IPv6Interface,
    ipaddress.IPv4Network,
    ipaddress.IPv6Network,
)
# orjson encodes integers from -2**63 to 2**64 - 1. Others become floats.
_EXACT = 2**63
_DEPTH = 200


def error_document(error: BaseException, show: bool = False) -> dict[str, str]:
    """Return an exception in the protocol's form: its class name and its text.

    Args:
        error: The exception.
        show: Whether to show the text of every class. If not, the text of classes that are not
            known to be meant for callers is hidden, as on the real server.
    """
    names = {cls.__name__ for cls in type(error).__mro__}
    if isinstance(error, OSError) and not isinstance(error, TimeoutError):
        told = show
    else:
        told = show or isinstance(error, _SHOWN) or not names.isdisjoint(_SHOWN_NAMES)
    name = type(error).__name__
    if isinstance(error, RemoteException):  # The server that it comes from may know more classes.
        name = error.error
    return {"error": name, "message": text_of(error) if told else _HIDDEN}


def text_of(error: BaseException) -> str:
    """Return the text of an exception. Its `__str__` is user code, which may raise anything."""
    try:
        return str(error)
    except BaseException as raised:
        return f"its text cannot be read: {type(raised).__name__}"


_IN_TASK = re.compile(r"During task with name '(.*)' and id '")


def node_of(error: BaseException) -> str | None:
    """Return the node that raised an exception, from the note that langgraph 1.2 adds to it."""
    for note in getattr(error, "__notes__", ()):
        if found := _IN_TASK.match(note):
            return found[1]
    return None


def own_notes(error: BaseException) -> list[str]:
    """Return the notes of an exception, without those that langgraph adds to it."""
    notes = getattr(error, "__notes__", ())
    return [note for note in notes if isinstance(note, str) and not _IN_TASK.match(note)]


class NotJsonError(TypeError):
    """A value contains something that JSON cannot represent. The text says where and what."""


def plainer(value: object) -> object:
    """Return a value one step closer to JSON.

    Raises:
        NotJsonError: The type cannot be represented as JSON.
    """
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        named: Any = value
        return named._asdict()
    if isinstance(value, (set, frozenset, deque, tuple)):
        return list(value)
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, BaseException):
        return error_document(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    if isinstance(value, _TEXT):
        return str(value)
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, dt.tzinfo):
        return value.tzname(None) or str(value)
    if isinstance(value, decimal.Decimal):
        return _number(value)
    if isinstance(value, re.Pattern):
        return value.pattern
    return _duck(value)


def _duck(value: Any) -> Any:
    """Convert objects known by their shape: pydantic 1 models, mappings, objects of langgraph."""
    for name in ("model_dump", "dict", "_asdict"):
        method = getattr(value, name, None)
        if callable(method) and not isinstance(value, type):
            try:
                return method()
            except TypeError:  # A method of that name with other parameters.
                continue
    if isinstance(value, Mapping):
        return dict(value)
    if type(value).__name__ == "Send" and hasattr(value, "arg"):
        return {"node": value.node, "args": value.arg}
    if type(value).__module__ == "numpy":
        return value.tolist()
    if type(value) is object or isinstance(value, pathlib.PurePath):
        return None  # As the real server does.
    raise NotJsonError(f"a {_name_of(type(value))}, which JSON cannot represent")


def _name_of(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _number(value: decimal.Decimal) -> int | float | None:
    if not value.is_finite():
        return None
    return int(value) if int(value.as_tuple().exponent) >= 0 else float(value)


def plain(value: Any, depth: int = 0) -> Any:
    """Return a value as nothing but dicts, lists, strings, numbers, booleans and None."""
    kind = type(value)
    if value is None or kind is bool or (kind is int and -_EXACT <= value < 2 * _EXACT):
        return value
    if kind is str:
        return _text(value)
    if kind is float:
        return value if math.isfinite(value) else None
    if depth > _DEPTH:
        raise ValueError(f"a value is nested deeper than {_DEPTH} levels")
    if kind is dict:
        return {_key(k): plain(v, depth + 1) for k, v in value.items()}
    if kind is list or kind is tuple:
        return [plain(item, depth + 1) for item in value]
    if isinstance(value, enum.Enum):
        return plain(value.value, depth + 1)
    if isinstance(value, dict):  # Here and below: subclasses, and integers out of range.
        return plain(dict(value), depth + 1)
    if isinstance(value, list):
        return plain(list(value), depth + 1)
    if isinstance(value, str):
        return _text(str(value))
    if isinstance(value, int):
        return int(value) if -_EXACT <= value < 2 * _EXACT else float(value)
    if isinstance(value, float):
        return plain(float(value), depth + 1)
    return plain(plainer(value), depth + 1)


def _text(value: str) -> str:
    if "\x00" in value:
        value = value.replace("\x00", "\ufffd")
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "replace").decode()
    return value


def _key(key: Any) -> str:
    if isinstance(key, str):
        return _text(str(key.value if isinstance(key, enum.Enum) else key))
    if key is None or isinstance(key, bool):
        return {None: "null", True: "true", False: "false"}[key]
    if isinstance(key, (int, float)):
        return repr(key)
    made = plain(key)
    return made if isinstance(made, str) else str(made)


def _encode_plain(value: object) -> bytes:
    try:
        flat = plain(value)
    except NotJsonError:
        raise located(value) from None
    return pydantic_core.to_json(flat, inf_nan_mode="null")


def located(value: object) -> NotJsonError:
    """Return the error for a value that JSON cannot represent, with the path to it."""
    return _located(value, [])


def _located(value: object, path: list[str]) -> NotJsonError:
    inner = value
    while not isinstance(inner, (dict, list)):
        try:
            inner = plainer(inner)
        except NotJsonError as error:
            return NotJsonError(f"{''.join(path).lstrip('.') or 'the value'} is {error}")
    items: Iterable[tuple[object, object]] = (
        inner.items() if isinstance(inner, dict) else enumerate(inner)
    )
    for key, item in items:
        try:
            plain(item)
        except NotJsonError:
            step = f"[{key}]" if isinstance(inner, list) else f".{key}"
            return _located(item, [*path, step])
    return NotJsonError(f"a key of {''.join(path).lstrip('.') or 'the value'} has no form in JSON")


def blanked(value: Any) -> Any:
    """Return a value with None for parts that JSON cannot represent.

    It is for data besides a run's values, such as the inputs of its tasks.
    """
    if type(value) is dict:
        return {key: blanked(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(blanked(item) for item in value)
    try:
        plain(value)
    except NotJsonError:
        try:
            return blanked(plainer(value))
        except NotJsonError:
            return None
    return value


def _with_orjson() -> Callable[[Any], bytes]:
    options = (
        _fast.OPT_NON_STR_KEYS
        | _fast.OPT_PASSTHROUGH_DATACLASS
        | _fast.OPT_PASSTHROUGH_DATETIME
        | _fast.OPT_PASSTHROUGH_SUBCLASS
    )
    dumps = _fast.dumps
    nul = b"\\u0000"

    def encode(value: Any) -> bytes:
        try:
            text = dumps(value, plainer, options)
        except (TypeError, ValueError, RecursionError):
            return _encode_plain(value)  # It supports more types, and its errors have the path.
        # This also matches an escaped backslash before "u0000"; the slow way distinguishes them.
        return text if nul not in text else _encode_plain(value)

    return encode


encode: Callable[[object], bytes] = _with_orjson() if _fast is not None else _encode_plain
"""Return a value as compact JSON.

Raises:
    NotJsonError: The value contains something that JSON cannot represent.
"""


def encode_blanked(value: object) -> bytes:
    """Return a value as compact JSON, with null for parts that JSON cannot represent."""
    try:
        return encode(value)
    except NotJsonError:
        return encode(blanked(value))


def decode(text: bytes | str) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValueError: The text is not JSON. NaN and Infinity are not; a number that is too large for a
            float is read as infinity.
    """
    return pydantic_core.from_json(text, allow_inf_nan=False)
