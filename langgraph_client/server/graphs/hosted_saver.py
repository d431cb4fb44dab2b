"""The checkpointer of a hosted graph, a wrapper of the saver that stores the checkpoints."""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
import json
import pickle
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
)

from langgraph_client.models.fields import JsonMapping
from langgraph_client.server.encoding import NotJsonError, encode
from langgraph_client.server.errors import CheckpointerUnavailable, ServerError
from langgraph_client.server.graphs.langgraph_names import CONFIG_KEY_STREAM, ERROR, NULL_TASK_ID
from langgraph_client.server.graphs.run_scope import RunScope, current_run
from langgraph_client.server.graphs.saver_calls import SaverCalls
from langgraph_client.thread_ids import GIVEN_PARENTS, OWN_THREAD, server_thread_id

_EVENT_WRITE_SECONDS = 5.0
"""How long a worker thread waits for the loop to write events."""

_FIRST_STEP = -1
"""The step of the first checkpoint of a thread that begins with a run."""

_VALUE_ERRORS = (TypeError, ValueError, AttributeError, pickle.PicklingError)
"""What serializers raise for a value that they cannot encode."""

Writes = Sequence[tuple[str, Any]]
T = TypeVar("T", CheckpointTuple, CheckpointTuple | None)


class RunIsOverError(RuntimeError):
    """A node that is still working after the end of its run tried to write a checkpoint."""


class HostedSaver(BaseCheckpointSaver[Any]):
    """Keeps a thread's state consistent, even if a run is stopped at any time.

    - Writes of a cancelled task are not stored. Otherwise langgraph would take the task for
      finished when the thread continues, and the rest of its work would never be done.
    - Writes of a run's command are stored together with the first result of the run, or at its end
      if nothing had to be executed. If the run is stopped before, nothing is stored, and the
      command can be repeated.
    - The events of a step are stored before the checkpoint after the step. Otherwise a kill in
      between would lose them for ever, because the step is not executed again.
    - A node in a worker thread cannot be stopped. After the end of its run, its writes are refused.
    - A saver with only blocking methods is called in a thread. So is the server's own saver on an
      event loop that a blocking node runs, because its async methods belong to the server's loop.
    - The graph uses the caller's id of a thread. The server's own saver stores it under the
      server's id. A saver that the graph was compiled with stores it under the caller's id, where
      other users of that saver look for it.
    - Checkpoints contain the id of their run, by which an interrupted run recognises its own. In a
      graph's own saver, they contain it only if a run may go on in a later process, or if the saver
      can delete the checkpoints of a run.

    Args:
        saver: The saver that stores the checkpoints.
        write_events: Stores pending events.
        is_own: Whether the saver is the graph's own, not the server's.
        may_resume: Whether a run may go on in a later process.
        undoes_writes: Whether the storage of the checkpoints deletes also what a deleted run has
            written to older ones.
    """

    def __init__(
        self,
        saver: BaseCheckpointSaver[Any],
        write_events: Callable[[], Awaitable[None]] | None = None,
        *,
        is_own: bool = True,
        may_resume: bool = True,
        undoes_writes: bool = False,
    ) -> None:
        super().__init__(serde=saver.serde)
        self.saver = saver
        self.is_own = is_own
        self._may_resume = may_resume
        self._undoes_writes = undoes_writes
        self._notes_runs = may_resume or not is_own or _can_delete_runs(saver)
        self._write_events = write_events
        self._calls = SaverCalls(saver, is_servers=not is_own)
        # As langgraph does: savers for older versions do not accept the path of a task.
        self._takes_path = _takes_path(saver)

    @property
    def can_delete_runs(self) -> bool:
        """Whether the saver has a method that deletes the checkpoints of runs."""
        return _can_delete_runs(self.saver)

    @property
    def must_take_back(self) -> bool:
        """Whether the saver deletes the checkpoints of runs, but not what they wrote to others."""
        return not self._undoes_writes and self.can_delete_runs

    @property
    def config_specs(self) -> list[object]:
        """The saver's config specs."""
        return self.saver.config_specs

    def get_next_version(self, current: object, channel: None) -> object:
        """Return the next version of a channel, by the saver's rule."""
        return self.saver.get_next_version(current, channel)

    # Reading.

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return one checkpoint."""
        run = current_run.get()
        if run is not None and run.is_on_loop:
            # An async node has called a graph's blocking `invoke` on the loop. The loop waits for
            # that graph, so the graph's threads must not wait for the loop.
            run.mark_loop_blocked()
        with _READ_ERRORS:
            saved = self.saver.get_tuple(self._with_stored_id(config))
        return self._with_callers_ids(saved, config)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return one checkpoint."""
        with _READ_ERRORS:
            saved: CheckpointTuple | None = await self._calls.call(
                "get_tuple", self._with_stored_id(config)
            )
        return self._with_callers_ids(saved, config)

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, object] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Return checkpoints, newest first."""
        kept = None if config is None else self._with_stored_id(config)
        with _READ_ERRORS:
            for item in self.saver.list(kept, filter=filter, before=before, limit=limit):
                yield self._with_callers_ids(item, config)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, object] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Return checkpoints, newest first."""
        options: dict[str, Any] = {"filter": filter, "before": before, "limit": limit}
        kept = None if config is None else self._with_stored_id(config)
        with _READ_ERRORS:
            async for item in self._calls.items(kept, **options):
                yield self._with_callers_ids(item, config)

    def get_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> JsonMapping:
        """Return the writes to channels."""
        with _READ_ERRORS:
            return self.saver.get_delta_channel_history(
                config=self._with_stored_id(config), channels=channels
            )

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> JsonMapping:
        """Return the writes to channels."""
        with _READ_ERRORS:
            found: Mapping[str, object] = await self._calls.call(
                "get_delta_channel_history", config=self._with_stored_id(config), channels=channels
            )
        return found

    # Writing.

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Write a checkpoint after its events; a blocking graph calls it in a worker thread."""
        run = _writing_run()
        if run is not None and not run.is_on_loop:
            self._wait_for_events(run, _stream_of(config, run))
        with _WRITE_ERRORS, _named(checkpoint["channel_values"].items()), _noted_write(run):
            put = self.saver.put(
                _for_metadata(self._with_stored_id(config), run),
                checkpoint,
                self._with_run(metadata, run),
                new_versions,
            )
        return _with_thread_of(put, config)

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Write a checkpoint after its events."""
        run = _writing_run()
        if run is None:
            return await self._put(None, config, checkpoint, metadata, new_versions)
        with run.putting():
            # The order matters: the events of this step reach the log, then the database, and only
            # then comes the checkpoint, after which the step is not executed again.
            stream = _stream_of(config, run)
            if not run.is_on_loop:
                # A blocking node runs a loop of its own (`asyncio.run`). The event logs belong to
                # the server's loop.
                await asyncio.to_thread(self._wait_for_events, run, stream)
            else:
                if stream is not None:
                    await run.wait_until_read(stream)
                if self._write_events is not None:
                    await self._write_events()
            return await self._put(run, config, checkpoint, metadata, new_versions)

    async def _put(
        self,
        run: RunScope | None,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Write a checkpoint."""
        with _noted_write(run):
            if run is not None:
                await run.write_deferred()
            metadata = await self._with_parents(self._with_run(metadata, run), config)
            with _WRITE_ERRORS, _named(checkpoint["channel_values"].items()):
                stored = _for_metadata(self._with_stored_id(config), run)
                put: RunnableConfig = await self._calls.call(
                    "put", stored, checkpoint, metadata, new_versions
                )
        return _with_thread_of(put, config)

    def put_writes(
        self, config: RunnableConfig, writes: Writes, task_id: str, task_path: str = ""
    ) -> None:
        """Store the writes of a task; of a cancelled task, only its error."""
        run = current_run.get()
        if run is not None:
            writes = _storable(writes)
        with _WRITE_ERRORS, _named(writes), _noted_write(run):
            self.saver.put_writes(
                self._with_stored_id(config), writes, task_id, *self._path(task_path)
            )

    async def aput_writes(
        self, config: RunnableConfig, writes: Writes, task_id: str, task_path: str = ""
    ) -> None:
        """Store the writes of a task; of a cancelled task, only its error."""
        run = current_run.get()
        if run is None:
            await self._put_writes(config, _storable(writes), task_id, task_path)
            return
        with run.writing():
            if run.is_over:
                return
            # The writes of a command wait for the first result of the run. If the run is stopped
            # before that, the command can be repeated.
            if task_id == NULL_TASK_ID:
                run.defer_write(partial(self._put_writes, config, writes, task_id, task_path))
                return
            if not _is_cancelled(writes):
                await run.write_deferred()
            await self._put_writes(config, _storable(writes), task_id, task_path)

    async def _put_writes(
        self, config: RunnableConfig, writes: Writes, task_id: str, task_path: str
    ) -> None:
        with _WRITE_ERRORS, _named(writes):
            await self._calls.call(
                "put_writes", self._with_stored_id(config), writes, task_id, *self._path(task_path)
            )

    def _path(self, task_path: str) -> tuple[str, ...]:
        return (task_path,) if self._takes_path else ()

    def with_allowlist(self, extra_allowlist: Any) -> HostedSaver:
        """Return a wrapper of a saver that also creates objects of these classes."""
        allowing = self.saver.with_allowlist(extra_allowlist)
        return HostedSaver(
            allowing,
            self._write_events,
            is_own=self.is_own,
            may_resume=self._may_resume,
            undoes_writes=self._undoes_writes,
        )

    def delete_thread(self, thread_id: str) -> None:
        """Delete a thread's checkpoints."""
        self.saver.delete_thread(thread_id if self.is_own else server_thread_id(thread_id))

    async def adelete_thread(self, thread_id: str) -> None:
        """Delete a thread's checkpoints."""
        kept = thread_id if self.is_own else server_thread_id(thread_id)
        await self._calls.call("delete_thread", kept)

    # Methods that a saver may lack.

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy a thread's checkpoints; their ids stay."""
        try:
            await self._calls.call("copy_thread", source_thread_id, target_thread_id)
        except NotImplementedError:
            await self._copy_each(source_thread_id, target_thread_id)

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete the checkpoints of runs.

        Raises:
            NotImplementedError: The saver cannot do this.
        """
        await self._calls.call("delete_for_runs", run_ids)

    async def adelete_run(self, thread_id: str, run_id: str, *, is_in_use: bool) -> None:
        """Delete the checkpoints of a run, with its thread if the thread has no others.

        Any saver can do the latter. To delete a thread and write the rest again would not do: if
        the process was killed in between, all of the thread would be lost.

        Args:
            thread_id: The thread.
            run_id: The run.
            is_in_use: Whether another run may have read the thread, and is to write to it. What it
                has not changed must stay.

        Raises:
            NotImplementedError: The saver cannot do this.
        """
        try:
            await self.adelete_for_runs([run_id])
        except NotImplementedError:
            if is_in_use or not await self._has_written_all(thread_id, run_id):
                raise
            await self.adelete_thread(thread_id)

    async def _has_written_all(self, thread_id: str, run_id: str) -> bool:
        """Return whether a run has certainly written all of a thread's state.

        Its first checkpoint must be that of the thread's first input. A saver that keeps only the
        latest checkpoint, or cannot list, would seem to have none of the other runs.
        """
        begins = False
        try:
            async for item in self.alist({"configurable": {"thread_id": thread_id}}):
                metadata = item.metadata
                if metadata.get("source") not in ("input", "loop"):
                    return False
                if metadata.get("run_id") != run_id:
                    return False
                is_root = not item.config.get("configurable", {}).get("checkpoint_ns")
                begins |= is_root and metadata.get("step") == _FIRST_STEP
        except CheckpointerUnavailable:  # Such as: an old checkpoint cannot be read any more.
            return False
        return begins

    async def akeeps_run(self, thread_id: str, run_id: str) -> bool:
        """Return whether a thread may still have something that a deleted run has written."""
        thread: RunnableConfig = {"configurable": {"thread_id": thread_id}}
        root: RunnableConfig = {"configurable": {"thread_id": thread_id, "checkpoint_ns": ""}}
        try:
            latest = await self.aget_tuple(root)
            # Writes do not say whose they are. The run may have answered an interrupt.
            if latest is None or latest.pending_writes:
                return latest is not None
            async for item in self.alist(thread):
                if item.metadata.get("run_id") == run_id:
                    return True
        except (CheckpointerUnavailable, NotImplementedError):
            return True
        return latest.metadata.get("run_id") == run_id

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Delete checkpoints of threads: all, or all but the latest.

        Raises:
            NotImplementedError: The saver cannot do this.
        """
        await self._calls.call("prune", thread_ids, strategy=strategy)

    async def _copy_each(self, source: str, target: str) -> None:
        """Copy by reading and writing, for a saver that cannot copy."""
        items = [item async for item in self.alist({"configurable": {"thread_id": source}})]
        # The oldest first, in the order in which a run would have written them.
        for item in sorted(items, key=lambda item: str(item.checkpoint["id"])):
            where = {**item.config.get("configurable", {}), "thread_id": target}
            parent = (item.parent_config or {}).get("configurable", {})
            # The config of a write names the checkpoint before the new one, which has its own id.
            where.pop("checkpoint_id", None)
            if "checkpoint_id" in parent:
                where["checkpoint_id"] = parent["checkpoint_id"]
            written = await self.aput(
                {"configurable": where},
                item.checkpoint,
                item.metadata,
                # As if all were new: a saver may store only the values of new versions.
                item.checkpoint["channel_versions"],
            )
            by_task: dict[str, list[tuple[str, Any]]] = {}
            for task_id, channel, value in item.pending_writes or ():
                by_task.setdefault(task_id, []).append((channel, value))
            for task_id, writes in by_task.items():
                await self.aput_writes(written, writes, task_id)

    # The ids of threads and runs.

    def _with_run(self, metadata: CheckpointMetadata, run: RunScope | None) -> CheckpointMetadata:
        if run is None:
            return metadata
        added: dict[str, object] = {}
        if run.run_id is not None and self._notes_runs:
            added["run_id"] = run.run_id
        if run.parents:
            added[GIVEN_PARENTS] = json.dumps(run.parents)
        # Last, so that no request can set it: a rollback deletes the checkpoints with this id, and
        # a later attempt takes them for its own.
        return cast(CheckpointMetadata, {**run.metadata, **metadata, **added})

    async def _with_parents(
        self, metadata: CheckpointMetadata, config: RunnableConfig
    ) -> CheckpointMetadata:
        """Return the metadata of an update with what its checkpoint has of the graphs around it.

        langgraph itself keeps the `parents` of subgraphs so. A remote node of a local graph is the
        root of its own thread, whose metadata have them under another key.
        """
        configurable = config.get("configurable") or {}
        # The id of such a thread is the parent's, a slash, and the namespace of the node.
        if metadata.get("source") not in ("update", "fork") or not (
            configurable.get("checkpoint_id") and "/" in configurable["thread_id"]
        ):
            return metadata
        before = await self.aget_tuple(config)
        given_parents = None if before is None else before.metadata.get(GIVEN_PARENTS)
        kept = metadata if given_parents is None else {GIVEN_PARENTS: given_parents, **metadata}
        return cast(CheckpointMetadata, kept)

    def _with_stored_id(self, config: RunnableConfig) -> RunnableConfig:
        """Return the config with the saver's id of the thread."""
        configurable = config.get("configurable") or {}
        own = configurable.get(OWN_THREAD)
        thread_id = configurable.get("thread_id") if own is None else own
        if not isinstance(thread_id, str) or (self.is_own and own is None):
            return config
        return _with_thread(config, thread_id if self.is_own else server_thread_id(thread_id))

    def _with_callers_ids(self, item: T, caller_config: RunnableConfig | None) -> T:
        """Return a checkpoint with the thread id of the request in its configs."""
        if caller_config is None or not isinstance(item, CheckpointTuple):
            return item
        if self.is_own and OWN_THREAD not in (caller_config.get("configurable") or {}):
            return item
        parent = item.parent_config
        return item._replace(
            config=_with_thread_of(item.config, caller_config),
            parent_config=None if parent is None else _with_thread_of(parent, caller_config),
        )

    def _wait_for_events(self, run: RunScope, stream: Callable[[object], None] | None) -> None:
        """Wait in a thread until the events of a step are read, and then stored."""
        if stream is not None:
            run.wait_until_read_in_thread(stream)
        if self._write_events is None or run.is_loop_blocked:
            return
        written = asyncio.run_coroutine_threadsafe(_awaited(self._write_events), run.loop)
        # With a limit: the loop may itself be blocked by a call that waits for this thread.
        try:
            written.result(_EVENT_WRITE_SECONDS)
        except concurrent.futures.TimeoutError:
            written.cancel()


def _with_thread(config: RunnableConfig, thread_id: str) -> RunnableConfig:
    configurable = {**config.get("configurable", {}), "thread_id": thread_id}
    return {**config, "configurable": configurable}


def _with_thread_of(config: RunnableConfig, caller_config: RunnableConfig) -> RunnableConfig:
    """Return a saver's config with the graph's id of the thread."""
    thread_id = (caller_config.get("configurable") or {}).get("thread_id")
    return config if thread_id is None else _with_thread(config, thread_id)


def _for_metadata(config: RunnableConfig, run: RunScope | None) -> RunnableConfig:
    """Return a config for writing, without what must not get into a checkpoint's metadata."""
    hidden = run.not_in_metadata if run is not None else ()
    if not hidden:
        return config
    visible: Any = {**config}
    for name in ("configurable", "metadata"):
        values = visible.get(name) or {}
        visible[name] = {key: value for key, value in values.items() if key not in hidden}
    return cast("RunnableConfig", visible)


def _takes_path(saver: BaseCheckpointSaver[Any]) -> bool:
    return all(
        "task_path" in inspect.signature(method).parameters
        for method in (saver.put_writes, saver.aput_writes)
    )


def _can_delete_runs(saver: BaseCheckpointSaver[Any]) -> bool:
    return any(
        getattr(type(saver), name, None) is not getattr(BaseCheckpointSaver, name, None)
        for name in ("delete_for_runs", "adelete_for_runs")
    )


@contextmanager
def _named(values: Iterable[tuple[str, object]]) -> Iterator[None]:
    """Add the channel's name to the error for a value that a saver cannot encode."""
    try:
        yield
    except (TypeError, ValueError) as error:  # Serializers raise either.
        state = dict(values)
        try:
            encode(state)
        except NotJsonError as located:
            raise located from error
        raise


class _SaverErrors:
    """Raises `CheckpointerUnavailable` for an error of a saver during a request, outside of a run.

    Callers may not see its text, and the request may succeed later. Within a run each error stays
    as it is, because the run has it. It is a class for speed: a run enters it for each checkpoint.

    Args:
        writes: Whether the saver gets a value. An error about one that it cannot encode stays, too.
    """

    def __init__(self, *, writes: bool = False) -> None:
        self._writes = writes

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        # A saver's database may raise errors of any class.
        if not isinstance(error, Exception) or isinstance(error, ServerError | NotImplementedError):
            return
        if current_run.get() is not None or (self._writes and isinstance(error, _VALUE_ERRORS)):
            return
        detail = f"the checkpointer: {type(error).__name__}"
        raise CheckpointerUnavailable(detail, str(error)) from error


_READ_ERRORS = _SaverErrors()
_WRITE_ERRORS = _SaverErrors(writes=True)


async def _awaited(call: Callable[[], Awaitable[None]]) -> None:
    await call()


def _writing_run() -> RunScope | None:
    """Return the run that is writing; None for a state call.

    Raises:
        RunIsOverError: The run has ended.
    """
    run = current_run.get()
    if run is not None:
        _check_going_on(run)
    return run


@contextmanager
def _noted_write(run: RunScope | None) -> Iterator[None]:
    """Let the end of a run wait for the write in this block.

    Raises:
        RunIsOverError: The run has ended.
    """
    if run is None:
        yield
        return
    with run.writing():
        # In this order: the end first refuses writes, and then waits for those that are noted. A
        # run may have ended while a checkpoint waited for its events.
        _check_going_on(run)
        yield


def _check_going_on(run: RunScope) -> None:
    if run.is_over:
        raise RunIsOverError("the run of this node is over: it cannot write checkpoints any more")


def _storable(writes: Writes) -> Writes:
    """Return the writes that may be stored: all of a finished task, only the error of a cancelled.

    langgraph adds the error after the task's writes so far. If they were stored, they would count
    as the task's result, and it would not be executed again. A task with only an error is.
    """
    return [write for write in writes if write[0] == ERROR] if _is_cancelled(writes) else writes


def _is_cancelled(writes: Writes) -> bool:
    cancelled = (asyncio.CancelledError, concurrent.futures.CancelledError)
    return any(channel == ERROR and isinstance(value, cancelled) for channel, value in writes)


def _stream_of(config: RunnableConfig, run: RunScope) -> Callable[[object], None] | None:
    """Return a function that puts a marker into the run's stream; None if no marker is needed.

    The root's own steps need none, because it yields their events before it continues. If a node
    streams a subgraph itself, the stream in the config is that node's, which must not get a marker.
    Graphs directly below the root always have the run's stream.
    """
    configurable: JsonMapping = config.get("configurable") or {}
    namespace: str = configurable.get("checkpoint_ns") or ""
    stream = configurable.get(CONFIG_KEY_STREAM)
    if stream is None or not namespace:
        return None
    if run.stream is None and "|" not in namespace:
        run.stream = stream
    # Any mode of the run will do: langgraph drops parts of a stream in other modes.
    mode = next(iter(stream.modes), None)
    if stream is not run.stream or mode is None:
        return None
    return lambda marker: stream(((), mode, marker))
