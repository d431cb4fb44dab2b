"""Create the documents of a run and of its thread from a request. No I/O."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from langgraph_client.models.fields import JsonMapping
from langgraph_client.server.auth.users import USER_FIELDS, User, user_fields
from langgraph_client.server.clock import Clock
from langgraph_client.server.errors import Invalid, Refused, ServerError
from langgraph_client.server.reserved_keys import (
    CONTEXT_PROVIDED,
    NOT_CONTEXT,
    RESERVED_CONFIGURABLE,
    RESERVED_METADATA,
    SERVER_CONFIGURABLE,
    without,
    without_internal,
)
from langgraph_client.server.storage.protocol import Document
from langgraph_client.server.typed_values import OWN_CONFIG
from langgraph_client.values import PARENT, PLAIN, is_envelope

_NAMESPACE = uuid.UUID("6ba7b821-9dad-11d1-80b4-00c04fd430c8")
CRON_ID = "cron_id"
"""The key of `configurable` by which a run says which cron has started it."""
BOTH_CONTEXTS = (
    "Cannot specify both configurable and context. Prefer setting context alone. Context was"
    " introduced in LangGraph 0.6.0 and is the long term planned replacement for configurable."
)


def assistant_id_of(graph_id: str) -> str:
    """Return the id of a graph's default assistant."""
    return str(uuid.uuid5(_NAMESPACE, graph_id))


def check_contexts(body: JsonMapping) -> None:
    """Check that a run has a context or a `configurable`, and not both.

    The keys that the server adds to the `configurable` of a cron do not count.

    Raises:
        Refused: It has both.
    """
    configurable = (body.get("config") or {}).get("configurable")
    if body.get("context") and without(configurable, {CRON_ID, *USER_FIELDS}):
        raise Refused(BOTH_CONTEXTS)


def canonical_uuid(text: Any, detail: str, refused: type[ServerError] = Invalid) -> str:
    """Return an id in its canonical form, lower case with dashes.

    Raises:
        ServerError: `refused`, with this detail, if it is not a UUID.
    """
    try:
        return str(uuid.UUID(text))
    except (ValueError, AttributeError):
        raise refused(detail) from None


def new_thread(thread_id: str, created: str) -> Document:
    """Return the document of a new thread."""
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


def note_config(thread: Document, assistant: Document, config: Mapping[str, object]) -> None:
    """Copy the config of a run to its thread's document: the assistant's, and what the run adds.

    The thread's state is read with the assistant's `configurable`. As on the real server, the run's
    own one is not kept.
    """
    before, own = thread["config"], assistant["config"]
    configurable = {**(before.get("configurable") or {}), **(own.get("configurable") or {})}
    added = without(config, {"configurable"})
    thread["config"] = {**before, **own, **added, "configurable": configurable}


def with_assistants_config(thread: Document, config: JsonMapping) -> Document:
    """Return the config with which to open a thread's graph: with the settings of its assistant.

    A factory may need them, whatever the graph is opened for.

    Args:
        thread: The thread's document.
        config: The config with the ids of the thread and perhaps of a checkpoint.
    """
    settings = without_internal(thread["config"].get("configurable") or {})
    configurable = {**without(settings, SERVER_CONFIGURABLE), **(config.get("configurable") or {})}
    return {**config, "configurable": configurable}


def request_kwargs(
    clock: Clock,
    body: JsonMapping,
    headers: Mapping[str, object],
    request_id: str | None,
    *,
    temporary: bool,
) -> Document:
    """Return the kwargs of a run as its request alone determines them.

    `Auth` handlers get them, and what they change is what the run gets.

    Args:
        clock: Gives times and ids.
        body: The request's body, checked.
        headers: The headers of the request that the graph can read.
        request_id: The id of the request, which the graph can read; None for a new one.
        temporary: Whether the run is deleted at its end, with its thread.
    """
    config, context = body.get("config") or {}, body.get("context") or {}
    configurable = {
        # As on the real server, factories and nodes find the context in `configurable` too.
        **without(context, SERVER_CONFIGURABLE),
        **without(config.get("configurable"), RESERVED_CONFIGURABLE),
        **named_checkpoint(body),
        **headers,
        "langgraph_request_id": request_id or clock.uuid4(),
        "__request_start_time_ms__": int(clock.time() * 1000),
        "__after_seconds__": max(body.get("after_seconds") or 0, 0),
    }
    if context:
        configurable[CONTEXT_PROVIDED] = True
    shown_context = without(
        context or config.get("configurable"), RESERVED_CONFIGURABLE | NOT_CONTEXT
    )
    return {
        "config": {**config, "configurable": configurable},
        "context": shown_context,
        **_what_to_do(body),
        "temporary": temporary,
    }


def run_document(
    clock: Clock,
    run_id: str,
    body: JsonMapping,
    kwargs: JsonMapping,
    assistant: Document,
    thread_id: str,
    inherited: Mapping[str, object],
    user: User | None,
) -> Document:
    """Return the document of a new run: the request's values, merged onto those of its assistant.

    Args:
        clock: Gives times.
        run_id: The id of the run.
        body: The request's body, checked.
        kwargs: Its `request_kwargs`.
        assistant: The assistant's document.
        thread_id: The run's thread.
        inherited: Metadata that the run gets from its thread.
        user: The user, on a server with authentication; else None.
    """
    now = clock.stamp()
    after = max(body.get("after_seconds") or 0, 0)
    config = kwargs["config"]
    metadata = _metadata(body, config, assistant, inherited)
    context = {**(assistant.get("context") or {}), **kwargs["context"]}
    configurable = {
        **(assistant["config"].get("configurable") or {}),
        **config["configurable"],
    }
    configurable |= {
        **_identity(user),
        # An application's own `user_id` is kept, because many templates set one.
        "user_id": configurable.get("user_id")
        or context.get("user_id")
        or ("" if user is None else user.identity),
        "run_id": run_id,
        "thread_id": thread_id,
        "graph_id": assistant["graph_id"],
        "assistant_id": assistant["assistant_id"],
    }
    return {
        "run_id": run_id,
        "thread_id": thread_id,
        "assistant_id": assistant["assistant_id"],
        "metadata": metadata,
        "status": "pending",
        "kwargs": {
            **kwargs,
            "config": {
                **assistant["config"],
                **config,
                "configurable": configurable,
                "metadata": dict(metadata),
            },
            "context": context,
        },
        "multitask_strategy": body.get("multitask_strategy", "enqueue"),
        "created_at": _later(clock, after) if after else now,
        "updated_at": now,
        "langsmith_session_name": None,
    }


def _metadata(
    body: JsonMapping, config: JsonMapping, assistant: Document, inherited: Mapping[str, object]
) -> Document:
    return {
        **without(assistant["metadata"], RESERVED_METADATA),
        **inherited,
        **without(config.get("metadata"), RESERVED_METADATA),
        **without(body.get("metadata"), RESERVED_METADATA),
        "assistant_id": assistant["assistant_id"],
    }


def _identity(user: User | None) -> Document:
    return {
        "langgraph_auth_user": None,
        "langgraph_auth_user_id": "",
        "langgraph_auth_permissions": [],
        **user_fields(user),
    }


def _what_to_do(body: Mapping[str, object]) -> Document:
    modes = body.get("stream_mode") or ["values"]
    durability = body.get("durability") or (
        "exit" if body.get("checkpoint_during") is False else "async"
    )
    return {
        "input": body.get("input"),
        "command": body.get("command"),
        "stream_mode": [modes] if isinstance(modes, str) else modes,
        "interrupt_before": body.get("interrupt_before"),
        "interrupt_after": body.get("interrupt_after"),
        "webhook": body.get("webhook"),
        "feedback_keys": body.get("feedback_keys"),
        "subgraphs": body.get("stream_subgraphs", False),
        "resumable": body.get("stream_resumable", False),
        "checkpoint_during": body.get("checkpoint_during", durability != "exit"),
        "durability": durability,
        **({"strict_resume": True} if body.get("strict_resume") else {}),
    }


def goes_on(kwargs: JsonMapping) -> bool:
    """Return whether a run goes on from an older checkpoint, and so may write to it.

    With an input alone, all that a run writes is with checkpoints of its own.

    Args:
        kwargs: The kwargs of the run's document.
    """
    if kwargs.get("command") or kwargs["input"] is None:
        return True
    parent = (kwargs.get(OWN_CONFIG) or {}).get("configurable", {}).get(PARENT)
    parent = parent[PLAIN] if is_envelope(parent) else parent
    return isinstance(parent, dict) and bool(parent.get("resuming"))


def own_config(body: JsonMapping, assistant: Document, headers: JsonMapping) -> Document:
    """Return config and context for the graph without the keys that the server adds.

    Args:
        body: The body of a RemoteGraph's request.
        assistant: The assistant's document.
        headers: The headers of the request that the graph can read.
    """
    config = body.get("config") or {}
    own: Document = {
        "configurable": {
            **(assistant["config"].get("configurable") or {}),
            **(config.get("configurable") or {}),
            **headers,
        },
        "metadata": {
            **without(assistant["metadata"], {"created_by"}),
            **(config.get("metadata") or {}),
            **(body.get("metadata") or {}),
        },
    }
    # As in a local graph, context never comes from the config.
    if body.get("context") is not None or assistant.get("context"):
        own["context"] = {**(assistant.get("context") or {}), **(body.get("context") or {})}
    return own


def _later(clock: Clock, seconds: float) -> str:
    stamp: str = (clock.now() + timedelta(seconds=seconds)).isoformat(timespec="microseconds")
    return stamp


def named_checkpoint(body: JsonMapping) -> dict[str, object]:
    """Return the ids of the checkpoint at which a request begins; empty if it names none.

    As on the real server, the id in `checkpoint` wins over `checkpoint_id`.
    """
    checkpoint = {"checkpoint_id": body.get("checkpoint_id"), **(body.get("checkpoint") or {})}
    keys = ("checkpoint_id", "checkpoint_ns", "checkpoint_map")
    return {key: checkpoint[key] for key in keys if checkpoint.get(key) is not None}
