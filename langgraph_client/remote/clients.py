"""The two clients behind a RemoteGraph: given, or made on first use; shared by its copies."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping

import httpx

from langgraph_client import get_client, get_sync_client
from langgraph_client._async.client import LangGraphClient
from langgraph_client._core.unset import UNSET
from langgraph_client._sync.client import SyncLangGraphClient
from langgraph_client.errors import (
    APIResponseValidationError,
    APIStatusError,
    InvalidArgumentError,
)
from langgraph_client.values import HEADER, VERSION

_OFFER = {HEADER: VERSION}


class Clients:
    """One async and one blocking client of the same server."""

    def __init__(
        self,
        url: str | None,
        api_key: str | None,
        headers: Mapping[str, str] | None,
        given: LangGraphClient | None,
        given_sync: SyncLangGraphClient | None,
    ) -> None:
        self._url = url
        self._api_key = api_key
        self._headers = headers
        self._given = given
        self._given_sync = given_sync
        self._made: LangGraphClient | None = None
        self._made_sync: SyncLangGraphClient | None = None
        self._lock = threading.Lock()
        self._reads_envelopes: bool | None = None

    @property
    def client(self) -> LangGraphClient:
        """The async client."""
        if self._given is not None:
            return self._given
        self._must_be_made("client", "async")
        with self._lock:
            if self._made is None:
                key = UNSET if self._api_key is None else self._api_key
                self._made = get_client(url=self._url, api_key=key, headers=self._headers)
            return self._made

    @property
    def sync_client(self) -> SyncLangGraphClient:
        """The blocking client."""
        if self._given_sync is not None:
            return self._given_sync
        self._must_be_made("sync_client", "blocking")
        with self._lock:
            if self._made_sync is None:
                key = UNSET if self._api_key is None else self._api_key
                self._made_sync = get_sync_client(url=self._url, api_key=key, headers=self._headers)
            return self._made_sync

    def read_envelopes(self) -> bool:
        """Ask the server, once, whether it reads values in envelopes.

        GET /info
        """
        if self._reads_envelopes is None:
            # A server without /info, or with another one, is not the bundled one.
            with contextlib.suppress(APIStatusError, APIResponseValidationError):
                self.sync_client.http.get("/info", headers=_OFFER, on_response=self._note)
            self._reads_envelopes = bool(self._reads_envelopes)
        return bool(self._reads_envelopes)

    async def aread_envelopes(self) -> bool:
        """Async twin of `read_envelopes`."""
        if self._reads_envelopes is None:
            with contextlib.suppress(APIStatusError, APIResponseValidationError):
                await self.client.http.get("/info", headers=_OFFER, on_response=self._note)
            self._reads_envelopes = bool(self._reads_envelopes)
        return bool(self._reads_envelopes)

    def _note(self, response: httpx.Response) -> None:
        self._reads_envelopes = response.headers.get(HEADER) == VERSION

    def _must_be_made(self, parameter: str, colour: str) -> None:
        # Someone who gave the one client and no URL means that client's server, which it need not
        # tell; the default URL would be another server.
        if self._url is None and (self._given is not None or self._given_sync is not None):
            raise InvalidArgumentError(
                parameter, f"is missing: for the {colour} methods pass {parameter}= or url= as well"
            )

    def close(self) -> None:
        """Close the blocking client if it was made here; it is made again when needed."""
        with self._lock:
            made, self._made_sync = self._made_sync, None
        if made is not None:
            made.close()

    async def aclose(self) -> None:
        """Close both clients if they were made here; they are made again when needed."""
        self.close()
        with self._lock:
            made, self._made = self._made, None
        if made is not None:
            await made.aclose()
