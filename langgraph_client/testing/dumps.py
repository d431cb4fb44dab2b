"""All data of a server, as one readable JSON document."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta

from langgraph_client.models.fields import JSON, JsonMapping
from langgraph_client.server.documents.threads import callers_thread_id, open_graph
from langgraph_client.server.encoding import decode, encode
from langgraph_client.server.graphs.protocol import thread_config
from langgraph_client.server.graphs.state_documents import state_document
from langgraph_client.server.services import Services
from langgraph_client.testing.files import check_document, read_document, write_document

FORMAT = 1
# A time as a number, which `_ID` does not find.
_STARTED = "__request_start_time_ms__"
_STAMPS = ("created_at", "updated_at", "state_updated_at")
"""The columns with times of what was done. Those in other columns may lie ahead, as of crons."""
_MILLISECONDS = "ms"
"""The column with the times of events."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# UUIDs, ids of interrupts (32 hexadecimal digits), and times.
_ID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}\b"
    r"|\d{4}-\d\d-\d\dT[\d:.]+(?:\+00:00|Z)"
)


class Dump:
    """The result of `TestServer.dump`. Two dumps are equal if they differ only in ids and times.

    Attributes:
        document: `format`, then for the reader `threads` (each with its `states`, newest first,
            and its `runs`), `assistants`, `crons` and `store`; then `tables`, which `load` reads.
    """

    def __init__(self, document: JsonMapping) -> None:
        self.document = dict(document)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Dump:
        """Read the file of a dump.

        Args:
            path: The file.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: It is not a dump, or one of a later version.
        """
        return cls(read_document(path, kind="a dump", part="tables", format=FORMAT))

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the dump to a file. If that fails, an older file stays as it is.

        Args:
            path: The file. Its folder is created.
        """
        write_document(path, self.document)

    def named(self) -> dict[str, object]:
        """Return the readable part, with ids and times replaced by their order."""
        seen: dict[str, str] = {}

        def name(value: JSON) -> JSON:
            if isinstance(value, str):
                return _ID.sub(lambda found: seen.setdefault(found[0], f"#{len(seen)}"), value)
            if isinstance(value, dict):
                return {name(key): name(item) for key, item in value.items() if key != _STARTED}
            return [name(item) for item in value] if isinstance(value, list) else value

        shown = {key: value for key, value in self.document.items() if key != "tables"}
        return {key: name(value) for key, value in shown.items()}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dump) and self.named() == other.named()

    def __repr__(self) -> str:
        return f"<Dump of {len(self.document['threads'])} threads>"


async def dump_of(services: Services) -> Dump:
    """Return a dump of a server's services."""
    # A run in progress would be neither in its thread's state nor among the finished runs.
    if services.engine.jobs:
        raise ValueError(f"runs are pending or running: {sorted(services.engine.jobs)}")
    storage = services.storage
    threads = []
    for thread in await storage.threads.search(order_by="created_at"):
        thread_id = thread["thread_id"]
        states = []
        graph_id = str((thread["metadata"] or {}).get("graph_id"))
        if graph_id in services.graphs:
            config = thread_config(callers_thread_id(thread))
            async with open_graph(services, thread, graph_id, config) as graph:
                async for state in graph.aget_state_history(config):
                    states.append(state_document(state))
        runs = await storage.runs.search(where={"thread_id": thread_id}, order_by="created_at")
        threads.append({**thread, "states": states, "runs": runs})
    store = []
    if services.store is not None:
        store = [
            {"namespace": list(item.namespace), "key": item.key, "value": item.value}
            for item in await services.store.asearch((), limit=1_000_000)
        ]
    shown = {
        "format": FORMAT,
        "threads": threads,
        "assistants": await storage.assistants.search(order_by="created_at"),
        "crons": await storage.crons.search(order_by="created_at"),
        "store": store,
        "tables": await storage.export(),
    }
    # As plain JSON, so that a dump in memory equals the same dump read from its file.
    return Dump(decode(encode(shown)))


def newest_time(dump: Dump) -> datetime | None:
    """Return the newest time at which something in a dump was made or changed; None if empty.

    Raises:
        ValueError: It is not a dump, or one of a later version.
    """
    document = dump.document
    check_document(document, "the dump", kind="a dump", part="tables", format=FORMAT)
    times: list[datetime] = []
    try:
        for name, table in document["tables"].items():
            if name == "runs":  # `created_at` may lie ahead: `after_seconds`. Threads are as new.
                continue
            for number, column in enumerate(table["columns"]):
                values = [row[number] for row in table["rows"] if row[number] is not None]
                if column in _STAMPS:
                    times += map(datetime.fromisoformat, values)
                elif column == _MILLISECONDS:
                    times += [_EPOCH + timedelta(milliseconds=value) for value in values]
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"the dump is not a dump: its tables cannot be read ({error!r})"
        ) from error
    return max(times, default=None)


async def load(services: Services, dump: Dump) -> None:
    """Fill a server's empty services with the data of a dump."""
    await services.storage.restore(dump.document["tables"])
    if services.store is not None:
        # The tables have no items of a store that the test had brought.
        for item in dump.document["store"]:
            namespace = tuple(item["namespace"])
            if await services.store.aget(namespace, item["key"]) is None:
                await services.store.aput(namespace, item["key"], item["value"])
    # The loaded crons and times to live may be due before those that both sleep for.
    services.scheduler.wake()
    services.thread_ttl.wake()
