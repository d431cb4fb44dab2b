"""Requests to endpoints that have no method here, with this client's key, errors and retries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langgraph_client._async._httpx import HttpResponse
from langgraph_client._async.stream import AsyncRunStream
from langgraph_client._async.transport import AsyncTransport
from langgraph_client._core.call import ANY, Call, at_least, call, check_path
from langgraph_client._core.events import same_part
from langgraph_client._core.requests import STREAM_HEADERS
from langgraph_client._core.stream_session import StreamSession
from langgraph_client._core.unset import UNSET
from langgraph_client.models.events import StreamPart
from langgraph_client.models.fields import JSON
from langgraph_client.models.params import Headers, QueryParams

OnResponse = Callable[[HttpResponse], None]


class HttpClient:
    """Plain requests. Paths are relative to the server's URL, and quoted by the caller."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def get(
        self,
        path: str,
        *,
        params: QueryParams | None = None,
        headers: Headers | None = None,
        on_response: OnResponse | None = None,
    ) -> JSON:
        """Send a GET, and return the JSON of its answer; None if that is empty.

        Args:
            path: The path below the server's URL, with a slash in front.
            params: Query parameters to add to this request.
            headers: Headers of this request. They win over the client's.
            on_response: Called with the response before its body is read.
        """
        return await self._transport.send(
            _request("GET", path, params=params, headers=headers, on_response=on_response)
        )

    async def post(
        self,
        path: str,
        *,
        json: JSON,
        params: QueryParams | None = None,
        headers: Headers | None = None,
        on_response: OnResponse | None = None,
    ) -> JSON:
        """Send a POST; a `json` of None is no body.

        Args:
            path: The path below the server's URL, with a slash in front.
            json: The body.
            params: Query parameters to add to this request.
            headers: Headers of this request. They win over the client's.
            on_response: Called with the response before its body is read.
        """
        return await self._transport.send(
            _request(
                "POST", path, json=json, params=params, headers=headers, on_response=on_response
            )
        )

    async def put(
        self,
        path: str,
        *,
        json: JSON,
        params: QueryParams | None = None,
        headers: Headers | None = None,
        on_response: OnResponse | None = None,
    ) -> JSON:
        """Send a PUT.

        Args:
            path: The path below the server's URL, with a slash in front.
            json: The body.
            params: Query parameters to add to this request.
            headers: Headers of this request. They win over the client's.
            on_response: Called with the response before its body is read.
        """
        return await self._transport.send(
            _request(
                "PUT", path, json=json, params=params, headers=headers, on_response=on_response
            )
        )

    async def patch(
        self,
        path: str,
        *,
        json: JSON,
        params: QueryParams | None = None,
        headers: Headers | None = None,
        on_response: OnResponse | None = None,
    ) -> JSON:
        """Send a PATCH.

        Args:
            path: The path below the server's URL, with a slash in front.
            json: The body.
            params: Query parameters to add to this request.
            headers: Headers of this request. They win over the client's.
            on_response: Called with the response before its body is read.
        """
        return await self._transport.send(
            _request(
                "PATCH", path, json=json, params=params, headers=headers, on_response=on_response
            )
        )

    async def delete(
        self,
        path: str,
        *,
        json: JSON = None,
        params: QueryParams | None = None,
        headers: Headers | None = None,
        on_response: OnResponse | None = None,
    ) -> None:
        """Send a DELETE. Its answer is not read.

        Args:
            path: The path below the server's URL, with a slash in front.
            json: The body.
            params: Query parameters to add to this request.
            headers: Headers of this request. They win over the client's.
            on_response: Called with the response before its body is read.
        """
        await self._transport.send(
            _request(
                "DELETE", path, json=json, params=params, headers=headers, on_response=on_response
            )
        )

    async def request_reconnect(
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
        """Send a request whose answer may take long; where it is cut, ask for it again.

        Args:
            path: The path below the server's URL, with a slash in front.
            method: The HTTP method.
            json: The body.
            params: Query parameters to add to this request.
            headers: Headers of this request. They win over the client's.
            on_response: Called with the response before its body is read.
            reconnect_limit: How often, at the address that the answer's `Location` named.
        """
        at_least("reconnect_limit", reconnect_limit, 0)
        return await self._transport.wait(
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
    ) -> AsyncRunStream[StreamPart]:
        """Send a request that is answered by an event stream.

        Args:
            path: The path below the server's URL, with a slash in front.
            method: The HTTP method.
            json: The body.
            params: Query parameters to add to this request.
            headers: Headers of this request. They win over the client's.
            on_response: Called with the response before its body is read.

        Raises:
            StreamIncomplete: while iterating, if it was cut and could not be continued.
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
        return AsyncRunStream(self._transport, session, same_part)


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
