"""The types of an endpoint: a line of the table in `endpoints.py`, and its checked request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket

from langgraph_client.models.fields import JsonMapping
from langgraph_client.server.auth.authorization import Caller
from langgraph_client.server.auth.filters import Conditions
from langgraph_client.server.auth.scoped_storage import Grants, ScopedStorage
from langgraph_client.server.errors import Hidden, Invalid, Refused, ServerError
from langgraph_client.server.http.authentication import authenticate
from langgraph_client.server.http.in_process import PARENT_RUN
from langgraph_client.server.http.prefix import logged_path
from langgraph_client.server.http.replies import NOT_JSON, error_reply, read_json
from langgraph_client.server.http.schemas.bodies import BODIES, without_nulls
from langgraph_client.server.http.validation import Schema, validate
from langgraph_client.server.runs.event_log import Reader
from langgraph_client.server.services import Services


@dataclass(frozen=True)
class ValidRequest:
    """A request whose body and query have been checked.

    Attributes:
        services: The server's services.
        body: The decoded JSON; None if the endpoint has no body.
        connection: The original request.
        query: The endpoint's parameters, converted by their `Query`.
        caller: The caller, on a server with an `Auth`; else None.
        scoped_storage: The view of the database for the caller, likewise.
        parent: The id of the run of this server that sends the request; empty for none.
        new_id: The id that handlers of `Auth` have got for what is created; None for a new one.
    """

    services: Services
    body: Any
    connection: HTTPConnection
    query: JsonMapping
    caller: Caller | None = None
    scoped_storage: ScopedStorage | None = None
    parent: str = ""
    new_id: str | None = None

    @property
    def path(self) -> Mapping[str, str]:
        """The parameters in the path, as text."""
        return self.connection.path_params

    @property
    def headers(self) -> Headers:
        """The headers."""
        return self.connection.headers

    @property
    def base_url(self) -> str:
        """The server's URL, from the `Host` and forwarding headers of the client or a proxy."""
        url = self.connection.base_url
        if (scheme := self.headers.get("x-forwarded-proto")) in ("http", "https"):
            url = url.replace(scheme=scheme)
        return str(url).rstrip("/")

    @property
    def thread_conditions(self) -> Conditions:
        """The conditions for threads that the caller may access; None for all threads."""
        return None if self.scoped_storage is None else self.scoped_storage.grants.get("threads")

    async def check_thread(self, thread_id: str) -> None:
        """Raise `Hidden` if a thread exists and the caller may not access it."""
        if self.scoped_storage is not None:
            await self.scoped_storage.threads.check(thread_id)

    def for_caller(self, caller: Caller, grants: Grants, **changes: Any) -> ValidRequest:
        """Return the request with services that show only documents that the caller may access.

        Args:
            caller: The caller.
            grants: The conditions for each kind of document that the endpoint needs.
            changes: Other attributes, such as a body that `Auth` has changed.
        """
        scoped_storage = ScopedStorage(self.services.storage, grants)
        services = replace(
            self.services,
            storage=scoped_storage,
            runs=self.services.runs.for_caller(caller),
            graphs=self.services.graphs.for_user(caller.user),
        )
        # The commands hold a `RunCreator` of their own. The server's would create runs unasked.
        services = replace(services, commands=services.commands.by(services.runs))
        return replace(
            self, services=services, caller=caller, scoped_storage=scoped_storage, **changes
        )

    def end_when_denied(self, reader: Reader, thread_id: str) -> Reader:
        """Make a reader end if the caller may not access its thread, once that is created."""
        if self.thread_conditions is not None:

            async def allowed() -> bool:
                try:
                    await self.check_thread(thread_id)
                except Hidden:
                    return False
                return True

            reader.allowed = allowed
        return reader


Handler = Callable[[ValidRequest], Awaitable[Response]]


class Query(NamedTuple):
    """A parameter of a query.

    Attributes:
        read: Returns its value, from all values under its name. Raises `ServerError`.
        schema: Its schema in the OpenAPI document.
    """

    read: Callable[[list[str]], Any]
    schema: Schema


@dataclass(frozen=True)
class Access:
    """The resource and action of a request for `Auth`; the kinds are in `access.py`.

    Attributes:
        resource: The resource; empty if the request is not authenticated.
        action: The action.
        open: Asks the caller's `Auth`, and returns the request with services that show only
            documents that the caller may access. Raises `ServerError` if it is refused.
    """

    resource: str
    action: str
    open: Callable[[ValidRequest, Caller], Awaitable[ValidRequest]]


@dataclass(frozen=True)
class Endpoint:
    """One method of one path.

    Attributes:
        method: `GET`, `POST` …
        path: The path, with names in braces.
        access: The question to `Auth`. There is no default, so that it cannot be forgotten.
        handler: The function that returns the response.
        summary: A short description.
        body: The name of the body's schema in `BODIES`; None if no body is read.
        response: The type of the response: a name in `REPLIES`, `[name]` for a list, `name?` if it
            may be null, a content type, `json` for any JSON, `int`, or empty for no body.
        query: The parameters, by name. Other parameters are ignored.
        other_statuses: More statuses that are not errors.
        not_json: Status and detail of the response to a body that is not JSON.
        error_response: The type of an error response, as for `response`; empty if it may have no
            body.
    """

    method: str
    path: str
    access: Access
    handler: Handler
    _: KW_ONLY
    summary: str
    body: str | None = None
    response: str = ""
    query: Mapping[str, Query] = field(default_factory=dict)
    other_statuses: tuple[int, ...] = ()
    not_json: tuple[int, str] = NOT_JSON
    error_response: str = "Error"

    @cached_property
    def route(self) -> Route:
        """The route: made once for all servers, as compiling its pattern takes a while."""
        return Route(self.path, self.answer, methods=[self.method])

    async def answer(self, request: Request) -> Response:
        """Authenticate and check a request, and return the handler's response."""
        services: Services = request.app.state.services
        caller = None
        # The order: the caller, so that strangers get no messages about the body; the encryption
        # context, which may need the user; the body; and last the access, which may need the body.
        if self.access.resource:
            caller = await authenticate(services.authorization, request)
        parent = request.scope.get(PARENT_RUN, "")
        if services.encryption is not None:
            await services.encryption.enter(request, parent)
        if parent:  # A run of this server sends the request: its runs are one level deeper.
            runs = services.runs.within(parent)
            services = replace(services, runs=runs, commands=services.commands.by(runs))
        body = None
        if self.body is not None:
            sent = without_nulls(self.body, await read_json(request, self.not_json))
            body = validate(sent, BODIES[self.body], BODIES)
        valid = ValidRequest(
            services,
            body,
            request,
            {
                name: query.read(request.query_params.getlist(name))
                for name, query in self.query.items()
            },
            parent=parent,
        )
        if caller is not None:
            valid = await self.access.open(valid, caller)
        return await self.handler(valid)


SocketHandler = Callable[[WebSocket, ValidRequest], Awaitable[None]]


async def answer_socket(access: Access, handler: SocketHandler, socket: WebSocket) -> None:
    """Authenticate a WebSocket and pass it to its handler; send a refusal otherwise."""
    services: Services = socket.app.state.services
    try:
        caller = await authenticate(services.authorization, socket)
        if services.encryption is not None:
            await services.encryption.enter(socket)
        valid = ValidRequest(services, None, socket, {})
        if caller is not None:
            valid = await access.open(valid, caller)
    except ServerError as error:
        await socket.send_denial_response(
            error_reply(error, f"WebSocket {logged_path(socket.scope)}")
        )
        return
    await handler(socket, valid)


# The kinds of parameters.

_MAX_INTEGER = 2**62
"""Greater numbers do not fit in a database's columns, and have the same effect in a search."""
_DIGITS = 4000
"""Python refuses to read longer numbers."""


def integer(default: int, refused: type[ServerError] = Refused, detail: str = "") -> Query:
    """Return a parameter that is a whole number, at most 2**62 in either direction.

    Args:
        default: The value if the parameter is missing.
        refused: The error for a value that is not a number.
        detail: The error's text; `{}` is replaced by the value.
    """

    def read(values: list[str]) -> int:
        if not values:
            return default
        try:
            return max(min(int(values[-1][:_DIGITS]), _MAX_INTEGER), -_MAX_INTEGER)
        except ValueError as error:
            raise refused(detail.replace("{}", values[-1]) or str(error)) from None

    return Query(read, {"type": "integer", "default": default})


def flag(*words: str) -> Query:
    """Return a parameter that is true if it is one of these words."""
    return Query(lambda values: bool(values) and values[-1] in words, {"type": "boolean"})


def lenient_flag() -> Query:
    """Return a parameter that is true if it is `true`, `yes` or `1`, in any case."""
    words = ("true", "yes", "1")
    return Query(lambda values: bool(values) and values[-1].lower() in words, {"type": "boolean"})


def text() -> Query:
    """Return a parameter that is a text; None if it is missing."""
    return Query(lambda values: values[-1] if values else None, {"type": "string"})


def texts(known: list[str] | None = None, detail: str = "") -> Query:
    """Return a parameter that may be given several times.

    Args:
        known: The allowed values; None for any.
        detail: The error's text for others; `{}` is replaced by them.
    """

    def read(values: list[str]) -> list[str]:
        unknown = [] if known is None else [value for value in values if value not in known]
        if unknown:
            raise Invalid(detail.replace("{}", str(unknown), 1))
        return values

    items = {"type": "string", **({} if known is None else {"enum": known})}
    return Query(read, {"type": "array", "items": items})
