"""Read the headers with which LangSmith ties a run to the trace of its caller. No I/O."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import unquote

from langgraph_client.server.errors import Invalid
from langgraph_client.server.http.client_json import decode_limited

logger = logging.getLogger("langgraph_client.server")

TRACE: Final = "langsmith-trace"


def tracing_headers(headers: Mapping[str, str]) -> dict[str, object]:
    """Return the trace of a request's caller, as graphs find it in `configurable`.

    As in langgraph-api 0.16.7: `langsmith-trace`, and from the `baggage` beside it
    `langsmith-project`, `langsmith-tags` as a list and `langsmith-metadata` as an object. Empty if
    the request has no trace.

    Args:
        headers: The headers of the request, by names in any case.
    """
    trace = headers.get(TRACE)
    if trace is None:
        return {}
    found: dict[str, object] = {TRACE: trace}
    for item in headers.get("baggage", "").split(","):
        name, _, text = item.strip().partition("=")
        read = _BAGGAGE.get(name)
        if read is not None and (value := read(unquote(text))) is not None:
            found[name] = value
    return found


def _metadata(text: str) -> object:
    """Return the metadata in a baggage; None if it is not an object within the limits of bodies.

    The metadata is stored with the run: what could not be read again must not be stored.
    """
    try:
        value = decode_limited(text.encode(), "langsmith-metadata")
    except (ValueError, Invalid):
        value = None
    if isinstance(value, dict):
        return value
    logger.warning(
        "the langsmith-metadata of a request's baggage is not a JSON object, or too large: ignored"
    )
    return None


_BAGGAGE: dict[str, Callable[[str], object]] = {
    "langsmith-metadata": _metadata,
    "langsmith-tags": lambda text: text.split(","),
    "langsmith-project": str,
}
