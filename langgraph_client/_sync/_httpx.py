# Generated from langgraph_client/_async/_httpx.py by .ci/unasync.py; do not edit.
"""The one file that touches httpx: for what a caller brings of it, and for proxies.

Everything else speaks of `Request`, `NoAnswer` and answers with `read`; another HTTP library has
to be taught to this file alone.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

import httpx

from langgraph_client._core.connection import Limits, Steps
from langgraph_client._core.exchange import SILENT, Kind, NoAnswer, Request
from langgraph_client._core.http_library import HttpLibrary, library_of
from langgraph_client._io.sockets import hang_up
from langgraph_client._io.threads import Background, Reading
from langgraph_client.errors import InvalidArgumentError

HttpTransport = httpx.BaseTransport
HttpxClient = httpx.Client
HttpLimits = httpx.Limits
HttpTimeout = httpx.Timeout
HttpUrl = httpx.URL
HttpProxy = httpx.Proxy
HttpResponse = httpx.Response

_OF_THE_WIRE = ("content-encoding", "content-length", "transfer-encoding")
_MOST_RECEIVED = 256 * 1024  # Bytes that are read at once after switching protocols.


def is_replaced() -> bool:
    """Return whether something else sends in the place of httpx just now.

    Libraries for tests (respx, pytest-httpx, vcrpy, `unittest.mock`) put their own functions here.
    """
    import httpcore  # Slow to import; callers have it already.

    return not (
        _is_original(httpcore.HTTPConnection.handle_request)
        and _is_original(httpcore.ConnectionPool.handle_request)
        and _is_original(httpx.HTTPTransport.handle_request)
        and _is_original(httpx.Client.send)
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
    """Make a client of httpx; `trust_env` if the environment's proxies count.

    Raises:
        InvalidArgumentError: the proxy is of a kind that is not known, or not installed.
    """
    library = library_of(transport, proxy)
    try:
        client: HttpxClient = library[HttpxClient.__name__](
            transport=transport,
            limits=library["Limits"](
                max_connections=limits.most,
                max_keepalive_connections=limits.most_idle,
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


def base_url_of(client: HttpxClient) -> str:
    """Return the base URL of a client of httpx, empty where it has none."""
    return str(client.base_url).rstrip("/")


def limits_of(limits: HttpLimits | None) -> Limits:
    """Return limits as this package has them."""
    if limits is None:
        return Limits()
    return Limits(limits.max_connections, limits.max_keepalive_connections, limits.keepalive_expiry)


def steps_of(timeout: HttpTimeout) -> Steps:
    """Return the limits of steps as this package has them."""
    return Steps(timeout.connect, timeout.read, timeout.write, timeout.pool)


class HttpxSender:
    """Sends requests with a client of httpx.

    Args:
        client: The client.
        url: Scheme and authority of the server.
        is_ours: Whether the client is closed with this.
        has_credentials: Whether each request brings its own `Authorization`.
    """

    def __init__(
        self, client: HttpxClient, url: str, *, is_ours: bool, has_credentials: bool = False
    ) -> None:
        self._client = client
        self._url = url
        self._is_ours = is_ours
        self._library = library_of(client)
        self._auth = None if is_ours or has_credentials else self._library.default_auth

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._client.is_closed

    def send(self, request: Request, steps: Steps) -> HttpxAnswer:
        """Send a request, and return its answer as soon as its head is there.

        Raises:
            NoAnswer: if there is none.
        """
        if self._client.is_closed:
            raise NoAnswer(Kind.CLOSED)
        try:
            built = self._client.build_request(
                request.method,
                self._url + request.target,
                headers=request.headers,
                content=request.content,
                timeout=self._library["Timeout"](
                    connect=steps.connect,
                    read=steps.read,
                    write=steps.write,
                    pool=steps.pool,
                ),
            )
            response = self._client.send(
                built, stream=True, follow_redirects=False, auth=self._auth
            )
        except self._library.errors as error:
            url = self._url + request.target
            raise no_answer(error, request.method, url) from error
        return HttpxAnswer(response, self._library)

    def close(self) -> None:
        """Close the client, unless somebody else brought it."""
        if self._is_ours:
            self._client.close()


class HttpxAnswer:
    """An answer, whose body is read piece by piece.

    Attributes:
        status: The HTTP status.
        headers: Names in lower case, or any.
    """

    def __init__(self, response: HttpResponse, library: HttpLibrary) -> None:
        self._library = library
        self.status = response.status_code
        self.headers = response.headers
        self._response = response
        self._timeouts = response.request.extensions.get("timeout", {})
        self._usual: float | None = self._timeouts.get("read")
        self._reading = Reading()
        self._background = Background()
        self._is_closed = False
        if "content-encoding" in response.headers:
            self._pieces = iter(response.iter_bytes())
        else:
            stream: Any = response.stream  # not a blocking one, as the client is async
            self._pieces = iter(stream)

    def read(self, seconds: float | None = None) -> bytes:
        """Return the next bytes of the body; `b""` at its end.

        Args:
            seconds: How long to wait for them, if that is less than usual. In blocking code it has
                an effect where the transport looks at the request's limits for each read; httpx's
                own does so for HTTP/2, and else at the beginning of the body.

        Raises:
            NoAnswer: if they did not come.
        """
        usual = self._usual
        is_short = seconds is not None and (usual is None or seconds < usual)
        limit = self._timeouts["read"] = seconds if is_short else usual
        try:
            with self._reading.within(limit):
                while (piece := next(self._pieces, None)) is not None:
                    if piece:
                        return piece
                self.close()
                return b""
        except self._library.errors as error:
            if self._reading.is_interrupted:
                return b""
            request = self._response.request
            url = str(request.url)
            raise no_answer(error, request.method, url, is_short=is_short) from error
        if self._reading.is_interrupted:
            return b""
        raise NoAnswer(Kind.TIMED_OUT, SILENT if is_short else "read", httpx.ReadTimeout)

    def receive(self, seconds: float | None) -> bytes:
        """Return the next bytes of a connection that has switched protocols; `b""` at its end.

        Raises:
            NoAnswer: The connection broke, or nothing came within so many seconds. After the
                latter it can be read again.
        """
        network: Any = self._network()
        try:
            piece: bytes = network.read(_MOST_RECEIVED, seconds or self._usual)
        except _errors_of_networks() as error:
            if self._reading.is_interrupted:
                return b""
            raise _without_answer(error, is_short=seconds is not None) from error
        return piece

    def transmit(self, data: bytes) -> None:
        """Send bytes over a connection that has switched protocols.

        Raises:
            NoAnswer: The connection broke.
        """
        network: Any = self._network()
        try:
            network.write(data, self._timeouts.get("write"))
        except _errors_of_networks() as error:
            raise _without_answer(error) from error

    def _network(self) -> object:
        try:
            return self._response.extensions["network_stream"]
        except KeyError:
            raise NoAnswer(
                Kind.NEVER_SENT, "the transport of httpx does not hand its connection over"
            ) from None

    def finish(self) -> None:
        """Leave the answer, whose last event was read."""
        self.close()

    def close(self) -> None:
        """Leave the answer; its connection is closed unless all of the body was read."""
        self._is_closed = True
        self._response.close()

    def interrupt(self) -> None:
        """Let whoever reads from it just now come to an end.

        Only a connection of its own is hung up: over HTTP/2 others read from it, too.
        """
        self._reading.interrupt()
        if self._response.http_version.startswith("HTTP/1"):
            hang_up(self._response.extensions.get("network_stream"))
        self._response.close()

    def abandon(self) -> None:
        """Leave the answer; for finalizers."""
        if not self._is_closed:
            self._is_closed = True
            self._background.later(self._response.close, "closing a response")


def as_response(
    method: str, url: str, status: int, headers: Mapping[str, str], content: bytes
) -> HttpResponse:
    """Return an answer as callers are shown it: decoded, and without the headers of its request."""
    kept = {k: v for k, v in headers.items() if k.lower() not in _OF_THE_WIRE}
    return httpx.Response(status, headers=kept, content=content, request=httpx.Request(method, url))


def no_answer(error: Exception, method: str, url: str, *, is_short: bool = False) -> NoAnswer:
    """Return what one of httpx's errors means; `is_short` if less time was given than usual."""
    library = library_of(error)
    if isinstance(error, library.request_error):
        # It becomes the cause of our error, and must not hold the key.
        shown: Any = error
        shown.request = library["Request"](method, url)
    alike = type(error) if library.is_httpx else class_named(type(error).__name__)
    detail = str(error) or type(error).__name__
    if issubclass(alike, httpx.TimeoutException):
        step = type(error).__name__.removesuffix("Timeout").lower()
        if step in ("connect", "pool"):
            return NoAnswer(Kind.TIMED_OUT_BEFORE, step, alike)
        return NoAnswer(Kind.TIMED_OUT, SILENT if is_short else step, alike)
    if issubclass(alike, httpx.DecodingError):
        return NoAnswer(Kind.UNREADABLE, detail)
    if issubclass(alike, httpx.InvalidURL):
        return NoAnswer(Kind.NO_URL, detail)
    never_sent = issubclass(alike, httpx.ConnectError | httpx.UnsupportedProtocol)
    return NoAnswer(Kind.NEVER_SENT if never_sent else Kind.BROKEN, detail, alike)


def _errors_of_networks() -> tuple[type[Exception], ...]:
    """Return what a connection raises that has switched protocols."""
    import httpcore

    return httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException


def _without_answer(error: Exception, *, is_short: bool = False) -> NoAnswer:
    """Return what an error of a connection that has switched protocols means."""
    detail, alike = str(error) or type(error).__name__, class_named(type(error).__name__)
    if issubclass(alike, httpx.TimeoutException):
        return NoAnswer(Kind.TIMED_OUT, SILENT if is_short else "read", alike)
    return NoAnswer(Kind.BROKEN, detail, alike)


def class_named(name: str) -> type:
    """Return httpx's class for an error that httpcore calls by the same name."""
    found = vars(httpx).get(name)
    return found if isinstance(found, type) else httpx.TransportError
