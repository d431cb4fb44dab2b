"""Whether the server is one that reads more than the protocol."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from langgraph_client.remote.clients import Clients, status_of
from langgraph_client.remote.flow import Flow, ask
from langgraph_client.values import HEADER, VERSION


def agreed_headers(clients: Clients) -> Flow[Mapping[str, str]]:
    """Return the headers of our own that the server has said it reads; none for any other server.

    GET /info
    """
    reads = yield from reads_envelopes(clients)
    return {HEADER: VERSION} if reads else {}


def reads_envelopes(clients: Clients) -> Flow[bool]:
    """Return whether the server reads values in envelopes; it is asked once.

    GET /info
    """
    if clients.reads_envelopes is None:
        answers: list[httpx.Response] = []
        try:
            yield from ask(lambda client: client.http.get("/info", on_response=answers.append))
        except Exception as error:
            if isinstance(error, httpx.TransportError):
                raise  # No server: what is to be asked next would not get there, either.
            status = status_of(error)
            if status is not None and (status >= 500 or status == 429):
                return False  # It may say something else the next time.
            # Another server, an answer that is not JSON, a client without plain requests, a mock
            # that has not heard of `/info`: not the bundled one.
        clients.reads_envelopes = any(answer.headers.get(HEADER) == VERSION for answer in answers)
    return clients.reads_envelopes
