"""A caller's config, read: what goes to the server, and which thread and checkpoint it addresses.

Pure: nothing here talks to a server, and nothing the caller passed is ever changed.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from langgraph_client._core.codec import encode
from langgraph_client.errors import InvalidArgumentError
from langgraph_client.models.threads import Checkpoint
from langgraph_client.remote.seam import RunnableConfig

#: Namespace of the UUIDv5 that stands for a thread id that is not a UUID itself:
#: `uuid5(THREAD_NAMESPACE, thread_id)`. Fixed for ever: threads on servers depend on it.
THREAD_NAMESPACE = uuid.UUID("8d2f6a5e-1c0b-5f43-9a56-0f0f5f1d2b7c")

#: Where a thread's metadata keeps the id that the caller gave (servers drop `thread_id` there).
GIVEN_ID = "given_thread_id"

#: Where a checkpoint's metadata keeps the checkpoints of the graphs around a remote node, by
#: namespace: as JSON text, since graphs keep flat metadata only (seen in langgraph 1.2).
GIVEN_PARENTS = "given_parents"

_UUID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
_TOP_LEVEL = frozenset(
    {
        "tags",
        "metadata",
        "callbacks",
        "run_name",
        "max_concurrency",
        "recursion_limit",
        "configurable",
        "run_id",
    }
)
_COORDINATES = frozenset({"thread_id", "checkpoint_id", "checkpoint_ns", "checkpoint_map"})


def tuples(value: Any) -> Any:
    """Lists made tuples, at any depth: what is a tuple locally, such as a task's path."""
    return tuple(tuples(item) for item in value) if isinstance(value, list | tuple) else value


def merge(*configs: Mapping[str, Any] | None) -> dict[str, Any]:
    """Merge configs as a local graph does: the later wins, tags add up, dicts merge.

    Keys that no config has at its top (`{"thread_id": "1"}`) mean `configurable`, as locally.
    """
    merged: dict[str, Any] = {"configurable": {}}
    for config in configs:
        for key, value in (config or {}).items():
            if value is None:
                continue
            if key not in _TOP_LEVEL:
                merged["configurable"][key] = value
            elif key == "configurable":
                merged[key] = {**merged[key], **value}
            elif key == "metadata":
                merged[key] = {**merged.get(key, {}), **value}
            elif key == "tags":
                merged[key] = sorted({*merged.get(key, ()), *value})
            elif key == "callbacks" and isinstance(merged.get(key), list):
                merged[key] = [*merged[key], *value] if isinstance(value, list) else value
            else:
                merged[key] = value
    return merged


def with_ambient(ambient: Mapping[str, Any] | None, config: dict[str, Any]) -> dict[str, Any]:
    """A merged config on top of that of the node around the call, if the call is made in one.

    A config that names a thread or checkpoint of its own addresses that, and takes nothing of the
    surrounding node's `configurable`.
    """
    if not ambient:
        return config
    if _COORDINATES & config["configurable"].keys():
        ambient = {key: value for key, value in ambient.items() if key != "configurable"}
    return merge(ambient, config)


@dataclass(frozen=True)
class Address:
    """Where on the server an invocation or a state call takes place."""

    #: The thread's id as the caller knows it; None is a stateless run.
    given: str | None = None
    #: What the server knows it as: a UUID.
    thread_id: str | None = None
    #: `checkpoint_id`, `checkpoint_ns`, `checkpoint_map`, as far as the config has them.
    checkpoint: dict[str, Any] = field(default_factory=dict)
    #: What `thread_id` was derived from, where it is not the thread's own id.
    made_from: str | None = None
    #: Where a parent graph sees this graph; empty outside one.
    namespace: tuple[str, ...] = ()

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Address:
        """Read the address out of a merged config."""
        configurable = config["configurable"]
        checkpoint = {
            key: configurable[key]
            for key in ("checkpoint_id", "checkpoint_ns", "checkpoint_map")
            if configurable.get(key)
        }
        given = configurable.get("thread_id")
        if given is None:
            return cls(checkpoint=checkpoint)
        if isinstance(given, uuid.UUID | int) and not isinstance(given, bool):
            given = str(given)
        if not isinstance(given, str) or not given:
            raise InvalidArgumentError(
                "config.configurable.thread_id",
                f"must be a non-empty string, a UUID or an integer, not {given!r}",
            )
        thread_id = server_thread_id(given)
        is_own = _UUID.fullmatch(given) is not None
        return cls(given, thread_id, checkpoint, made_from=None if is_own else given)

    def require_thread(self, method: str) -> str:
        """The thread's id on the server; raises where the config names no thread."""
        if self.thread_id is None:
            raise InvalidArgumentError(
                "config.configurable.thread_id",
                f"is missing: {method}() needs a thread. Pass "
                '{"configurable": {"thread_id": ...}}, here and to invoke() or stream(); '
                "without one a run keeps nothing",
            )
        return self.thread_id

    def configurable(
        self,
        checkpoint: Checkpoint | Mapping[str, Any],
        parents: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """A checkpoint the server named, under the caller's own thread id.

        `parents` are the checkpoints of the graphs around this one.
        """
        configurable: dict[str, Any] = {
            "thread_id": self.given,
            "checkpoint_ns": self.inside(checkpoint.get("checkpoint_ns") or ""),
        }
        found = checkpoint.get("checkpoint_id")
        known = checkpoint.get("checkpoint_map")
        if found:
            configurable["checkpoint_id"] = found
            if parents:
                known = self.around(known or {"": found}, parents)
        if known:
            configurable["checkpoint_map"] = known
        return configurable

    def inside(self, namespace: str) -> str:
        """A namespace of this graph, as the graph around it knows it."""
        return "|".join((*self.namespace, *([namespace] if namespace else [])))

    def around(self, known: Mapping[str, Any], parents: Mapping[str, Any]) -> dict[str, Any]:
        """Checkpoints by namespace, with those of the graphs around this one."""
        return {**parents, **{self.inside(name): found for name, found in known.items()}}

    def config(
        self,
        checkpoint: Checkpoint | Mapping[str, Any] | None,
        parents: Mapping[str, Any] | None = None,
    ) -> RunnableConfig | None:
        """The same as a config, to read or go on from there; None for no checkpoint."""
        if checkpoint is None:
            return None
        return {"configurable": self.configurable(checkpoint, parents)}


def given_parents(metadata: Mapping[str, Any] | None) -> dict[str, str]:
    """The checkpoints of the graphs around the one that a checkpoint's metadata tells of."""
    told = (metadata or {}).get(GIVEN_PARENTS)
    return dict(json.loads(told)) if told else {}


def server_thread_id(given: str) -> str:
    """The UUID under which a server knows a caller's thread id.

    A UUID (any case, with or without dashes) is itself, in lower case with dashes. Any other text
    is `uuid5(THREAD_NAMESPACE, text)`: the same in every process, for ever.
    """
    if _UUID.fullmatch(given):
        return str(uuid.UUID(given))
    return str(uuid.uuid5(THREAD_NAMESPACE, given))


def wire_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """What of a merged config goes to the server as a run's `config`.

    Left out: where the run takes place (that is the address), the parent graph's own bookkeeping
    (`__pregel_*`), and what lives in this process only (`callbacks`).
    """
    sent = {
        key: value
        for key, value in config.items()
        if key not in ("configurable", "callbacks") and value not in ([], {})
    }
    configurable = {
        key: value
        for key, value in config["configurable"].items()
        if key not in _COORDINATES and not key.startswith("__pregel_")
    }
    if configurable:
        sent["configurable"] = configurable
    return sent


def sendable(config: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """A wire config without the values that cannot be JSON, and the paths of those left out."""
    left_out: list[str] = []

    def keep(value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            return value
        kept = {}
        for key, item in value.items():
            here = f"{path}.{key}"
            item = keep(item, here)
            try:
                encode(item)
            except InvalidArgumentError:
                left_out.append(here)
            else:
                kept[key] = item
        return kept

    return keep(config, "config"), left_out
