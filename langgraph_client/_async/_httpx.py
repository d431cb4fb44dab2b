"""Send requests with httpx: for a caller's own httpx client or transport, and for proxies.

This is the only file that uses httpx's clients. All other code uses `Request`, `NoAnswer` and
response objects with `read`, so that another HTTP library needs changes here only.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from contextlib import nullcontext
from functools import lru_cache
from time import monotonic
from typing import Any

import httpx

from langgraph_client._core.connection import Limits, Steps, for_sockets
from langgraph_client._core.cookies import Cookies
from langgraph_client._core.deadline import until
from langgraph_client._core.encodings import Decompressor, is_known
from langgraph_client._core.exchange import SILENT, FailureKind, NoAnswer, Request, raw_headers
from langgraph_client._core.http_library import HttpLibrary, library_of
from langgraph_client._io.sockets import hang_up, time_left
from langgraph_client._io.tasks import Background, Reading, close_all
from langgraph_client.errors import InvalidArgumentError

HttpTransport = httpx.AsyncBaseTransport
HttpxClient = httpx.AsyncClient
HttpLimits = httpx.Limits
HttpTimeout = httpx.Timeout
HttpUrl = httpx.URL
HttpProxy = httpx.Proxy
HttpResponse = httpx.Response

_OF_THE_WIRE = ("content-encoding", "content-length", "transfer-encoding")
_MAX_URLS = 64  # How many URLs are kept parsed: programs ask for few again and again.
MAX_RECEIVED = 256 * 1024  # The most bytes of one read after the protocol was switched.


def is_replaced() -> bool:
    """Return whether httpx is patched, as test libraries do.

    respx, pytest-httpx, vcrpy and `unittest.mock` replace these functions of httpx and httpcore.
    """
    import httpcore  # Not at the top: it is slow to import, and callers have imported it already.

    return not (
        _is_original(httpcore.AsyncHTTPConnection.handle_async_request)
        and _is_original(httpcore.AsyncConnectionPool.handle_async_request)
        and _is_original(httpx.AsyncHTTPTransport.handle_async_request)
        and _is_original(httpx.AsyncClient.send)
    )


def _is_original(function: Any) -> bool:
    module: str = function.__module__
    return module.startswith(("httpx.", "httpcore.")) and not hasattr(function, "__wrapped__")


def make_client(
    transport: HttpTransport | None,
    context: ssl.SSLContext,
    limits: Limits,
    proxy: str | HttpUrl | HttpProxy | None,
    *,
    trust_env: bool,
) -> HttpxClient:
    """Create an httpx client; `trust_env` is whether it reads proxies from the environment.

    Raises:
        InvalidArgumentError: The proxy's scheme is not known, or needs a package that is missing.
    """
    library = library_of(transport, proxy)
    try:
        client: HttpxClient = library[HttpxClient.__name__](
            transport=transport,
            limits=library["Limits"](
                max_connections=limits.max_open,
                max_keepalive_connections=limits.max_idle,
                keepalive_expiry=limits.idle_seconds,
            ),
            verify=context,
            proxy=proxy,
            trust_env=trust_env,
        )
    except ImportError as error:
        raise InvalidArgumentError(
            "proxy", "a SOCKS proxy needs the package socksio: pip install 'httpx[socks]'"
        ) from error
    except ValueError as error:
        raise InvalidArgumentError("proxy", str(error)) from error
    return client


def check_arguments(
    transport: object = None,
    http_client: object = None,
    limits: object = None,
    proxy: object = None,
) -> None:
    """Check that objects of httpx are such ones, and of this client's colour.

    Raises:
        InvalidArgumentError: One is not; it would only be found after a request was sent.
    """
    library = library_of(transport, http_client, limits, proxy)
    client_class: Any = library[HttpxClient.__name__]
    proxy_classes: Any = library["URL"], library["Proxy"]
    is_transport = hasattr(transport, "handle_async_request")
    for name, value, is_valid, expected in (
        ("transport", transport, is_transport, HttpTransport.__name__),
        ("http_client", http_client, isinstance(http_client, client_class), HttpxClient.__name__),
        ("limits", limits, hasattr(limits, "max_connections"), "Limits"),
        ("proxy", proxy, isinstance(proxy, (str, *proxy_classes)), "Proxy"),
    ):
        if value is not None and not is_valid:
            raise InvalidArgumentError(name, f"must be an httpx.{expected}, not {_shown(value)}")


def _shown(value: object) -> str:
    """Return a text for an error. A dict of proxies may contain a password."""
    return repr(value) if isinstance(value, bool | int | float) else f"a {type(value).__name__}"


def base_url_of(client: HttpxClient) -> str:
    """Return the base URL of an httpx client, without a slash at its end; empty if it has none."""
    return str(client.base_url).rstrip("/")


def headers_set_on(client: HttpxClient) -> set[str]:
    """Return the names, in lower case, of an httpx client's headers, without httpx's user agent."""
    names = {name.lower() for name in client.headers}
    if client.headers.get("user-agent", "").startswith("python-httpx"):
        names.discard("user-agent")
    return names


def limits_of(limits: HttpLimits | None) -> Limits:
    """Convert httpx's limits into this package's type."""
    if limits is None:
        return Limits()
    return Limits(limits.max_connections, limits.max_keepalive_connections, limits.keepalive_expiry)


def steps_of(timeout: HttpTimeout) -> Steps:
    """Convert httpx's timeout into this package's type."""
    return for_sockets(Steps(timeout.connect, timeout.read, timeout.write, timeout.pool))


class AsyncHttpxSender:
    """Sends requests with an httpx client.

    Args:
        client: The client.
        url: Scheme and authority of the server.
        is_ours: Whether to close the client when this sender is closed.
        has_credentials: Whether each request has its own `Authorization` header.
    """

    def __init__(
        self, client: HttpxClient, url: str, *, is_ours: bool, has_credentials: bool = False
    ) -> None:
        self._client = client
        self._url = url
        self._is_ours = is_ours
        self._library = library_of(client)
        # None turns `client.auth` off, which would replace the `Authorization` header that was made
        # from the credentials in the server's URL.
        self._auth = None if is_ours or has_credentials else self._library.default_auth
        self._open: set[AsyncHttpxAnswer] = set()  # Responses that were not closed yet.

    @property
    def is_closed(self) -> bool:
        """Whether the client is closed."""
        return self._client.is_closed

    async def send(
        self, request: Request, steps: Steps, due: float | None = None
    ) -> AsyncHttpxAnswer:
        """Send a request. Return the response when its head was received.

        Args:
            request: The request.
            steps: The limits of each step.
            due: When all this must be over, on the clock of `monotonic`; None for no limit. In
                blocking code it is not seen while httpx waits, so only `steps` limit each wait.

        Raises:
            NoAnswer: There is no response.
        """
        if self._client.is_closed:
            raise NoAnswer(FailureKind.CLOSED)
        with nullcontext() if due is None else Reading().within(until(due, None, monotonic())):
            try:
                response = await self._send(request, steps)
            except self._library.errors as error:
                url = self._url + request.target
                raise no_answer(error, request.method, url) from error
            answer = AsyncHttpxAnswer(response, self._library, self._open)
            self._open.add(answer)
            return answer
        # Only the scope of `Reading` ends the block without a return: the time is up.
        raise NoAnswer(FailureKind.TIMED_OUT, "read", httpx.ReadTimeout)

    async def _send(self, request: Request, steps: Steps) -> HttpResponse:
        path, _, query = request.target.partition("?")
        # httpx drops the query of a URL if its client has parameters of its own.
        own_params = len(self._client.params) > 0
        built = self._client.build_request(
            request.method,
            self._url + (path if own_params else request.target),
            params=self._library["QueryParams"](query) if own_params else None,
            headers=_sent(request.headers),
            content=request.content,
            timeout=self._library["Timeout"](**steps._asdict()),
        )
        return await self._client.send(built, stream=True, follow_redirects=False, auth=self._auth)

    async def aclose(self) -> None:
        """Close the client, unless the caller passed it in."""
        if self._is_ours:
            # Closing httpx's client wakes no thread that reads.
            reads = [answer.interrupt for answer in list(self._open)]
            await close_all(*reads, self._client.aclose)


class AsyncTransportSender(AsyncHttpxSender):
    """Sends requests with a transport of httpx that a caller brought.

    httpx's client merges headers and URLs, looks for redirects, credentials and cookies on the way
    to the transport: a third of the time that a call to a server in this process takes.

    Args:
        transport: The transport.
        client: A client around it, which closes it.
        url: Scheme and authority of the server.
    """

    def __init__(self, transport: HttpTransport, client: HttpxClient, url: str) -> None:
        super().__init__(client, url, is_ours=True)
        self._transport = transport
        host = self._library["URL"](url).netloc.decode("ascii")
        self._headers = {"host": host, **client.headers}
        self._parsed = lru_cache(_MAX_URLS)(self._library["URL"])
        self._cookies = Cookies()

    async def _send(self, request: Request, steps: Steps) -> HttpResponse:
        if not _is_original(httpx.AsyncClient.send):
            return await super()._send(request, steps)  # A test mocks httpx.
        headers = {**self._headers, **request.headers}
        content = request.content or b""
        if content or request.method in ("POST", "PUT", "PATCH"):
            headers["content-length"] = str(len(content))
        if self._cookies and (cookies := self._cookies.header(request.target)):
            headers["cookie"] = cookies
        built = self._library["Request"](
            request.method,
            self._parsed(self._url + request.target),
            headers=_sent(headers),
            stream=self._library["ByteStream"](content),
            extensions={"timeout": steps._asdict()},
        )
        built.read()  # For transports that look at its content.
        response = await self._transport.handle_async_request(built)
        response.request = built
        for cookie in response.headers.get_list("set-cookie"):
            self._cookies.take(cookie)
        return response


class AsyncHttpxAnswer:
    """A response whose body is read piece by piece.

    Attributes:
        status: The HTTP status.
        headers: Names in lower case; those that came more than once are joined by commas.
    """

    def __init__(
        self, response: HttpResponse, library: HttpLibrary, others: set[AsyncHttpxAnswer]
    ) -> None:
        self._library = library
        self._others = others  # The open responses; this one is removed when it is closed.
        self.status = response.status_code
        self.headers = dict(response.headers.items())
        self._response = response
        self._timeouts = response.request.extensions.get("timeout", {})
        self._usual: float | None = self._timeouts.get("read")
        self._reading = Reading()
        self._background = Background()
        self._is_closed = False
        self._plain: Decompressor | None = None
        self._missing: int | None = None  # How many bytes of the body are still to come, if known.
        encoding = self.headers.get("content-encoding", "identity").lower()
        if response.is_stream_consumed or not (encoding in ("identity", "") or is_known(encoding)):
            # It was read by a hook of the caller's client, or httpx alone knows the encoding.
            self._pieces = aiter(response.aiter_bytes())
            return
        # The raw stream: httpx notices neither a compressed body that is cut nor, with a transport
        # that does not check it, one that is shorter than its length.
        stream: Any = response.stream
        self._pieces = aiter(stream)
        if is_known(encoding):
            self._plain = Decompressor(encoding)
        length = self.headers.get("content-length", "")
        has_body = response.request.method != "HEAD" and self.status not in (204, 304)
        if has_body and length.isascii() and length.isdigit():
            self._missing = int(length)

    async def read(self, seconds: float | None = None, due: float | None = None) -> bytes:
        """Return the next bytes of the body; `b""` at its end.

        Args:
            seconds: How long to wait; None, or more than the read timeout, for the read timeout. In
                blocking code this works only if the transport reads the request's timeouts at
                each read; httpx's own transport does so for HTTP/2, and otherwise only at the
                beginning of the body.
            due: When waiting must be over, on the clock of `monotonic`; None for no limit. In
                blocking code it ends no wait of the transport that has begun.

        Raises:
            NoAnswer: No bytes were received.
        """
        usual = self._usual
        is_short = seconds is not None and (usual is None or seconds < usual)
        limit = seconds if is_short else usual
        try:
            with self._reading.within(until(due, limit, monotonic())):
                while True:
                    if rest := self._decompressed(b""):
                        return rest
                    # This dict is the request's own, which httpcore reads again: see `seconds`.
                    self._timeouts["read"] = time_left(due, limit, self._library["ReadTimeout"])
                    piece = await self._next_piece()
                    if self._reading.is_interrupted:
                        break
                    if piece is None:
                        self._check_complete()
                        await self.aclose()
                        return b""
                    if plain := self._decompressed(piece):
                        return plain
        except self._library.errors as error:
            if self._reading.is_interrupted:
                raise _interrupted() from error
            request = self._response.request
            url = str(request.url)
            raise no_answer(error, request.method, url, is_short=is_short) from error
        # The scope of `Reading` ended the loop: by `interrupt`, or because the time is up.
        if self._reading.is_interrupted:
            raise _interrupted()
        raise NoAnswer(FailureKind.TIMED_OUT, SILENT if is_short else "read", httpx.ReadTimeout)

    async def _next_piece(self) -> bytes | None:
        """Return the next piece, which may be empty; None at the end."""
        # No `anext` with a default: CPython 3.11.7 crashed in it while a loop closed.
        async for piece in self._pieces:
            return piece
        return None

    def _decompressed(self, piece: bytes) -> bytes:
        """Return what a piece of the body stands for, which may be nothing yet.

        Without a piece, return what is left of the last one.
        """
        if self._missing is not None:
            self._missing -= len(piece)
        if self._plain is None or not (piece or self._plain.has_more):
            return piece
        try:
            return self._plain.feed(piece)
        except ValueError as error:
            raise NoAnswer(FailureKind.UNREADABLE, str(error)) from error

    def _check_complete(self) -> None:
        """Raise `NoAnswer` if the body ended too early."""
        problem = ""
        if self._missing is not None and self._missing > 0:
            problem = "the body is shorter than its Content-Length"
        elif self._plain is not None and not self._plain.is_complete:
            problem = "the compressed body is not complete"
        if problem:
            raise NoAnswer(FailureKind.BROKEN, problem, httpx.RemoteProtocolError)

    async def receive(self, seconds: float | None) -> bytes:
        """Return the next bytes of a connection that has switched protocols; `b""` at its end.

        Args:
            seconds: How long to wait; None for the read timeout.

        Raises:
            NoAnswer: The connection broke, or nothing was received in time. After a timeout, the
                connection can be read again.
        """
        network: Any = self._network()
        try:
            piece: bytes = await network.read(MAX_RECEIVED, seconds or self._usual)
        except _errors_of_networks() as error:
            if self._reading.is_interrupted:
                raise _interrupted() from error
            raise _without_answer(error, is_short=seconds is not None) from error
        return piece

    async def transmit(self, data: bytes) -> None:
        """Send bytes over a connection that has switched protocols.

        Raises:
            NoAnswer: The connection broke.
        """
        network: Any = self._network()
        try:
            await network.write(data, self._timeouts.get("write"))
        except _errors_of_networks() as error:
            raise _without_answer(error) from error

    def _network(self) -> object:
        try:
            return self._response.extensions["network_stream"]
        except KeyError:
            raise NoAnswer(
                FailureKind.NEVER_SENT,
                "the httpx transport does not give access to its connection, which WebSockets need",
            ) from None

    async def finish(self) -> None:
        """Leave the response after its last event was read."""
        await self.aclose()

    async def aclose(self) -> None:
        """Leave the response. Its connection is closed unless the whole body was read."""
        if not self._is_closed:
            self._is_closed = True
            self._others.discard(self)
            if getattr(self._response.stream, "closes_at_once", False):
                await self._response.aclose()  # No cancellation can reach what never waits.
            else:
                await close_all(self._response.aclose)

    async def interrupt(self) -> None:
        """Make a `read` in another task or thread end with an error now.

        The connection is shut down only for HTTP/1: with HTTP/2, other responses share it.
        """
        self._reading.interrupt()
        if self._response.http_version.startswith("HTTP/1"):
            hang_up(self._response.extensions.get("network_stream"))
        await close_all(self._response.aclose)

    def abandon(self) -> None:
        """Leave the response without waiting; for finalizers."""
        if not self._is_closed:
            self._is_closed = True
            self._others.discard(self)
            self._background.start_soon(self._response.aclose, "closing a response")


def _sent(headers: Mapping[str, str]) -> dict[bytes, bytes]:
    """Return a request's headers as bytes. An event's id may be any text."""
    return {name.encode(): value.encode() for name, value in headers.items()}


def as_response(
    method: str, url: str, status: int, headers: Mapping[str, str], content: bytes
) -> HttpResponse:
    """Return the response for a caller's callback: decompressed, without the request's headers."""
    kept = {k: v for k, v in headers.items() if k.lower() not in _OF_THE_WIRE}
    return httpx.Response(
        status, headers=raw_headers(kept), content=content, request=httpx.Request(method, url)
    )


def no_answer(error: Exception, method: str, url: str, *, is_short: bool = False) -> NoAnswer:
    """Translate an error of httpx; `is_short` if the limit was below the read timeout."""
    library = library_of(error)
    if isinstance(error, library.request_error):
        # This error becomes `__cause__` of ours. A request without headers keeps the API key out.
        shown: Any = error
        shown.request = library["Request"](method, url)
    alike = type(error) if library.is_httpx else class_named(type(error).__name__)
    detail = str(error) or type(error).__name__
    if issubclass(alike, httpx.TimeoutException):
        step = type(error).__name__.removesuffix("Timeout").lower()
        if step in ("connect", "pool"):
            return NoAnswer(FailureKind.TIMED_OUT_BEFORE, step, alike)
        return NoAnswer(FailureKind.TIMED_OUT, SILENT if is_short else step, alike)
    if issubclass(alike, httpx.DecodingError):
        return NoAnswer(FailureKind.UNREADABLE, detail)
    if issubclass(alike, httpx.InvalidURL):
        return NoAnswer(FailureKind.NO_URL, detail)
    never_sent = issubclass(alike, httpx.ConnectError | httpx.UnsupportedProtocol)
    return NoAnswer(FailureKind.NEVER_SENT if never_sent else FailureKind.BROKEN, detail, alike)


def _errors_of_networks() -> tuple[type[Exception], ...]:
    """Return the errors that a connection raises after the protocol was switched."""
    import httpcore

    return httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException


def _interrupted() -> NoAnswer:
    # Not an end: for a body without a length, that would mean that it is complete.
    return NoAnswer(FailureKind.BROKEN, "closed by this client", httpx.ReadError)


def _without_answer(error: Exception, *, is_short: bool = False) -> NoAnswer:
    """Translate an error of a connection that has switched protocols."""
    detail, alike = str(error) or type(error).__name__, class_named(type(error).__name__)
    if issubclass(alike, httpx.TimeoutException):
        return NoAnswer(FailureKind.TIMED_OUT, SILENT if is_short else "read", alike)
    return NoAnswer(FailureKind.BROKEN, detail, alike)


def class_named(name: str) -> type:
    """Return httpx's class for an httpcore error of the same name."""
    found = vars(httpx).get(name)
    return found if isinstance(found, type) else httpx.TransportError
