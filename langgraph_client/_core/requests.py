"""Build and check the request bodies and queries that several methods share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any

from langgraph_client._core.call import (
    at_least,
    body,
    check_id,
    mapping,
    optional_id,
    path,
    texts,
    word,
)
from langgraph_client._core.codec import decode, encode
from langgraph_client._core.settings import check_header_value
from langgraph_client.errors import InvalidArgumentError
from langgraph_client.models.fields import JsonObject

STREAM_HEADERS = {"accept": "text/event-stream", "cache-control": "no-store"}
# Newer servers may know more words than the parameters' types list: any text is sent, and the
# server decides.
_WORDS = (
    "multitask_strategy",
    "if_not_exists",
    "on_completion",
    "on_run_completed",
    "on_disconnect",
    "durability",
)


def run_path(thread_id: str | None, what: str = "") -> str:
    """Return the path where a run is created: below its thread, or without one."""
    if thread_id is None:
        return f"/runs{what}"
    return path("/threads/{thread_id}/runs", thread_id=thread_id) + what


class NextPage:
    """Keeps the offset of the next page, which a search response has in a header.

    Attributes:
        next: The offset as text; None if this is the last page.
    """

    def __init__(self) -> None:
        self.next: str | None = None

    def opened(self, headers: Mapping[str, str]) -> None:
        """Read the headers of the response."""
        self.next = headers.get("x-pagination-next")


def xray_level(xray: object) -> object:
    """Return how many levels of subgraphs a drawing shows; None for none, True for all."""
    if isinstance(xray, bool):
        return xray or None
    return at_least("xray", xray, 1)


def run_body(assistant_id: str, **fields: object) -> JsonObject:
    """Return the body of a request that starts a run or a cron, from a method's arguments.

    Raises:
        InvalidArgumentError: An argument is one that no server can accept.
    """
    return _checked({"assistant_id": check_id("assistant_id", assistant_id), **fields})


def run_fields(**fields: object) -> JsonObject:
    """Return the checked fields of a run for a body without an assistant."""
    return _checked(fields)


def batch_body(payloads: object) -> list[JsonObject]:
    """Return the body of a batch: a list of runs, each checked like a single run."""
    if isinstance(payloads, Mapping | str | bytes) or not isinstance(payloads, Sequence):
        raise InvalidArgumentError("payloads", "must be a list of runs")
    if not payloads:
        raise InvalidArgumentError("payloads", "is empty")
    runs = []
    for index, payload in enumerate(payloads):
        where = f"payloads[{index}]"
        if not isinstance(payload, Mapping):
            raise InvalidArgumentError(where, f"must be a mapping, not {type(payload).__name__}")
        try:
            check_id("assistant_id", payload.get("assistant_id"))
            runs.append(_checked(dict(payload)))
        except InvalidArgumentError as error:
            raise InvalidArgumentError(f"{where}.{error.parameter}", error.problem) from None
    return runs


def _checked(given: JsonObject) -> JsonObject:
    fields = {key: value for key, value in given.items() if value is not None}
    for name in _WORDS:
        word(name, fields.get(name))
    for name in ("config", "context", "metadata", "command", "checkpoint"):
        mapping(name, fields.get(name))
    if fields.get("webhook") == "":
        del fields["webhook"]
    for name in ("checkpoint_id", "webhook"):
        optional_id(name, fields.get(name))
    for name in ("interrupt_before", "interrupt_after"):
        if name in fields and fields[name] != "*":
            fields[name] = texts(name, fields[name])
    if "feedback_keys" in fields:
        fields["feedback_keys"] = texts("feedback_keys", fields["feedback_keys"])
    if "stream_mode" in fields:
        fields["stream_mode"] = stream_modes(fields["stream_mode"])
    if "langsmith_tracing" in fields:
        fields["langsmith_tracer"] = mapping("langsmith_tracing", fields.pop("langsmith_tracing"))
    if "checkpoint" in fields:
        fields["checkpoint"] = checkpoint_body(fields["checkpoint"])
    after = fields.get("after_seconds")
    if after is not None and (
        isinstance(after, bool) or not isinstance(after, int | float) or not 0 <= after < 1e12
    ):
        raise InvalidArgumentError("after_seconds", f"must be a number from 0 on, not {after!r}")
    for name in ("stream_subgraphs", "stream_resumable", "checkpoint_during", "strict_resume"):
        boolean(name, fields.get(name))
    return fields


def boolean(name: str, value: object) -> bool | None:
    """Return `value`, which must be True, False or None."""
    if value is not None and not isinstance(value, bool):
        raise InvalidArgumentError(name, f"must be True or False, not {value!r:.80}")
    return value


def checkpoint_body(checkpoint: object) -> JsonObject | None:
    """Return a checkpoint without its None values, because servers refuse null there."""
    fields = plain_mapping("checkpoint", checkpoint)
    if fields is None:
        return None
    return {key: value for key, value in fields.items() if value is not None}


def plain_mapping(name: str, value: object) -> Mapping[str, Any] | None:
    """Return a mapping; that of an object which the codec converts to one, such as a dataclass.

    Raises:
        InvalidArgumentError: It is neither.
    """
    fields = mapping(name, value)
    if fields is not None and not isinstance(fields, Mapping):
        fields = decode(encode(fields, name))
        if not isinstance(fields, Mapping):
            raise InvalidArgumentError(name, f"must be a mapping, not {value!r:.80}")
    return fields


def event_id(name: str, value: object) -> str | None:
    """Return the id of an event, which is sent as a header, or None.

    Raises:
        InvalidArgumentError: It is no text that a header can have.
    """
    text = optional_id(name, value)
    if text is not None:
        check_header_value(name, text)
    return text


def stream_modes(given: object) -> str | list[str]:
    """Return one stream mode, or a list of them. The server decides which modes exist.

    Raises:
        InvalidArgumentError: A mode is not text.
    """
    return given if isinstance(given, str) else texts("stream_mode", given) or []


def joined_modes(given: object) -> str | None:
    """Return the modes for a stream that is joined: one as it is, several as a JSON array.

    Servers misread a repeated parameter and a list with commas.
    """
    if given is None:
        return None
    modes = stream_modes(given)
    if isinstance(modes, str):
        return modes
    if len(modes) == 1:
        return str(modes[0])
    return encode(modes, "stream_mode").decode() if modes else None


def cancel_many_body(thread_id: object, run_ids: object, status: object) -> JsonObject:
    """Return the body that cancels runs: those of a thread by id, or all with a status."""
    status = word("status", status)
    ids = texts("run_ids", run_ids, may_be_empty=False)
    if status is None and (thread_id is None or ids is None):
        raise InvalidArgumentError("status", "give either thread_id and run_ids, or status")
    if status is not None and (thread_id is not None or ids is not None):
        raise InvalidArgumentError("status", "goes neither with thread_id nor with run_ids")
    return body(thread_id=optional_id("thread_id", thread_id), run_ids=ids, status=status)


def ttl_body(ttl: object) -> object:
    """Return a thread's time to live: a plain number means minutes until it is deleted."""
    if ttl is None or isinstance(ttl, Mapping):
        return ttl
    if isinstance(ttl, bool) or not isinstance(ttl, int | float) or not ttl >= 0:
        raise InvalidArgumentError("ttl", f"must be minutes or a mapping, not {ttl!r:.80}")
    return {"ttl": ttl, "strategy": "delete"}


def supersteps_body(supersteps: object) -> object:
    """Return the state updates for a new thread, without commands that are None."""
    if supersteps is None:
        return None
    if isinstance(supersteps, str | bytes | Mapping) or not isinstance(supersteps, Sequence):
        raise InvalidArgumentError("supersteps", "must be a list of {'updates': [...]}")
    steps = []
    for index, step in enumerate(supersteps):
        where = f"supersteps[{index}]"
        if not isinstance(mapping(where, step), Mapping):
            raise InvalidArgumentError(where, "must be a mapping with 'updates'")
        updates = step.get("updates")
        if isinstance(updates, str | bytes | Mapping) or not isinstance(updates, Sequence):
            raise InvalidArgumentError(f"{where}.updates", "must be a list of updates")
        kept = []
        for place, update in enumerate(updates):
            if not isinstance(update, Mapping):
                raise InvalidArgumentError(f"{where}.updates[{place}]", "must be a mapping")
            kept.append({k: v for k, v in update.items() if k != "command" or v is not None})
        steps.append({**step, "updates": kept})
    return steps


_MAX_PAGE = 1000
"""The most documents that servers return for one search. A search of the store has no limit."""


def page_body(
    limit: object, offset: object, *, most: int | None = _MAX_PAGE, **fields: object
) -> JsonObject:
    """Return the body of a search: the page, and the conditions that are not None.

    Args:
        limit: The limit.
        offset: The offset.
        most: The highest limit that servers accept; None for any.
        fields: The conditions.
    """
    number = at_least("limit", limit, 1)
    if most is not None and number is not None and number > most:
        raise InvalidArgumentError("limit", f"must be at most {most}, not {limit}")
    for name in ("metadata", "values", "filter", "extract"):
        mapping(name, fields.get(name))
    for name in ("status", "sort_by", "sort_order"):
        fields[name] = fields.get(name) or None  # Empty: any, or the default.
    if "ids" in fields:
        fields["ids"] = texts("ids", fields["ids"])
    if "select" in fields:
        fields["select"] = texts("select", fields["select"]) or None  # None selected: all.
    return body(limit=limit, offset=at_least("offset", offset, 0), **fields)


def cron_body(schedule: object, end_time: object, timezone: object, enabled: object) -> JsonObject:
    """Return the fields of a cron's body that a run's body does not have."""
    if schedule is not None and (not isinstance(schedule, str) or not schedule.strip()):
        raise InvalidArgumentError("schedule", f"must be five fields as text, not {schedule!r:.80}")
    return body(
        schedule=schedule,
        end_time=None if end_time == "" else end_time,
        timezone=timezone_name(timezone),
        enabled=boolean("enabled", enabled),
    )


def timezone_name(timezone: object) -> str | None:
    """Return the IANA name of a time zone, from a name or a tzinfo.

    Raises:
        InvalidArgumentError: The tzinfo has no name, such as a fixed offset.
    """
    if timezone is None or isinstance(timezone, str):
        return timezone
    if not isinstance(timezone, tzinfo):
        raise InvalidArgumentError("timezone", f"must be a name or a tzinfo, not {timezone!r:.80}")
    name = getattr(timezone, "key", None) or getattr(timezone, "zone", None)
    if not isinstance(name, str):
        name = timezone.tzname(None)
    if name is None or (name.startswith("UTC") and name != "UTC"):
        raise InvalidArgumentError("timezone", f"{timezone!r} has no name; use a ZoneInfo")
    return name


def namespace_labels(name: str, given: object) -> list[str]:
    """Return a namespace of the store as a list of labels.

    Raises:
        InvalidArgumentError: A label is empty or has a dot. Requests join labels with dots.
    """
    labels = texts(name, given)
    if labels is None:
        raise InvalidArgumentError(name, "must be a list of labels, not None")
    for index, label in enumerate(labels):
        if not label or "." in label:
            problem = f"{label!r} must not be empty or have a dot"
            raise InvalidArgumentError(f"{name}[{index}]", problem)
    return labels


def item_body(
    namespace: object, key: object, value: object, index: object, ttl: object
) -> JsonObject:
    """Return the body that stores an item."""
    if value is None:
        raise InvalidArgumentError("value", "must be a mapping, not None")
    if ttl is not None and (isinstance(ttl, bool) or not isinstance(ttl, int | float)):
        raise InvalidArgumentError("ttl", f"must be a number of minutes, not {ttl!r:.80}")
    if index is not None and index is not False:
        index = texts("index", index)
    return {
        "namespace": namespace_labels("namespace", namespace),
        "key": check_id("key", key),
        "value": mapping("value", value),
        **body(index=index, ttl=ttl),
    }


def state_values(values: object) -> object:
    """Return the values of a state update: an object, a list of objects, or None."""
    if isinstance(values, str | bytes | int | float | bool):
        kind = type(values).__name__
        raise InvalidArgumentError("values", f"must be a mapping, a list or None, not {kind}")
    return values


def history_before(before: object) -> object:
    """Return the checkpoint before which history is wanted, as the config that servers accept."""
    if before is None:
        return None
    if isinstance(before, str):
        return {"configurable": {"checkpoint_id": check_id("before", before)}}
    if not isinstance(before, Mapping) or "configurable" in before:
        return mapping("before", before)
    return {"configurable": checkpoint_body(before)}
