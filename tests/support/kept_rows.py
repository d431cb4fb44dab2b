"""Count what the storage of a server keeps of a thread."""

from __future__ import annotations

import asyncio

from langgraph_client.server.server import Server


def rows_of_thread(server: Server, thread_id: str) -> dict[str, int]:
    """Return how many rows of a thread each table has; tables without any are left out.

    It reads an export, so it sees every table, a new one too.

    Args:
        server: A server that runs.
        thread_id: The thread.
    """
    export = server.services.storage.export()
    tables = asyncio.run_coroutine_threadsafe(export, server.loop).result(60)
    found = {}
    for name, table in tables.items():
        if "thread_id" in table["columns"]:
            place = table["columns"].index("thread_id")
            count = sum(row[place] == thread_id for row in table["rows"])
            if count:
                found[name] = count
    return found
