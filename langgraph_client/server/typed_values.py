"""Values as they are, for clients that have said they read envelopes; see `values`."""

from __future__ import annotations

from pydantic_core import ValidationError

from langgraph_client.models.fields import JsonMapping, JsonObject
from langgraph_client.server.encoding import (
    NotJsonError,
    decode,
    encode,
    error_document,
    located,
    plain,
)
from langgraph_client.server.storage.protocol import Event
from langgraph_client.values import (
    CLASSES_EVENT,
    CONTROL_EVENT,
    EXTENSIONS_EVENT,
    GOTO_NODES,
    HANDLER_CALLS_EVENT,
    INVALID_RESUME,
    LIFECYCLE_EVENT,
    MESSAGE_EVENTS,
    PLAIN,
    TRACER_CALLS_EVENT,
    Allowed,
    enclose,
    is_envelope,
    open_envelope,
)

RICH = "rich_values"
"""Marks, in a run's kwargs, that its values travel in envelopes."""
MORE_MODES = "more_modes"
"""In a run's kwargs, stream modes beyond the protocol's."""
OUTPUT_KEYS = "output_keys"
"""In a run's kwargs, the channels that its events tell: "*", or a list."""
OWN_CONFIG = "own_config"
"""In a run's kwargs, `configurable` and `metadata` as the caller of a RemoteGraph gave them."""
CONTROL = "control"
"""In a run's kwargs, that its caller may ask it to drain; see `graphs.drain_checks`."""
NESTED = "nested"
"""In a run's kwargs, that it is that of a node of a graph that keeps nothing."""
ASIDES = "asides"
"""In a run's kwargs, the events of our own that its caller wants to have."""
_ASIDES = (
    CLASSES_EVENT,
    CONTROL_EVENT,
    EXTENSIONS_EVENT,
    HANDLER_CALLS_EVENT,
    LIFECYCLE_EVENT,
    MESSAGE_EVENTS,
    TRACER_CALLS_EVENT,
)
_START = f'{{"{PLAIN}":'.encode()


def enclosed(value: object) -> object:
    """Return a value as plain JSON, in an envelope where that loses something.

    Raises:
        NotJsonError: The value holds something that JSON cannot carry.
    """
    try:
        return enclose(value, plain)
    except NotJsonError:
        raise located(value) from None


def failure_details(error: BaseException, message: str) -> dict[str, object]:
    """Return what a RemoteGraph makes the local exception of, beside the error document.

    Of what may be withheld, nothing is told that is not in the message as well: `args` and
    attributes only where `message` is the exception's own text; of these only plain values, and
    none whose name sounds like a secret.
    """
    kinds = type(error).__mro__[1:]
    details: dict[str, object] = {
        "bases": [kind.__name__ for kind in kinds if kind in _named(kinds)]
    }
    if vars(error).get(INVALID_RESUME) is True:
        details["invalid_resume"] = True
    if isinstance(error, BaseExceptionGroup):
        details["exceptions"] = [
            {**error_document(inner), **failure_details(inner, str(inner))}
            for inner in error.exceptions
        ]
    elif type(error).__name__ == "ParentCommand" and error.args:
        command = error.args[0]
        details["command"] = {"update": command.update, "goto": command.goto}
    elif message == str(error):
        if isinstance(error, ValidationError):
            details["validation"] = {"title": error.title, "errors": _problems(error)}
        if all(map(_is_plain, error.args)):
            details["args"] = list(error.args)
        details["attributes"] = {
            name: value
            for name, value in vars(error).items()
            if _is_plain(value)
            and not name.startswith("_")
            and not any(secret in name.lower() for secret in _SECRETS)
        }
    return details


def _problems(error: ValidationError) -> list[dict[str, object]]:
    """Return what is wrong with a model's input; what JSON cannot carry as its `repr`."""

    def sent(value: object) -> object:
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
            "input": sent(problem["input"]),
            "ctx": {name: sent(value) for name, value in problem.get("ctx", {}).items()},
        }
        for problem in error.errors(include_url=False)
    ]


_SECRETS = ("key", "token", "secret", "password", "auth")


def _named(kinds: tuple[type, ...]) -> list[type]:
    """Return the classes that say what kind of exception it is."""
    return [kind for kind in kinds if issubclass(kind, Exception) and kind is not Exception]


def _is_plain(value: object) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | bytes | int | float)


def as_plain(events: list[Event]) -> list[Event]:
    """Return events as everybody else reads them, without what is for a RemoteGraph."""
    return [
        event if not event.data.startswith(_START) else event._replace(data=_taken_out(event.data))
        for event in events
        if event.name.partition("|")[0] not in _ASIDES
    ]


def _taken_out(data: bytes) -> bytes:
    value = decode(data)
    return encode(value[PLAIN]) if is_envelope(value) else data


def opened_input(kwargs: JsonMapping, allowed: Allowed) -> JsonObject:
    """Return a run's kwargs with the values that its input, command and config stand for.

    Raises:
        ValueError: An envelope does not fit its value.
    """
    opened: JsonObject = {**kwargs, "input": open_envelope(kwargs.get("input"), allowed)}
    if kwargs.get("command"):
        command: JsonObject = {
            name: _targets(value, allowed) if name == "goto" else open_envelope(value, allowed)
            for name, value in kwargs["command"].items()
        }
        if nodes := command.pop(GOTO_NODES, None):
            command["goto"] = [*command["goto"], *nodes]
        opened["command"] = command
    if own := kwargs.get(OWN_CONFIG):
        given = own["configurable"]
        values = {key: open_envelope(value, allowed) for key, value in given.items()}
        opened[OWN_CONFIG] = {**own, "configurable": values}
    return opened


def plain_configurable(body: JsonMapping) -> JsonMapping:
    """Return a run's request with the plain JSON of the values in its config's envelopes."""
    config = body.get("config") or {}
    given = config.get("configurable") or {}
    if not any(map(is_envelope, given.values())):
        return body
    plain_values = {
        key: value[PLAIN] if is_envelope(value) else value for key, value in given.items()
    }
    return {**body, "config": {**config, "configurable": plain_values}}


def _targets(goto: object, allowed: Allowed) -> object:
    if isinstance(goto, list):
        return [_targets(item, allowed) for item in goto]
    if isinstance(goto, dict):
        return {**goto, "input": open_envelope(goto.get("input"), allowed)}
    return goto
