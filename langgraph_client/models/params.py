"""The parameters of requests: the values of their options, and the shapes of their documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NotRequired, TypeAlias

from typing_extensions import TypedDict

from langgraph_client.models.fields import JSON, JsonObject

__all__ = [
    "TTL",
    "All",
    "AssistantSelectField",
    "AssistantSortBy",
    "BulkCancelRunsStatus",
    "CancelAction",
    "CheckpointParam",
    "Command",
    "Config",
    "ConfigParam",
    "Context",
    "CronSelectField",
    "CronSortBy",
    "CronUpdate",
    "DisconnectMode",
    "Durability",
    "Headers",
    "IfNotExists",
    "Input",
    "Json",
    "LangSmithTracing",
    "Metadata",
    "MultitaskStrategy",
    "OnCompletionBehavior",
    "OnConflictBehavior",
    "PrimitiveData",
    "PruneStrategy",
    "QueryParamTypes",
    "QueryParams",
    "RunCreate",
    "RunSelectField",
    "RunStatus",
    "Send",
    "SortOrder",
    "StateUpdateParam",
    "StreamMode",
    "StreamVersion",
    "Superstep",
    "ThreadSelectField",
    "ThreadSortBy",
    "ThreadStateSelectField",
    "ThreadStatus",
    "ThreadStreamMode",
    "Values",
]

Json: TypeAlias = JsonObject | None
PrimitiveData: TypeAlias = str | int | float | bool | None

# Open JSON, with all values that `_core.codec` can encode: datetimes, UUIDs, messages, ...
Input: TypeAlias = Any
Values: TypeAlias = Any
Metadata: TypeAlias = Mapping[str, Any]
Context: TypeAlias = Mapping[str, Any]
Headers: TypeAlias = Mapping[str, str]
QueryParams: TypeAlias = "Mapping[str, Any] | Sequence[tuple[str, Any]] | str | bytes"
QueryParamTypes: TypeAlias = QueryParams

StreamMode: TypeAlias = Literal[
    "values",
    "updates",
    "custom",
    "tasks",
    "checkpoints",
    "debug",
    "messages",
    "messages-tuple",
    "events",
    "tools",
    "lifecycle",
]
ThreadStreamMode: TypeAlias = Literal["run_modes", "lifecycle", "state_update"]
StreamVersion: TypeAlias = Literal["v1", "v2"]
DisconnectMode: TypeAlias = Literal["cancel", "continue"]
MultitaskStrategy: TypeAlias = Literal["reject", "interrupt", "rollback", "enqueue"]
OnConflictBehavior: TypeAlias = Literal["raise", "do_nothing"]
OnCompletionBehavior: TypeAlias = Literal["delete", "keep"]
Durability: TypeAlias = Literal["sync", "async", "exit"]
IfNotExists: TypeAlias = Literal["create", "reject"]
PruneStrategy: TypeAlias = Literal["delete", "keep_latest"]
CancelAction: TypeAlias = Literal["interrupt", "rollback"]
BulkCancelRunsStatus: TypeAlias = Literal["pending", "running", "all"]
RunStatus: TypeAlias = Literal["pending", "running", "error", "success", "timeout", "interrupted"]
ThreadStatus: TypeAlias = Literal["idle", "busy", "interrupted", "error"]
All: TypeAlias = Literal["*"]
SortOrder: TypeAlias = Literal["asc", "desc"]
AssistantSortBy: TypeAlias = Literal["assistant_id", "graph_id", "name", "created_at", "updated_at"]
ThreadSortBy: TypeAlias = Literal[
    "thread_id", "status", "created_at", "updated_at", "state_updated_at"
]
CronSortBy: TypeAlias = Literal[
    "cron_id",
    "assistant_id",
    "thread_id",
    "next_run_date",
    "end_time",
    "created_at",
    "updated_at",
]
AssistantSelectField: TypeAlias = Literal[
    "assistant_id",
    "graph_id",
    "name",
    "description",
    "config",
    "context",
    "created_at",
    "updated_at",
    "metadata",
    "version",
]
ThreadSelectField: TypeAlias = Literal[
    "thread_id",
    "created_at",
    "updated_at",
    "state_updated_at",
    "metadata",
    "config",
    "context",
    "status",
    "values",
    "interrupts",
]
# Also `values.<key>`, for one key of the state.
ThreadStateSelectField: TypeAlias = (
    Literal[
        "values",
        "next",
        "checkpoint",
        "metadata",
        "created_at",
        "parent_checkpoint",
        "tasks",
        "interrupts",
    ]
    | str
)
RunSelectField: TypeAlias = Literal[
    "run_id",
    "thread_id",
    "assistant_id",
    "created_at",
    "updated_at",
    "status",
    "metadata",
    "kwargs",
    "multitask_strategy",
    "cancel_reason",
]
CronSelectField: TypeAlias = Literal[
    "cron_id",
    "assistant_id",
    "thread_id",
    "end_time",
    "schedule",
    "created_at",
    "updated_at",
    "user_id",
    "payload",
    "next_run_date",
    "metadata",
    "now",
    "on_run_completed",
    "enabled",
    "timezone",
]


class Config(TypedDict, total=False):
    """The config of a run.

    `tags` mark the run, `recursion_limit` limits the number of its steps, `configurable` contains
    values for the graph's nodes, and `metadata` is stored with the run.
    """

    tags: list[str]
    recursion_limit: int
    configurable: JsonObject
    metadata: JsonObject


# A mapping with other keys is allowed, too: the server stores keys that it does not know.
ConfigParam: TypeAlias = "Config | Mapping[str, Any]"


class CheckpointParam(TypedDict, total=False):
    """A point in a thread's history. Without `checkpoint_id`, it is the latest one."""

    thread_id: str
    checkpoint_ns: str
    checkpoint_id: str | None
    checkpoint_map: JsonObject | None


class Send(TypedDict):
    """A node to run, and its input."""

    node: str
    input: JSON


class Command(TypedDict, total=False):
    """Continue a graph that has stopped, or change its course.

    `resume` is the response to an interrupt, `update` is written to the state, and `goto` names the
    nodes that run next. langgraph's own `Command` can be used instead.
    """

    goto: Send | str | Sequence[Send | str]
    update: JSON
    resume: JSON


class LangSmithTracing(TypedDict, total=False):
    """The LangSmith project to which the run is traced."""

    project_name: str
    example_id: str


class TTL(TypedDict, total=False):
    """How long a thread is kept: `ttl` minutes after its last use.

    `strategy` says whether it is then deleted, or keeps only its latest state.
    """

    ttl: float
    strategy: PruneStrategy


class StateUpdateParam(TypedDict, total=False):
    """One update of a superstep, written as the node `as_node`."""

    as_node: str
    values: JSON
    command: JSON


class Superstep(TypedDict):
    """State updates that are applied together."""

    updates: Sequence[StateUpdateParam | Mapping[str, Any]]


class RunCreate(TypedDict, total=False):
    """One run of `runs.create_batch`: the fields of `runs.create`, by the same names."""

    thread_id: str | None
    assistant_id: str
    input: JSON
    command: JSON
    metadata: Metadata | None
    config: ConfigParam | None
    context: Context | None
    checkpoint: JSON
    checkpoint_id: str | None
    checkpoint_during: bool | None
    interrupt_before: All | Sequence[str] | None
    interrupt_after: All | Sequence[str] | None
    webhook: str | None
    multitask_strategy: MultitaskStrategy | None
    if_not_exists: IfNotExists | None
    on_completion: OnCompletionBehavior | None
    after_seconds: float | None
    durability: Durability | None
    stream_mode: StreamMode | Sequence[StreamMode] | None
    stream_subgraphs: bool
    stream_resumable: bool
    langsmith_tracer: NotRequired[Mapping[str, Any] | None]


class CronUpdate(TypedDict, total=False):
    """The fields that `crons.update` can change, by the names of its parameters."""

    schedule: str
    timezone: str
    end_time: datetime
    input: Input
    metadata: JsonObject
    config: Config
    context: Context
    webhook: str
    interrupt_before: All | list[str]
    interrupt_after: All | list[str]
    on_run_completed: OnCompletionBehavior
    enabled: bool
    stream_mode: StreamMode | list[StreamMode]
    stream_subgraphs: bool
    stream_resumable: bool
    durability: Durability
