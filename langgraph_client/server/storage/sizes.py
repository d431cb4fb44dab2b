"""How much room the state of a thread takes."""

from __future__ import annotations

import sqlite3
from typing import Any

from langgraph_client.server.encoding import encode
from langgraph_client.server.graphs.script_states import ScriptStates
from langgraph_client.server.storage.protocol import Document


def thread_size(
    connection: sqlite3.Connection,
    lock: Any,
    checkpointer: Any,
    script_states: ScriptStates,
    thread_id: str,
) -> Document:
    """Return what a thread's checkpoints, their values and the tasks' writes take.

    Values lie within the checkpoints here, so their bytes are part of the checkpoints'; they are
    counted once for each version of a channel. The total is what lies on disk.
    """
    checkpoints = writes = (0, 0)
    with lock:
        if checkpointer is not None:
            checkpoints = connection.execute(
                "SELECT COUNT(*), COALESCE(SUM(LENGTH(checkpoint) + LENGTH(metadata)), 0)"
                " FROM checkpoints WHERE thread_id = ?",
                (thread_id,),
            ).fetchone()
            writes = connection.execute(
                "SELECT COUNT(*), COALESCE(SUM(LENGTH(value)), 0) FROM writes WHERE thread_id = ?",
                (thread_id,),
            ).fetchone()
        scripted = connection.execute(
            "SELECT COUNT(*), COALESCE(SUM(LENGTH(doc)), 0) FROM script_states WHERE thread_id = ?",
            (thread_id,),
        ).fetchone()
    channels = _channels(checkpointer, script_states, thread_id)
    return {
        "thread_id": thread_id,
        "total_bytes": checkpoints[1] + scripted[1] + writes[1],
        "checkpoints": {
            "count": checkpoints[0] + scripted[0],
            "bytes": checkpoints[1] + scripted[1],
        },
        "channel_values": {
            "count": sum(found["versions"] for found in channels.values()),
            "bytes": sum(found["bytes"] for found in channels.values()),
            "by_channel": channels,
        },
        "pending_writes": {"count": writes[0], "bytes": writes[1]},
    }


def _channels(
    checkpointer: Any, script_states: ScriptStates, thread_id: str
) -> dict[str, dict[str, int]]:
    """Return the number of versions of each channel, and the bytes of their values."""
    sizes: dict[str, dict[Any, int]] = {}
    for saved in script_states.history(thread_id):
        for name, value in saved.values.items():
            text = encode(value)
            sizes.setdefault(name, {})[text] = len(text)
    if checkpointer is not None:
        for saved in checkpointer.list({"configurable": {"thread_id": thread_id}}):
            namespace = saved.config["configurable"].get("checkpoint_ns", "")
            values = saved.checkpoint["channel_values"]
            for name, version in saved.checkpoint["channel_versions"].items():
                versions = sizes.setdefault(name, {})
                if (namespace, version) not in versions or name in values:
                    has = name in values
                    size = len(checkpointer.serde.dumps_typed(values[name])[1]) if has else 0
                    versions[namespace, version] = size
    return {
        name: {"versions": len(versions), "bytes": sum(versions.values())}
        for name, versions in sizes.items()
    }
