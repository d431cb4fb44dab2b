"""A key-value store that encrypts the data of another one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from langgraph.store.base import BaseStore, GetOp, Item, Op, PutOp, Result, SearchItem, SearchOp

from langgraph_client.server.encryption.blocking import Blocking
from langgraph_client.server.encryption.cipher import Cipher, Context
from langgraph_client.server.encryption.contexts import Contexts
from langgraph_client.server.encryption.turns import DatabaseTurns
from langgraph_client.server.graphs.run_scope import current_run
from langgraph_client.server.request_context import encryption_context


class EncryptedStore(BaseStore):
    """Passes encrypted values to another store. Namespaces and keys are not encrypted.

    Args:
        store: Stores the items.
        cipher: Encrypts and decrypts.
        contexts: The contexts of runs.
        turns: Keeps other tasks out of a transaction.
        blocking: Runs handlers for blocking methods.
    """

    def __init__(
        self,
        store: BaseStore,
        cipher: Cipher,
        contexts: Contexts,
        turns: DatabaseTurns,
        blocking: Blocking,
    ) -> None:
        self._store = store
        self._cipher, self._contexts = cipher, contexts
        self._turns, self._blocking = turns, blocking
        self.supports_ttl = store.supports_ttl
        self.ttl_config = store.ttl_config

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Execute operations together, blocking."""
        operations = list(ops)
        results = self._store.batch(self._blocking.run(self._kept(operations)))
        return self._blocking.run(self._shown(operations, results))

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Execute operations together."""
        operations = list(ops)
        if not self._blocking.is_on_loop():
            # A blocking node has a loop of its own (`asyncio.run`). The turns and the handlers
            # belong to the server's.
            return await asyncio.to_thread(self.batch, operations)
        kept = await self._kept(operations)
        async with self._turns.turn():
            results = await self._store.abatch(kept)
        return await self._shown(operations, results)

    async def _context(self) -> Context:
        run = current_run.get()
        if run is not None and run.run_id is not None:
            return await self._contexts.of("run", run.run_id)
        return encryption_context.get() or {}

    async def _kept(self, ops: list[Op]) -> list[Op]:
        context = await self._context()
        kept: list[Op] = []
        for op in ops:
            if isinstance(op, PutOp) and op.value is not None:
                value = await self._cipher.encrypted("store", "value", op.value, context)
                op = op._replace(value=value)
            kept.append(op)
        return kept

    async def _shown(self, ops: list[Op], results: list[Result]) -> list[Result]:
        shown: list[Result] = []
        for op, result in zip(ops, results, strict=True):
            value: Any = result
            if isinstance(op, GetOp) and value is not None:
                value = await self._item(value)
            elif isinstance(op, SearchOp):
                value = [await self._item(item) for item in value or ()]
            shown.append(value)
        return shown

    async def _item(self, item: Any) -> Any:
        value = await self._cipher.decrypted("store", "value", item.value)
        place = (item.key, item.namespace, item.created_at, item.updated_at)
        key, namespace, created_at, updated_at = place
        if isinstance(item, SearchItem):
            return SearchItem(namespace, key, value, created_at, updated_at, score=item.score)
        return Item(
            value=value,
            key=key,
            namespace=namespace,
            created_at=created_at,
            updated_at=updated_at,
        )
