"""A2A, the agent-to-agent protocol: an assistant is an agent, a thread a context, a run a task.

A task that was answered goes on in further runs; its id is `thread:run` of the first. Seen in
langgraph-api 0.16.7.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import httpx
from starlette.responses import Response

from langgraph_client.models.fields import JsonObject
from langgraph_client.server.encoding import encode
from langgraph_client.server.errors import Invalid
from langgraph_client.server.graphs.protocol_events import INTERRUPT
from langgraph_client.server.http import a2a_wire as a2a
from langgraph_client.server.http.a2a_wire import A2AError, UserMessage, Wire
from langgraph_client.server.http.endpoint import ValidRequest
from langgraph_client.server.http.replies import empty, reply
from langgraph_client.server.http.routes.a2a_list import list_tasks
from langgraph_client.server.http.routes.a2a_tasks import Task, find, values_of, withdraw
from langgraph_client.server.http.routes.system import version
from langgraph_client.server.http.self_requests import SelfClient, SelfRequestError
from langgraph_client.server.http.streaming import LongResponse, event_headers
from langgraph_client.server.runs.background_tasks import BackgroundTasks
from langgraph_client.server.runs.event_log import HEARTBEAT
from langgraph_client.server.runs.run_document import assistant_id_of, canonical_uuid
from langgraph_client.server.runs.run_result import ERROR

_HISTORY = 10
_MODES = ["text/plain", "application/json"]


async def get_not_allowed(request: ValidRequest) -> Response:
    """GET /a2a/{assistant_id}."""
    return empty(405)


async def delete_not_found(request: ValidRequest) -> Response:
    """DELETE /a2a/{assistant_id}."""
    return empty(404)


# The card.


async def card(request: ValidRequest) -> Response:
    """GET /.well-known/agent-card.json, GET /a2a/{assistant_id}/.well-known/agent-card.json."""
    name = request.path.get("assistant_id") or request.query.get("assistant_id")
    if not name:
        return _card_error("Missing required query parameter: assistant_id")
    try:
        assistant_id = _assistant_id(request, name)
        own_server = SelfClient(request)
        assistant = await own_server.request("GET", f"/assistants/{assistant_id}")
        schemas = await own_server.request("GET", f"/assistants/{assistant_id}/schemas")
    except (A2AError, SelfRequestError):
        return _card_error(f"Assistant '{name}' not found")
    return reply(_card(request.base_url, assistant, schemas))


def _card_error(text: str) -> Response:
    return reply({"error": {"code": a2a.INVALID_PARAMS, "message": text}}, 400)


def _assistant_id(request: ValidRequest, text: str) -> str:
    if text in request.services.graphs:
        return assistant_id_of(text)
    try:
        return canonical_uuid(text, "")
    except Invalid:
        raise A2AError(a2a.INVALID_PARAMS, "Invalid assistant ID: must be a UUID") from None


def _card(base_url: str, assistant: JsonObject, schemas: JsonObject) -> JsonObject:
    name, url = assistant["name"], f"{base_url}/a2a/{assistant['assistant_id']}"
    description = assistant.get("description") or (
        f"The graph {assistant['graph_id']!r}, as the assistant {name!r}"
    )
    schema = schemas.get("input_schema") or schemas.get("state_schema") or {}
    fields = sorted(schema.get("properties", {}))
    skill = {
        "id": f"{assistant['assistant_id']}-main",
        "name": f"{name} Capabilities",
        "description": description,
        "tags": ["assistant", "langgraph"],
        "examples": [],
        "inputModes": _MODES,
        "outputModes": _MODES,
        "metadata": {
            "inputSchema": {
                "required": schema.get("required", []),
                "properties": fields,
                "supportsA2A": "messages" in fields,
            }
        },
    }
    binding = {"url": url, "protocolBinding": "JSONRPC"}
    return {
        "name": name,
        "description": description,
        "url": url,
        "preferredTransport": "JSONRPC",
        "protocolVersion": "0.3.0",
        "supportedInterfaces": [
            {**binding, "protocolVersion": number} for number in ("1.0", "0.3")
        ],
        "capabilities": {
            "streaming": True,
            "pushNotifications": False,
            "stateTransitionHistory": False,
        },
        "defaultInputModes": _MODES,
        "defaultOutputModes": _MODES,
        "skills": [skill],
        "version": version(),
    }


# The methods.


async def message(request: ValidRequest) -> Response:
    """POST /a2a/{assistant_id}."""
    body = request.body
    request_id = body.get("id") if isinstance(body, dict) else None
    if not isinstance(request_id, (str, int, float, type(None))):
        request_id = None
    try:
        method, is_v1, params = _read_request(body, request_id)
        agent = _Agent(
            SelfClient(request),
            Wire(request.services.clock, is_v1=is_v1),
            _assistant_id(request, request.path["assistant_id"]),
            request.services.engine.tasks,
        )
        if method == "SendStreamingMessage":
            a2a.read_configuration(params)
            return _Stream(agent, a2a.read_message(params), request_id)
        methods = {
            "SendMessage": agent.send,
            "GetTask": agent.get,
            "CancelTask": agent.cancel,
            "ListTasks": agent.list_tasks,
        }
        return reply({"jsonrpc": "2.0", "id": request_id, "result": await methods[method](params)})
    except A2AError as error:
        return reply(_failure(request_id, error))
    except SelfRequestError as error:
        return reply(_failure(request_id, A2AError(a2a.INTERNAL_ERROR, error.detail)))


def _read_request(body: object, request_id: object) -> tuple[str, bool, JsonObject]:
    """Return a request's method by its name in 1.0, whether it has that name, and its parameters.

    Raises:
        A2AError: It is malformed, or the method does not exist or is not supported.
    """
    if not isinstance(body, dict) or body.get("jsonrpc") != "2.0":
        raise A2AError(
            a2a.INVALID_REQUEST, "Invalid JSON-RPC message: missing or invalid jsonrpc version"
        )
    requested = body.get("method")
    if request_id is None or requested is None:
        raise A2AError(a2a.INVALID_REQUEST, "Invalid JSON-RPC request: id and method needed")
    method = a2a.METHODS.get(requested, requested) if isinstance(requested, str) else ""
    if method in a2a.UNSUPPORTED_METHODS:
        raise A2AError(a2a.UNSUPPORTED_METHODS[method], f"This agent does not support {requested}")
    if method not in a2a.METHODS.values():
        raise A2AError(a2a.METHOD_NOT_FOUND, f"Method not found: {requested}")
    params = body.get("params")
    if not isinstance(params, dict):
        raise A2AError(a2a.INVALID_PARAMS, "Invalid params: must be an object")
    return method, method == requested, params


def _failure(number: object, error: A2AError) -> JsonObject:
    return {
        "jsonrpc": "2.0",
        "id": number,
        "error": {"code": error.code, "message": error.message},
    }


class _Agent:
    """An assistant, as an agent.

    Args:
        own_server: Sends requests to the server.
        wire: Creates the objects of responses.
        assistant_id: The assistant's id.
        tasks: Keeps what must be done to its end.
    """

    def __init__(
        self, own_server: SelfClient, wire: Wire, assistant_id: str, tasks: BackgroundTasks
    ) -> None:
        self.own_server, self.wire, self.assistant_id = own_server, wire, assistant_id
        self._tasks = tasks

    async def prepare(self, message: UserMessage) -> tuple[JsonObject, str | None]:
        """Return the body of the run that a message asks for, and the task that it goes on with.

        Raises:
            A2AError: There is no such task, or it is over; or the graph takes no messages.
        """
        try:
            schemas = await self.own_server.request(
                "GET", f"/assistants/{self.assistant_id}/schemas"
            )
        except SelfRequestError as error:
            text = f"Assistant '{self.assistant_id}' not found"
            raise A2AError(a2a.INVALID_PARAMS, text if error.status == 404 else error.detail) from (
                error
            )
        schema = schemas.get("input_schema") or schemas.get("state_schema") or {}
        fields = schema.get("properties", {})
        if message.has_content and "messages" not in fields:
            raise A2AError(
                a2a.INVALID_PARAMS,
                f"Assistant '{self.assistant_id}' does not support A2A conversational messages."
                " Graph input schema must include a 'messages' field to accept text or file parts."
                f" Available input fields: {list(fields)}",
            )
        body: JsonObject = {"assistant_id": self.assistant_id, "if_not_exists": "create"}
        if message.task_id is None:
            if message.is_answer:
                raise A2AError(a2a.INVALID_PARAMS, "taskId is required when resuming a task")
            return {**body, "input": message.input}, None
        task = await self.find(message.task_id, message.context_id)
        if task.state in a2a.TERMINAL:
            raise A2AError(a2a.UNSUPPORTED, "A terminal task cannot accept another message")
        task_id = task.ids["taskId"]
        body["metadata"] = {"a2a": {"task_id": task_id}}
        if task.state == "input-required":
            body["command"] = {"resume": message.resume}
        elif message.is_answer:
            raise A2AError(a2a.INVALID_PARAMS, "Task is not awaiting input")
        else:
            body["input"] = message.input
        return body, task_id

    async def find(self, task_id: object, context_id: object = None) -> Task:
        """Return a task.

        Raises:
            A2AError: There is no such task of this agent.
        """
        return await find(self.own_server, self.assistant_id, task_id, context_id)

    async def send(self, params: JsonObject) -> JsonObject:
        """SendMessage: run, and return the task once it is over, or at once if that is wanted."""
        message = a2a.read_message(params)
        configuration = a2a.read_configuration(params)
        length = _history_length(configuration)
        body, task_id = await self.prepare(message)
        thread_id = await self._context(message)
        at_once = _is_answered_at_once(configuration)
        place = f"/threads/{thread_id}/runs"
        try:
            # Not `join`: once the run is over, that gives what later runs have left.
            run_id, result = await self.own_server.run(place if at_once else f"{place}/wait", body)
        except SelfRequestError as error:
            raise self.refused(error, thread_id) from error
        ids = {"taskId": task_id or f"{thread_id}:{run_id}", "contextId": thread_id}
        if at_once:
            return self.wire.message_result(self.wire.task(ids, self.wire.status("submitted")))
        return self.wire.message_result(await self._over(ids, result, length))

    async def _context(self, message: UserMessage) -> str:
        context_id = message.context_id
        if context_id is None and message.task_id is not None:
            context_id = message.task_id.rpartition(":")[0]
        if context_id is None:
            return self.wire.clock.uuid4()
        try:
            return canonical_uuid(context_id, "")
        except Invalid:
            raise A2AError(a2a.INVALID_PARAMS, "contextId must be a UUID") from None

    def refused(self, error: SelfRequestError, thread_id: str) -> A2AError:
        """Return the error for a run that cannot be created."""
        if error.status == 404:
            return A2AError(
                a2a.INVALID_PARAMS,
                f"Invalid request: assistant '{self.assistant_id}' or context '{thread_id}' not"
                " found",
            )
        code = a2a.INVALID_PARAMS if error.status < 500 else a2a.INTERNAL_ERROR
        return A2AError(code, error.detail)

    async def _over(self, ids: JsonObject, values: Any, length: int) -> JsonObject:
        """Return the task of a run that is over, from its result."""
        wire = self.wire
        more: JsonObject = {"history": wire.history(values, ids, length)} if length else {}
        if isinstance(values, dict) and ERROR in values:
            error = values[ERROR]
            text = f"Error executing assistant: {error['error']}: {error['message']}"
            return wire.task(
                ids, wire.status("failed", wire.message([wire.text(text)], ids)), **more
            )
        state = await self._state_after(ids, values)
        if artifacts := self._artifacts(state, values):
            more["artifacts"] = artifacts
        return wire.task(ids, wire.status(state), **more)

    async def _state_after(self, ids: JsonObject, values: object) -> str:
        """Return the state of a task after a run without an error, as `get` returns it.

        The result of the run is not enough: a run that was cancelled, or that has stopped at a
        breakpoint, has one like any other.
        """
        if (status := self.own_server.run_status) != "success":
            return a2a.state_of({"status": status}, {"status": "idle"})
        if _questions(values):
            return "input-required"
        try:
            thread = await self.own_server.request("GET", f"/threads/{ids['contextId']}")
            if thread["status"] == "interrupted":  # By this task, or a later one.
                return (await self.find(ids["taskId"])).state
        except (A2AError, SelfRequestError):
            pass  # The thread was deleted, or the caller may start runs and not read them.
        return "completed"

    def _artifacts(self, state: str, values: Any) -> list[JsonObject]:
        """Return the artifacts of a task after a run with this result."""
        if state == "completed":
            return [self.wire.response(values, self.assistant_id)]
        if state == "input-required" and (questions := _questions(values)):
            return [self.wire.questions(questions)]
        return []

    async def get(self, params: JsonObject) -> JsonObject:
        """GetTask."""
        length = _history_length(params)
        task = await self.find(params.get("id"), params.get("contextId"))
        wire, ids, state = self.wire, task.ids, task.state
        values = await values_of(self.own_server, task) if length or state == "completed" else None
        more: JsonObject = {}
        if length:
            more["history"] = wire.history(values, ids, length)
        if artifacts := wire.artifacts(state, values, task.thread, self.assistant_id):
            more["artifacts"] = artifacts
        status_message = None
        if state == "failed":
            text = f"Task failed with status: {task.run['status']}"
            status_message = wire.message([wire.text(text)], ids)
        return wire.task(ids, wire.status(state, status_message), **more)

    async def list_tasks(self, params: JsonObject) -> JsonObject:
        """ListTasks."""
        length = _history_length(params)
        return await list_tasks(self.own_server, self.wire, self.assistant_id, params, length)

    async def cancel(self, params: JsonObject) -> JsonObject:
        """CancelTask."""
        task = await self.find(params.get("id"), params.get("contextId"))
        ids = task.ids
        if task.state in a2a.TERMINAL:
            raise A2AError(a2a.TASK_NOT_CANCELABLE, "Task is not cancelable in its current state")
        if task.state == "input-required":
            # To its end, also if the client leaves: half done, it would leave a run that waits.
            await self._tasks.finish(withdraw(self.own_server, task))
        else:
            place = f"/threads/{ids['contextId']}/runs/{task.run['run_id']}"
            try:
                await self.own_server.request("POST", f"{place}/cancel?wait=true")
            except SelfRequestError as error:  # It was over before.
                raise A2AError(a2a.TASK_NOT_CANCELABLE, error.detail) from error
        status_message = self.wire.message([self.wire.text("Task was canceled")], ids)
        return self.wire.task(ids, self.wire.status("canceled", status_message))

    async def stream(self, message: UserMessage) -> AsyncGenerator[JsonObject]:
        """Run, and yield the events of the task.

        Raises:
            A2AError, SelfRequestError: It is refused, or the events stop.
        """
        wire = self.wire
        body, task_id = await self.prepare(message)
        thread_id = await self._context(message)
        body |= {"stream_mode": ["values", "messages-tuple"], "on_disconnect": "continue"}
        ids: JsonObject = {"contextId": thread_id}
        values: object = None
        failed: JsonObject | None = None
        events = self.own_server.events(f"/threads/{thread_id}/runs/stream", body)
        try:
            async for name, data in events:
                if name == "location":
                    run_id = data.rpartition("/")[2]
                    ids = {"taskId": task_id or f"{thread_id}:{run_id}", **ids}
                    submitted = wire.status("submitted")
                    if task_id is None:
                        yield wire.message_result(wire.task(ids, submitted))
                    else:
                        yield wire.status_update(ids, submitted)
                elif name == "metadata":
                    yield wire.status_update(ids, wire.status("working"))
                elif name == "values":
                    values = data
                elif name == "error":
                    failed = data
                elif name == "messages" and (text := a2a.text_of(data[0])):
                    status_message = wire.message([wire.text(text)], ids)
                    yield wire.status_update(ids, wire.status("working", status_message))
        except SelfRequestError as error:
            raise self.refused(error, thread_id) from error
        finally:
            await events.aclose()
        for event in await self._ending(ids, values, failed):
            yield event

    async def _ending(
        self, ids: JsonObject, values: object, failed: JsonObject | None
    ) -> list[JsonObject]:
        wire = self.wire
        if failed is not None:
            text = str(failed.get("message") or failed.get("error"))
            status = wire.status("failed", wire.message([wire.text(text)], ids))
            return [wire.status_update(ids, status, final=True)]
        state = await self._state_after(ids, values)
        return [
            *(wire.artifact_update(ids, artifact) for artifact in self._artifacts(state, values)),
            wire.status_update(ids, wire.status(state), final=True),
        ]


def _questions(values: object) -> list[JsonObject]:
    """Return the interrupts in the result of a run."""
    questions: list[JsonObject] = values.get(INTERRUPT) or [] if isinstance(values, dict) else []
    return questions


def _is_answered_at_once(configuration: JsonObject) -> bool:
    """Return whether the response to a message is sent when its run is created, not at its end."""
    at_once = configuration.get("returnImmediately") is True
    return at_once or configuration.get("blocking") is False


def _history_length(params: object) -> int:
    length = params.get("historyLength") if isinstance(params, dict) else None
    if length is None:
        return _HISTORY
    if not isinstance(length, int) or isinstance(length, bool) or length < 0:
        raise A2AError(a2a.INVALID_PARAMS, "historyLength must be a non-negative integer")
    return min(length, _HISTORY)


class _Stream(LongResponse):
    """A response that sends the events of a task, each as the response to the one request."""

    def __init__(self, agent: _Agent, message: UserMessage, request_id: object) -> None:
        super().__init__(event_headers(), heartbeat=HEARTBEAT)
        self._agent, self._message, self._request_id = agent, message, request_id

    async def parts(self) -> AsyncGenerator[bytes]:
        """Yield the events."""
        events = self._agent.stream(self._message)
        try:
            async for event in events:
                yield _frame({"jsonrpc": "2.0", "id": self._request_id, "result": event})
        except A2AError as error:
            yield _frame(_failure(self._request_id, error))
        except (SelfRequestError, httpx.HTTPError) as error:
            yield _frame(_failure(self._request_id, A2AError(a2a.INTERNAL_ERROR, str(error))))
        finally:
            await events.aclose()


def _frame(value: JsonObject) -> bytes:
    # Line ends of Unicode would end the line for some readers.
    text = encode(value).decode().replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return f"event: message\r\ndata: {text.replace(chr(0x85), chr(92) + 'u0085')}\r\n\r\n".encode()
