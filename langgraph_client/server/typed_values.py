"""Typed values in envelopes, for clients that request them; see `values`."""

from __future__ import annotations

import itertools
import sys
from typing import Any, cast

from pydantic_core import ValidationError

from langgraph_client.models.fields import JsonMapping, JsonObject
from langgraph_client.server.encoding import (
    NotJsonError,
    decode,
    encode,
    error_document,
    located,
    own_notes,
    plain,
    text_of,
)
from langgraph_client.server.storage.protocol import Event
from langgraph_client.values import (
    ANSWERED_EVENT,
    CLASSES_EVENT,
    CONTROL_EVENT,
    EXTENSIONS_EVENT,
    GOTO_NODES,
    HANDLER_CALLS_EVENT,
    INVALID_RESUME,
    LIFECYCLE_EVENT,
    MESSAGE_EVENTS,
    PARENT,
    PLAIN,
    SEEN_EVENT,
    TRACER_CALLS_EVENT,
    TYPES,
    Allowed,
    Note,
    builtin_fields,
    enclose,
    is_envelope,
    looks_like_message,
    open_envelope,
)

TYPED_VALUES = "typed_values"
"""The key in a run's kwargs; if true, the run's values are sent in envelopes."""
MORE_MODES = "more_modes"
"""The key in a run's kwargs for stream modes beyond the protocol's."""
OUTPUT_KEYS = "output_keys"
"""The key in a run's kwargs for the channels that its events contain: "*", or a list."""
OWN_CONFIG = "own_config"
"""The key in a run's kwargs for `configurable`, `metadata` and `context` from the caller of a
RemoteGraph."""
CONTROL = "control"
"""The key in a run's kwargs; if present, the caller may ask the run to drain. See
`graphs.drain_checks`."""
EXTRA_EVENTS = "extra_events"
"""The key in a run's kwargs for the events beyond the protocol that its caller requests."""
_EARLIER_KEYS = {"rich_values": TYPED_VALUES, "asides": EXTRA_EVENTS}
"""Earlier names of these keys, which stored runs may have."""
_EXTRA_EVENTS = (
    ANSWERED_EVENT,
    CLASSES_EVENT,
    CONTROL_EVENT,
    EXTENSIONS_EVENT,
    HANDLER_CALLS_EVENT,
    LIFECYCLE_EVENT,
    MESSAGE_EVENTS,
    SEEN_EVENT,
    TRACER_CALLS_EVENT,
)
_ENVELOPE_START = f'{{"{PLAIN}":'.encode()


def enclosed(value: object, *, has_message_documents: bool = False) -> object:
    """Return a value as JSON, in an envelope if plain JSON would lose its type.

    Args:
        value: The value.
        has_message_documents: Whether a dict in it that looks like a message stands for one, so
            that the reader makes a message of it. False: it is a dict, and is to remain one.

    Raises:
        NotJsonError: The value contains something that cannot be encoded.
    """
    try:
        found = enclose(value, plain)
    except NotJsonError:
        raise located(value) from None
    if has_message_documents and is_envelope(found):
        return {PLAIN: found[PLAIN], TYPES: _without_message_documents(found[PLAIN], found[TYPES])}
    return found


def _without_message_documents(flat: object, notes: list[Note]) -> list[Note]:
    """Return the type notes without those of dicts that look like messages, and what is in them."""
    paths = {
        tuple(path)
        for path, *note in notes
        if len(note) == 1 and looks_like_message(_at(flat, path))
    }
    return [
        note
        for note in notes
        if not any(tuple(note[0][:length]) in paths for length in range(len(note[0]) + 1))
    ]


def _at(value: Any, path: list[Any]) -> object:
    for step in path:
        value = value[step]
    return value


# Exceptions may be causes of each other in a circle.
_MOST_CAUSES = 5


def failure_details(
    error: BaseException, message: str, *, show: bool, causes: int = _MOST_CAUSES
) -> dict[str, object]:
    """Return the details from which a RemoteGraph creates a local exception.

    If the server hides the exception's text, so that `message` is another text, the details contain
    neither `args` nor attributes, notes or causes. Otherwise they contain only plain values and
    those of langchain's messages that can be sent, and no attribute with a name that looks like
    that of a secret, also of a key in it.

    Args:
        error: The exception.
        message: Its text, as it is sent.
        show: Whether to show the text of every class among the members of an exception group and
            the causes; see `error_document`.
        causes: How many exceptions may be told of which each is the `__cause__` of the one before.
    """
    bases = _named(type(error).__mro__[1:])
    details: dict[str, object] = {
        "bases": [kind.__name__ for kind in bases],
        "modules": [kind.__module__ for kind in (type(error), *bases)],
    }
    if vars(error).get(INVALID_RESUME) is True:
        details["invalid_resume"] = True
    if isinstance(error, BaseExceptionGroup):
        details["exceptions"] = [_described(inner, show, 0) for inner in error.exceptions]
    elif type(error).__name__ == "ParentCommand" and error.args:
        command = error.args[0]
        details["command"] = {"update": command.update, "goto": command.goto}
    elif message == text_of(error):
        if isinstance(error, ValidationError):
            details["validation"] = {"title": error.title, "errors": _problems(error)}
        if all(map(_is_plain, error.args)):
            details["args"] = list(error.args)
        details["attributes"] = {
            name: value
            for name, value in {**builtin_fields(error), **vars(error)}.items()
            if _is_plain(value) and not name.startswith("_") and not _is_secret(name, value)
        }
    if message == text_of(error):
        if notes := own_notes(error):
            details["notes"] = notes
        cause = error.__cause__
        if causes > 0 and cause is not None and cause is not error:
            details["cause"] = _described(cause, show, causes - 1)
    return details


def _described(error: BaseException, show: bool, causes: int) -> dict[str, object]:
    document = error_document(error, show)
    details = failure_details(error, document["message"], show=show, causes=causes)
    return {**document, **details}


def _problems(error: ValidationError) -> list[dict[str, object]]:
    """Return the problems of a model's input. Values that cannot be encoded become their `repr`."""

    def json_or_repr(value: object) -> object:
        try:
            encode(value)
        except NotJsonError:
            return repr(value)
        return value

    return [
        {
            "type": problem["type"],
            "loc": list(problem["loc"]),
            "msg": problem["msg"],
            "input": json_or_repr(problem["input"]),
            "ctx": {name: json_or_repr(value) for name, value in problem.get("ctx", {}).items()},
        }
        for problem in error.errors(include_url=False)
    ]


_SECRETS = ("key", "token", "secret", "password", "auth")


def _named(kinds: tuple[type, ...]) -> list[type]:
    """Return the classes that identify the kind of an exception."""
    return [kind for kind in kinds if issubclass(kind, Exception) and kind is not Exception]


_DEPTH = 20
_MOST_ITEMS = 1000


def _is_plain(value: object) -> bool:
    """Return whether a value of an exception can be sent, and is not too large for it."""
    items = itertools.count(1)

    def is_plain(value: object, depth: int) -> bool:
        # It may contain itself, or all rows of a table.
        if depth > _DEPTH or next(items) > _MOST_ITEMS:
            return False
        if type(value) is dict:
            return all(is_plain(item, depth + 1) for pair in value.items() for item in pair)
        if type(value) in (tuple, list):
            return all(is_plain(item, depth + 1) for item in cast("list[object]", value))
        if _is_message(value):
            return _can_be_sent(value)
        return value is None or isinstance(value, str | bytes | int | float)

    return is_plain(value, 0)


def _is_secret(name: object, value: object) -> bool:
    """Return whether an attribute or an item of one looks like a secret; `value` is plain."""
    if any(secret in str(name).lower() for secret in _SECRETS):
        return True
    if isinstance(value, dict):
        return any(_is_secret(key, item) for key, item in value.items())
    return isinstance(value, tuple | list) and any(_is_secret("", item) for item in value)


def _is_message(value: object) -> bool:
    # Not imported: scripted graphs need no langchain, and without it there are no messages.
    messages = sys.modules.get("langchain_core.messages")
    return messages is not None and isinstance(value, messages.BaseMessage)


def _can_be_sent(message: object) -> bool:
    # A message may contain anything, for instance the artifact of a tool.
    try:
        encode(enclosed(message))
    except Exception:  # Values of the graph may raise anything.
        return False
    return True


def as_plain(events: list[Event]) -> list[Event]:
    """Return events in the protocol's form, without the parts for a RemoteGraph."""
    return [
        event
        if not event.data.startswith(_ENVELOPE_START)
        else event._replace(data=_plain_data(event.data))
        for event in events
        if event.name.partition("|")[0] not in _EXTRA_EVENTS
    ]


def _plain_data(data: bytes) -> bytes:
    value = decode(data)
    return encode(value[PLAIN]) if is_envelope(value) else data


def with_current_keys(kwargs: JsonMapping) -> JsonObject:
    """Return the kwargs of a stored run, which may be of an earlier version, with today's keys."""
    return {_EARLIER_KEYS.get(key, key): value for key, value in kwargs.items()}


def open_kwargs(kwargs: JsonMapping, allowed: Allowed) -> JsonObject:
    """Return a run's kwargs with the envelopes in its input, command and config opened.

    What the run takes over from a graph around it is moved from its config to the key `PARENT`.

    Raises:
        ValueError: An envelope does not fit its value.
    """
    opened: JsonObject = {**kwargs, "input": open_envelope(kwargs.get("input"), allowed)}
    if kwargs.get("command"):
        command: JsonObject = {
            name: _open_goto(value, allowed) if name == "goto" else open_envelope(value, allowed)
            for name, value in kwargs["command"].items()
        }
        if nodes := command.pop(GOTO_NODES, None):
            command["goto"] = [*command["goto"], *nodes]
        opened["command"] = command
    if own := kwargs.get(OWN_CONFIG):
        own = {
            section: {key: open_envelope(value, allowed) for key, value in items.items()}
            for section, items in own.items()
        }
        opened[PARENT] = own["configurable"].pop(PARENT, None) or {}
        if not isinstance(opened[PARENT], dict):
            raise ValueError(f"config.configurable.{PARENT} must be an object")
        opened["context"] = own.pop("context", kwargs.get("context"))
        opened[OWN_CONFIG] = own
    return opened


def plain_config(body: JsonMapping) -> JsonMapping:
    """Return a run's request with plain JSON instead of envelopes in its config and context."""
    changed: JsonObject = {}
    if body.get("context"):
        changed["context"] = _plain_items(body["context"])
    if body.get("config"):
        config = dict(body["config"])
        for section in ("configurable", "metadata"):
            if config.get(section):
                config[section] = _plain_items(config[section])
        changed["config"] = config
    return {**body, **changed}


def _plain_items(items: JsonMapping) -> JsonObject:
    return {
        key: value[PLAIN] if is_envelope(value) else value
        for key, value in items.items()
        if key != PARENT
    }


def _open_goto(goto: object, allowed: Allowed) -> object:
    if isinstance(goto, list):
        return [_open_goto(item, allowed) for item in goto]
    if isinstance(goto, dict):
        return {**goto, "input": open_envelope(goto.get("input"), allowed)}
    return goto
