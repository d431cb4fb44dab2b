"""The parts of streams: `StreamPart` (version v1) and the typed parts of version v2."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, NotRequired, TypeAlias

from typing_extensions import TypedDict

from langgraph_client.models.fields import JSON, JsonObject

__all__ = [
    "CheckpointPayload",
    "CheckpointTaskPayload",
    "CheckpointsStreamPart",
    "CustomStreamPart",
    "DebugPayload",
    "DebugStreamPart",
    "ErrorPayload",
    "ErrorStreamPart",
    "EventsStreamPart",
    "FeedbackStreamPart",
    "InterruptPayload",
    "MessagesCompleteStreamPart",
    "MessagesMetadataStreamPart",
    "MessagesPartialStreamPart",
    "MessagesTupleStreamPart",
    "MetadataStreamPart",
    "RunMetadataPayload",
    "StreamPart",
    "StreamPartV2",
    "TaskPayload",
    "TaskResultPayload",
    "TasksStreamPart",
    "UpdatesStreamPart",
    "ValuesStreamPart",
]


class StreamPart(NamedTuple):
    """One event of a stream, as the server sent it.

    `event` is the mode's name, followed by the namespace of a subgraph (`updates|child:id`). `id`
    is None unless the stream is resumable.
    """

    event: str
    data: JSON
    id: str | None = None


class InterruptPayload(TypedDict):
    """An interrupt inside an event."""

    value: JSON
    id: NotRequired[str]
    response_schema: NotRequired[JsonObject | None]


class RunMetadataPayload(TypedDict):
    """The run that the stream shows; `attempt` counts from 1."""

    run_id: str
    attempt: NotRequired[int]


class ErrorPayload(TypedDict):
    """The exception that ended the run."""

    error: str
    message: NotRequired[str]


class TaskPayload(TypedDict):
    """A task that starts (`input`, `triggers`) or ends (`result`, `error`, `interrupts`)."""

    id: str
    name: str
    input: NotRequired[JSON]
    triggers: NotRequired[list[str]]
    metadata: NotRequired[JsonObject]
    error: NotRequired[JSON]
    result: NotRequired[JSON]
    interrupts: NotRequired[list[InterruptPayload]]


class TaskResultPayload(TypedDict):
    """A task that ended."""

    id: str
    name: str
    error: str | None
    interrupts: list[JsonObject]
    result: JSON


class CheckpointTaskPayload(TypedDict):
    """A task inside a checkpoint: still to run, failed (`error`), or done (`result`)."""

    id: str
    name: str
    error: NotRequired[str]
    result: NotRequired[JSON]
    interrupts: NotRequired[list[JsonObject]]
    state: JsonObject | None


class CheckpointPayload(TypedDict, total=False):
    """A checkpoint that was made."""

    config: JsonObject | None
    parent_config: JsonObject | None
    values: JSON
    metadata: JsonObject
    next: list[str]
    tasks: list[JsonObject]


class DebugPayload(TypedDict):
    """A checkpoint, a task's start or its end, with the step's number and time."""

    step: int
    timestamp: str
    type: Literal["checkpoint", "task", "task_result"]
    payload: JsonObject


class _Part(TypedDict):
    ns: list[str]
    interrupts: list[InterruptPayload]


class ValuesStreamPart(_Part):
    """The whole state, without its interrupts, which are in `interrupts`."""

    type: Literal["values"]
    data: JSON


class UpdatesStreamPart(_Part):
    """The updates that nodes returned."""

    type: Literal["updates"]
    data: JsonObject


class MessagesTupleStreamPart(_Part):
    """A message, or a chunk of one, and its metadata (mode `messages-tuple`)."""

    type: Literal["messages"]
    data: list[Any]


class MessagesPartialStreamPart(_Part):
    """Messages with the content received so far (mode `messages`)."""

    type: Literal["messages/partial"]
    data: list[JsonObject]


class MessagesCompleteStreamPart(_Part):
    """Messages that were sent as a whole (mode `messages`)."""

    type: Literal["messages/complete"]
    data: list[JsonObject]


class MessagesMetadataStreamPart(_Part):
    """Metadata by message id (mode `messages`)."""

    type: Literal["messages/metadata"]
    data: JsonObject


class CustomStreamPart(_Part):
    """A value that a node passed to its stream writer."""

    type: Literal["custom"]
    data: JSON


class CheckpointsStreamPart(_Part):
    """A checkpoint."""

    type: Literal["checkpoints"]
    data: CheckpointPayload


class TasksStreamPart(_Part):
    """A task's start or end."""

    type: Literal["tasks"]
    data: TaskPayload


class DebugStreamPart(_Part):
    """A checkpoint, a task's start or its end."""

    type: Literal["debug"]
    data: DebugPayload


class EventsStreamPart(_Part):
    """An event of `astream_events`."""

    type: Literal["events"]
    data: JsonObject


class MetadataStreamPart(_Part):
    """The first part: which run it is."""

    type: Literal["metadata"]
    data: RunMetadataPayload


class FeedbackStreamPart(_Part):
    """URLs by feedback key."""

    type: Literal["feedback"]
    data: dict[str, str]


class ErrorStreamPart(_Part):
    """The run failed; nothing follows."""

    type: Literal["error"]
    data: ErrorPayload


StreamPartV2: TypeAlias = (
    ValuesStreamPart
    | UpdatesStreamPart
    | MessagesTupleStreamPart
    | MessagesPartialStreamPart
    | MessagesCompleteStreamPart
    | MessagesMetadataStreamPart
    | CustomStreamPart
    | CheckpointsStreamPart
    | TasksStreamPart
    | DebugStreamPart
    | EventsStreamPart
    | MetadataStreamPart
    | FeedbackStreamPart
    | ErrorStreamPart
)
