"""A caller's config, read: what goes to the server, and which thread and checkpoint it addresses.

Pure: nothing here talks to a server, and nothing the caller passed is ever changed.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from langgraph_client._core.codec import encode
from langgraph_client.errors import InvalidArgumentError
from langgraph_client.remote.aliases import JSON, Config, JsonObject, MergedConfig, Reply
from langgraph_client.remote.compat import RunnableConfig, merged_callbacks
from langgraph_client.thread_ids import server_thread_id

#: Where a checkpoint's metadata keeps the checkpoints of the graphs around a remote node, by
#: namespace: as JSON text, since graphs keep flat metadata only (seen in langgraph 1.2).
GIVEN_PARENTS = "given_parents"

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

#: What a LangGraph server adds to the config of a run that it hosts: keys that only servers use,
#: and keys that mean the server's own where one of the marks is beside them.
_HOST_PREFIXES = (
    "langgraph_auth_",
    "langgraph_api_",
    "langgraph_request_",
    "__request_",
    "__after_",
)
_HOST_MARKS = ("langgraph_request_id", "langgraph_auth_user", "__request_start_time_ms__")
_HOST_KEYS = frozenset(
    {
        "assistant_id",
        "created_by",
        "graph_id",
        "langgraph_host",
        "langgraph_plan",
        "langgraph_version",
        "run_attempt",
        "run_id",
        "user_id",
    }
)


def tuples(value: JSON) -> JSON:
    """Return lists as tuples, at any depth: what is a tuple locally, such as a task's path."""
    return tuple(tuples(item) for item in value) if isinstance(value, list | tuple) else value


def merge(*configs: Config | None) -> MergedConfig:
    """Merge configs as langgraph does: the later wins, tags and callbacks add up, dicts merge.

    Keys that no config has at its top (`{"thread_id": "1"}`) mean `configurable`, as locally.
    """
    merged: MergedConfig = {"configurable": {}}
    for config in configs:
        for key, value in (config or {}).items():
            if value is None or value in ([], (), {}):
                continue
            if key not in _TOP_LEVEL:
                merged["configurable"][key] = value
            elif key == "configurable":
                merged[key] = {**merged[key], **value}
            elif key == "metadata":
                merged[key] = _merged_metadata(merged.get(key, {}), value)
            elif key == "tags":
                merged[key] = [*merged.get(key, ()), *value]
            elif key == "callbacks":
                merged[key] = merged_callbacks(merged.get(key), value)
            else:
                merged[key] = value
    return merged


def _merged_metadata(base: JsonObject, new: Reply) -> JsonObject:
    """Merge metadata; of its values only `lc_versions` is merged, not replaced."""
    merged = {**base, **new}
    known, added = base.get("lc_versions"), new.get("lc_versions")
    if isinstance(known, Mapping) and isinstance(added, Mapping):
        merged["lc_versions"] = {**known, **added}
    return merged


def with_ambient(ambient: Config | None, config: MergedConfig) -> MergedConfig:
    """Return a merged config on top of that of the node around the call, if it is made in one.

    A config that names a thread or checkpoint of its own addresses that, and takes nothing of the
    surrounding node's `configurable`. What the server that runs the surrounding node added for
    itself, such as its user's identity, is left out: it is no business of another server.
    """
    if ambient:
        if _COORDINATES & config["configurable"].keys():
            ambient = {key: value for key, value in ambient.items() if key != "configurable"}
        # A node that passes its own config on gives the same tags twice.
        inherited = ambient.get("tags") or ()
        tags = [tag for tag in config.get("tags", ()) if tag not in inherited]
        config = merge(ambient, {**config, "tags": tags})
    return without_host(config)


def without_host(config: MergedConfig) -> MergedConfig:
    """Return a merged config without what a hosting server put into it."""
    configurable = config["configurable"]
    is_hosted = any(key in configurable for key in _HOST_MARKS)
    dropped = {
        key
        for key in configurable
        if key.startswith(_HOST_PREFIXES) or (is_hosted and key in _HOST_KEYS)
    }
    metadata = config.get("metadata")
    kept = dict(config)
    if dropped:
        kept["configurable"] = {k: v for k, v in configurable.items() if k not in dropped}
    if is_hosted and metadata:
        kept["metadata"] = {
            key: value
            for key, value in metadata.items()
            if key not in _HOST_KEYS and not key.startswith(_HOST_PREFIXES)
        }
    return kept


@dataclass(frozen=True)
class Address:
    """Where on the server an invocation or a state call takes place."""

    #: The thread's id as the caller knows it; None is a stateless run.
    given: str | None = None
    #: What the server knows it as: a UUID.
    thread_id: str | None = None
    #: `checkpoint_id`, `checkpoint_ns`, `checkpoint_map`, as far as the config has them.
    checkpoint: JsonObject = field(default_factory=dict)
    #: What `thread_id` was derived from, where it is not the thread's own id.
    made_from: str | None = None
    #: Where a parent graph sees this graph; empty outside one.
    namespace: tuple[str, ...] = ()

    @classmethod
    def of(cls, config: MergedConfig) -> Address:
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
        return cls(given, thread_id, checkpoint, made_from=None if given == thread_id else given)

    def as_written(self) -> Address:
        """The same where the other side knows the thread by the id that the caller wrote."""
        if self.namespace:
            return self
        return replace(self, thread_id=self.given, made_from=None)

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
        checkpoint: Reply,
        parents: Reply | None = None,
    ) -> JsonObject:
        """A checkpoint the server named, under the caller's own thread id.

        `parents` are the checkpoints of the graphs around this one.
        """
        configurable: JsonObject = {}
        if self.given is not None:
            told = None if self.made_from is not None else checkpoint.get("thread_id")
            configurable["thread_id"] = told or self.given
        configurable["checkpoint_ns"] = self.inside(checkpoint.get("checkpoint_ns") or "")
        found = checkpoint.get("checkpoint_id")
        known = checkpoint.get("checkpoint_map")
        if found:
            configurable["checkpoint_id"] = found
            if parents:
                known = self.around(known or {"": found}, parents)
        if known is not None:
            configurable["checkpoint_map"] = known
        return configurable

    def inside(self, namespace: str) -> str:
        """A namespace of this graph, as the graph around it knows it."""
        return "|".join((*self.namespace, *([namespace] if namespace else [])))

    def around(self, known: Reply, parents: Reply) -> JsonObject:
        """Checkpoints by namespace, with those of the graphs around this one."""
        return {**parents, **{self.inside(name): found for name, found in known.items()}}

    def config(
        self,
        checkpoint: Reply | None,
        parents: Reply | None = None,
    ) -> RunnableConfig | None:
        """The same as a config, to read or go on from there; None for no checkpoint."""
        if not checkpoint:
            return None
        return {"configurable": self.configurable(checkpoint, parents)}


def given_parents(metadata: Reply | None) -> dict[str, str]:
    """The checkpoints of the graphs around the one that a checkpoint's metadata tells of."""
    told = (metadata or {}).get(GIVEN_PARENTS)
    return dict(json.loads(told)) if told else {}


def wire_config(config: MergedConfig) -> JsonObject:
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


def sendable(config: JsonObject) -> tuple[JsonObject, list[str]]:
    """A wire config without the values that cannot be JSON, and the paths of those left out."""
    left_out: list[str] = []

    def keep(value: JSON, path: str) -> JSON:
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
