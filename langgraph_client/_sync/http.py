# Generated from langgraph_client/_async/http.py by .ci/unasync.py; do not edit.
"""Requests to endpoints without a method of their own, with the client's key and retries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from langgraph_client._core.call import ANY, UNREAD, Call, at_least, call, check_path
from langgraph_client._core.events import same_part
from langgraph_client._core.requests import STREAM_HEADERS
from langgraph_client._core.stream_session import StreamSession
from langgraph_client._core.unset import UNSET
from langgraph_client._sync._httpx import HttpResponse, HttpxClient
from langgraph_client._sync.make_transport import transport_over
from langgraph_client._sync.stream import RunStream
from langgraph_client._sync.transport import Transport
from langgraph_client.errors import InvalidArgumentError
from langgraph_client.models.events import StreamPart
from langgraph_client.models.fields import JSON
from langgraph_client.models.params import Headers, QueryParams

OnResponse = Callable[[HttpResponse], None]


class SyncHttpClient:
    """Plain requests to any path of the server.

    Paths are relative to the server's URL, and the caller must quote them. Every method raises
    `InvalidArgumentError` for a path that does not begin with one slash, and `APIError` if the
    server cannot be reached or refuses the request.
    """

    def __init__(self, client: HttpxClient | Transport) -> None:
        """Create a client of its own, for tests that pass an httpx client with a mock.

        Args:
            client: An httpx client with a base URL; it is never closed here.

        Raises:
            InvalidArgumentError: The httpx client has no base URL.
        """
        transport = client if isinstance(client, Transport) else transport_over(client)
        self._transport = transport

    @property
    def client(self) -> HttpxClient:
        """The httpx client that was passed, or else one with the same URL and headers.

        Its headers are those of every request of this client: set one here to change it for all
        requests from now on. A client that was not passed is created on first use, and closed with
        this client. What is sent with it directly has none of this package's retries.

        `timeout`, `auth`, `cookies`, `params` and `event_hooks` count for all requests too. Once
        one of the last four is set, httpx sends the requests, which takes longer. `base_url`
        counts only for what is sent with it directly.

        Example:
            client.http.client.headers["Authorization"] = "Bearer ..."
        """
        return self._transport.httpx_client.client()

    def get(
        self,
        path: str,
        *,
        params: QueryParams | None = None,
        headers: Headers | None = None,
        on_response: OnResponse | None = None,
    ) -> JSON:
        """Send a GET, and return the JSON of the response; None if its body is empty.

        Args:
            path: The path below the server's URL, with a slash in front.
            params: Query parameters to add to this request.
            headers: Headers of this request. They replace the client's headers of the same name.
            on_response: Called with the response, body included, also if its status is an error.

        Example:
            info = client.http.get("/info")
        """
        return self._transport.send(
            _request("GET", path, params=params, headers=headers, on_response=on_response)
        )

    def post(
        self,
        path: str,
        *,
        json: JSON,
        params: QueryParams | None = None,
        headers: Headers | None = None,
        on_response: OnResponse | None = None,
    ) -> JSON:
        """Send a POST, and return the JSON of the response; None if its body is empty.

        Args:
            path: The path below the server's URL, with a slash in front.
            json: The body, as JSON values; None sends no body.
            params: Query parameters to add to this request.
            headers: Headers of this request. They replace the client's headers of the same name.
            on_response: Called with the response, body included, also if its status is an error.

        Example:
            threads = client.http.post("/threads/search", json={"limit": 5})
        """
        return self._transport.send(
            _request(
                "POST", path, json=json, params=params, headers=headers, on_response=on_response
            )
        )

    def put(
        self,
        path: str,
        *,
        json: JSON,
        params: QueryParams | None = None,
        headers: Headers | None = None,
        on_response: OnResponse | None = None,
    ) -> JSON:
        """Send a PUT, and return the JSON of the response; None if its body is empty.

        Args:
            path: The path below the server's URL, with a slash in front.
            json: The body, as JSON values; None sends no body.
            params: Query parameters to add to this request.
            headers: Headers of this request. They replace the client's headers of the same name.
            on_response: Called with the response, body included, also if its status is an error.

        Example:
            item = {"namespace": ["users"], "key": "bob", "value": {"likes": "tea"}}
            client.http.put("/store/items", json=item)
        """
        return self._transport.send(
            _request(
                "PUT", path, json=json, params=params, headers=headers, on_response=on_response
            )
        )

    def patch(
        self,
        path: str,
        *,
        json: JSON,
        params: QueryParams | None = None,
        headers: Headers | None = None,
        on_response: OnResponse | None = None,
    ) -> JSON:
        """Send a PATCH, and return the JSON of the response; None if its body is empty.

        Args:
            path: The path below the server's URL, with a slash in front.
            json: The body, as JSON values; None sends no body.
            params: Query parameters to add to this request.
            headers: Headers of this request. They replace the client's headers of the same name.
            on_response: Called with the response, body included, also if its status is an error.

        Example:
            change = {"metadata": {"topic": "tea"}}
            client.http.patch(f"/threads/{thread_id}", json=change)
        """
        return self._transport.send(
            _request(
                "PATCH", path, json=json, params=params, headers=headers, on_response=on_response
            )
        )

    def delete(
        self,
        path: str,
        *,
        json: JSON = None,
        params: QueryParams | None = None,
        headers: Headers | None = None,
        on_response: OnResponse | None = None,
    ) -> None:
        """Send a DELETE. The body of the response is ignored.

        Args:
            path: The path below the server's URL, with a slash in front.
            json: The body, as JSON values; None sends no body.
            params: Query parameters to add to this request.
            headers: Headers of this request. They replace the client's headers of the same name.
            on_response: Called with the response, body included, also if its status is an error.

        Example:
            client.http.delete(f"/threads/{thread_id}")
        """
        request = _request(
            "DELETE", path, json=json, params=params, headers=headers, on_response=on_response
        )
        self._transport.send(replace(request, reply=UNREAD))

    def request_reconnect(
        self,
        path: str,
        method: str,
        *,
        json: JSON = None,
        params: QueryParams | None = None,
        headers: Headers | None = None,
        on_response: OnResponse | None = None,
        reconnect_limit: int = 5,
    ) -> JSON:
        """Send a request whose response may take long; if it is cut, request it again.

        The server must name in the header `Location` where the response can be requested again.

        Args:
            path: The path below the server's URL, with a slash in front.
            method: The HTTP method.
            json: The body, as JSON values; None sends no body.
            params: Query parameters to add to this request.
            headers: Headers of this request. They replace the client's headers of the same name.
            on_response: Called with the response's status and headers, before its body is read.
            reconnect_limit: The most further requests. Default: 5.

        Returns:
            The JSON of the response; None if its body is empty.

        Example:
            where = f"/threads/{thread_id}/runs/{run_id}/join"
            state = client.http.request_reconnect(where, "GET")
        """
        at_least("reconnect_limit", reconnect_limit, 0)
        return self._transport.wait(
            _request(
                method, path, json=json, params=params, headers=headers, on_response=on_response
            ),
            reconnects=reconnect_limit,
        )

    def stream(
        self,
        path: str,
        method: str,
        *,
        json: JSON = None,
        params: QueryParams | None = None,
        headers: Headers | None = None,
        on_response: OnResponse | None = None,
    ) -> RunStream[StreamPart]:
        """Send a request whose response is an event stream.

        Events may have any names. The stream ends when the server closes the connection.

        Args:
            path: The path below the server's URL, with a slash in front.
            method: The HTTP method.
            json: The body, as JSON values; None sends no body.
            params: Query parameters to add to this request.
            headers: Headers of this request. They replace the client's headers of the same name.
            on_response: Called with the response's status and headers, before its body is read.

        Returns:
            The stream. No request is sent before it is iterated over or entered.

        Raises:
            StreamIncomplete: While iterating: the stream was cut and could not be continued.

        Example:
            payload = {"assistant_id": "agent", "input": {"messages": []}}
            for part in client.http.stream("/runs/stream", "POST", json=payload):
                print(part.event)
        """
        first = _request(
            method,
            path,
            json=json,
            params=params,
            headers=headers,
            on_response=on_response,
            stream=True,
        )
        session = StreamSession(first, any_events=True, policy=self._transport.reconnect)
        return RunStream(self._transport, session, same_part)


def _request(
    method: str,
    path: str,
    *,
    json: JSON = None,
    params: QueryParams | None = None,
    headers: Headers | None = None,
    on_response: OnResponse | None = None,
    stream: bool = False,
) -> Call[Any]:
    if not (method.isascii() and method.isalpha()):
        raise InvalidArgumentError("method", f"must be an HTTP method, not {method!r}")
    return call(
        method.upper(),
        check_path(path),
        ANY,
        body=UNSET if json is None else json,
        params=params,
        headers=headers,
        extra_headers=STREAM_HEADERS if stream else None,
        on_response=on_response,
    )
