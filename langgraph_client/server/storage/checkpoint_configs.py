"""The config and the metadata of a stored checkpoint, the same in all databases."""

from __future__ import annotations

import json
import math
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    EXCLUDED_METADATA_KEYS,
    CheckpointMetadata,
    get_checkpoint_metadata,
)

from langgraph_client.models.fields import JsonObject


def ids_in(config: RunnableConfig) -> JsonObject:
    """Return the ids in a config; langgraph gives each one that reaches a saver a thread."""
    return config.get("configurable") or {}


def config_of(thread_id: str, namespace: str, checkpoint_id: str) -> RunnableConfig:
    """Return the config of a checkpoint."""
    ids = {"thread_id": thread_id, "checkpoint_ns": namespace, "checkpoint_id": checkpoint_id}
    return {"configurable": ids}


def full_metadata(config: RunnableConfig, metadata: CheckpointMetadata) -> JsonObject:
    """Return the metadata to store, with the keys of the config that the protocol shows.

    Args:
        config: The config of the write.
        metadata: The metadata that langgraph passes to the saver.
    """
    # langgraph leaves two things out of a checkpoint's metadata that the protocol shows: the
    # checkpoint at which its run began, and the task of the parent graph.
    config_metadata: dict[str, Any] = config.get("metadata") or {}
    excluded = {
        key: config_metadata[key] for key in EXCLUDED_METADATA_KEYS if config_metadata.get(key)
    }
    ids = ids_in(config)
    if ids.get("checkpoint_ns") and ids.get("checkpoint_map"):
        excluded["checkpoint_map"] = ids["checkpoint_map"]
    all_metadata: Any = {**excluded, **metadata}
    return dict(get_checkpoint_metadata(config, all_metadata))


def metadata_json(metadata: JsonObject) -> str:
    """Return metadata as JSON, with null for numbers that JSON does not have.

    The databases refuse the words by which Python writes them.
    """
    try:
        return json.dumps(metadata, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(metadata))


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
