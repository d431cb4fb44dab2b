"""Find out whether the server is the bundled one, which supports more than the protocol."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from langgraph_client.remote.clients import Clients, status_of
from langgraph_client.remote.flow import Flow, ask
from langgraph_client.values import HEADER, VERSION


def agreed_headers(clients: Clients) -> Flow[Mapping[str, str]]:
    """Return the additional headers that the bundled server reads; none for any other server.

    GET /info
    """
    reads = yield from reads_envelopes(clients)
    return {HEADER: VERSION} if reads else {}


def reads_envelopes(clients: Clients) -> Flow[bool]:
    """Return whether the server reads values in envelopes. The server is asked once.

    GET /info
    """
    if clients.reads_envelopes is None:
        answers: list[httpx.Response] = []
        try:
            yield from ask(lambda client: client.http.get("/info", on_response=answers.append))
        except Exception as error:
            if isinstance(error, httpx.TransportError):
                raise  # The server cannot be reached: the next request would fail too.
            status = status_of(error)
            if status is not None and (status >= 500 or status == 429):
                return False  # Not kept: the failure may be temporary.
            # Any other failure means that it is not the bundled server: no `/info`, a response
            # that is not JSON, a client without `http`, a mock.
        clients.reads_envelopes = any(answer.headers.get(HEADER) == VERSION for answer in answers)
    return clients.reads_envelopes
