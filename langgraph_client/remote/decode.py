"""Convert JSON from the server to the objects of a local graph: messages, interrupts, tuples.

No I/O. A decoder belongs to one call, because it has the caller's thread id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from langgraph_client.errors import APIResponseValidationError, LangGraphError
from langgraph_client.remote.aliases import JSON, GraphValue, JsonObject, Reply
from langgraph_client.remote.compat import Interrupt, message_classes, pause
from langgraph_client.remote.config import Address, given_parents, tuples
from langgraph_client.remote.exceptions import local_error, remote_error
from langgraph_client.remote.interrupts import interrupt_from
from langgraph_client.remote.messages import message_from
from langgraph_client.thread_ids import GIVEN_ID, GIVEN_PARENTS
from langgraph_client.values import (
    PLAIN,
    TYPES,
    Allowed,
    Note,
    allowed_class,
    is_envelope,
    looks_like_message,
    name_of,
    restore,
)

INTERRUPT = "__interrupt__"

Path: TypeAlias = tuple[str | int, ...]

#: Keys that the bundled server adds to the metadata of a checkpoint of a RemoteGraph's run.
_BUNDLED_METADATA = frozenset({GIVEN_ID, GIVEN_PARENTS, "run_id", "thread_id"})
#: Keys that langgraph adds to the metadata of a task, and of a checkpoint only on some ways.
_TASK_METADATA = frozenset(
    {
        "checkpoint_id",
        "checkpoint_map",
        "checkpoint_ns",
        "langgraph_checkpoint_ns",
        "langgraph_node",
        "langgraph_path",
        "langgraph_step",
        "langgraph_triggers",
    }
)
#: A key that servers add to the metadata of all other runs.
_MARK = "langgraph_request_id"

#: Keys that servers add to the metadata of a checkpoint or message, and a local graph does not.
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


@contextmanager
def checked_shape(what: str, body: JSON) -> Iterator[None]:
    """Turn errors while reading a reply into an `APIResponseValidationError`.

    Args:
        what: A name of the reply for the message, such as "a state".
        body: The reply.

    Raises:
        APIResponseValidationError: `body` does not have the shape that the protocol defines.
    """
    try:
        yield
    except SHAPE_ERRORS as error:
        raise shape_error(what, body, error) from error


#: The errors that reading a document of an unexpected shape can raise.
SHAPE_ERRORS = (AttributeError, LookupError, TypeError, ValueError)


def shape_error(what: str, body: JSON, error: Exception) -> Exception:
    """Return the error to raise after reading a reply failed with `error`.

    A `LangGraphError` is returned as it is.
    """
    if isinstance(error, LangGraphError):
        return error
    return APIResponseValidationError(
        f"{what} from the server does not have the protocol's shape:"
        f" {type(error).__name__}: {error}",
        body=body,
    )


@dataclass(frozen=True)
class Decoder:
    """Converts the JSON values of one call."""

    address: Address
    decode_messages: bool = True
    #: Whether the server is the bundled one.
    is_bundled: bool = False
    #: Metadata keys that the caller sent: they are kept, even if servers use the same keys.
    own_metadata: frozenset[str] = frozenset()
    #: The `thread_id` in the metadata that the caller sent; None without one.
    metadata_thread: GraphValue = None
    #: The classes of which objects may be created, by name.
    allowed: Allowed = field(default_factory=dict)
    #: The checkpoints of the parent graphs. The metadata of a state have them, too.
    parents: Reply = field(default_factory=dict)

    def for_handlers(self) -> Decoder:
        """Return the decoder of what handlers get: message objects, whatever the caller gets."""
        if self.decode_messages:
            return self
        messages = {name_of(kind): kind for kind in message_classes().values()}
        return replace(self, decode_messages=True, allowed={**self.allowed, **messages})

    def open(self, value: JSON) -> GraphValue:
        """Return a value as it was on the server, from its envelope if it has one.

        Raises:
            APIResponseValidationError: The type notes of the envelope do not fit its value.
        """
        if not is_envelope(value):
            return self.value(value)
        try:
            notes = [self._with_base(note, value[PLAIN]) for note in value[TYPES]]
            # At a path with a type note, the note decides, even if the value looks like a message.
            # Messages at all other paths are created first: afterwards, a note may have replaced
            # a container on the way by an object without paths, such as a set.
            noted = frozenset(tuple(note[0]) for note in notes)
            revived = self._unnoted(value[PLAIN], (), noted)
            return restore(revived, notes, self.allowed)
        except (ValueError, TypeError, LookupError) as error:
            raise APIResponseValidationError(str(error), body=value) from error

    def _with_base(self, note: Note, flat: JSON) -> Note:
        """Return the note of a message whose class is not allowed with langchain's class instead.

        Without a note, the message would be of that class, too.
        """
        path, tag = note
        if tag[0] != "pydantic":
            return note
        for step in path:
            flat = flat[step]
        # In this order: most models are no messages, and the second question looks at all classes.
        if not looks_like_message(flat) or allowed_class(tag[1], self.allowed) is not None:
            return note
        kind = message_classes().get(flat["type"])
        return note if kind is None else [path, ["pydantic", name_of(kind), *tag[2:]]]

    def _unnoted(self, value: JSON, path: Path, noted: frozenset[Path]) -> GraphValue:
        """Create the messages at paths without a note."""
        if isinstance(value, dict):
            if self.decode_messages and path not in noted:
                message = message_from(value)
                if message is not None:
                    return message
            return {key: self._unnoted(item, (*path, key), noted) for key, item in value.items()}
        if isinstance(value, list):
            return [self._unnoted(item, (*path, at), noted) for at, item in enumerate(value)]
        return value

    def value(self, value: JSON) -> GraphValue:
        """Create the messages in a JSON value, at any depth. Other values are unchanged."""
        return revived(value) if self.decode_messages else value

    def interrupt(self, sent: Reply) -> Interrupt:
        """Return an interrupt of a state, with its value decoded."""
        found = interrupt_from(sent)
        found.value = self.open(found.value)
        return found

    def output(self, data: GraphValue) -> GraphValue:
        """Return the data of a `values` or `updates` event, with `__interrupt__` as a tuple."""
        if isinstance(data, dict) and INTERRUPT in data:
            found = tuple(interrupt_from(item) for item in data[INTERRUPT] or ())
            return {**data, INTERRUPT: found}
        return data

    def event(self, data: Reply) -> JsonObject:
        """Return langchain's event in an `events` event."""
        metadata = self.message_metadata(data.get("metadata") or {})
        return {**data, "metadata": metadata}

    def lifecycle(self, data: JSON) -> JsonObject:
        """Return an interrupt or a resumption of a graph in the form for callbacks."""
        event = dict(self.open(data))
        event["checkpoint_ns"] = tuple(event.get("checkpoint_ns") or ())
        if "interrupts" in event:
            event["interrupts"] = tuple(interrupt_from(item) for item in event["interrupts"])
        return event

    def handler_call(self, data: JSON) -> JsonObject:
        """Return a handler call from the server in the form for the caller's handlers."""
        call = dict(data)
        call["args"] = self.open(call["args"])
        call["kwargs"] = self.open(call["kwargs"])
        if call["name"].endswith("_error"):
            call["args"] = [self._told_error(error) for error in call["args"]]
        if "metadata" in call:
            call["metadata"] = self.message_metadata(call["metadata"])
        return call

    def _told_error(self, error: Reply) -> Exception:
        if "interrupts" in error:
            return pause(tuple(interrupt_from(item) for item in error["interrupts"]))
        return local_error(error) or remote_error(error, allowed=self.allowed)

    def message_metadata(self, metadata: Reply) -> JsonObject:
        """Return the metadata of a message as a local graph, or its parent graph, has it."""
        kept = self.metadata(metadata)
        thread_id = self.metadata_thread or self.address.given or self.address.task_thread
        if "thread_id" in metadata and thread_id is not None:
            kept["thread_id"] = thread_id  # A local graph has it in message metadata too.
        if self.address.namespace:
            if "langgraph_checkpoint_ns" in kept:
                kept["langgraph_checkpoint_ns"] = self.address.inside(
                    kept["langgraph_checkpoint_ns"]
                )
            kept |= self.address.task_metadata
        for key in ("langgraph_path", "langgraph_triggers"):
            if key in kept:
                kept[key] = tuples(kept[key])
        return kept

    def metadata(self, metadata: Reply) -> JsonObject:
        """Return metadata without the keys that only servers add."""
        added = _BUNDLED_METADATA if self._is_own(metadata) else SERVER_METADATA
        dropped = added.intersection(metadata) - self.own_metadata
        return {key: value for key, value in metadata.items() if key not in dropped}

    def _is_own(self, metadata: Reply) -> bool:
        """Return whether metadata is that of a RemoteGraph's call of the bundled server.

        That has hardly a key of the server, so a key such as `user_id` is the caller's.
        """
        return self.is_bundled and _MARK not in metadata

    def checkpoint_metadata(self, metadata: Reply) -> JsonObject:
        """Return metadata of a checkpoint, without what servers store about a subgraph's task."""
        is_own = self._is_own(metadata)

        def is_servers(key: str) -> bool:
            if is_own:  # Updates of other clients have no mark, but the name of their graph.
                is_update = metadata.get("source") == "update"
                return key in _TASK_METADATA or (key == "graph_id" and is_update)
            return key.startswith(("langgraph_", "checkpoint_"))

        kept = {
            key: value
            for key, value in self.metadata(metadata).items()
            if key in self.own_metadata or not is_servers(key)
        }
        if parents := self._parents(metadata):
            kept["parents"] = self.address.around(kept.get("parents") or {}, parents)
        return kept

    def _parents(self, metadata: Reply) -> Reply:
        """Return the checkpoints of the parent graphs around one checkpoint.

        A run that starts from an earlier checkpoint shows that one first, with its own parents.
        """
        return given_parents(metadata) or self.parents

    def task(self, data: Reply) -> JsonObject:
        """Return the data of a `tasks` event: the start of a task, or its result."""
        task = dict(data)
        if "input" in task:
            task["triggers"] = tuple(task.get("triggers") or ())
            if "metadata" in task:
                metadata = self.metadata(task.pop("metadata") or {})
                if metadata:
                    task["metadata"] = metadata
        if "result" in task and isinstance(error := task.get("error"), Mapping):
            task["error"] = local_error(error) or remote_error(error, allowed=self.allowed)
        return task

    def checkpoint(self, data: Reply, own: Reply) -> JsonObject:
        """Return the data of a `checkpoints` event; `own` is the `configurable` of the request."""
        payload = {
            **data,
            "tasks": [self._checkpoint_task(task) for task in data.get("tasks") or ()],
        }
        for key in ("config", "parent_config"):
            if config := data.get(key):
                sent = config["configurable"]
                # A parent that the checkpointer names, not the run, has none of the caller's keys.
                is_stored = self.is_bundled and key == "parent_config" and not own.keys() & sent
                parents = self._parents(data.get("metadata") or {})
                where = self.address.configurable(sent, parents)
                payload[key] = {"configurable": {**({} if is_stored else own), **where}}
        if metadata := data.get("metadata"):
            payload["metadata"] = self.checkpoint_metadata(metadata)
        # In debug events, servers repeat the checkpoints here.
        payload.pop("checkpoint", None)
        payload.pop("parent_checkpoint", None)
        return payload

    def _checkpoint_task(self, data: Reply) -> JsonObject:
        task = dict(data)
        if "interrupts" in task:
            task["interrupts"] = tuple(task["interrupts"] or ())
        checkpoint = task.pop("checkpoint", None)  # Debug events have it here.
        if isinstance(state := task.get("state"), Mapping):
            checkpoint = state.get("configurable")
        if checkpoint:
            task["state"] = {"configurable": self.address.configurable(checkpoint)}
        return task


def revived(value: JSON) -> GraphValue:
    """Return a JSON value with its messages as objects; the same object if it has none.

    For speed, nothing is copied before a message is found: most values have none.
    """
    if isinstance(value, dict):
        if "additional_kwargs" in value and (message := message_from(value)) is not None:
            return message
        changed: dict[str, GraphValue] | None = None
        for key, item in value.items():
            if isinstance(item, dict | list) and (new := revived(item)) is not item:
                changed = changed or {}
                changed[key] = new
        return {**value, **changed} if changed else value
    if isinstance(value, list):
        copy: list[GraphValue] | None = None
        for at, item in enumerate(value):
            if isinstance(item, dict | list) and (new := revived(item)) is not item:
                copy = copy or list(value)
                copy[at] = new
        return value if copy is None else copy
    return value
