"""Read and write the JSON of A2A in its two versions, and convert it from and to a graph's values.

Version 1.0 has methods such as `SendMessage` and roles such as `ROLE_USER`. Earlier versions have
`message/send` and `user`, and a `kind` in each object. No I/O.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langgraph_client.models.fields import JsonMapping, JsonObject
from langgraph_client.server.clock import Clock
from langgraph_client.server.encoding import decode, encode
from langgraph_client.server.runs.run_states import DELETED

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND = -32700, -32600, -32601
INVALID_PARAMS, INTERNAL_ERROR = -32602, -32603
TASK_NOT_FOUND, TASK_NOT_CANCELABLE = -32001, -32002
PUSH_NOT_SUPPORTED, UNSUPPORTED = -32003, -32004
CONTENT_TYPE_NOT_SUPPORTED, NO_EXTENDED_CARD = -32005, -32007
METHODS = {
    "message/send": "SendMessage",
    "message/stream": "SendStreamingMessage",
    "tasks/get": "GetTask",
    "tasks/cancel": "CancelTask",
    "tasks/list": "ListTasks",
}
"""The methods of earlier versions, with their names in 1.0."""
UNSUPPORTED_METHODS = {
    "tasks/pushNotificationConfig/set": PUSH_NOT_SUPPORTED,
    "tasks/pushNotificationConfig/get": PUSH_NOT_SUPPORTED,
    "tasks/pushNotificationConfig/list": PUSH_NOT_SUPPORTED,
    "tasks/pushNotificationConfig/delete": PUSH_NOT_SUPPORTED,
    "CreateTaskPushNotificationConfig": PUSH_NOT_SUPPORTED,
    "SetTaskPushNotificationConfig": PUSH_NOT_SUPPORTED,
    "GetTaskPushNotificationConfig": PUSH_NOT_SUPPORTED,
    "ListTaskPushNotificationConfig": PUSH_NOT_SUPPORTED,
    "ListTaskPushNotificationConfigs": PUSH_NOT_SUPPORTED,
    "DeleteTaskPushNotificationConfig": PUSH_NOT_SUPPORTED,
    "tasks/resubscribe": UNSUPPORTED,
    "SubscribeToTask": UNSUPPORTED,
    "agent/getAuthenticatedExtendedCard": NO_EXTENDED_CARD,
    "GetExtendedAgentCard": NO_EXTENDED_CARD,
}
"""Methods of the protocol that are not supported, in all versions, with their error codes."""
TERMINAL = ("completed", "failed", "canceled", "rejected")
_STATES = {
    "pending": "submitted",
    "running": "working",
    "success": "completed",
    "interrupted": "canceled",
    DELETED: "canceled",
    "error": "failed",
    "timeout": "failed",
}
_USERS = ("human", "user")
_AGENTS = ("ai", "assistant", "AIMessageChunk")


class A2AError(Exception):
    """The response to a request is an error.

    Args:
        code: The code of JSON-RPC or A2A.
        message: The reason.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def state_of(run: JsonMapping, thread: JsonMapping) -> str:
    """Return the state of the task of a thread's latest run."""
    if run["status"] == "success" and thread["status"] == "interrupted":
        return "input-required"
    return _STATES.get(run["status"], "submitted")


@dataclass(frozen=True)
class Wire:
    """Creates the JSON objects of responses.

    Args:
        clock: Gives times and ids.
        is_v1: Whether to use version 1.0.
    """

    clock: Clock
    is_v1: bool

    def _of_kind(self, kind: str, **fields: object) -> JsonObject:
        return fields if self.is_v1 else {"kind": kind, **fields}

    def text(self, text: str) -> JsonObject:
        """Return a part that is a text."""
        return self._of_kind("text", text=text)

    def data(self, data: Any) -> JsonObject:
        """Return a part that is JSON."""
        return self._of_kind("data", data=data)

    def message(
        self, parts: Sequence[JsonObject], ids: JsonObject, *, by_user: bool = False
    ) -> JsonObject:
        """Return a message.

        Args:
            parts: Its parts.
            ids: `taskId` and `contextId`, and a `messageId` if it has one.
            by_user: Whether it is from the user.
        """
        role = "user" if by_user else "agent"
        if self.is_v1:
            role = f"ROLE_{role.upper()}"
        ids = {"messageId": self.clock.uuid4(), **ids}
        return self._of_kind("message", role=role, parts=list(parts), **ids)

    def status(self, state: str, message: JsonObject | None = None) -> JsonObject:
        """Return a status with the current time."""
        if self.is_v1:
            state = f"TASK_STATE_{state.upper().replace('-', '_')}"
        shown = {"state": state, "timestamp": self.clock.stamp()}
        return shown if message is None else {**shown, "message": message}

    def task(self, ids: JsonObject, status: JsonObject, **more: Any) -> JsonObject:
        """Return a task; `more` are its history and artifacts."""
        place = {"id": ids["taskId"], "contextId": ids["contextId"]}
        return self._of_kind("task", **place, status=status, **more)

    def message_result(self, task: JsonObject) -> JsonObject:
        """Return the response to a message for its task."""
        return {"task": task} if self.is_v1 else task

    def status_update(
        self, ids: JsonObject, status: JsonObject, *, final: bool = False
    ) -> JsonObject:
        """Return an event with the status of a task."""
        if self.is_v1:
            return {"statusUpdate": {**ids, "status": status}}
        return {"kind": "status-update", **ids, "status": status, "final": final}

    def artifact_update(self, ids: JsonObject, artifact: JsonObject) -> JsonObject:
        """Return an event with an artifact of a task."""
        if self.is_v1:
            return {"artifactUpdate": {**ids, "artifact": artifact, "lastChunk": True}}
        return {"kind": "artifact-update", **ids, "artifact": artifact, "lastChunk": True}

    # The output of a graph.

    def response(self, values: Any, assistant_id: str) -> JsonObject:
        """Return the artifact of a run: the text of its last AI message, or its values."""
        messages = values.get("messages") if isinstance(values, dict) else None
        parts = [self.data(values if isinstance(values, dict) else {"value": values})]
        if isinstance(messages, list):
            last = next(
                (message for message in reversed(messages) if _is_by(message, _AGENTS)), None
            )
            parts = self.parts_of(None if last is None else last.get("content"))
        return {
            "artifactId": self.clock.uuid4(),
            "name": "Assistant Response",
            "description": f"Response from assistant {assistant_id}",
            "parts": parts,
        }

    def artifacts(
        self, state: str, values: Any, thread: JsonMapping, assistant_id: str
    ) -> list[JsonObject]:
        """Return the artifacts of a task.

        Args:
            state: The task's state.
            values: The state that it has left; None if it is not kept.
            thread: Its thread, with the questions of a task that waits for input.
            assistant_id: The agent's id.
        """
        if state == "completed" and values is not None:
            return [self.response(values, assistant_id)]
        if state == "input-required":
            interrupts = [
                interrupt for items in thread["interrupts"].values() for interrupt in items
            ]
            # A graph that stops at a breakpoint asks nothing.
            return [self.questions(interrupts)] if interrupts else []
        return []

    def questions(self, interrupts: Sequence[Mapping[str, object]]) -> JsonObject:
        """Return the artifact for a run's interrupts."""
        return {
            "artifactId": self.clock.uuid4(),
            "name": "Interrupt",
            "description": "Agent requires input to continue",
            "parts": [self.data(dict(interrupt)) for interrupt in interrupts],
        }

    def parts_of(self, content: object) -> list[JsonObject]:
        """Return the content of a graph's message as one or more parts."""
        if isinstance(content, list):
            parts = []
            for block in content:
                if isinstance(block, str):
                    parts.append(self.text(block))
                elif isinstance(block, dict) and isinstance(block.get("text"), str):
                    parts.append(self.text(block["text"]))
                elif isinstance(block, dict) and block.get("type") == "data":
                    parts.append(self.data(block.get("data")))
            return parts or [self.text("")]
        return [self.text(content if isinstance(content, str) else "")]

    def history(self, values: Any, ids: JsonObject, length: int) -> list[JsonObject]:
        """Return the latest messages of the user and the agent."""
        messages = values.get("messages") if isinstance(values, dict) else None
        shown = [
            self.message(
                self.parts_of(message.get("content")),
                {**ids, **({"messageId": message["id"]} if message.get("id") else {})},
                by_user=_is_by(message, _USERS),
            )
            for message in (messages if isinstance(messages, list) else ())
            if _is_by(message, (*_USERS, *_AGENTS)) and message.get("content")
        ]
        return shown[-length:] if length else []


def _is_by(message: object, kinds: Sequence[str]) -> bool:
    if not isinstance(message, dict):
        return False
    return message.get("type") in kinds or message.get("role") in kinds


def text_of(item: Any) -> str:
    """Return the text of an AI message of a graph; empty for another object."""
    if not _is_by(item, _AGENTS):
        return ""
    content = item.get("content")
    blocks = content if isinstance(content, list) else [content]
    texts = [block.get("text") if isinstance(block, dict) else block for block in blocks]
    return "".join(text for text in texts if isinstance(text, str))


# The messages of a user.


@dataclass(frozen=True)
class UserMessage:
    """A user's message.

    Attributes:
        input: The input of a run.
        resume: The response to the task's interrupt, if it has one.
        is_answer: Whether the message can only be such a response.
        context_id: The context; None for a new one.
        task_id: The task; None for a new one.
        has_content: Whether it has text or files, which need a graph with `messages`.
    """

    input: JsonObject
    resume: object
    is_answer: bool
    context_id: str | None
    task_id: str | None
    has_content: bool


def read_configuration(params: JsonMapping) -> JsonObject:
    """Return the configuration of a request that sends a message; empty if it has none.

    Raises:
        A2AError: It is malformed.
    """
    configuration = params.get("configuration")
    if not isinstance(configuration, dict | None):
        raise A2AError(INVALID_PARAMS, "configuration must be an object")
    return configuration or {}


def read_message(params: JsonMapping) -> UserMessage:
    """Return the message of a request.

    Raises:
        A2AError: It is malformed.
    """
    message = params.get("message")
    if not isinstance(message, dict) or not message:
        raise A2AError(INVALID_PARAMS, "Missing or invalid 'message' in params")
    for name in ("messageId", "role"):
        if not message.get(name):
            raise A2AError(INVALID_PARAMS, f"Missing required '{name}' in message")
    parts = message.get("parts")
    if not isinstance(parts, list) or not parts:
        raise A2AError(INVALID_PARAMS, "Message must contain at least one part")
    for name in ("contextId", "taskId"):
        if message.get(name) is not None and not isinstance(message[name], str):
            raise A2AError(INVALID_PARAMS, f"{name} must be a string")
    blocks: list[JsonObject] = []
    data: JsonObject = {}
    for part in parts:
        _read_part(part, blocks, data)
    texts = [block["text"] for block in blocks if block["type"] == "text"]
    is_answer = "resume" in data
    resume = data.pop("resume", None) if is_answer else "\n".join(texts) or dict(data)
    input: JsonObject = dict(data)
    if blocks:
        role = "assistant" if str(message["role"]).lower().endswith("agent") else "human"
        content: Any = blocks if len(texts) != len(blocks) else "\n".join(texts)
        input["messages"] = [{"role": role, "content": content, "id": str(message["messageId"])}]
    return UserMessage(
        input,
        resume,
        is_answer,
        message.get("contextId") or None,
        message.get("taskId") or None,
        bool(blocks),
    )


def _read_part(part: object, blocks: list[JsonObject], data: JsonObject) -> None:
    """Add a part to the blocks of the message, or to the fields of the input."""
    if not isinstance(part, dict):
        raise A2AError(CONTENT_TYPE_NOT_SUPPORTED, "Each message part must be an object.")
    if isinstance(part.get("text"), str):
        blocks.append({"type": "text", "text": part["text"]})
    elif isinstance(part.get("data"), dict):
        data.update(part["data"])
    elif "file" in part or "url" in part or "raw" in part:
        blocks.append(_file_block(part.get("file") or part))
    else:
        raise A2AError(
            CONTENT_TYPE_NOT_SUPPORTED,
            "Unsupported part type. A2A agents support 'text', 'data', and 'file' parts only.",
        )


def _file_block(file: object) -> JsonObject:
    if not isinstance(file, dict):
        raise A2AError(CONTENT_TYPE_NOT_SUPPORTED, "The file of a part must be an object")
    kind = str(file.get("mimeType") or file.get("mediaType") or "")
    family = kind.partition("/")[0]
    block: JsonObject = {"type": family if family in ("audio", "image", "video") else "file"}
    if kind:
        block["mime_type"] = kind
    if url := file.get("uri") or file.get("url") or file.get("fileWithUri"):
        return {**block, "url": url}
    if raw := file.get("bytes") or file.get("raw") or file.get("fileWithBytes"):
        return {**block, "base64": raw}
    raise A2AError(CONTENT_TYPE_NOT_SUPPORTED, "A file needs a URI or its bytes")


def as_json(value: object) -> object:
    """Return a value as JSON."""
    return decode(encode(value))
