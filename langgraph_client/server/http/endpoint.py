"""What an endpoint is: a line of the table in `endpoints.py`, and what its handler gets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from langgraph_client.models.fields import JsonMapping
from langgraph_client.server.auth.authorization import Caller
from langgraph_client.server.auth.filters import Conditions
from langgraph_client.server.auth.scoped_storage import Grants, ScopedStorage
from langgraph_client.server.errors import Denied, Hidden, Invalid, Refused, ServerError
from langgraph_client.server.http.authentication import authenticate
from langgraph_client.server.http.in_process import PARENT_RUN
from langgraph_client.server.http.replies import NOT_JSON, read_json, refuse
from langgraph_client.server.http.schemas.bodies import BODIES
from langgraph_client.server.http.validation import Schema, validate
from langgraph_client.server.runs.event_log import Reader
from langgraph_client.server.services import Services


@dataclass(frozen=True)
class ValidRequest:
    """A request whose body and query are as its endpoint says.

    Attributes:
        services: The server.
        body: The decoded JSON; None where the endpoint takes none.
        connection: The request as it came.
        query: The parameters that the endpoint has, each as its `Query` reads it.
        caller: Who sends it, on a server with an `Auth`; None on others.
        seen: What of the database the caller may have, likewise.
        parent: The run of this server that sends it; empty for none.
    """

    services: Services
    body: Any
    connection: HTTPConnection
    query: JsonMapping
    caller: Caller | None = None
    seen: ScopedStorage | None = None
    parent: str = ""

    @property
    def path(self) -> Mapping[str, str]:
        """The names in the path, as text."""
        return self.connection.path_params

    @property
    def headers(self) -> Headers:
        """The headers."""
        return self.connection.headers

    @property
    def base_url(self) -> str:
        """Where the server is, as its client or the proxy before it says."""
        url = self.connection.base_url
        if (scheme := self.headers.get("x-forwarded-proto")) in ("http", "https"):
            url = url.replace(scheme=scheme)
        return str(url).rstrip("/")

    @property
    def threads(self) -> Conditions:
        """What the threads are like that the caller may have; None for all."""
        return None if self.seen is None else self.seen.grants.get("threads")

    async def check_thread(self, thread_id: str) -> None:
        """Raise `Hidden` if a thread is there and the caller may not have it."""
        if self.seen is not None:
            await self.seen.threads.check(thread_id)

    def granted(self, caller: Caller, grants: Grants, **changes: Any) -> ValidRequest:
        """Return the request with services that show what a caller may have, and nothing else.

        Args:
            caller: Who sends it.
            grants: What the caller may have of the kinds that the handler needs.
            changes: Other attributes, such as the body as the `Auth` has changed it.
        """
        seen = ScopedStorage(self.services.storage, grants)
        services = replace(
            self.services,
            storage=seen,
            runs=self.services.runs.for_caller(caller),
            graphs=self.services.graphs.for_user(caller.user),
        )
        services = replace(services, commands=services.commands.by(services.runs))
        return replace(self, services=services, caller=caller, seen=seen, **changes)

    def guard(self, reader: Reader, thread_id: str) -> Reader:
        """Let a reader end once its thread is not the caller's: it may be created after it."""
        if self.threads is not None:

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
        read: Returns its value, from all that the query gives under its name. Raises `ServerError`.
        schema: What the OpenAPI document says of it.
    """

    read: Callable[[list[str]], Any]
    schema: Schema


@dataclass(frozen=True)
class Access:
    """What a request is about, as an `Auth` sees it; the kinds are in `access.py`.

    Attributes:
        resource: What kind of thing; empty where nobody is asked who sends the request.
        action: What is done.
        open: Asks the caller's `Auth`, and returns the request with services that show what the
            caller may have. Raises `ServerError` if that is nothing.
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
        access: What an `Auth` is asked. There is no default, so that none is forgotten.
        handler: Answers a request.
        summary: What it does, in a few words.
        body: The name of the body's schema in `BODIES`; None where no body is read.
        gives: What comes back: a name in `REPLIES`, `[name]` for a list, `name?` where it may be
            null, a content type, `json` for any JSON, `int`, or nothing.
        query: The parameters, by name. Others are ignored.
        also: Further statuses that are no errors.
        not_json: Status and detail of the answer to a body that is no JSON.
        refuses: What a refusal looks like, as for `gives`; empty where it may have no body.
    """

    method: str
    path: str
    access: Access
    handler: Handler
    summary: str
    body: str | None = None
    gives: str = ""
    query: Mapping[str, Query] = field(default_factory=dict)
    also: tuple[int, ...] = ()
    not_json: tuple[int, str] = NOT_JSON
    refuses: str = "Error"

    async def answer(self, request: Request) -> Response:
        """Find out who sends a request, check it, and return what the handler answers."""
        services: Services = request.app.state.services
        caller = None
        if self.access.resource:  # Before the body is read: strangers learn nothing of it.
            caller = await authenticate(services.authorization, request)
        parent = request.scope.get(PARENT_RUN, "")
        if services.encryption is not None:
            await services.encryption.enter(request, parent)
        if parent:
            runs = services.runs.within(parent)
            services = replace(services, runs=runs, commands=services.commands.by(runs))
        body = None
        if self.body is not None:
            body = validate(await read_json(request, self.not_json), BODIES[self.body], BODIES)
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
    """Find out who opens a WebSocket, and hand it over; a refusal is answered in its place."""
    services: Services = socket.app.state.services
    try:
        caller = await authenticate(services.authorization, socket)
        if services.encryption is not None:
            await services.encryption.enter(socket)
        valid = ValidRequest(services, None, socket, {})
        if caller is not None:
            valid = await access.open(valid, caller)
    except ServerError as error:
        status = error.status if isinstance(error, Denied) else 404
        await refuse(socket.scope, socket.receive, socket.send, status, error.detail)
        return
    await handler(socket, valid)


# The kinds of parameters.

_MOST = 2**62
"""Greater numbers mean the same to every search, and do not fit in a database's columns."""
_DIGITS = 4000
"""Python refuses to read longer numbers."""


def integer(default: int, refused: type[ServerError] = Refused, detail: str = "") -> Query:
    """Return a parameter that is a whole number, at most 2**62 in either direction.

    Args:
        default: Its value where it is not given.
        refused: The error for what is no number.
        detail: What that says; `{}` stands for what was given.
    """

    def read(given: list[str]) -> int:
        if not given:
            return default
        try:
            return max(min(int(given[-1][:_DIGITS]), _MOST), -_MOST)
        except ValueError as error:
            raise refused(detail.replace("{}", given[-1]) or str(error)) from None

    return Query(read, {"type": "integer", "default": default})


def flag(*words: str) -> Query:
    """Return a parameter that is true if it is one of these words."""
    return Query(lambda given: bool(given) and given[-1] in words, {"type": "boolean"})


def truth() -> Query:
    """Return a parameter that is true if it is `true`, `yes` or `1`, in any case."""
    words = ("true", "yes", "1")
    return Query(lambda given: bool(given) and given[-1].lower() in words, {"type": "boolean"})


def text() -> Query:
    """Return a parameter that is a text, None where it is not given."""
    return Query(lambda given: given[-1] if given else None, {"type": "string"})


def texts(known: list[str] | None = None, detail: str = "") -> Query:
    """Return a parameter that may be given several times.

    Args:
        known: The values it may have; None for any.
        detail: What is said of others, `{}` standing for them.
    """

    def read(given: list[str]) -> list[str]:
        odd = [] if known is None else [value for value in given if value not in known]
        if odd:
            raise Invalid(detail.replace("{}", str(odd), 1))
        return given

    items = {"type": "string", **({} if known is None else {"enum": known})}
    return Query(read, {"type": "array", "items": items})
