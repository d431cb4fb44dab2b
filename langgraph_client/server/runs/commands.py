"""The commands of the event protocol (v3): start a run, respond to its interrupts, get its tree.

The texts of errors are those of the real server, langgraph-api.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from langgraph_client.models.fields import JsonMapping
from langgraph_client.server.encoding import decode
from langgraph_client.server.errors import (
    Invalid,
    ServerError,
)
from langgraph_client.server.graphs.interrupt_ids import has_interrupt_ids
from langgraph_client.server.graphs.protocol_events import PROTOCOL
from langgraph_client.server.runs.create_run import RunCreator
from langgraph_client.server.runs.engine import Engine
from langgraph_client.server.runs.event_filter import (
    MAX_NAMESPACES,
    EventFilter,
    has_many_namespaces,
    unknown_channels,
)
from langgraph_client.server.runs.run_document import canonical_uuid
from langgraph_client.server.storage.protocol import Document, Storage

_STRATEGIES = ("reject", "interrupt", "rollback", "enqueue")
_MODES = ["values", "messages", "updates", "custom"]
_SETTLE_SECONDS = 5.0
"""How long a response waits until the interrupted run has ended."""
NO_RUN = "No active run is bound to this thread."


class CommandError(Exception):
    """A command cannot be executed.

    Args:
        code: The protocol's code for the error.
        message: The reason.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def read_command(value: object) -> tuple[int, str, Mapping[str, object]]:
    """Return the id, method and parameters of a command.

    Raises:
        CommandError: The command has no integer id or no method.
    """
    command = value if isinstance(value, dict) else {}
    command_id, method, params = command.get("id"), command.get("method"), command.get("params")
    if not isinstance(command_id, int) or not isinstance(method, str):
        raise CommandError(
            "invalid_argument",
            "Protocol commands must include an integer id and string method.",
        )
    return command_id, method, params if isinstance(params, dict) else {}


def success(command_id: int, result: object, seq: int = 0) -> Document:
    """Return the reply to a command that was executed."""
    return {
        "type": "success",
        "id": command_id,
        "result": result,
        "meta": {"applied_through_seq": seq},
    }


def failure(command_id: object, error: CommandError) -> Document:
    """Return the reply to a command that failed."""
    return {"type": "error", "id": command_id, "error": error.code, "message": error.message}


def subscription(method: str, params: Mapping[str, object]) -> EventFilter:
    """Return the filter of a subscription.

    Raises:
        CommandError: It has no channel, or an unknown one, or too many namespaces.
    """
    channels = params.get("channels")
    if not isinstance(channels, list) or not channels:
        raise CommandError("invalid_argument", f"{method} requires a non-empty channels array.")
    if unknown_channels(channels):
        raise CommandError("invalid_argument", f"{method} received an unsupported channel.")
    if has_many_namespaces(params):
        raise _invalid(f"{method} may have at most {MAX_NAMESPACES} namespaces.")
    return EventFilter.of(params)


def since_of(params: JsonMapping) -> int | None:
    """Return the number of the last event that a reader has; None if the command has none."""
    since = params.get("since")
    is_number = isinstance(since, int) and not isinstance(since, bool) and since >= 0
    return since if is_number else None


class _RequestIds(NamedTuple):
    """The ids of the request with the command."""

    request_id: str | None
    key: str | None


class Commands:
    """Executes the commands that do not belong to a WebSocket.

    Args:
        storage: Stores threads and events.
        engine: Has the runs that are not over.
        runs: Creates runs.
    """

    def __init__(self, storage: Storage, engine: Engine, runs: RunCreator) -> None:
        self._storage = storage
        self._engine = engine
        self._runs = runs

    async def execute(
        self,
        thread_id: str,
        method: str,
        params: Mapping[str, object],
        request_id: str | None = None,
        key: str | None = None,
    ) -> Document:
        """Execute a command, and return its result.

        Args:
            thread_id: The thread's id in the request.
            method: The command.
            params: Its parameters.
            request_id: The caller's id of the request; None if it has none.
            key: The idempotency key; None if the request has none.

        Raises:
            CommandError: The command cannot be executed.
        """
        handler = {
            "run.start": self._start,
            "input.respond": self._respond,
            "agent.getTree": self._tree,
        }.get(method)
        if handler is None:
            raise CommandError("unknown_command", f"Unknown protocol command: {method}")
        try:
            if key is not None and (run_id := await self._runs.created_with(key)) is not None:
                return {"run_id": run_id}
            return await handler(thread_id, params, _RequestIds(request_id, key))
        except ServerError as error:
            raise CommandError("unknown_error", f"{error.status}: {error.detail}") from error

    def by(self, runs: RunCreator) -> Commands:
        """Return the commands for one caller, with that caller's `RunCreator`."""
        return Commands(self._storage, self._engine, runs)

    async def _start(self, thread: str, params: Mapping[str, object], ids: _RequestIds) -> Document:
        assistant_id = params.get("assistant_id")
        if not isinstance(assistant_id, str) or not assistant_id:
            raise _invalid("run.start requires an assistant_id.")
        _check_tracer(params.get("langsmith_tracer"))
        config = _config(params.get("config"))
        thread_id = canonical_uuid(thread, "Invalid thread ID")
        strategy = params.get("multitaskStrategy")
        body: dict[str, object] = {
            "assistant_id": assistant_id,
            "input": params.get("input"),
            "multitask_strategy": strategy if strategy in _STRATEGIES else "enqueue",
        }
        if body["input"] is not None and await self._waits(thread_id):
            # On a thread that waits at an interrupt, the input is the response to it.
            body["command"] = {"resume": body.pop("input")}
        return await self._create(thread_id, body, config, params, ids)

    async def _waits(self, thread_id: str) -> bool:
        if await self._engine.busy(thread_id):
            return False
        thread = await self._storage.threads.get(thread_id)
        return thread is not None and bool(thread.get("interrupts"))

    async def _create(
        self,
        thread_id: str,
        body: dict[str, object],
        config: Document,
        params: Mapping[str, object],
        ids: _RequestIds,
    ) -> Document:
        metadata = params.get("metadata")
        if metadata is not None and not isinstance(metadata, dict):
            raise CommandError("unknown_error", "422: metadata must be an object")
        body |= {
            "config": config,
            "metadata": metadata or {},
            "if_not_exists": "create",
            "stream_mode": _MODES,
            "stream_subgraphs": True,
        }
        created = await self._runs.create(
            body,
            thread_id,
            request_id=ids.request_id,
            extra_kwargs={PROTOCOL: True},
            key=ids.key,
        )
        return {"run_id": created.job.run_id}

    async def _respond(
        self, thread: str, params: Mapping[str, object], ids: _RequestIds
    ) -> Document:
        answers = _answers(params)
        config = _config(params.get("config"))
        thread_id = canonical_uuid(thread, "Invalid thread ID")
        # Held until the run is created, so that two concurrent responses cannot both be accepted.
        async with self._engine.locks.hold(f"answers {thread_id}"):
            await self._wait_for_runs(thread_id)
            given = await self._given_answers(thread_id)  # Before the document, which may change.
            document = await self._thread(thread_id)
            pending = [
                item for items in (document.get("interrupts") or {}).values() for item in items
            ]
            shown = {item["id"] for item in pending}
            taken: set[str] = set()
            for answer in given:
                # An answer that names no interrupt is for all.
                taken |= shown & answer.keys() if has_interrupt_ids(answer) else shown
            for interrupt_id in answers:
                if interrupt_id not in shown - taken:
                    raise CommandError(
                        "no_such_interrupt",
                        f"Unknown or already-consumed interrupt: {interrupt_id}",
                    )
            command: dict[str, object] = {"resume": answers}
            for key in ("update", "goto"):
                if params.get(key) is not None:
                    command[key] = params[key]
            body = {"assistant_id": document["metadata"]["assistant_id"], "command": command}
            return await self._create(thread_id, body, config, params, ids)

    async def _wait_for_runs(self, thread_id: str) -> None:
        """Return when the runs of a thread are over, or after a few seconds."""
        # The caller holds the lock of the answers, and not that of the thread, under which the runs
        # end.
        try:
            async with asyncio.timeout(_SETTLE_SECONDS):
                for run_id in await self._engine.busy(thread_id):
                    run = await self._storage.runs.get(run_id)
                    job = None if run is None else await self._engine.find_job(run)
                    if job is not None:
                        await job.over.wait()
        except TimeoutError:
            pass  # The thread still shows the interrupts before the run; see `_given_answers`.

    async def _given_answers(self, thread_id: str) -> list[object]:
        """Return the answers to interrupts that the unfinished runs of a thread were started with.

        Until such a run is over, its thread shows the interrupts that it answers.
        """
        runs = [
            await self._storage.runs.get(run_id) for run_id in await self._engine.busy(thread_id)
        ]
        commands = [run["kwargs"].get("command") or {} for run in runs if run is not None]
        return [command["resume"] for command in commands if command.get("resume") is not None]

    async def _thread(self, thread_id: str) -> Document:
        """Return the document of a thread that has had a run.

        Raises:
            CommandError: There is none.
        """
        thread = await self._storage.threads.get(thread_id)
        if thread is None or "assistant_id" not in thread["metadata"]:
            raise CommandError("no_such_run", "No interrupted run is bound to this thread.")
        return thread

    async def _tree(self, thread: str, params: JsonMapping, ids: _RequestIds) -> Document:
        thread_id = canonical_uuid(thread, "Invalid thread ID")
        # Opening the log adds runs that it lacks, so the tree is complete.
        log = await self._engine.protocol_runs.open(thread_id)
        try:
            await log.log.flush()
            last = await self._storage.protocol_events.last(thread_id)
        finally:
            self._engine.protocol_runs.release(log)
        if last is None:
            raise CommandError("no_such_run", NO_RUN)
        nodes: dict[tuple[str, ...], Document] = {}
        for event in await self._storage.protocol_events.lifecycle(last.run_id):
            params = decode(event.data)["params"]
            namespace, data = tuple(params["namespace"]), params["data"]
            node = nodes.setdefault(namespace, {"namespace": list(namespace)})
            node["status"] = data["event"]
            node.setdefault("graph_name", data.get("graph_name"))
        for namespace in sorted(nodes):
            if namespace:
                parent = nodes.get(namespace[:-1]) or nodes[()]
                parent.setdefault("children", []).append(nodes[namespace])
        if () not in nodes:
            raise CommandError("no_such_run", NO_RUN)
        return {"tree": nodes[()]}


def _invalid(message: str) -> CommandError:
    return CommandError("invalid_argument", message)


def _check_tracer(tracer: object) -> None:
    if tracer is None:
        return
    if not isinstance(tracer, dict):
        raise _invalid("langsmith_tracer must be an object.")
    if set(tracer) - {"project_name", "example_id"} or not all(
        isinstance(value, str) for value in tracer.values()
    ):
        raise _invalid("langsmith_tracer takes project_name and example_id, as strings.")


def _config(config: object) -> Document:
    """Return the config of a command. A value that is not an object is ignored.

    Raises:
        CommandError: A field has the wrong type.
    """
    if not isinstance(config, dict):
        return {}
    kinds = {"tags": list, "metadata": dict, "recursion_limit": int, "configurable": dict}
    for key, kind in kinds.items():
        if config.get(key) is not None and not isinstance(config[key], kind):
            raise _invalid(f"config.{key} has the wrong type.")
    checkpoint_id = (config.get("configurable") or {}).get("checkpoint_id")
    if checkpoint_id is not None:
        if not isinstance(checkpoint_id, str) or not checkpoint_id:
            raise _invalid("config.configurable.checkpoint_id must be a non-empty string.")
        try:
            canonical_uuid(checkpoint_id, "")
        except Invalid:
            raise _invalid(
                f"Invalid config.configurable.checkpoint_id: {checkpoint_id!r}."
            ) from None
    return {key: config[key] for key in kinds if config.get(key) is not None}


def _answers(params: Mapping[str, object]) -> dict[str, object]:
    """Return the responses in a command, by interrupt id.

    Raises:
        CommandError: There is no response, or one has the wrong shape.
    """
    if "responses" in params:
        entries = params["responses"]
        if not isinstance(entries, list) or not entries:
            raise _invalid("input.respond requires at least one response.")
        if not all(isinstance(entry, dict) for entry in entries):
            raise _invalid("input.respond responses entries must be objects.")
        missing = "input.respond responses entries require an interrupt_id."
    else:
        entries, missing = [params], "input.respond requires an interrupt_id."
    answers = {}
    for entry in entries:
        interrupt_id, namespace = entry.get("interrupt_id"), entry.get("namespace", [])
        if not isinstance(interrupt_id, str) or not interrupt_id:
            raise _invalid(missing)
        if not _is_namespace(namespace):
            raise _invalid("input.respond requires namespace to be a list of strings.")
        answers[interrupt_id] = entry.get("response")
    return answers


def _is_namespace(value: Any) -> bool:
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    return is_list and all(isinstance(part, str) for part in value)
