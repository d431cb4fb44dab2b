"""Keys of requests that are kept for some time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from langgraph_client.server.clock import Clock
from langgraph_client.server.storage.protocol import Document, Documents

_OLD_KEYS_AT_ONCE = 5


class ExpiringDocuments:
    """Deletes expired documents, some with each new one, so that their number is bounded.

    Args:
        documents: The documents, each with its key.
        lifetime: The age at which they expire.
        clock: Gives times.
        crons: The crons. A key of a date at which a cron still stands does not expire.
    """

    def __init__(
        self, documents: Documents, lifetime: timedelta, clock: Clock, crons: Documents
    ) -> None:
        self._documents = documents
        self._lifetime = lifetime
        self._clock = clock
        self._crons = crons
        #: When the next document expires; no search is needed before.
        self._next = datetime.min.replace(tzinfo=UTC)

    async def delete_expired(self) -> None:
        """Delete some expired documents, the oldest first."""
        now = self._clock.now()
        if now <= self._next:
            return
        oldest = await self._documents.search(order_by="created_at", limit=_OLD_KEYS_AT_ONCE)
        for document in oldest:
            too_old = datetime.fromisoformat(document["created_at"]) + self._lifetime
            if now <= too_old:
                self._next = too_old
                return
            if await self._is_needed(document):  # Renewed, so that it does not hold up others.
                await self._documents.put({**document, "created_at": now.isoformat()})
            else:
                await self._documents.delete(document["key"])
        if len(oldest) < _OLD_KEYS_AT_ONCE:
            self._next = now + self._lifetime

    def is_expired(self, document: Document) -> bool:
        """Return whether a document counts for nothing any more."""
        # The key of a cron contains its date, which never comes again.
        created = datetime.fromisoformat(document["created_at"])
        return "cron_date" not in document and self._clock.now() - created > self._lifetime

    async def _is_needed(self, document: Document) -> bool:
        """Return whether a key is that of a date from which its cron has not moved on yet."""
        date = document.get("cron_date")
        if date is None:
            return False
        where = {"cron_id": document["cron_id"], "next_run_date": date}
        return await self._crons.count(where=where) > 0
