"""The httpx client that `client.http.client` gives out, and what sends as it says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from langgraph_client._async._httpx import (
    AsyncHttpxSender,
    HttpResponse,
    HttpxClient,
    steps_of,
)
from langgraph_client._async.pools import AsyncSender, Pools
from langgraph_client._core.connection import Steps
from langgraph_client._core.exchange import Request
from langgraph_client._core.settings import Settings
from langgraph_client._io.tasks import close_all


class HttpxClientHolder:
    """The httpx client of `client.http.client`, and the headers of every request.

    All copies of a client share one. Its headers and its timeout are those of every request. If
    more of it is changed (`auth`, `cookies`, `params`, `event_hooks`), httpx sends the requests.

    Args:
        settings: The server's URL, and the headers.
        make: Creates an httpx client.
        given: The client that the caller passed; None for none.
        is_shared: Whether the client's transport belongs to the caller, who closes it.
        reads_timeout: Whether the timeout of the client that the caller passed is used.
    """

    def __init__(
        self,
        settings: Settings,
        make: Callable[[], HttpxClient],
        *,
        given: HttpxClient | None,
        is_shared: bool,
        reads_timeout: bool,
    ) -> None:
        #: Those of the httpx client, once there is one, so that changes count.
        self.headers: Mapping[str, str] = settings.headers
        self._settings = settings
        self._make = make
        self._given = given
        self._is_shared = is_shared
        self._made: HttpxClient | None = None
        # The client whose timeout counts, as soon as it is not the one of the beginning any more.
        self._timed: HttpxClient | None = given if reads_timeout else None
        self._timeout: object = None if given is None else given.timeout
        self._pools: Pools | None = None
        self._is_closed = False
        # Two threads that came at once would each make a client, of which one is never closed.
        self._lock = threading.Lock()

    def client(self) -> HttpxClient:
        """Return the caller's client, or one that is made now."""
        if self._given is not None:
            return self._given
        with self._lock:
            before = self._made
            # After `aclose`, a closed one is what the caller expects.
            if before is not None and (self._is_closed or not before.is_closed):
                return before
            made = self._make()
            made.base_url = self._settings.url
            headers = dict(self.headers)
            # Not httpx's own headers: it accepts encodings that this package does not decode.
            made.headers.clear()
            made.headers.update(headers)
            if before is None:
                self._timeout = made.timeout
            else:  # Its user has closed it. What was set on it still counts.
                made.params, made.event_hooks = before.params, before.event_hooks
                made.timeout, made.cookies = before.timeout, before.cookies.jar
                if before.auth is not None:
                    made.auth = before.auth
            self._made = self._timed = made
            self.headers = made.headers
            return made

    def sender(self) -> AsyncSender | None:
        """Return what sends as the client would; None if only headers or timeout were changed."""
        made = self._made
        if made is None:
            return None
        is_changed = (
            made.auth is not None
            or len(made.params) > 0
            or any(made.event_hooks.values())
            or any(True for _ in made.cookies.jar)
        )
        if not is_changed:
            return None
        with self._lock:
            if self._pools is None:
                self._pools = Pools(self._like_it, is_shared=self._is_shared)
        return self._pools.current()

    def steps(self, usual: Steps) -> Steps:
        """Return the limits of each step: those that were set on the client, or the usual ones."""
        timed = self._timed
        if timed is None or timed.timeout == self._timeout:
            return usual
        return steps_of(timed.timeout)

    def _like_it(self) -> AsyncHttpxSender:
        url = self._settings.authority
        return AsyncMirrorSender(self.client, self._make(), url, is_ours=not self._is_shared)

    async def aclose(self) -> None:
        """Close the client that was made here, and what sends in its place."""
        self._is_closed = True
        closings = [] if self._pools is None else [self._pools.aclose]
        if self._made is not None and not self._is_shared:
            closings.append(self._made.aclose)
        await close_all(*closings)


class AsyncMirrorSender(AsyncHttpxSender):
    """Sends as another httpx client would, over connections of its own.

    The connections of an httpx client belong to the event loop that opened them, and
    `client.http.client` is one for all loops.

    Args:
        original: Returns the other client.
        client: The client that sends.
        url: Scheme and authority of the server.
        is_ours: Whether to close the client that sends.
    """

    def __init__(
        self,
        original: Callable[[], HttpxClient],
        client: HttpxClient,
        url: str,
        *,
        is_ours: bool,
    ) -> None:
        super().__init__(client, url, is_ours=is_ours)
        self._original = original

    async def _send(self, request: Request, steps: Steps) -> HttpResponse:
        client, original = self._client, self._original()
        self._auth = original.auth
        client.params, client.event_hooks = original.params, original.event_hooks
        client.cookies = original.cookies.jar  # The jar itself: deletions count for both.
        return await super()._send(request, steps)
