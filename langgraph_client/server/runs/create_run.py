"""From a request to a run: checked, made once for each key, and handed to the engine."""

from __future__ import annotations

import asyncio
import copy
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from langgraph_client.server.auth.authorization import Caller
from langgraph_client.server.auth.filters import Conditions, holds
from langgraph_client.server.auth.users import User
from langgraph_client.server.clock import Clock
from langgraph_client.server.errors import Invalid, NotFound, Refused, Unavailable
from langgraph_client.server.graphs.hosted_graphs import Graphs
from langgraph_client.server.runs.engine import Engine
from langgraph_client.server.runs.event_log import Reader
from langgraph_client.server.runs.run_document import (
    BOTH_CONTEXTS,
    RESERVED_METADATA,
    assistant_id_of,
    canonical_uuid,
    new_thread,
    note_config,
    own_config,
    run_document,
    without,
)
from langgraph_client.server.runs.run_result import fallback_result
from langgraph_client.server.runs.run_states import Job
from langgraph_client.server.storage.protocol import Document, Documents, Storage
from langgraph_client.server.storage.shared import Fenced
from langgraph_client.server.typed_values import OWN_CONFIG, RICH, plain_configurable
from langgraph_client.thread_ids import GIVEN_ID, given_thread_id

KEY_LIFETIME = timedelta(days=1)
"""How long a request with the same `Idempotency-Key` is a repetition."""
ANSWER_LIFETIME = timedelta(minutes=10)
"""How long the answer of a run is kept that leaves nothing else, for such a repetition.

Clients repeat a request within seconds; results may be large, and there is one for each run.
"""
_OLD_KEYS_AT_ONCE = 5
_ATTEMPTS = 5
"""How often a run is written, if other servers take its thread over meanwhile."""
_NOT_FOUND = "Thread or assistant not found."
_KWARGS = ("input", "command", "config", "context", "stream_mode", "webhook")
"""What an `Auth` is shown of a run besides its metadata, and may change."""


@dataclass(frozen=True)
class _Request:
    """A request to create a run."""

    body: Mapping[str, Any]
    thread_id: str | None
    request_id: str | None
    agreed: Mapping[str, Any]
    waited_for: bool
    streamed: bool
    user: User | None = None
    #: What the thread must be like, if it is there.
    threads: Conditions = None

    @property
    def may_create_thread(self) -> bool:
        """Whether a thread that does not exist is created."""
        return self.thread_id is None or self.body.get("if_not_exists") == "create"

    @property
    def ends_with_connection(self) -> bool:
        """Whether the run is cancelled when its client goes away."""
        return self.waited_for and self.body.get("on_disconnect") == "cancel"

    @property
    def is_bound(self) -> bool:
        """Whether the run is over with the connection for good.

        To one with resumable events its client comes back, also after the server was started again.
        """
        return self.ends_with_connection and not self.body.get("stream_resumable")


class CreatedRun(NamedTuple):
    """A run that a request asked for."""

    job: Job
    #: Its events from the beginning, if the request is streamed. Of a run that was created by an
    #: earlier request with the same idempotency key: all that are kept, and those to come.
    reader: Reader | None


def _created(request: _Request, job: Job, *, repeated: bool = False) -> CreatedRun:
    # In the step of the loop in which the run was created: so its first event is not missed.
    reader = job.log.read((0, -1) if repeated else None) if request.streamed else None
    return CreatedRun(job, reader)


class _OldDocuments:
    """Deletes documents that are too old, some with each new one, so that they do not pile up.

    Args:
        kept: The documents, each with its key.
        lifetime: How old they may become.
        clock: Time.
    """

    def __init__(self, kept: Documents, lifetime: timedelta, clock: Clock) -> None:
        self._kept = kept
        self._lifetime = lifetime
        self._clock = clock
        #: When the next one is too old; until then there is nothing to look for.
        self._next = datetime.min.replace(tzinfo=UTC)

    async def forget(self) -> None:
        """Delete some of the oldest."""
        now = self._clock.now()
        if now <= self._next:
            return
        oldest = await self._kept.search(order_by="created_at", limit=_OLD_KEYS_AT_ONCE)
        for document in oldest:
            too_old = datetime.fromisoformat(document["created_at"]) + self._lifetime
            if now <= too_old:
                self._next = too_old
                return
            await self._kept.delete(document["key"])
        if len(oldest) < _OLD_KEYS_AT_ONCE:
            self._next = now + self._lifetime


class RunCreator:
    """Makes runs of requests, and hands them to the engine."""

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        graphs: Graphs,
        engine: Engine,
        check_webhook: Callable[[str], None],
        thread_created: Callable[[str], Awaitable[None]],
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._graphs = graphs
        self._engine = engine
        self._check_webhook = check_webhook
        self._thread_created = thread_created
        self._old = (
            _OldDocuments(storage.idempotency_keys, KEY_LIFETIME, clock),
            _OldDocuments(storage.idempotency_answers, ANSWER_LIFETIME, clock),
        )
        self._caller: Caller | None = None
        self._parent = ""

    def for_caller(self, caller: Caller) -> RunCreator:
        """Return what makes the runs of a caller, whose `Auth` it asks about each."""
        made = copy.copy(self)
        made._caller = caller
        return made

    def within(self, run_id: str) -> RunCreator:
        """Return what makes the runs that a run starts."""
        made = copy.copy(self)
        made._parent = run_id
        return made

    async def find_assistant(self, text: str) -> Document:
        """Return the assistant a request names, by id or by graph.

        Raises:
            Invalid: It is neither a UUID nor a graph.
            NotFound: There is none.
        """
        if text in self._graphs:
            assistant_id = assistant_id_of(text)
        else:
            assistant_id = canonical_uuid(
                text,
                f"Invalid assistant: '{text}'. Must be either:\n- A valid assistant UUID, or\n"
                f"- One of the registered graphs: {', '.join(self._graphs.names)}",
            )
        assistant = await self._storage.assistants.get(assistant_id)
        if assistant is None:
            raise NotFound(_NOT_FOUND)
        return assistant

    async def create(
        self,
        body: Mapping[str, Any],
        thread_id: str | None = None,
        *,
        request_id: str | None = None,
        agreed: Mapping[str, Any] | None = None,
        waited_for: bool = False,
        streamed: bool = False,
        key: str | None = None,
    ) -> CreatedRun:
        """Create a run from a validated request and hand it to the engine.

        A caller that is cancelled meanwhile leaves either no run, or a whole one.

        Args:
            body: The request.
            thread_id: The thread to run on; None for a thread of the run's own.
            request_id: What the caller called the request, if it did.
            agreed: What a RemoteGraph asks beyond the protocol, as kwargs of the run.
            waited_for: Whether the request stays open until the run is over.
            streamed: Attach a reader to the run's events, which the caller has to close.
            key: What makes the request the same as an earlier one; None if nothing does.

        Raises:
            Conflict, Invalid, NotFound, Refused: As the protocol has it.
            Denied: The caller may not.
        """
        request = _Request(body, thread_id, request_id, agreed or {}, waited_for, streamed)
        if self._caller is not None:
            request = await self._permitted(request, self._caller)
        owned = None if key is None else self._owned(key)
        creating = self._engine.tasks.spawn(self._create_once(request, owned), for_request=True)
        try:
            return await asyncio.shield(creating)
        except asyncio.CancelledError:
            creating.add_done_callback(lambda done: self._abandon(request, done))
            raise

    async def _permitted(self, request: _Request, caller: Caller) -> _Request:
        """Return a request as the caller's `Auth` lets it pass.

        Not under a lock: what is asked is user code, which may call this server.
        """
        body, assistant = request.body, await self.find_assistant(request.body["assistant_id"])
        assistant_id = assistant["assistant_id"]
        kwargs = {name: body.get(name) for name in _KWARGS}
        kwargs["config"] = dict(body.get("config") or {})
        told: Document = {
            "assistant_id": uuid.UUID(assistant_id),
            "thread_id": None if request.thread_id is None else uuid.UUID(request.thread_id),
            "run_id": None,
            "status": "pending",
            "metadata": dict(body.get("metadata") or {}),
            "prevent_insert_if_inflight": body.get("multitask_strategy") == "reject",
            "multitask_strategy": body.get("multitask_strategy", "enqueue"),
            "if_not_exists": body.get("if_not_exists", "reject"),
            "after_seconds": body.get("after_seconds") or 0,
            "kwargs": kwargs,
        }
        threads = await caller.ask("threads", "create_run", told)
        if assistant_id not in {assistant_id_of(name) for name in self._graphs.names}:
            shown = {"assistant_id": uuid.UUID(assistant_id)}
            if not holds(await caller.ask("assistants", "read", shown), assistant):
                raise NotFound(_NOT_FOUND)
        changed = {name: value for name, value in kwargs.items() if name in body or value}
        if told["metadata"] or "metadata" in body:
            changed["metadata"] = told["metadata"]
        return replace(request, body={**body, **changed}, user=caller.user, threads=threads)

    def _owned(self, key: str) -> str:
        """Return a key as it is kept: the same key of another user is another key."""
        if self._caller is None:
            return key
        return f"{self._caller.user.identity!r} {key}"  # Its quotes say where the name ends.

    async def created_with(self, key: str) -> str | None:
        """Return the run that an earlier request with this key created; None if there is none."""
        document = await self._storage.idempotency_keys.get(self._owned(key))
        if document is None or self._is_old(document, KEY_LIFETIME):
            return None
        return str(document["run_id"])

    def _abandon(self, request: _Request, creating: asyncio.Task[CreatedRun]) -> None:
        """Do what is due when a client went away before it was told about its run."""
        if not creating.cancelled() and creating.exception() is None:
            created = creating.result()
            if created.reader is not None:
                created.reader.close()
            if request.ends_with_connection:
                self._engine.stopper.disconnected(created.job.run_id)

    async def _create_once(self, request: _Request, key: str | None) -> CreatedRun:
        if key is None:
            return await self._create(request, None)
        async with self._engine.locks.hold(f"idempotency key {key}"):
            document = await self._storage.idempotency_keys.get(key)
            if document is not None and not self._is_old(document, KEY_LIFETIME):
                return _created(request, await self._job_of(document), repeated=True)
            for old in self._old:
                await old.forget()
            return await self._create(request, key)

    def _is_old(self, document: Document, lifetime: timedelta) -> bool:
        created = datetime.fromisoformat(document["created_at"])
        return self._clock.now() - created > lifetime

    async def _job_of(self, document: Document) -> Job:
        """Return the job of the run that an earlier request with the same key created."""
        run_id = document["run_id"]
        run = await self._storage.runs.get(run_id)
        if run is not None and (job := await self._engine.find_job(run)):
            return job
        answer = await self._storage.idempotency_answers.get(document["key"])
        if answer is not None:  # The run left nothing else.
            return self._engine.job_over(answer["run"], answer["result"])
        run = await self._storage.runs.get(run_id)
        if run is None:
            raise NotFound("The run that was created with this idempotency key was deleted")
        thread = await self._storage.threads.get(run["thread_id"])
        return self._engine.job_over(run, fallback_result(thread or {}))

    async def _create(self, request: _Request, key: str | None) -> CreatedRun:
        assistant = await self.find_assistant(request.body["assistant_id"])
        self._check(request.body, stateless=request.thread_id is None)
        for _ in range(_ATTEMPTS):
            # The lock does not keep others from taking a thread over, only from writing to it.
            with suppress(Fenced):
                return await self._create_on_thread(request, assistant, key)
        raise Unavailable("Other servers take over the thread again and again; try again")

    async def _create_on_thread(
        self, request: _Request, assistant: Document, key: str | None
    ) -> CreatedRun:
        thread_id = request.thread_id or self._clock.uuid7()
        # Nobody can know the id of a thread that is made here.
        own = request.thread_id is None
        async with self._engine.locks.hold(thread_id, lazily=True, here=own) as held:
            thread = standing = None
            if not own:
                thread, standing = await self._engine.look(held, thread_id)
            if thread is None and not request.may_create_thread:
                raise NotFound(_NOT_FOUND)
            if thread is not None and not holds(request.threads, thread):
                raise NotFound(_NOT_FOUND)
            is_new = thread is None
            run, thread = self._documents(request, assistant, thread_id, thread)
            control: Document = {"bound": True} if request.is_bound else {}
            document = None
            if key is not None:
                control["idempotency_key"] = key
                document = {"key": key, "run_id": run["run_id"], "created_at": self._clock.stamp()}
            # Before the lock is given back, which may take a turn of the loop.
            created = _created(
                request,
                await self._engine.submit(
                    run,
                    thread,
                    control,
                    document,
                    self._parent,
                    held=held,
                    standing=standing,
                    is_unknown=own,
                    waited_for=request.waited_for or request.streamed,
                ),
            )
            if is_new and not created.job.temporary:
                await self._thread_created(thread_id)
            return created

    def _documents(
        self, request: _Request, assistant: Document, thread_id: str, thread: Document | None
    ) -> tuple[Document, Document]:
        """Return the documents of a run and of its thread, which may be new."""
        body = request.body
        if RICH in request.agreed:
            body = plain_configurable(body)
        stateless = request.thread_id is None
        temporary = stateless and body.get("on_completion", "delete") == "delete"
        is_new = thread is None
        if thread is None:
            thread = new_thread(thread_id, self._clock.stamp())
        # A stateless run's metadata does not say its graph: the thread did not have it yet.
        inherited: Mapping[str, Any] = {}
        of_run = {"graph_id": assistant["graph_id"], "assistant_id": assistant["assistant_id"]}
        if not stateless:
            inherited = thread["metadata"] = {**thread["metadata"], **of_run}
        if is_new and (not temporary or request.user is not None):
            # A thread that a run makes takes over what the run says about itself. By that a user
            # finds it again, even if it is temporary.
            config = body.get("config") or {}
            metadata = {**(config.get("metadata") or {}), **(body.get("metadata") or {})}
            thread["metadata"] = {**of_run, **without(metadata, RESERVED_METADATA)}
            thread["config"] = {key: config[key] for key in config if key != "configurable"}
        run = run_document(
            self._clock,
            body,
            assistant,
            thread_id,
            inherited,
            request.request_id,
            request.user,
        )
        run["kwargs"]["temporary"] = temporary
        run["kwargs"].update(request.agreed)
        given = given_thread_id(thread["metadata"], thread_id)
        if given != thread_id:
            run["kwargs"][GIVEN_ID] = given
        if RICH in run["kwargs"]:
            run["kwargs"][OWN_CONFIG] = own_config(request.body, assistant)
        if RICH in run["kwargs"] and body.get("context") is None and not assistant.get("context"):
            run["kwargs"]["context"] = None  # A local graph's context is not made of its config.
        note_config(thread, body.get("config") or {})
        return run, thread

    def _check(self, body: Mapping[str, Any], *, stateless: bool) -> None:
        config = body.get("config") or {}
        if body.get("context") and config.get("configurable"):
            raise Refused(BOTH_CONTEXTS)
        if body.get("feedback_keys"):
            raise Invalid("feedback_keys need tracing, which this server does not have")
        if body.get("webhook"):
            self._check_webhook(body["webhook"])
        command = body.get("command") or {}
        if stateless and command.get("resume") is not None:
            raise Refused("You must provide a thread_id when resuming.")
        if body.get("checkpoint_id") is not None:
            canonical_uuid(body["checkpoint_id"], "Invalid checkpoint ID")
