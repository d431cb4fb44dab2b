"""The two clients of a RemoteGraph, passed by the caller or created on first use.

A RemoteGraph and its copies share them. A client that the caller passes may be of this package, of
`langgraph_sdk`, or an object with the same methods, such as a mock (see `mock_clients`). So replies
are read by key, and streams are only iterated over.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import AsyncIterable, Iterable, Mapping
from typing import Self, cast

import httpx

from langgraph_client._async.client import LangGraphClient, get_client
from langgraph_client._core.unset import Unset
from langgraph_client._sync.client import SyncLangGraphClient, get_sync_client
from langgraph_client.errors import InvalidArgumentError, LangGraphError
from langgraph_client.remote.aliases import JSON, JsonObject
from langgraph_client.remote.mock_clients import (
    ClientLike,
    arun_parts,
    check_colours,
    is_mock_client,
    run_parts,
)

#: The errors of a client if the server cannot be reached or refuses a request.
CLIENT_ERRORS = (LangGraphError, httpx.HTTPError)


def status_of(error: Exception) -> int | None:
    """Return the HTTP status in a client's error; None if there was no response."""
    return error.response.status_code if isinstance(error, httpx.HTTPStatusError) else None


def is_transient(error: Exception) -> bool:
    """Return whether a request may succeed when it is sent again after a client's error."""
    return isinstance(error, httpx.TransportError) or status_of(error) in (429, 502, 503, 504)


def headers_of(error: Exception) -> Mapping[str, str]:
    """Return the response headers of a client's error; empty if there was no response."""
    return error.response.headers if isinstance(error, httpx.HTTPStatusError) else {}


def detail_of(error: Exception) -> str:
    """Return the server's message in a client's error."""
    if isinstance(error, httpx.HTTPStatusError):
        with contextlib.suppress(ValueError, LookupError, TypeError):
            return str(error.response.json()["detail"])
    return str(error)


class Clients:
    """One async and one blocking client of the same server.

    Args:
        url: The server's URL; None for the default.
        api_key: The API key; UNSET to read it from the environment, None to send none.
        headers: Headers of every request.
        client: The caller's async client; None to create one.
        sync_client: The caller's blocking client; None to create one.
    """

    def __init__(
        self,
        url: str | None,
        api_key: str | Unset | None,
        headers: Mapping[str, str] | None,
        client: LangGraphClient | ClientLike | None,
        sync_client: SyncLangGraphClient | ClientLike | None,
    ) -> None:
        check_colours(client, sync_client)
        self._url = url
        self._api_key = api_key
        self._headers = headers
        self._given = client
        self._given_sync = sync_client
        self._made: LangGraphClient | None = None
        self._made_sync: SyncLangGraphClient | None = None
        # Guards `_made` and `_made_sync`: threads that share a graph must share its clients.
        self._lock = threading.Lock()
        #: Whether the server reads values in envelopes; None before the server was asked.
        self.reads_envelopes: bool | None = None

    def __deepcopy__(self, _: JsonObject) -> Self:
        return self  # Copies of a graph share its connections.

    @property
    def client(self) -> LangGraphClient:
        """The async client. One that the caller passed has at least the same methods."""
        if self._given is not None:
            return cast(LangGraphClient, self._given)
        self._must_be_made("client", "async")
        with self._lock:
            if self._made is None:
                self._made = get_client(url=self._url, api_key=self._api_key, headers=self._headers)
            return self._made

    @property
    def sync_client(self) -> SyncLangGraphClient:
        """The blocking client. One that the caller passed has at least the same methods."""
        if self._given_sync is not None:
            return cast(SyncLangGraphClient, self._given_sync)
        self._must_be_made("sync_client", "blocking")
        with self._lock:
            if self._made_sync is None:
                self._made_sync = get_sync_client(
                    url=self._url, api_key=self._api_key, headers=self._headers
                )
            return self._made_sync

    def replace_clients(
        self,
        *,
        client: LangGraphClient | ClientLike | None = None,
        sync_client: SyncLangGraphClient | ClientLike | None = None,
    ) -> None:
        """Use the caller's clients from now on; None keeps the client of that colour."""
        check_colours(client, sync_client)
        self._given = self._given if client is None else client
        self._given_sync = self._given_sync if sync_client is None else sync_client
        # The new client may be of another server.
        self.reads_envelopes = None

    @property
    def keeps_thread_ids(self) -> bool:
        """Whether thread ids are sent as the caller wrote them, as tests with a mock expect."""
        given = self._given if self._given_sync is None else self._given_sync
        return given is not None and is_mock_client(given)

    def stream(
        self, thread_id: str | None, assistant_id: str, arguments: JsonObject
    ) -> Iterable[JSON]:
        """Start a run with the blocking client, and return its stream."""
        if self._given_sync is not None and is_mock_client(self._given_sync):
            return run_parts(self._given_sync, thread_id, assistant_id, arguments)
        return self.sync_client.runs.stream(thread_id, assistant_id, **arguments)

    def astream(
        self, thread_id: str | None, assistant_id: str, arguments: JsonObject
    ) -> AsyncIterable[JSON]:
        """Async twin of `stream`."""
        if self._given is not None and is_mock_client(self._given):
            return arun_parts(self._given, thread_id, assistant_id, arguments)
        return self.client.runs.stream(thread_id, assistant_id, **arguments)

    def _must_be_made(self, parameter: str, colour: str) -> None:
        # The caller passed only the other client and no URL, and means that client's server, whose
        # URL is not known here. The default URL would silently be another server.
        if self._url is None and (self._given is not None or self._given_sync is not None):
            raise InvalidArgumentError(
                parameter, f"is missing: for the {colour} methods pass {parameter}= or url= as well"
            )

    def close(self) -> None:
        """Close the blocking client if it was made here; it is made again when needed."""
        with self._lock:
            made, self._made_sync = self._made_sync, None
        # Outside of the lock, so that other threads can make a new client meanwhile.
        if made is not None:
            made.close()

    async def aclose(self) -> None:
        """Close both clients if they were created here. They are created again when needed."""
        self.close()
        with self._lock:
            made, self._made = self._made, None
        # Outside of the lock, so that other threads can make a new client meanwhile.
        if made is not None:
            await made.aclose()
