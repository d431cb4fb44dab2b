"""Choose the encryption context for data that is written outside of its request."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping

from langgraph_client.server.encryption.cipher import MARK, Context
from langgraph_client.server.encryption.fields import FIELDS
from langgraph_client.server.request_context import encryption_context
from langgraph_client.server.storage.protocol import UNFINISHED, Document

KEYS = {"assistant": "assistant_id", "thread": "thread_id", "run": "run_id", "cron": "cron_id"}
"""The field with the id of a document, by kind of document."""
_KEPT = 10_000
_Reader = Callable[[object], Awaitable[Document | None]]


class Contexts:
    """The contexts of stored documents.

    A run is executed after its request has ended. Its data is encrypted with the context of the
    request that created the run. If the server changes a document by itself, it uses the context
    that the document has.

    Args:
        read: For each kind of document, a function that returns one in its stored form.
    """

    def __init__(self, read: Mapping[str, _Reader]) -> None:
        self._read = read
        self._known: OrderedDict[tuple[str, str], Context] = OrderedDict()
        # The contexts of runs that are not over: their writes must not wait for a query.
        self._unfinished: dict[str, Context] = {}

    def note(self, kind: str, document: Document) -> None:
        """Remember the context of a stored document."""
        key, context = document.get(KEYS[kind]), stored_context(kind, document)
        if kind == "run" and document.get("status") in UNFINISHED:
            self._unfinished[str(key)] = context or {}
            return
        if kind == "run":
            self._unfinished.pop(str(key), None)
        if key is not None and context is not None:
            self._known[kind, str(key)] = context
            self._known.move_to_end((kind, str(key)))
            # Bounded, because there may be any number of threads. A missing context is read again.
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)

    def forget_run(self, run_id: str) -> None:
        """Note that a run is deleted."""
        self._unfinished.pop(run_id, None)

    async def of(self, kind: str, key: object) -> Context:
        """Return the context of a document; an empty one if it has none."""
        if kind == "run" and (present := self._unfinished.get(str(key))) is not None:
            return present
        if (known := self._known.get((kind, str(key)))) is not None:
            return known
        document = await self._read[kind](key)
        if document is not None:
            self.note(kind, document)
            return stored_context(kind, document) or {}
        return {}

    async def for_writing(self, kind: str, key: object) -> Context:
        """Return the context to encrypt a document with.

        A run keeps the context that it was created with; other documents get that of the request.
        """
        present = encryption_context.get()
        if kind == "run" or present is None:
            stored = await self.of(kind, key)
            return stored or present or {}
        return present


def stored_context(kind: str, document: Mapping[str, object]) -> Context | None:
    """Return the context in a stored document; None if nothing in it is encrypted."""
    for field in FIELDS[kind]:
        value = document.get(field)
        if isinstance(value, dict) and isinstance(value.get(MARK), dict):
            context: Context = value[MARK]
            return context
    return None
