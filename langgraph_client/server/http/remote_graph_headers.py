"""Headers by which a RemoteGraph and the bundled server use features beyond the protocol."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException

from langgraph_client.models.fields import JsonObject
from langgraph_client.server.encoding import decode, error_document
from langgraph_client.server.errors import Invalid, Unavailable
from langgraph_client.server.http.replies import http_error
from langgraph_client.server.typed_values import (
    CONTROL,
    EXTRA_EVENTS,
    MORE_MODES,
    OUTPUT_KEYS,
    TYPED_VALUES,
)
from langgraph_client.thread_ids import THREAD_HEADER
from langgraph_client.values import (
    CONTROL_HEADER,
    ERROR_HEADER,
    EXTRA_EVENTS_HEADER,
    HEADER,
    MODES_HEADER,
    OUTPUT_HEADER,
    VERSION,
)

_MAX_PAUSE = 60
"""The longest pause between two questions of a run whether to drain, in seconds."""


def reads_envelopes(headers: Headers) -> bool:
    """Return whether the client reads envelopes."""
    return headers.get(HEADER) == VERSION


def envelope_header(headers: Headers) -> dict[str, str]:
    """Return the response header that tells such a client that the server writes envelopes."""
    return {HEADER: VERSION} if reads_envelopes(headers) else {}


def remote_graph_options(headers: Headers) -> dict[str, object]:
    """Return the options of a RemoteGraph's run beyond the protocol, as kwargs of the run.

    Raises:
        Invalid: A header has an invalid value.
    """
    asked: JsonObject = {TYPED_VALUES: True} if reads_envelopes(headers) else {}
    keys = headers.get(OUTPUT_HEADER)
    if keys is not None:
        asked[OUTPUT_KEYS] = keys if keys == "*" else _names(OUTPUT_HEADER, keys)
    modes = headers.get(MODES_HEADER)
    if modes is not None:
        asked[MORE_MODES] = _names(MODES_HEADER, modes)
        if unknown := set(asked[MORE_MODES]) - {"tools"}:
            raise Invalid(f"{MODES_HEADER} has unknown modes: {sorted(unknown)}")
    if (extra_events := headers.get(EXTRA_EVENTS_HEADER)) is not None:
        asked[EXTRA_EVENTS] = _names(EXTRA_EVENTS_HEADER, extra_events)
    control = headers.get(CONTROL_HEADER)
    if control is not None:
        asked[CONTROL] = _control(control)
    return asked


def graph_and_thread(headers: Headers) -> tuple[str, str] | None:
    """Return the assistant of a RemoteGraph and its caller's id of the thread; None without header.

    Raises:
        Invalid: The header has an invalid value.
    """
    text = headers.get(THREAD_HEADER)
    if text is None:
        return None
    names = _names(THREAD_HEADER, text)
    if len(names) != len(("assistant", "thread")):
        raise Invalid(f"{THREAD_HEADER} must name an assistant and a thread")
    return names[0], names[1]


def refusal(headers: Headers, error: Exception, status: int | None = None) -> HTTPException | None:
    """Return the response for a state call that a graph refuses; None if it is a server error.

    A RemoteGraph gets the exception's class, so that it can raise the local one.

    Args:
        headers: The request's headers.
        error: The graph's exception.
        status: The response's status, if other clients get another response; else None.
    """
    if isinstance(error, Unavailable):  # It has a response of its own, without its cause.
        return None
    if not reads_envelopes(headers) and (status is not None or not isinstance(error, ValueError)):
        return None
    if status is None:
        status = 400 if isinstance(error, ValueError) else 500
    told = {ERROR_HEADER: type(error).__name__} if reads_envelopes(headers) else None
    return http_error(status, error_document(error)["message"], told)


def _control(text: str) -> dict[str, object]:
    try:
        control = decode(text)
    except ValueError:
        control = None
    if not isinstance(control, dict) or not isinstance(control.get("drain"), str | None):
        raise Invalid(f'{CONTROL_HEADER} must be {{"drain": reason}}')
    pause = control.get("pause", 0)
    if (
        isinstance(pause, bool)
        or not isinstance(pause, int | float)
        or not 0 <= pause <= _MAX_PAUSE
    ):
        raise Invalid(f"{CONTROL_HEADER}: pause must be a number of seconds up to {_MAX_PAUSE}")
    return {"drain": control.get("drain"), "pause": float(pause)}


def _names(header: str, text: str) -> list[str]:
    try:
        names = decode(text)
    except ValueError:
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Invalid(f"{header} must be a JSON list of names")
    return names
