"""What `Auth` handlers see of a run before it is created, and what they have changed. No I/O."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Mapping

from langgraph_client.models.fields import JsonMapping
from langgraph_client.server.auth.users import USER_FIELDS, User
from langgraph_client.server.storage.protocol import Document

_CONFIG = ("configurable", "metadata")


def value_of_run(
    body: JsonMapping,
    kwargs: JsonMapping,
    user: User,
    *,
    assistant_id: str,
    thread_id: str | None,
    run_id: str,
    creates_thread: bool,
) -> Document:
    """Return the value for the handler of `threads.create_run`, with the real server's fields.

    The handler may change it: config, context and metadata are copies.

    Args:
        body: The body of the request.
        kwargs: The kwargs of the run; see `request_kwargs`.
        user: The user who asks.
        assistant_id: The id of the assistant.
        thread_id: The id of the thread; None for one that is deleted with the run.
        run_id: The id of the run.
        creates_thread: Whether the thread is created with the run.
    """
    shown = {**kwargs, **{name: copy.deepcopy(kwargs[name]) for name in ("config", "context")}}
    # The user itself, as in `ctx`; it is stored as JSON.
    whose = (user, user.identity, list(user.permissions))
    shown["config"]["configurable"].update(zip(USER_FIELDS, whose, strict=True))
    return {
        "assistant_id": uuid.UUID(assistant_id),
        "thread_id": None if thread_id is None else uuid.UUID(thread_id),
        "run_id": uuid.UUID(run_id),
        "status": "pending",
        "metadata": copy.deepcopy(body.get("metadata") or {}),
        "prevent_insert_if_inflight": body.get("multitask_strategy") == "reject",
        "multitask_strategy": body.get("multitask_strategy") or "enqueue",
        "if_not_exists": "create" if creates_thread else body.get("if_not_exists") or "reject",
        "after_seconds": body.get("after_seconds") or 0,
        "kwargs": shown,
    }


def changed_kwargs(kwargs: JsonMapping, value: JsonMapping) -> Document:
    """Return a run's kwargs as a handler has left them.

    Fields that it has removed, or replaced by something of another type, are empty.
    """
    given = value.get("kwargs")
    left = {**dict.fromkeys(kwargs), **(given if isinstance(given, dict) else {})}
    config = _object(left["config"])
    modes = left["stream_mode"] or ["values"]
    return {
        **left,
        "config": {**config, "configurable": _object(config.get("configurable"))},
        "context": _object(left["context"]),
        "stream_mode": [modes] if isinstance(modes, str) else modes,
        "durability": left["durability"] or "async",
        "temporary": kwargs["temporary"],
    }


def own_body(body: JsonMapping, before: JsonMapping, after: JsonMapping) -> Document:
    """Return the body of a RemoteGraph's request with what a handler has changed in the kwargs.

    The body has typed values in envelopes, which the handler has seen as plain JSON. Values that
    it has not changed stay as they are.
    """
    config = dict(body.get("config") or {})
    for section in _CONFIG:
        config[section] = _overlaid(
            config.get(section), before["config"].get(section), after["config"].get(section)
        )
    changed = {**body, "config": config}
    if context := _overlaid(body.get("context"), before["context"], after["context"]):
        changed["context"] = context
    return changed


def _overlaid(given: object, before: object, after: object) -> Document:
    """Return given values without those that are no longer there, and with those that changed."""
    shown, left = _object(before), _object(after)
    kept = {key: value for key, value in _object(given).items() if key in left or key not in shown}
    changed = {
        key: value
        for key, value in left.items()
        if key not in USER_FIELDS and (key not in shown or shown[key] != value)
    }
    return {**kept, **changed}


def _object(value: object) -> Document:
    return dict(value) if isinstance(value, Mapping) else {}
