"""Which database a path or URL names."""

from __future__ import annotations

import os
from collections.abc import Iterable

from langgraph_client.server.clock import Clock
from langgraph_client.server.errors import StartError
from langgraph_client.server.options import StoreOptions
from langgraph_client.server.storage.protocol import Storage

SCHEMES = ("postgresql://", "postgres://")


def is_postgres(path: str | os.PathLike[str] | None) -> bool:
    """Whether a path is the URL of a PostgreSQL database."""
    return isinstance(path, str) and path.startswith(SCHEMES)


async def open_storage(
    path: str | os.PathLike[str] | None,
    *,
    clock: Clock,
    allow_types: Iterable[type] = (),
    store: StoreOptions | None = None,
    listen_url: str | None = None,
) -> Storage:
    """Open what keeps everything.

    Args:
        path: A SQLite file, or the URL of a PostgreSQL database; None for memory.
        clock: Time.
        allow_types: Classes that may be made out of stored checkpoints.
        store: How the key-value store works.
        listen_url: Where a PostgreSQL database sends its messages, if `path` leads to a pooler.

    Raises:
        OSError: It cannot be opened.
        StartError: What it needs is not installed.
    """
    if not is_postgres(path):
        from langgraph_client.server.storage.sqlite.storage import SqliteStorage

        return SqliteStorage(path, clock=clock, allow_types=allow_types, store=store)
    try:
        from langgraph_client.server.storage.postgres.storage import open_postgres
    except ImportError as error:
        raise StartError(
            "PostgreSQL needs an extra: pip install 'langgraph-client[postgres,server]'"
        ) from error
    return await open_postgres(
        str(path), clock=clock, allow_types=allow_types, store=store, listen_url=listen_url
    )
