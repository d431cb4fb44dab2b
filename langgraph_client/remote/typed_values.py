"""Put the caller's values into envelopes, for the bundled server; see `values`."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from decimal import Decimal

from pydantic import BaseModel

from langgraph_client._core.codec import decode, encode
from langgraph_client.errors import InvalidArgumentError
from langgraph_client.remote.aliases import JSON, GraphValue, JsonObject, Reply
from langgraph_client.values import PLAIN, TYPES, enclose, is_message


def enclosed_request(asked: Reply) -> JsonObject | None:
    """Return a run's `input` or `command` with values in envelopes; None if JSON is enough."""
    if "command" not in asked:
        flat = enclosed(asked.get("input"))
        return None if flat is _SAME else {"input": flat}
    command = dict(asked["command"])
    changed = False
    for name in ("update", "resume"):
        if (flat := enclosed(command.get(name))) is not _SAME:
            command[name], changed = flat, True
    goto = command.get("goto")
    if goto and not isinstance(goto, str):
        is_single = isinstance(goto, Mapping)
        sends = [goto] if is_single else list(goto)
        for index, send in enumerate(sends):
            if not isinstance(send, str) and (flat := enclosed(send["input"])) is not _SAME:
                sends[index], changed = {**send, "input": flat}, True
        command["goto"] = sends[0] if is_single else sends
    return {"command": command} if changed else None


def enclosed_config(config: JsonObject) -> JsonObject | None:
    """Return a config with values of `configurable` and `metadata` in envelopes.

    None if plain JSON is enough. Each value has an envelope of its own, so that the bundled
    server's `Auth` reads the others as they are.
    """
    changed = {
        section: {**config[section], **typed}
        for section in ("configurable", "metadata")
        if (typed := _enclosed_items(config.get(section) or {}))
    }
    return {**config, **changed} if changed else None


def enclosed_context(context: GraphValue) -> JsonObject | None:
    """Return a context with its values in envelopes, each of its own as in `enclosed_config`.

    None if plain JSON is enough. The class of the context itself has no note: the graph makes it.
    """
    fields: Mapping[str, GraphValue] = {}
    if isinstance(context, BaseModel):
        fields = {name: getattr(context, name) for name in type(context).model_fields}
    elif dataclasses.is_dataclass(context) and not isinstance(context, type):
        fields = {field.name: getattr(context, field.name) for field in dataclasses.fields(context)}
    elif isinstance(context, Mapping):
        fields = {key: value for key, value in context.items() if isinstance(key, str)}
    typed = _enclosed_items(fields)
    return {**_plain(context), **typed} if typed else None


def _enclosed_items(items: Mapping[str, GraphValue]) -> JsonObject:
    """Return those items of which plain JSON would lose something, in envelopes."""
    return {key: flat for key, value in items.items() if (flat := enclosed(value)) is not _SAME}


def enclosed_values(values: GraphValue) -> JSON:
    """Return the values of a state update in an envelope; None if plain JSON is enough."""
    flat = enclosed(values)
    if flat is not _SAME:
        return flat
    if values is None or isinstance(values, dict | list):
        return None
    return {PLAIN: _plain(values), TYPES: []}  # Requests accept only objects, lists and null.


_SAME: JSON = object()


def enclosed(value: GraphValue) -> JSON:
    """Return a value as plain JSON with type notes; `_SAME` if it needs no notes."""
    try:
        flat = enclose(value, _plain, note_messages=True)
    except InvalidArgumentError:
        return _SAME  # The codec will raise the same error, with the path to the value.
    # Without notes, `enclose` returns the JSON that the codec would write itself.
    return flat if isinstance(flat, dict) and flat.keys() == {PLAIN, TYPES} else _SAME


def is_sendable(value: GraphValue) -> bool:
    """Return whether a value can be sent to the bundled server."""
    try:
        enclose(value, _plain, note_messages=True)
    except InvalidArgumentError:
        return False
    return True


def _plain(value: GraphValue) -> JSON:
    if type(value) is str:  # Characters that JSON cannot have are replaced; the note has them.
        return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    if isinstance(value, float | Decimal) and not math.isfinite(value):
        return None  # As servers write it; the note has the number.
    return decode(encode(value))


def plain_messages(value: GraphValue, name: str) -> GraphValue:
    """Return a value with dicts for its messages, from which a graph creates equal messages.

    Graphs put unknown keys of such a dict into `additional_kwargs`, so these keys are left out if
    they are empty.

    Args:
        value: The value.
        name: The parameter's name for error messages.

    Raises:
        InvalidArgumentError: A dict has several keys that are one in JSON.
    """
    if is_message(value):
        return {
            key: plain_messages(item, name)
            for key, item in value.model_dump().items()
            if not (key in _UNEXPECTED and not item)
        }
    if isinstance(value, dict):
        _refuse_equal_keys(value, name)
        return {key: plain_messages(item, name) for key, item in value.items()}
    if isinstance(value, list):
        return [plain_messages(item, name) for item in value]
    if type(value) is tuple:
        return tuple(plain_messages(item, name) for item in value)
    return value


def _refuse_equal_keys(value: Mapping[object, object], parameter: str) -> None:
    """Refuse a dict with keys that are one in JSON, such as 1 and "1": an item would be lost.

    Raises:
        InvalidArgumentError: The dict has such keys.
    """
    if all(isinstance(key, str) for key in value):
        return
    names: dict[str, object] = {}
    for key in value:
        try:
            (name,) = _plain({key: None})
        except InvalidArgumentError:
            return  # The codec will raise the same error, with the path to the key.
        if name in names:
            raise InvalidArgumentError(
                parameter,
                f"has a dict with the keys {names[name]!r} and {key!r}: one key in JSON",
            )
        names[name] = key


_UNEXPECTED = frozenset({"example", "invalid_tool_calls", "usage_metadata"})
