"""From the body of a run request to a run: what is asked, merged, checked, and handed over."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from langgraph_client.server.clock import Clock
from langgraph_client.server.errors import Invalid, NotFound, Refused
from langgraph_client.server.graphs.hosted_graphs import Graphs
from langgraph_client.server.runs.engine import Engine
from langgraph_client.server.runs.run_states import Job
from langgraph_client.server.storage.protocol import Document, Storage
from langgraph_client.server.typed_values import RICH

_NAMESPACE = uuid.UUID("6ba7b821-9dad-11d1-80b4-00c04fd430c8")
_NOT_FOUND = "Thread or assistant not found."
BOTH_CONTEXTS = (
    "Cannot specify both configurable and context. Prefer setting context alone. Context was"
    " introduced in LangGraph 0.6.0 and is the long term planned replacement for configurable."
)
RESERVED_METADATA = {
    "thread_id",
    "assistant_id",
    "run_id",
    "cron_id",
    "counters_since_delta_snapshot",
}
RESERVED_CONFIGURABLE = {
    "langgraph_auth_user",
    "langgraph_auth_user_id",
    "langgraph_auth_permissions",
    "langgraph_request_id",
    "__langsmith_project__",
    "__langsmith_example_id__",
    "__request_start_time_ms__",
    "__after_seconds__",
    "__otel_traceparent__",
    "__otel_tracestate__",
    "__dd_trace_headers__",
    "__pregel_node_finished",
    "__context_provided__",
}


_NOT_CONTEXT = {"run_id", "thread_id", "graph_id", "assistant_id", "user_id"}


def assistant_id_of(graph_id: str) -> str:
    """Return the id of the assistant that stands for a graph."""
    return str(uuid.uuid5(_NAMESPACE, graph_id))


def without(given: Mapping[str, Any] | None, reserved: set[str]) -> dict[str, Any]:
    """Return a copy without the keys that clients cannot set."""
    return {key: value for key, value in (given or {}).items() if key not in reserved}


class RunCreator:
    """Makes runs of requests, and hands them to the engine."""

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        graphs: Graphs,
        engine: Engine,
        check_webhook: Callable[[str], None],
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._graphs = graphs
        self._engine = engine
        self._check_webhook = check_webhook

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
    ) -> Job:
        """Create a run from a validated request and hand it to the engine.

        Args:
            body: The request.
            thread_id: The thread to run on; None for a thread of the run's own.
            request_id: What the caller called the request, if it did.
            agreed: What a RemoteGraph asks beyond the protocol, as kwargs of the run.

        Raises:
            Refused, Conflict, Invalid, NotFound: As the protocol has it.
        """
        assistant = await self.find_assistant(body["assistant_id"])
        self._check(body, stateless=thread_id is None)
        created = self._clock.stamp()
        temporary = thread_id is None and body.get("on_completion", "delete") == "delete"
        thread = None if thread_id is None else await self._storage.threads.get(thread_id)
        is_new = thread is None
        if thread is None:
            if thread_id is not None and body.get("if_not_exists") != "create":
                raise NotFound(_NOT_FOUND)
            thread = new_thread(thread_id or self._clock.uuid7(), created)
        # A stateless run's metadata does not say its graph: the thread did not have it yet.
        inherited: Mapping[str, Any] = {}
        of_run = {"graph_id": assistant["graph_id"], "assistant_id": assistant["assistant_id"]}
        if thread_id is not None:
            inherited = thread["metadata"] = {**thread["metadata"], **of_run}
        if is_new and not temporary:
            # A thread that a run makes takes over what the run says about itself.
            config = body.get("config") or {}
            metadata = {**(config.get("metadata") or {}), **(body.get("metadata") or {})}
            thread["metadata"] = {**of_run, **without(metadata, RESERVED_METADATA)}
            thread["config"] = {key: config[key] for key in config if key != "configurable"}
        run = _run_document(
            self._clock, body, assistant, thread["thread_id"], inherited, request_id
        )
        run["kwargs"]["temporary"] = temporary
        run["kwargs"].update(agreed or {})
        if RICH in run["kwargs"] and body.get("context") is None and not assistant.get("context"):
            run["kwargs"]["context"] = None  # A local graph's context is not made of its config.
        _note_config(thread, body.get("config") or {})
        return await self._engine.submit(run, thread)

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


def canonical_uuid(text: Any, detail: str) -> str:
    """Return an id in its canonical form, lower case with dashes.

    Raises:
        Invalid: With this detail, if it is not a UUID.
    """
    try:
        return str(uuid.UUID(text))
    except (ValueError, AttributeError):
        raise Invalid(detail) from None


def new_thread(thread_id: str, created: str) -> Document:
    """Return the document of a thread that was never run."""
    return {
        "thread_id": thread_id,
        "status": "idle",
        "metadata": {},
        "config": {},
        "created_at": created,
        "updated_at": created,
        "state_updated_at": created,
        "values": None,
    }


def _note_config(thread: Document, config: Mapping[str, Any]) -> None:
    """Let the thread show the tags and the recursion limit of its runs."""
    shown = {key: config[key] for key in ("tags", "recursion_limit") if key in config}
    thread["config"] = {"configurable": {}, **thread["config"], **shown}


def _run_document(
    clock: Clock,
    body: Mapping[str, Any],
    assistant: Document,
    thread_id: str,
    inherited: Mapping[str, Any],
    request_id: str | None,
) -> Document:
    run_id = clock.uuid7()
    now = clock.stamp()
    after = max(body.get("after_seconds") or 0, 0)
    config = body.get("config") or {}
    metadata = {
        **without(assistant["metadata"], RESERVED_METADATA),
        **inherited,
        **without(config.get("metadata"), RESERVED_METADATA),
        **without(body.get("metadata"), RESERVED_METADATA),
        "assistant_id": assistant["assistant_id"],
    }
    given = body.get("context") or config.get("configurable")
    context = {
        **(assistant.get("context") or {}),
        **without(given, RESERVED_CONFIGURABLE | _NOT_CONTEXT),
    }
    configurable = {
        **(assistant["config"].get("configurable") or {}),
        **without(config.get("configurable"), RESERVED_CONFIGURABLE),
        **_checkpoint(body),
        "langgraph_auth_user": None,
        "langgraph_auth_user_id": "",
        "langgraph_auth_permissions": [],
        "langgraph_request_id": request_id or clock.uuid4(),
        "__request_start_time_ms__": int(clock.time() * 1000),
        "__after_seconds__": after,
        "run_id": run_id,
        "thread_id": thread_id,
        "graph_id": assistant["graph_id"],
        "assistant_id": assistant["assistant_id"],
        "user_id": "",
    }
    modes = body.get("stream_mode") or ["values"]
    durability = body.get("durability") or (
        "exit" if body.get("checkpoint_during") is False else "async"
    )
    return {
        "run_id": run_id,
        "thread_id": thread_id,
        "assistant_id": assistant["assistant_id"],
        "metadata": metadata,
        "status": "pending",
        "kwargs": {
            "input": body.get("input"),
            "command": body.get("command"),
            "config": {
                **assistant["config"],
                **config,
                "configurable": configurable,
                "metadata": dict(metadata),
            },
            "context": context,
            "stream_mode": [modes] if isinstance(modes, str) else modes,
            "interrupt_before": body.get("interrupt_before"),
            "interrupt_after": body.get("interrupt_after"),
            "webhook": body.get("webhook"),
            "feedback_keys": body.get("feedback_keys"),
            "temporary": False,
            "subgraphs": body.get("stream_subgraphs", False),
            "resumable": body.get("stream_resumable", False),
            "checkpoint_during": body.get("checkpoint_during", durability != "exit"),
            "durability": durability,
        },
        "multitask_strategy": body.get("multitask_strategy", "enqueue"),
        "created_at": _later(clock, after) if after else now,
        "updated_at": now,
        "langsmith_session_name": None,
    }


def _later(clock: Clock, seconds: float) -> str:
    stamp: str = (clock.now() + timedelta(seconds=seconds)).isoformat(timespec="microseconds")
    return stamp


def _checkpoint(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return where the run starts, if the request names a checkpoint."""
    given = dict(body.get("checkpoint") or {})
    if body.get("checkpoint_id") is not None:
        given["checkpoint_id"] = body["checkpoint_id"]
    keys = ("checkpoint_id", "checkpoint_ns", "checkpoint_map")
    return {key: given[key] for key in keys if given.get(key) is not None}
