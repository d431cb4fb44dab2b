"""Find out whether the server is the bundled one, which supports more than the protocol."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from langgraph_client.remote.aliases import JsonObject
from langgraph_client.remote.clients import Clients, status_of
from langgraph_client.remote.flow import Flow, ask
from langgraph_client.values import HEADER, VERSION


def own_options(headers: Mapping[str, str], params: Mapping[str, object] | None) -> JsonObject:
    """Return the headers and query parameters of a call as keyword arguments of each request.

    Those that are empty are left out, because a mock of a client may not accept them.
    """
    options = {"headers": headers, "params": params}
    return {name: value for name, value in options.items() if value}


def bundled_server_headers(clients: Clients, own: JsonObject) -> Flow[Mapping[str, str]]:
    """Return the additional headers that the bundled server reads; none for any other server.

    Args:
        clients: The clients of the call.
        own: The headers and query parameters of the call, as keyword arguments of a request.

    GET /info
    """
    reads = yield from reads_envelopes(clients, own)
    return {HEADER: VERSION} if reads else {}


def reads_envelopes(clients: Clients, own: JsonObject) -> Flow[bool]:
    """Return whether the server reads values in envelopes. The server is asked once.

    Args:
        clients: The clients of the call.
        own: The headers and query parameters of the call, as keyword arguments of a request.

    GET /info
    """
    if clients.reads_envelopes is None:
        answers: list[httpx.Response] = []
        try:
            yield from ask(
                lambda client: client.http.get("/info", on_response=answers.append, **own)
            )
        except Exception as error:
            if isinstance(error, httpx.TransportError):
                raise  # The server cannot be reached: the next request would fail too.
            status = status_of(error)
            if status is not None and (status >= 500 or status in (401, 403, 429)):
                # Not kept: the failure may be temporary, or that of this call's headers.
                return False
            # Any other failure means that it is not the bundled server: no `/info`, a response
            # that is not JSON, a client without `http`, a mock.
        clients.reads_envelopes = any(answer.headers.get(HEADER) == VERSION for answer in answers)
    return clients.reads_envelopes
