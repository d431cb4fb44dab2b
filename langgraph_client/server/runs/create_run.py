"""Create a run from a request: check it, create one run per key, and pass it to the engine."""

from __future__ import annotations

import asyncio
import copy
import uuid
from collections.abc import Callable, Mapping, Set
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from langgraph_client.models.fields import JsonMapping
from langgraph_client.server.auth.authorization import Caller
from langgraph_client.server.auth.filters import Conditions, holds
from langgraph_client.server.auth.users import User
from langgraph_client.server.clock import Clock
from langgraph_client.server.errors import Invalid, NotFound, Refused, Unavailable
from langgraph_client.server.graphs.hosted_graphs import Graphs
from langgraph_client.server.request_context import request_headers
from langgraph_client.server.reserved_keys import RESERVED_METADATA, without
from langgraph_client.server.runs.authorized_run import changed_kwargs, own_body, value_of_run
from langgraph_client.server.runs.engine import Engine
from langgraph_client.server.runs.event_log import Reader
from langgraph_client.server.runs.expiring_documents import ExpiringDocuments
from langgraph_client.server.runs.new_run import NewRun
from langgraph_client.server.runs.recovery import new_control
from langgraph_client.server.runs.run_document import (
    assistant_id_of,
    canonical_uuid,
    check_contexts,
    new_thread,
    note_config,
    own_config,
    request_kwargs,
    run_document,
)
from langgraph_client.server.runs.run_result import fallback_result
from langgraph_client.server.runs.run_states import Job
from langgraph_client.server.storage.protocol import Document, Storage
from langgraph_client.server.storage.shared import Fenced
from langgraph_client.server.typed_values import OWN_CONFIG, TYPED_VALUES, plain_config
from langgraph_client.thread_ids import GIVEN_ID, given_thread_id

KEY_LIFETIME = timedelta(days=1)
"""For how long a request with the same `Idempotency-Key` counts as a repetition."""
ANSWER_LIFETIME = timedelta(minutes=10)
"""For how long the result of a run is kept for a repetition, if the run itself is deleted.

This time is shorter, because results may be large and clients repeat a request within seconds.
"""
_ATTEMPTS = 5
"""How often to try to store a run while other servers take over its thread."""
_NOT_FOUND = "Thread or assistant not found."


@dataclass(frozen=True)
class _Request:
    """A request to create a run.

    Attributes:
        body: The body.
        thread_id: The id of the thread, which is a new one for a stateless run.
        run_id: The id that the run will have.
        kwargs: The kwargs of the run; see `request_kwargs`.
        headers: The names of the headers that are in its `configurable`.
        stateless: Whether the run is on a thread of its own.
        extra_kwargs: Options of a RemoteGraph beyond the protocol, as kwargs of the run.
        waited_for: Whether the request stays open until the run is over.
        streamed: Whether it reads the run's events.
        cron: The cron that starts the run.
        user: The user, on a server with authentication.
        threads: The conditions that an existing thread must meet, from `Auth`.
    """

    body: JsonMapping
    thread_id: str
    run_id: str
    kwargs: JsonMapping
    headers: Set[str]
    stateless: bool
    extra_kwargs: Mapping[str, object]
    waited_for: bool
    streamed: bool
    cron: Document | None = None
    user: User | None = None
    thread_conditions: Conditions = None

    @property
    def may_create_thread(self) -> bool:
        """Whether to create a thread that does not exist."""
        return self.stateless or self.body.get("if_not_exists") == "create"

    @property
    def ends_with_connection(self) -> bool:
        """Whether the run is cancelled when the client's connection is closed."""
        return self.waited_for and self.body.get("on_disconnect") == "cancel"

    @property
    def is_bound(self) -> bool:
        """Whether the run must not continue after a restart of the server.

        The client of a run with resumable events can come back, even after a restart.
        """
        return self.ends_with_connection and not self.body.get("stream_resumable")


class CreatedRun(NamedTuple):
    """The run for a request."""

    job: Job
    #: The reader of its events from the beginning, if the request is streamed. If an earlier
    #: request with the same key has created the run: of all stored events and further ones.
    reader: Reader | None


def _created(request: _Request, job: Job, *, repeated: bool = False) -> CreatedRun:
    # No `await` between the creation of the run and this line, or its first event could be missed.
    reader = job.log.read((0, -1) if repeated else None) if request.streamed else None
    return CreatedRun(job, reader)


class RunCreator:
    """Creates runs from requests, and passes them to the engine."""

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        graphs: Graphs,
        engine: Engine,
        check_webhook: Callable[[str], None],
        new_ttl: Callable[[str], Document | None],
        ttl_was_stored: Callable[[], None],
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._graphs = graphs
        self._engine = engine
        self._check_webhook = check_webhook
        self._new_ttl = new_ttl
        self._ttl_was_stored = ttl_was_stored
        self._keys = ExpiringDocuments(storage.idempotency_keys, KEY_LIFETIME, clock, storage.crons)
        self._answers = ExpiringDocuments(
            storage.idempotency_answers, ANSWER_LIFETIME, clock, storage.crons
        )
        self._caller: Caller | None = None
        self._parent = ""

    def for_caller(self, caller: Caller) -> RunCreator:
        """Return a creator for one caller, which asks `Auth` about each run."""
        creator = copy.copy(self)
        creator._caller = caller
        return creator

    def within(self, run_id: str) -> RunCreator:
        """Return a creator for runs that another run starts."""
        creator = copy.copy(self)
        creator._parent = run_id
        return creator

    async def find_assistant(self, text: str) -> Document:
        """Return the assistant that a request names by its id or by its graph's name.

        Raises:
            Invalid: The text is neither a UUID nor the name of a graph.
            NotFound: The assistant does not exist.
        """
        if text in self._graphs:
            assistant_id = assistant_id_of(text)
        else:
            assistant_id = canonical_uuid(
                text,
                f"Invalid assistant: '{text}'. Must be either:\n- A valid assistant UUID, or\n"
                f"- One of the registered graphs: {', '.join(self._graphs.names) or 'none'}",
            )
        assistant = await self._storage.assistants.get(assistant_id)
        if assistant is None:
            raise NotFound(_NOT_FOUND)
        return assistant

    async def readable_assistant(self, text: str) -> Document:
        """Return the assistant that a request names, if the caller may read it.

        It must be called without a lock; see `_permitted`.

        Raises:
            Invalid: The text is neither a UUID nor the name of a graph.
            NotFound: The assistant does not exist, or not for this caller.
            Denied: `Auth` forbids it.
        """
        assistant = await self.find_assistant(text)
        if self._caller is not None:
            await self._check_assistant(assistant, self._caller)
        return assistant

    async def _check_assistant(self, assistant: Document, caller: Caller) -> None:
        """Raise an error if the caller may not read an assistant; the default ones anyone may."""
        assistant_id = assistant["assistant_id"]
        if assistant_id in {assistant_id_of(name) for name in self._graphs.names}:
            return
        value = {"assistant_id": uuid.UUID(assistant_id)}
        if not holds(await caller.ask("assistants", "read", value), assistant):
            raise NotFound(_NOT_FOUND)

    async def create(
        self,
        body: Mapping[str, object],
        thread_id: str | None = None,
        *,
        request_id: str | None = None,
        extra_kwargs: Mapping[str, object] | None = None,
        waited_for: bool = False,
        streamed: bool = False,
        key: str | None = None,
        cron: Document | None = None,
    ) -> CreatedRun:
        """Create a run from a validated request and pass it to the engine.

        If the caller is cancelled, there is either no run or a complete one.

        Args:
            body: The body of the request.
            thread_id: The thread to run on; None for a stateless run.
            request_id: The caller's id of the request; None if it has none.
            extra_kwargs: Options of a RemoteGraph beyond the protocol, as kwargs of the run.
            waited_for: Whether the request stays open until the run is over.
            streamed: Whether to attach a reader to the run's events. The caller must close it.
            key: The idempotency key; None if the request has none.
            cron: The cron that starts the run. Its key is kept until it has its next date.

        Raises:
            Conflict: The thread is busy, with `multitask_strategy="reject"`.
            Invalid: A field has an invalid value.
            NotFound: The thread or the assistant does not exist.
            Refused: The request is not possible.
            Denied: `Auth` forbids it.
        """
        extra_kwargs = extra_kwargs or {}
        plain = plain_config(body) if TYPED_VALUES in extra_kwargs else body
        is_kept = thread_id is not None or body.get("on_completion", "delete") != "delete"
        headers = request_headers.get()
        request = _Request(
            body,
            thread_id or self._clock.uuid7(),
            self._clock.uuid7(),
            request_kwargs(self._clock, plain, headers, request_id, temporary=not is_kept),
            headers.keys(),
            thread_id is None,
            extra_kwargs,
            waited_for,
            streamed,
            cron,
        )
        if self._caller is not None:
            request = await self._permitted(request, self._caller)
        owned = None if key is None else self._owned(key)
        # A client that disconnects cancels this request. The creation must go on in a task of its
        # own: it may be between the transaction and the queue.
        creating = self._engine.tasks.spawn(self._create_once(request, owned), for_request=True)
        try:
            return await asyncio.shield(creating)
        except asyncio.CancelledError:
            creating.add_done_callback(lambda done: self._abandon(request, done))
            raise

    async def _permitted(self, request: _Request, caller: Caller) -> _Request:
        """Return a request after the caller's `Auth` has allowed and perhaps changed it.

        It must be called without a lock: `Auth` handlers are user code, which may call this server
        and would then wait for that lock.
        """
        body, assistant = request.body, await self.find_assistant(request.body["assistant_id"])
        self._check(request)
        assistant_id = assistant["assistant_id"]
        value = value_of_run(
            body,
            request.kwargs,
            caller.user,
            assistant_id=assistant_id,
            thread_id=None if request.kwargs["temporary"] else request.thread_id,
            run_id=request.run_id,
            creates_thread=request.stateless,
        )
        conditions = await caller.ask("threads", "create_run", value)
        await self._check_assistant(assistant, caller)
        kwargs = changed_kwargs(request.kwargs, value)
        if kwargs["webhook"]:
            self._check_webhook(kwargs["webhook"])
        if TYPED_VALUES in request.extra_kwargs:
            body = own_body(body, request.kwargs, kwargs)
        if value.get("metadata") or "metadata" in body:
            body = {**body, "metadata": value.get("metadata") or {}}
        return replace(
            request, body=body, kwargs=kwargs, user=caller.user, thread_conditions=conditions
        )

    def _owned(self, key: str) -> str:
        """Return a key as it is stored, with the user: two users may choose the same key."""
        if self._caller is None:
            return key
        return (
            f"{self._caller.user.identity!r} {key}"  # The repr's quotes mark the end of the name.
        )

    async def created_with(self, key: str) -> str | None:
        """Return the id of the run of an earlier request with this key; None if there is none."""
        document = await self._storage.idempotency_keys.get(self._owned(key))
        if document is None or self._keys.is_expired(document):
            return None
        return str(document["run_id"])

    async def fired_at(self, key: str) -> datetime | None:
        """Return when the run of a cron was created under a key; None if there is none."""
        document = await self._storage.idempotency_keys.get(self._owned(key))
        if document is None or self._keys.is_expired(document):
            return None
        return datetime.fromisoformat(document.get("fired_at") or document["created_at"])

    def _abandon(self, request: _Request, creating: asyncio.Task[CreatedRun]) -> None:
        """Handle a client that disconnected before it got the id of its run."""
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
            if document is not None and not self._keys.is_expired(document):
                return _created(request, await self._job_of(document), repeated=True)
            await self._keys.delete_expired()
            await self._answers.delete_expired()
            return await self._create(request, key)

    async def _job_of(self, document: Document) -> Job:
        """Return the job of the run of an earlier request with the same key."""
        run_id = document["run_id"]
        run = await self._storage.runs.get(run_id)
        # First the job, then the stored result, then the run again: the run may end in between.
        if run is not None and (job := await self._engine.find_job(run)):
            return job
        answer = await self._storage.idempotency_answers.get(document["key"])
        if answer is not None:  # The run itself was deleted at its end.
            return self._engine.job_factory.over(answer["run"], answer["result"])
        run = await self._storage.runs.get(run_id)
        if run is None:
            raise NotFound("The run that was created with this idempotency key was deleted")
        thread = await self._storage.threads.get(run["thread_id"])
        return self._engine.job_factory.over(run, fallback_result(thread or {}))

    async def _create(self, request: _Request, key: str | None) -> CreatedRun:
        assistant = await self.find_assistant(request.body["assistant_id"])
        self._check(request)
        for _ in range(_ATTEMPTS):
            # The lock keeps other servers from writing to the thread, not from taking it over.
            with suppress(Fenced):
                return await self._create_on_thread(request, assistant, key)
        raise Unavailable("Other servers take over the thread again and again; try again")

    async def _create_on_thread(
        self, request: _Request, assistant: Document, key: str | None
    ) -> CreatedRun:
        # The id of a new thread is known to this request only, so its lock is needed in this
        # process only.
        thread_id, is_new_thread = request.thread_id, request.stateless
        async with self._engine.locks.hold(thread_id, lazily=True, here=is_new_thread) as held:
            thread = standing = None
            if not is_new_thread:
                thread, standing = await self._engine.read_thread(held, thread_id)
            if thread is None and not request.may_create_thread:
                raise NotFound(_NOT_FOUND)
            if thread is not None and not holds(request.thread_conditions, thread):
                raise NotFound(_NOT_FOUND)
            is_new = thread is None
            run, thread = self._documents(request, assistant, thread)
            is_kept = is_new and not run["kwargs"]["temporary"]
            ttl = self._new_ttl(thread_id) if is_kept else None
            control: Document = {}
            if request.is_bound:
                control["bound"] = self._engine.process_id or True
            document = None
            if key is not None:
                control["idempotency_key"] = key
                document = self._key_document(key, run["run_id"], request.cron)
            new = NewRun(
                run,
                thread,
                control={**new_control(run), **control} if control else {},
                key=document,
                ttl=ttl,
                parent=self._parent,
                held=held,
                standing=standing,
                is_new_thread=is_new_thread,
                followed=request.waited_for or request.streamed,
            )
            # Before the lock is released: that may `await`, and an event could be missed.
            created = _created(request, await self._engine.submit(new))
            if ttl is not None:
                self._ttl_was_stored()
            return created

    def _key_document(self, key: str, run_id: str, cron: Document | None) -> Document:
        now = self._clock.stamp()
        document = {"key": key, "run_id": run_id, "created_at": now}
        if cron is None:
            return document
        date = {"cron_id": cron["cron_id"], "cron_date": cron["next_run_date"], "fired_at": now}
        return {**document, **date}

    def _documents(
        self, request: _Request, assistant: Document, thread: Document | None
    ) -> tuple[Document, Document]:
        """Return the documents of a run and of its thread; the thread may be new."""
        body, thread_id, config = request.body, request.thread_id, request.kwargs["config"]
        if TYPED_VALUES in request.extra_kwargs:
            body = plain_config(body)
        is_new = thread is None
        if thread is None:
            thread = new_thread(thread_id, self._clock.stamp())
        # As on the real server, a stateless run's metadata has no graph, because its thread is new.
        inherited: Mapping[str, object] = {}
        of_run = {"graph_id": assistant["graph_id"], "assistant_id": assistant["assistant_id"]}
        if not request.stateless:
            inherited = thread["metadata"] = {**thread["metadata"], **of_run}
        if is_new and (not request.kwargs["temporary"] or request.user is not None):
            # A thread that a run creates gets the run's metadata, by which users search for it.
            metadata = {**(config.get("metadata") or {}), **(body.get("metadata") or {})}
            thread["metadata"] = {**of_run, **without(metadata, RESERVED_METADATA)}
        run = run_document(
            self._clock,
            request.run_id,
            body,
            request.kwargs,
            assistant,
            thread_id,
            inherited,
            request.user,
        )
        run["kwargs"].update(request.extra_kwargs)
        given_id = given_thread_id(thread["metadata"], thread_id)
        if given_id != thread_id:
            run["kwargs"][GIVEN_ID] = given_id
        if TYPED_VALUES in run["kwargs"]:
            configurable = config["configurable"]
            headers = {name: configurable[name] for name in request.headers & configurable.keys()}
            run["kwargs"][OWN_CONFIG] = own_config(request.body, assistant, headers)
            if "context" not in run["kwargs"][OWN_CONFIG]:
                run["kwargs"]["context"] = None
        note_config(thread, assistant, config)
        return run, thread

    def _check(self, request: _Request) -> None:
        body = request.body
        # A RemoteGraph may have both, as a local graph may: neither becomes the other.
        if TYPED_VALUES not in request.extra_kwargs:
            check_contexts(body)
        if body.get("feedback_keys"):
            raise Invalid("feedback_keys need tracing, which this server does not have")
        if body.get("webhook"):
            self._check_webhook(body["webhook"])
        command = body.get("command") or {}
        if request.stateless and command.get("resume") is not None:
            raise Refused("You must provide a thread_id when resuming.")
        if body.get("checkpoint_id") is not None:
            canonical_uuid(body["checkpoint_id"], "Invalid checkpoint ID")
