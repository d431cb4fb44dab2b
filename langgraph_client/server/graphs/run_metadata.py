"""The metadata of a run that langgraph leaves out of the metadata of checkpoints."""

from __future__ import annotations

from langgraph_client.models.fields import JsonMapping, JsonObject
from langgraph_client.server.storage.checkpoint_links import DELTA_COUNTERS
from langgraph_client.server.typed_values import TYPED_VALUES
from langgraph_client.thread_ids import GIVEN_PARENTS

_PLACE = {
    "thread_id",
    "checkpoint_id",
    "checkpoint_ns",
    "checkpoint_map",
    "langgraph_step",
    "langgraph_node",
    "langgraph_triggers",
    "langgraph_path",
    "langgraph_checkpoint_ns",
}
_OF_REQUEST = {
    "langgraph_request_id",
    "langgraph_auth_user",
    "langgraph_auth_user_id",
    "langgraph_auth_permissions",
}
_LEFT_OUT = _PLACE | _OF_REQUEST | {DELTA_COUNTERS, GIVEN_PARENTS}


def objects_and_nulls(config: JsonMapping, kwargs: JsonMapping) -> JsonObject:
    """Return the objects, lists and nulls among a run's metadata and `configurable`.

    langgraph copies texts and numbers from there into the metadata of checkpoints. As on
    langgraph-api 0.16.7, the rest is there, too, and a search of a history finds it.

    For a RemoteGraph, there is nothing to add: a local graph has texts and numbers only.

    Args:
        config: The config of the run.
        kwargs: The kwargs of the run.
    """
    if TYPED_VALUES in kwargs:
        return {}
    # The run's metadata win over its `configurable`, as in langgraph.
    given = {**config["configurable"], **config["metadata"]}
    return {
        key: value
        for key, value in given.items()
        if (value is None or type(value) in (dict, list))
        and key not in _LEFT_OUT
        and not key.startswith("__")
    }
