"""JSON from the server, made into what a local graph gives: messages, interrupts, tuples.

Pure. A decoder belongs to one call, since it knows the caller's own thread id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from langgraph_client.errors import APIResponseValidationError, LangGraphError
from langgraph_client.models.threads import Interrupt as SentInterrupt
from langgraph_client.remote.config import GIVEN_ID, GIVEN_PARENTS, Address, given_parents, tuples
from langgraph_client.remote.seam import Interrupt, message_from, run_error
from langgraph_client.values import PLAIN, TYPES, Allowed, is_envelope, restore

INTERRUPT = "__interrupt__"

#: What servers add to the metadata of a checkpoint or message, and a local graph does not.
SERVER_METADATA = frozenset(
    {
        "assistant_id",
        "created_by",
        "graph_id",
        GIVEN_ID,
        GIVEN_PARENTS,
        "langgraph_api_url",
        "langgraph_api_version",
        "langgraph_auth_permissions",
        "langgraph_auth_user",
        "langgraph_auth_user_id",
        "langgraph_host",
        "langgraph_plan",
        "langgraph_request_id",
        "langgraph_version",
        "run_attempt",
        "run_id",
        "thread_id",
        "user_id",
    }
)


def interrupt_from(document: SentInterrupt | Mapping[str, Any]) -> Interrupt:
    """An interrupt as events and states carry it: `id` and `value`, perhaps `response_schema`."""
    schema = document.get("response_schema")
    made = Interrupt(value=document.get("value"), id=document.get("id") or "")
    if schema is not None:
        made.response_schema = schema
    return made


@contextmanager
def understanding(what: str, body: Any) -> Iterator[None]:
    """A reading of what a server sent, within which a surprise is an error of ours.

    Raises:
        APIResponseValidationError: `body` is not of the shape that the protocol gives it.
    """
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        if isinstance(error, LangGraphError):
            raise
        raise APIResponseValidationError(
            f"{what} is not of the protocol's shape: {type(error).__name__}: {error}", body=body
        ) from error


@dataclass(frozen=True)
class Decoder:
    """How one call's JSON is read back."""

    address: Address
    decode_messages: bool = True
    #: Metadata keys that the caller sent itself: kept, whatever a server does with them.
    own_metadata: frozenset[str] = frozenset()
    #: The classes that may be made out of an envelope, by name.
    allowed: Allowed = field(default_factory=dict)
    #: The checkpoints of the graphs around this one, for events; a state's metadata tells its own.
    parents: Mapping[str, Any] = field(default_factory=dict)

    def open(self, value: Any) -> Any:
        """A value as it was on the server, where the server says it in an envelope.

        Raises:
            APIResponseValidationError: The envelope does not fit its value.
        """
        if not is_envelope(value):
            return value
        try:
            # Messages first: what is inside them has no notes of its own.
            return restore(self.value(value[PLAIN]), value[TYPES], self.allowed)
        except ValueError as error:
            raise APIResponseValidationError(str(error), body=value) from error

    def value(self, value: Any) -> Any:
        """Revive the messages in a JSON value, at any depth; everything else stays as it is."""
        if isinstance(value, dict):
            if self.decode_messages:
                message = message_from(value)
                if message is not None:
                    return message
            return {key: self.value(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.value(item) for item in value]
        return value

    def interrupt(self, sent: SentInterrupt) -> Interrupt:
        """An interrupt of a state."""
        found = interrupt_from(sent)
        found.value = self.value(self.open(found.value))
        return found

    def output(self, data: Any) -> Any:
        """Data of a `values` or `updates` event: a state in which `__interrupt__` is a tuple."""
        if isinstance(data, dict) and INTERRUPT in data:
            found = tuple(interrupt_from(item) for item in data[INTERRUPT] or ())
            rest = {key: self.value(item) for key, item in data.items() if key != INTERRUPT}
            return {**rest, INTERRUPT: found}
        return self.value(data)

    def message(self, data: Any) -> tuple[Any, dict[str, Any]]:
        """Data of a `messages` event: the message or chunk, and its metadata."""
        message, metadata = data
        return self.value(message), self.message_metadata(metadata)

    def event(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Data of an `events` event: langchain's own, of a run inside the graph."""
        metadata = self.message_metadata(data.get("metadata") or {})
        return {**data, "data": self.value(data.get("data")), "metadata": metadata}

    def message_metadata(self, metadata: Mapping[str, Any]) -> dict[str, Any]:
        kept = self.metadata(metadata)
        if "thread_id" in metadata:  # Local message metadata names the thread, too.
            kept["thread_id"] = self.address.given
        if self.address.namespace:
            if "langgraph_checkpoint_ns" in kept:
                kept["langgraph_checkpoint_ns"] = self.address.inside(
                    kept["langgraph_checkpoint_ns"]
                )
            kept["checkpoint_ns"] = self.address.inside("")
        for key in ("langgraph_path", "langgraph_triggers"):
            if key in kept:
                kept[key] = tuples(kept[key])
        return kept

    def metadata(self, metadata: Mapping[str, Any]) -> dict[str, Any]:
        """Metadata without what only a server adds."""
        return {
            key: value
            for key, value in metadata.items()
            if key not in SERVER_METADATA or key in self.own_metadata
        }

    def checkpoint_metadata(self, metadata: Mapping[str, Any]) -> dict[str, Any]:
        """Metadata of a checkpoint; servers also keep what a subgraph's task was told of itself."""
        kept = {
            key: value
            for key, value in self.metadata(metadata).items()
            if key in self.own_metadata or not key.startswith(("langgraph_", "checkpoint_"))
        }
        if parents := self.parents or given_parents(metadata):
            kept["parents"] = self.address.around(kept.get("parents") or {}, parents)
        return kept

    def task(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Data of a `tasks` event: the start of a task, or its result."""
        task = dict(data)
        if "input" in task:
            task["input"] = self.value(task["input"])
            task["triggers"] = tuple(task.get("triggers") or ())
            if "metadata" in task:
                metadata = self.metadata(task.pop("metadata") or {})
                if metadata:
                    task["metadata"] = metadata
        if "result" in task:
            task["result"] = self.value(task["result"])
            if isinstance(error := task.get("error"), Mapping):
                task["error"] = run_error(error.get("error", ""), error.get("message", ""))
        return task

    def checkpoint(self, data: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
        """Data of a `checkpoints` event; `own` is the configurable that the caller sent."""
        payload = {
            **data,
            "values": self.value(data.get("values")),
            "tasks": [self._checkpoint_task(task) for task in data.get("tasks") or ()],
        }
        for key in ("config", "parent_config"):
            if config := data.get(key):
                where = self.address.configurable(config["configurable"], self.parents)
                payload[key] = {"configurable": {**own, **where}}
        if metadata := data.get("metadata"):
            payload["metadata"] = self.checkpoint_metadata(metadata)
        # In debug events servers name the checkpoints a second time.
        payload.pop("checkpoint", None)
        payload.pop("parent_checkpoint", None)
        return payload

    def _checkpoint_task(self, data: Mapping[str, Any]) -> dict[str, Any]:
        task = dict(data)
        if "interrupts" in task:
            task["interrupts"] = tuple(task["interrupts"] or ())
        checkpoint = task.pop("checkpoint", None)  # So in debug events.
        if isinstance(state := task.get("state"), Mapping):
            checkpoint = state.get("configurable")
        if checkpoint:
            task["state"] = {"configurable": self.address.configurable(checkpoint)}
        return task
