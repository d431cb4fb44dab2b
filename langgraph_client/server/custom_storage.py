"""The user's own store and checkpointer, which replace the server's."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from langgraph_client.server.errors import StartError
from langgraph_client.server.graphs.factories import open_result
from langgraph_client.server.options import StoreOptions
from langgraph_client.server.storage.protocol import Storage

if TYPE_CHECKING:
    from langgraph.store.base import BaseStore


class CustomStorage:
    """Opens and closes the user's own store and checkpointer.

    Args:
        store: A store, a function that creates one, or `StoreOptions`; None for the server's own.
        checkpointer: A saver, or a function that creates one; None for the server's own.

    Attributes:
        store: The open store; None for the server's own.
        store_options: The settings of the server's own store; None for the defaults.
    """

    def __init__(self, store: object, checkpointer: object) -> None:
        self.store: BaseStore | None = None
        self.store_options = store if isinstance(store, StoreOptions) else None
        self._given_store = None if self.store_options else store
        self._given_saver = checkpointer
        self._open = AsyncExitStack()

    @property
    def has_checkpointer(self) -> bool:
        """Whether the user has given a checkpointer."""
        return self._given_saver is not None

    async def open(self, storage: Storage) -> Storage:
        """Open both; return a storage that uses the saver, if there is one.

        Raises:
            StartError: One cannot be opened, or has the wrong type.
        """
        if self._given_store is not None:
            from langgraph.store.base import BaseStore

            opening = _opened("store", self._given_store, BaseStore)
            self.store = await self._open.enter_async_context(opening)
        if self._given_saver is None:
            return storage
        from langgraph.checkpoint.base import BaseCheckpointSaver

        from langgraph_client.server.storage_with_saver import StorageWithSaver

        opening = _opened("checkpointer", self._given_saver, BaseCheckpointSaver)
        return StorageWithSaver(storage, await self._open.enter_async_context(opening))

    async def close(self) -> None:
        """Close both. They can be opened again."""
        self.store = None
        await self._open.aclose()


@asynccontextmanager
async def _opened(name: str, source: object, kind: type) -> AsyncGenerator[Any, None]:
    is_open = False
    try:
        created = source() if callable(source) and not isinstance(source, kind) else source
        async with open_result(created, "its factory") as opened:
            if not isinstance(opened, kind):
                raise TypeError(f"it is a {type(opened).__name__}, not a {kind.__name__}")
            is_open = True
            yield opened
    except Exception as error:
        # Of the code that uses it, or of its end: that is no failure to open it.
        if is_open:
            raise
        raise StartError(
            f"the {name} could not be opened: {type(error).__name__}: {error}"
        ) from error
