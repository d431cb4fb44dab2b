"""Read a caller's config: the part for the server, and the thread and checkpoint that it names.

No I/O here. The caller's config is never changed.
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
from langgraph_client.thread_ids import GIVEN_PARENTS, server_thread_id

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

#: Keys that a LangGraph server adds to the config of a run that it hosts. Some prefixes are used by
#: servers only. Other keys (`_HOST_KEYS`) are a server's only if one of `_HOST_MARKS` is present.
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
    """Convert lists to tuples, at any depth, for values that are tuples in a local graph."""
    return tuple(tuples(item) for item in value) if isinstance(value, list | tuple) else value


def merge(*configs: Config | None) -> MergedConfig:
    """Merge configs as langgraph does.

    Later values replace earlier ones; tags and callbacks are added; `metadata` and `configurable`
    are merged by key. A key that is not one of a config (`{"thread_id": "1"}`) is put into
    `configurable`, as in a local graph.

    Raises:
        InvalidArgumentError: A config, or its `configurable` or `metadata`, is not a mapping.
    """
    merged: MergedConfig = {"configurable": {}}
    for config in configs:
        _check_mapping("config", config)
        for key, value in (config or {}).items():
            if key not in _TOP_LEVEL or _is_empty(value):
                continue
            if key == "configurable":
                _check_mapping("config.configurable", value)
                merged[key] = {**merged[key], **value}
            elif key == "metadata":
                _check_mapping("config.metadata", value)
                merged[key] = _merged_metadata(merged.get(key, {}), value)
            elif key == "tags":
                merged[key] = [*merged.get(key, ()), *value]
            elif key == "callbacks":
                merged[key] = merged_callbacks(merged.get(key), value)
            else:
                merged[key] = value
        # Last: in the same config, a key itself wins over the one in `configurable`.
        flat = {k: v for k, v in (config or {}).items() if k not in _TOP_LEVEL and not _is_empty(v)}
        merged["configurable"] = {**merged["configurable"], **flat}
    return merged


def merged_defaults(*configs: Config | None) -> MergedConfig:
    """Merge configs for later calls. A key that is not one of a config stays beside `configurable`.

    Only there a thread id takes a call out of the node in which it is made; see `with_ambient`.
    """
    merged = merge(*configs)
    flat = {k: v for config in configs for k, v in (config or {}).items() if k not in _TOP_LEVEL}
    nested = [{k: v for k, v in (config or {}).items() if k in _TOP_LEVEL} for config in configs]
    return {**merged, "configurable": merge(*nested)["configurable"], **flat}


def _is_empty(value: JSON) -> bool:
    """Return whether a value does not replace an earlier one."""
    return value is None or value in ([], (), {})


def _check_mapping(parameter: str, value: object) -> None:
    if value is None or isinstance(value, Mapping):
        return
    problem = f"must be a mapping, not {type(value).__name__}"
    if isinstance(value, str):
        problem += f'; to name a thread, pass {{"configurable": {{"thread_id": {value!r}}}}}'
    raise InvalidArgumentError(parameter, problem)


def _merged_metadata(base: JsonObject, new: Reply) -> JsonObject:
    """Merge metadata by key. Among the values, only `lc_versions` is merged and not replaced."""
    merged = {**base, **new}
    known, added = base.get("lc_versions"), new.get("lc_versions")
    if isinstance(known, Mapping) and isinstance(added, Mapping):
        merged["lc_versions"] = {**known, **added}
    return merged


def with_ambient(ambient: Config | None, *configs: Config | None) -> MergedConfig:
    """Merge configs onto that of the node in which the call is made, if there is one.

    If the `configurable` of a config names a thread or checkpoint, the surrounding node's
    `configurable` is ignored. As in a local graph (seen in langgraph 1.2), None names nothing, and
    `{"thread_id": "1"}` without `configurable` does not take the call out of the node.
    Keys that the server of the surrounding node added, such as its user's identity, are removed:
    another server must not get them. Other values that the caller passes for them are kept.

    Args:
        ambient: The config of the surrounding node; None outside a node.
        configs: The configs of the graph and of the call.
    """
    config = merge(*configs)
    host = ambient if _is_hosted(ambient) else None
    if ambient:
        if any(map(_names_a_place, configs)):
            ambient = {key: value for key, value in ambient.items() if key != "configurable"}
        # If a node passes its own config to the call, `ambient` and `config` have the same tags.
        inherited = ambient.get("tags") or ()
        tags = [tag for tag in config.get("tags", ()) if tag not in inherited]
        config = merge(ambient, {**config, "tags": tags})
    return _without_host(config, host)


def _names_a_place(config: Config | None) -> bool:
    """Return whether the `configurable` of a config names a thread or a checkpoint."""
    configurable = (config or {}).get("configurable") or {}
    return any(not _is_empty(configurable.get(key)) for key in _COORDINATES)


def inherited(around: Config, config: MergedConfig, sent: JsonObject) -> JsonObject:
    """Say what a sent config has from the surrounding node only, as in `values.PARENT`.

    Args:
        around: The config of the surrounding node; empty outside a node.
        config: The merged config of the call itself.
        sent: The config that is sent.
    """
    sections: JsonObject = {
        section: [
            key
            for key in around.get(section) or ()
            if key in sent.get(section, ()) and key not in config.get(section, ())
        ]
        for section in ("metadata", "configurable")
    }
    options = [
        name
        for name in ("recursion_limit", "max_concurrency")
        if around.get(name) and name not in config
    ]
    tags = [tag for tag in around.get("tags") or () if tag in sent.get("tags", ())]
    found = {"tags": tags, "options": options, **sections}
    return {name: items for name, items in found.items() if items}


def _without_host(config: MergedConfig, host: Config | None) -> MergedConfig:
    """Return a merged config without the keys that a hosting server added.

    Args:
        config: The merged config.
        host: The config of the surrounding node, if a server hosts it. A user may have a key such
            as `user_id` too: a value that is not the one in `host` is kept. None removes all.
    """
    is_hosted = host is not None or _is_hosted(config)

    def is_hosts(section: str, key: str, value: JSON) -> bool:
        if key.startswith(_HOST_PREFIXES):
            return True
        if not is_hosted or key not in _HOST_KEYS:
            return False
        return host is None or (key, value) in (host.get(section) or {}).items()

    kept = dict(config)
    for section in ("configurable", "metadata") if is_hosted else ("configurable",):
        if section in config:
            items = config[section].items()
            kept[section] = {k: v for k, v in items if not is_hosts(section, k, v)}
    return kept


def _is_hosted(config: Config | None) -> bool:
    """Return whether a server that hosts the surrounding node added keys to a config."""
    configurable = (config or {}).get("configurable") or {}
    return any(mark in configurable for mark in _HOST_MARKS)


@dataclass(frozen=True)
class Address:
    """The thread, checkpoint and namespace of a run or a state call."""

    #: The thread's id as the caller wrote it; None for a stateless run.
    given: str | None = None
    #: The thread's id on the server, a UUID.
    thread_id: str | None = None
    #: `checkpoint_id`, `checkpoint_ns` and `checkpoint_map` of the config, if it has them.
    checkpoint: JsonObject = field(default_factory=dict)
    #: The text from which `thread_id` was derived; None if the caller's id was used as it is.
    derived_from: str | None = None
    #: The namespace of this graph in its parent graph; empty without a parent.
    namespace: tuple[str, ...] = ()
    #: What metadata of messages has of the outermost task around this graph: `checkpoint_ns` and
    #: `thread_id`, and `checkpoint_id` if the call of the parent graph names one; empty without a
    #: parent.
    task_metadata: JsonObject = field(default_factory=dict)
    #: The parent graph's thread, which nodes see even if the run has none of its own.
    task_thread: str | None = None

    @classmethod
    def of(cls, config: MergedConfig) -> Address:
        """Read the address from a merged config.

        Raises:
            InvalidArgumentError: `thread_id` is not a non-empty string, a UUID or an integer, or it
                has a lone surrogate.
        """
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
        try:
            thread_id = server_thread_id(given)
        except UnicodeEncodeError as error:
            raise InvalidArgumentError(
                "config.configurable.thread_id",
                f"must be text that can be sent, without lone surrogates, not {given!r}",
            ) from error
        return cls(given, thread_id, checkpoint, derived_from=None if given == thread_id else given)

    def as_written(self) -> Address:
        """Return this address with the caller's own thread id, for mocks of a client."""
        # The caller has not written the id of a node's own thread: it is derived from the parent's.
        if self.namespace:
            return self
        return replace(self, thread_id=self.given, derived_from=None)

    def require_thread(self, method: str) -> str:
        """Return the thread's id on the server.

        Raises:
            InvalidArgumentError: The config has no thread.
        """
        if self.thread_id is None:
            raise InvalidArgumentError(
                "config.configurable.thread_id",
                f"is missing: {method}() needs a thread. Pass "
                '{"configurable": {"thread_id": ...}}, here and to invoke() or stream(); '
                "without a thread, a run keeps no state",
            )
        return self.thread_id

    def configurable(
        self,
        checkpoint: Reply,
        parents: Reply | None = None,
    ) -> JsonObject:
        """Return the `configurable` of a checkpoint from the server, with the caller's thread id.

        Args:
            checkpoint: The checkpoint as the server sent it.
            parents: The checkpoints of the parent graphs, by namespace.
        """
        configurable: JsonObject = {}
        if self.given is not None:
            thread_id = None if self.derived_from is not None else checkpoint.get("thread_id")
            configurable["thread_id"] = thread_id or self.given
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
        """Return a namespace of this graph as a namespace of its parent graph."""
        return "|".join((*self.namespace, *([namespace] if namespace else [])))

    def around(self, known: Reply, parents: Reply) -> JsonObject:
        """Return this graph's checkpoints by namespace, together with those of its parents."""
        return {**parents, **{self.inside(name): found for name, found in known.items()}}

    def config(
        self,
        checkpoint: Reply | None,
        parents: Reply | None = None,
    ) -> RunnableConfig | None:
        """Return the config of a checkpoint from the server; None without a checkpoint."""
        if not checkpoint:
            return None
        return {"configurable": self.configurable(checkpoint, parents)}


def given_parents(metadata: Reply | None) -> dict[str, str]:
    """Return the checkpoints of the parent graphs, by namespace, from a checkpoint's metadata.

    Any client can write metadata, so the result is empty if they are not the JSON text of an
    object. Values other than texts are left out.
    """
    text = (metadata or {}).get(GIVEN_PARENTS)
    try:
        parents = json.loads(text) if isinstance(text, str) else {}
    except (ValueError, RecursionError):
        return {}
    if not isinstance(parents, dict):
        return {}
    return {name: found for name, found in parents.items() if isinstance(found, str)}


def wire_config(config: MergedConfig) -> JsonObject:
    """Return the part of a merged config that is sent as a run's `config`.

    Not sent are: thread and checkpoint (see `Address`), a parent graph's internal values
    (`__pregel_*`), and `callbacks`, which exist in this process only.
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


def state_config(config: MergedConfig) -> JsonObject:
    """Return the part of a merged config that an update of a state is sent with.

    Values that cannot be JSON are left out: they are no metadata of a checkpoint.
    """
    sent, _ = sendable(wire_config(config))
    return {name: sent[name] for name in ("configurable", "metadata") if sent.get(name)}


def sendable(config: JsonObject) -> tuple[JsonObject, list[str]]:
    """Return a config without values that cannot be JSON, and the paths of the removed values."""
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
