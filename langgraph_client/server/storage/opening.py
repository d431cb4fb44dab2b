"""Open the database for a path or URL."""

from __future__ import annotations

import os
from collections.abc import Iterable

from langgraph_client.server.clock import Clock
from langgraph_client.server.errors import StartError
from langgraph_client.server.options import StoreOptions
from langgraph_client.server.storage.protocol import Storage

SCHEMES = ("postgresql://", "postgres://")


def is_postgres(path: str | os.PathLike[str] | None) -> bool:
    """Return whether a path is the URL of a PostgreSQL database."""
    return isinstance(path, str) and path.startswith(SCHEMES)


async def open_storage(
    path: str | os.PathLike[str] | None,
    *,
    clock: Clock,
    allow_types: Iterable[type] = (),
    store: StoreOptions | None = None,
    listen_url: str | None = None,
) -> Storage:
    """Open a storage.

    Args:
        path: A SQLite file, or the URL of a PostgreSQL database; None for memory.
        clock: Gives times and ids.
        allow_types: Classes of which objects may be created from stored checkpoints.
        store: The settings of the key-value store; None for the defaults.
        listen_url: The URL for `LISTEN` of a PostgreSQL database, if `path` leads to a connection
            pooler, which does not support it.

    Raises:
        OSError: The database cannot be opened.
        StartError: A package that it needs is not installed.
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
