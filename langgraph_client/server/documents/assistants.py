"""The documents of assistants: create, change, delete, versions."""

from __future__ import annotations

from typing import Any

from langgraph_client.models.fields import JsonMapping, JsonObject
from langgraph_client.server.documents.filters import containment
from langgraph_client.server.errors import Conflict, Hidden, NotFound, Refused, Unreadable
from langgraph_client.server.reserved_keys import RESERVED_METADATA, without
from langgraph_client.server.runs.run_document import BOTH_CONTEXTS, assistant_id_of
from langgraph_client.server.services import Services
from langgraph_client.server.storage.protocol import Document, Storage

_IN_VERSION = (
    "assistant_id",
    "version",
    "graph_id",
    "config",
    "context",
    "metadata",
    "created_at",
    "name",
    "description",
)


async def need(services: Services, assistant_id: str, detail: str = "Not Found") -> Document:
    """Return an assistant.

    Raises:
        NotFound: The assistant does not exist; the text is `detail`.
    """
    assistant = await services.storage.assistants.get(assistant_id)
    if assistant is None:
        raise NotFound(detail)
    return assistant


async def create(services: Services, assistant_id: str, body: JsonMapping) -> Document:
    """Create an assistant and return it; return an existing one if the body allows that.

    Raises:
        Conflict: An assistant with this id exists.
        NotFound: Its graph is not hosted.
        Refused: The body has both a context and a configurable.
    """
    graph_id = services.graphs.need(body["graph_id"])
    config, context = _config_and_context(body)
    now = services.clock.stamp()
    assistant = _document(assistant_id, graph_id, now)
    assistant.update(
        config=config,
        context=context,
        metadata=without(body.get("metadata"), RESERVED_METADATA),
        name=body.get("name") or "Untitled",
        description=body.get("description"),
    )
    async with _lock(services, assistant_id):
        try:
            existing = await services.storage.assistants.get(assistant_id)
        except Hidden:
            raise Conflict(f"Assistant {assistant_id} already exists") from None
        if existing is None:
            await _store_version(services.storage, assistant, now)
            return assistant
    if body.get("if_exists") == "do_nothing":
        return existing
    raise Conflict(f"Assistant {assistant_id} already exists")


async def ensure_default(services: Services, graph_id: str, description: str | None) -> None:
    """Create the default assistant of a graph, or update that of an earlier start.

    Its name is that with which the graph was compiled, or else the id of the graph. The name of an
    earlier start is kept if the graph has none.

    Args:
        services: The server.
        graph_id: The graph.
        description: The description of the graph; None for none.
    """
    name = services.graphs.compiled_name(graph_id)
    assistant_id = assistant_id_of(graph_id)
    try:
        assistant = await services.storage.assistants.get(assistant_id)
    except Unreadable:  # It is logged. The server starts, with the graph's other assistants.
        return
    if assistant is None:
        now = services.clock.stamp()
        assistant = _document(assistant_id, graph_id, now)
        metadata = {"created_by": "system"}
        assistant.update(metadata=metadata, name=name or graph_id, description=description)
        await _store_version(services.storage, assistant, now)
        return
    given = {"name": name, "description": description}
    changed = {key: text for key, text in given.items() if text not in (None, assistant[key])}
    if changed:
        await change(services, assistant_id, changed)


def _document(assistant_id: str, graph_id: str, now: str) -> Document:
    return {
        "assistant_id": assistant_id,
        "graph_id": graph_id,
        "config": {},
        "context": {},
        "metadata": {},
        "name": "Untitled",
        "created_at": now,
        "updated_at": now,
        "version": 1,
        "description": None,
    }


def _config_and_context(body: JsonMapping) -> tuple[Document, Document]:
    """Return config and context; each is filled from the other, as on the real server."""
    config, context = dict(body.get("config") or {}), dict(body.get("context") or {})
    if context and config.get("configurable"):
        raise Refused(BOTH_CONTEXTS)
    if context:
        config["configurable"] = context
    return config, context or dict(config.get("configurable") or {})


async def change(services: Services, assistant_id: str, body: JsonMapping) -> Document:
    """Change an assistant, which creates a new version, and return it.

    Raises:
        NotFound: The assistant does not exist, or its new graph is not hosted.
        Refused: The body has both a context and a configurable.
    """
    async with _lock(services, assistant_id):
        assistant = await need(services, assistant_id, f"Assistant {assistant_id} not found")
        config, context = _config_and_context(body)
        if "graph_id" in body:
            assistant["graph_id"] = services.graphs.need(body["graph_id"])
        if config:
            assistant["config"] = config
        if context or "context" in body:  # A config without `configurable` leaves the context.
            assistant["context"] = context
        metadata = without(body.get("metadata"), RESERVED_METADATA)
        assistant["metadata"] = {**assistant["metadata"], **metadata}
        assistant.update({key: body[key] for key in ("name", "description") if key in body})
        now = services.clock.stamp()
        # Not after its own version: `set_latest` may have made an earlier one the current one.
        assistant["version"] = await _latest_number(services.storage, assistant_id) + 1
        assistant["updated_at"] = now
        await _store_version(services.storage, assistant, now)
    return assistant


async def _store_version(storage: Storage, assistant: Document, created_at: str) -> None:
    """Store an assistant, and its current content as a version."""
    version = {key: assistant[key] for key in _IN_VERSION}
    async with storage.transaction() as transaction:
        await transaction.assistants.put(assistant)
        await transaction.assistant_versions.put({**version, "created_at": created_at})


async def versions(
    services: Services,
    assistant_id: str,
    metadata: Document | None = None,
    *,
    limit: int,
    offset: int = 0,
) -> list[Document]:
    """Return some of the versions whose metadata contains this, the latest first."""
    return await services.storage.assistant_versions.search(
        where={"assistant_id": assistant_id},
        contains=containment({"metadata": metadata}) if metadata else None,
        order_by="version",
        descending=True,
        limit=limit,
        offset=offset,
    )


async def _latest_number(storage: Storage, assistant_id: str) -> int:
    """Return the greatest number of an assistant's versions."""
    (latest,) = await storage.assistant_versions.search(
        where={"assistant_id": assistant_id},
        order_by="version",
        descending=True,
        limit=1,
        fields=("assistant_id", "version"),  # Of the key alone: the version may be damaged.
    )
    return int(latest["version"])


async def set_latest(services: Services, assistant_id: str, number: int | None) -> Document:
    """Make an earlier version of an assistant the current one, and return it.

    Raises:
        NotFound: The assistant or the version does not exist.
    """
    async with _lock(services, assistant_id):
        assistant = await need(services, assistant_id, f"Assistant {assistant_id} not found")
        version = await services.storage.assistant_versions.get(assistant_id, number)
        if version is None:
            raise NotFound(f"Version {number} not found for assistant {assistant_id}")
        for key in ("version", "config", "metadata", "name", "description"):
            assistant[key] = version[key]
        assistant["updated_at"] = services.clock.stamp()
        await services.storage.assistants.put(assistant)
    return assistant


async def delete(services: Services, assistant_id: str, *, with_threads: bool) -> None:
    """Delete an assistant with its versions and crons, after its runs have been cancelled.

    Args:
        services: The server.
        assistant_id: The assistant.
        with_threads: Delete its threads, too.

    Raises:
        NotFound: There is none.
    """
    # Not by reading it: an assistant whose row is damaged must not be one that nobody can delete.
    if not await services.storage.assistants.count(where={"assistant_id": assistant_id}):
        raise NotFound(f"Assistant with ID {assistant_id} not found")
    runs = await services.engine.unfinished()
    run_ids = [run["run_id"] for run in runs if run["assistant_id"] == assistant_id]
    await services.engine.stopper.cancel(
        run_ids, "interrupt", f"assistant {assistant_id} was deleted"
    )
    if with_threads:
        wanted = {"metadata": {"assistant_id": assistant_id}}
        # Only the ids: also a thread that cannot be decrypted can be deleted.
        threads = services.storage.threads
        for thread in await threads.search(contains=wanted, fields=("thread_id",)):
            await services.engine.stopper.delete_thread(thread["thread_id"])
    async with _lock(services, assistant_id), services.storage.transaction() as transaction:
        await transaction.assistants.delete(assistant_id)
        await transaction.assistant_versions.delete_where(assistant_id=assistant_id)
        await transaction.crons.delete_where(assistant_id=assistant_id)


def filters(services: Services, body: JsonMapping) -> JsonObject:
    """Return the filters of a search for `Documents.search`."""
    search_filters: dict[str, object] = {}
    if "graph_id" in body:
        search_filters["where"] = {"graph_id": services.graphs.need(body["graph_id"])}
    if body.get("metadata"):
        search_filters["contains"] = containment({"metadata": body["metadata"]})
    if body.get("name"):
        search_filters["text"] = {"name": body["name"]}
    return search_filters


def _lock(services: Services, assistant_id: str) -> Any:
    return services.engine.locks.hold(f"assistant {assistant_id}")
