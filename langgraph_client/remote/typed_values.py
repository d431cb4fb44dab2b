"""What a caller gives, in envelopes, for servers that read them; see `values`."""

from __future__ import annotations

import math
from collections.abc import Mapping

from langgraph_client._core.codec import decode, encode
from langgraph_client.errors import InvalidArgumentError
from langgraph_client.remote.aliases import JSON, GraphValue, JsonObject, Reply
from langgraph_client.values import PLAIN, TYPES, enclose, is_message


def enclosed_request(asked: Reply) -> JsonObject | None:
    """A run's `input` or `command` with its values in envelopes; None where JSON carries them."""
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
        sends = [goto] if isinstance(goto, Mapping) else list(goto)
        for index, send in enumerate(sends):
            if not isinstance(send, str) and (flat := enclosed(send["input"])) is not _SAME:
                sends[index], changed = {**send, "input": flat}, True
        command["goto"] = sends if len(sends) > 1 else sends[0]
    return {"command": command} if changed else None


def enclosed_config(config: JsonObject) -> JsonObject | None:
    """A config whose configurable values are in envelopes; None where JSON carries them."""
    given = config.get("configurable") or {}
    changed = {key: flat for key, value in given.items() if (flat := enclosed(value)) is not _SAME}
    return {**config, "configurable": {**given, **changed}} if changed else None


def enclosed_values(values: GraphValue) -> JSON:
    """Values of a state update in an envelope; None where JSON carries them."""
    flat = enclosed(values)
    if flat is not _SAME:
        return flat
    if values is None or isinstance(values, dict | list):
        return None
    return {PLAIN: _plain(values), TYPES: []}  # Requests have no place for a bare value.


_SAME: JSON = object()


def enclosed(value: GraphValue) -> JSON:
    """Return a value as plain JSON with notes of its types, or `_SAME` if it needs no notes."""
    try:
        flat = enclose(value, _plain, note_messages=True)
    except InvalidArgumentError:
        return _SAME  # Sending it as it is will say what is wrong, and where.
    # Without notes `enclose` gives back plain JSON that the codec would write just so.
    return flat if isinstance(flat, dict) and flat.keys() == {PLAIN, TYPES} else _SAME


def _plain(value: GraphValue) -> JSON:
    if type(value) is str:  # With what cannot be sent replaced; the note beside it has it all.
        return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    if isinstance(value, float) and not math.isfinite(value):
        return None  # As servers write it; the note beside it says what it is.
    return decode(encode(value))


def plain_messages(value: GraphValue) -> GraphValue:
    """Return a value whose messages are dicts of which a graph makes the same messages again.

    Graphs keep the keys of a dict that they do not expect as `additional_kwargs`: those that say
    nothing are left out.
    """
    if is_message(value):
        return {
            key: plain_messages(item)
            for key, item in value.model_dump().items()
            if not (key in _UNEXPECTED and not item)
        }
    if type(value) is dict:
        return {key: plain_messages(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(plain_messages(item) for item in value)
    return value


_UNEXPECTED = frozenset({"example", "invalid_tool_calls", "usage_metadata"})
