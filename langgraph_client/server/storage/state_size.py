"""The size of a thread's state, the same in all databases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from langgraph_client.server.encoding import decode, encode
from langgraph_client.server.storage.protocol import Document


def scripted_channels(states: Iterable[bytes]) -> dict[str, list[int]]:
    """Return, by field of a scripted graph, the bytes of each different value that it has had.

    Args:
        states: The states of a thread, as they are stored.
    """
    values: dict[str, set[bytes]] = {}
    for text in states:
        for name, value in decode(text)["values"].items():
            values.setdefault(name, set()).add(encode(value))
    return {name: [len(text) for text in texts] for name, texts in values.items()}


def size_document(
    thread_id: str,
    *,
    total: int,
    checkpoints: tuple[int, int],
    channels: Mapping[str, Sequence[int]],
    writes: tuple[int, int],
) -> Document:
    """Return the size of a thread's state in the protocol's form.

    Args:
        thread_id: The thread.
        total: All bytes.
        checkpoints: The number of checkpoints, and their bytes.
        channels: The bytes of each version of a channel, by channel.
        writes: The number of pending writes, and their bytes.
    """
    return {
        "thread_id": thread_id,
        "total_bytes": total,
        "checkpoints": {"count": checkpoints[0], "bytes": checkpoints[1]},
        "channel_values": {
            "count": sum(len(versions) for versions in channels.values()),
            "bytes": sum(sum(versions) for versions in channels.values()),
            "by_channel": {
                name: {"versions": len(versions), "bytes": sum(versions)}
                for name, versions in channels.items()
            },
        },
        "pending_writes": {"count": writes[0], "bytes": writes[1]},
    }
