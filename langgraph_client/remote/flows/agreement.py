"""Whether the server is one that reads more than the protocol."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from langgraph_client.errors import APIResponseValidationError
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
        except AttributeError:
            pass  # A client without plain requests does not talk to the bundled server.
        except (APIResponseValidationError, ValueError):
            pass  # An answer that is not JSON.
        except Exception as error:
            status = status_of(error)
            if status is None:
                raise
            if status >= 500 or status == 429:
                return False  # It may say something else the next time.
        clients.reads_envelopes = any(answer.headers.get(HEADER) == VERSION for answer in answers)
    return clients.reads_envelopes
