"""The values that the handlers of an `Auth` get, by resource and action."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, TypeAlias, TypedDict
from uuid import UUID

RunStatus = Literal["pending", "error", "success", "timeout", "interrupted"]
"""The status of a run."""
MultitaskStrategy = Literal["reject", "rollback", "interrupt", "enqueue"]
"""What to do with a new run on a busy thread."""
OnConflictBehavior = Literal["raise", "do_nothing"]
"""What to do if the document exists already."""
IfNotExists = Literal["create", "reject"]
"""What to do if the thread of a run does not exist."""
ThreadStatus = Literal["idle", "busy", "interrupted", "error"]
"""The status of a thread."""
MetadataInput: TypeAlias = dict[str, Any]
"""The metadata of a document. A handler may change it."""


# The values of threads.


class ThreadTTL(TypedDict, total=False):
    """When a thread is deleted by itself; `ttl` is in minutes."""

    strategy: Literal["delete"]
    ttl: int


class ThreadsCreate(TypedDict, total=False):
    """A thread to be created."""

    thread_id: UUID
    metadata: MetadataInput
    if_exists: OnConflictBehavior
    ttl: ThreadTTL


class ThreadsRead(TypedDict, total=False):
    """A thread, its state, its events or one of its runs to be read."""

    thread_id: UUID
    run_id: UUID | None


class ThreadsUpdate(TypedDict, total=False):
    """A thread or its state to be changed, or runs to be cancelled."""

    thread_id: UUID
    metadata: MetadataInput
    action: Literal["interrupt", "rollback"] | None


class ThreadsDelete(TypedDict, total=False):
    """A thread, several (`thread_ids`), or one of its runs to be deleted."""

    thread_id: UUID
    run_id: UUID | None


class ThreadsSearch(TypedDict, total=False):
    """Threads, or the runs of one, to be searched or counted."""

    metadata: MetadataInput
    values: MetadataInput
    status: ThreadStatus | None
    limit: int
    offset: int
    ids: Sequence[UUID] | None
    thread_id: UUID | None


class RunsCreate(TypedDict, total=False):
    """A run to be created."""

    assistant_id: UUID | None
    thread_id: UUID | None
    run_id: UUID | None
    status: RunStatus | None
    metadata: MetadataInput
    prevent_insert_if_inflight: bool
    multitask_strategy: MultitaskStrategy
    if_not_exists: IfNotExists
    after_seconds: int
    kwargs: dict[str, Any]
    action: Literal["interrupt", "rollback"] | None


# The values of assistants.


class AssistantsCreate(TypedDict, total=False):
    """An assistant to be created."""

    assistant_id: UUID
    graph_id: str
    config: dict[str, Any]
    context: dict[str, Any]
    metadata: MetadataInput
    if_exists: OnConflictBehavior
    name: str


class AssistantsRead(TypedDict, total=False):
    """An assistant, its versions or its graph to be read, or run."""

    assistant_id: UUID
    metadata: MetadataInput


class AssistantsUpdate(TypedDict, total=False):
    """An assistant to be changed."""

    assistant_id: UUID
    graph_id: str | None
    config: dict[str, Any]
    context: dict[str, Any]
    metadata: MetadataInput
    name: str | None
    version: int | None


class AssistantsDelete(TypedDict):
    """An assistant to be deleted."""

    assistant_id: UUID


class AssistantsSearch(TypedDict):
    """Assistants to be searched or counted."""

    graph_id: str | None
    metadata: MetadataInput
    limit: int
    offset: int


# The values of crons.


class CronsCreate(TypedDict, total=False):
    """A cron to be created."""

    payload: dict[str, Any]
    schedule: str
    cron_id: UUID | None
    thread_id: UUID | None
    user_id: str | None
    end_time: datetime | None


class CronsRead(TypedDict):
    """A cron to be read."""

    cron_id: UUID


class CronsUpdate(TypedDict, total=False):
    """A cron to be changed."""

    cron_id: UUID
    payload: dict[str, Any] | None
    schedule: str | None


class CronsDelete(TypedDict):
    """A cron to be deleted."""

    cron_id: UUID


class CronsSearch(TypedDict, total=False):
    """Crons to be searched or counted."""

    assistant_id: UUID | None
    thread_id: UUID | None
    limit: int
    offset: int


# The values of the store. The server uses them after a handler has changed them, so a handler can
# put each user into a namespace of its own.


class StoreGet(TypedDict):
    """An item to be read."""

    namespace: tuple[str, ...]
    key: str


class StoreSearch(TypedDict):
    """Items to be searched, under a namespace."""

    namespace: tuple[str, ...]
    filter: dict[str, Any] | None
    limit: int
    offset: int
    query: str | None


class StoreListNamespaces(TypedDict):
    """Namespaces to be listed; `namespace` is what they begin with, None for all."""

    namespace: tuple[str, ...] | None
    suffix: tuple[str, ...] | None
    max_depth: int | None
    limit: int
    offset: int


class StorePut(TypedDict):
    """An item to be written."""

    namespace: tuple[str, ...]
    key: str
    value: dict[str, Any] | None
    index: Literal[False] | list[str] | None


class StoreDelete(TypedDict):
    """An item to be deleted."""

    namespace: tuple[str, ...]
    key: str


class on:
    """The types of the values, under the names of the decorators: `on.threads.create.value`."""

    value = dict[str, Any]

    class threads:
        """The values of handlers for threads."""

        value = ThreadsCreate | ThreadsRead | ThreadsUpdate | ThreadsDelete | ThreadsSearch

        class create:
            """The value when a thread is created."""

            value = ThreadsCreate

        class create_run:
            """The value when a run is created."""

            value = RunsCreate

        class read:
            """The value when a thread is read."""

            value = ThreadsRead

        class update:
            """The value when a thread is changed."""

            value = ThreadsUpdate

        class delete:
            """The value when a thread is deleted."""

            value = ThreadsDelete

        class search:
            """The value when threads are searched."""

            value = ThreadsSearch

    class assistants:
        """The values of handlers for assistants."""

        value = (
            AssistantsCreate
            | AssistantsRead
            | AssistantsUpdate
            | AssistantsDelete
            | AssistantsSearch
        )

        class create:
            """The value when an assistant is created."""

            value = AssistantsCreate

        class read:
            """The value when an assistant is read."""

            value = AssistantsRead

        class update:
            """The value when an assistant is changed."""

            value = AssistantsUpdate

        class delete:
            """The value when an assistant is deleted."""

            value = AssistantsDelete

        class search:
            """The value when assistants are searched."""

            value = AssistantsSearch

    class crons:
        """The values of handlers for crons."""

        value = CronsCreate | CronsRead | CronsUpdate | CronsDelete | CronsSearch

        class create:
            """The value when a cron is created."""

            value = CronsCreate

        class read:
            """The value when a cron is read."""

            value = CronsRead

        class update:
            """The value when a cron is changed."""

            value = CronsUpdate

        class delete:
            """The value when a cron is deleted."""

            value = CronsDelete

        class search:
            """The value when crons are searched."""

            value = CronsSearch

    class store:
        """The values of handlers for the store."""

        value = StoreGet | StoreSearch | StoreListNamespaces | StorePut | StoreDelete

        class put:
            """The value when an item is written."""

            value = StorePut

        class get:
            """The value when an item is read."""

            value = StoreGet

        class search:
            """The value when items are searched."""

            value = StoreSearch

        class delete:
            """The value when an item is deleted."""

            value = StoreDelete

        class list_namespaces:
            """The value when namespaces are listed."""

            value = StoreListNamespaces
