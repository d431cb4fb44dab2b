"""Compute the embeddings of a store's items before the store is locked."""

from __future__ import annotations

import asyncio
import inspect
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from langchain_core.embeddings import Embeddings
from langgraph.store.base import (
    Op,
    PutOp,
    SearchOp,
    ensure_embeddings,
    get_text_at_path,
    tokenize_path,
)

from langgraph_client.server.errors import StartError
from langgraph_client.server.options import StoreIndex


class EmbeddingError(ValueError):
    """The result of an embeddings function is not valid."""


def embeddings_of(index: StoreIndex) -> Embeddings:
    """Return the embeddings function of an index.

    Raises:
        StartError: The model does not exist, or its package is not installed.
    """
    try:
        return ensure_embeddings(index.embed)
    except (
        Exception
    ) as error:  # Providers' packages raise errors of any class, as for a missing key.
        raise StartError(
            f"the embeddings {index.embed!r} of the store cannot be loaded:"
            f" {type(error).__name__}: {error}"
        ) from error


class PreparedEmbeddings(Embeddings):
    """Embeddings that were computed before, and are only looked up here.

    langgraph's stores compute embeddings while they hold their lock and, if the event loop calls
    them, on the loop. A model behind a network would then block every other request. So `compute`
    and `acompute` get the embeddings first, and within `prepared` the store finds them here.

    Args:
        index: The embeddings function, and the fields to embed.

    Raises:
        StartError: The model does not exist, or its package is not installed.
    """

    def __init__(self, index: StoreIndex) -> None:
        self._inner = embeddings_of(index)
        self._is_async = inspect.iscoroutinefunction(index.embed)
        self._dims = index.dims
        self._fields = index.fields
        self._ready: ContextVar[dict[str, list[float]] | None] = ContextVar("ready", default=None)

    def texts(self, operations: Iterable[Op]) -> list[str]:
        """Return the texts whose embeddings the operations need, each once."""
        texts: dict[str, None] = {}
        for operation in operations:
            if isinstance(operation, SearchOp) and operation.query:
                texts[operation.query] = None
            elif isinstance(operation, PutOp) and operation.value is not None:
                fields: Sequence[str] = ()
                if operation.index is not False:
                    fields = self._fields if operation.index is None else operation.index
                for field in fields:
                    path: Any = field if field == "$" else tokenize_path(field)
                    texts.update(dict.fromkeys(get_text_at_path(operation.value, path)))
        return list(texts)

    @contextmanager
    def prepared(self, texts: Sequence[str], vectors: Sequence[Sequence[float]]) -> Iterator[None]:
        """Make the embeddings of these texts available to the store within this context.

        Raises:
            EmbeddingError: Their number or their length is wrong, or a value is not a number.
        """
        if len(vectors) != len(texts):
            raise EmbeddingError(
                f"the embeddings function returned {len(vectors)} embeddings for {len(texts)} texts"
            )
        for vector in vectors:
            if len(vector) != self._dims:
                raise EmbeddingError(
                    f"an embedding has {len(vector)} numbers, and the index has {self._dims} (dims)"
                )
            if not all(map(math.isfinite, vector)):
                raise EmbeddingError("an embedding contains a value that is not a finite number")
        ready = {text: list(vector) for text, vector in zip(texts, vectors, strict=True)}
        token = self._ready.set(ready)
        try:
            yield
        finally:
            self._ready.reset(token)

    def compute(self, texts: list[str]) -> list[list[float]]:
        """Compute embeddings in a thread without an event loop, or with a blocking function.

        Raises:
            RuntimeError: The function is async, and this thread has a running event loop.
        """
        if not texts:
            return []
        if not self._is_async:
            return self._inner.embed_documents(texts)
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(self._inner.aembed_documents(texts))
        raise RuntimeError(
            "the store's embeddings function is async: call the store's async methods here"
        )

    async def acompute(self, texts: list[str]) -> list[list[float]]:
        """Compute embeddings without blocking the event loop."""
        return await self._inner.aembed_documents(texts) if texts else []

    # For the store.

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return the embeddings that were prepared."""
        ready = self._ready.get() or {}
        return [ready[text] for text in texts]

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return the embeddings that were prepared."""
        return self.embed_documents(texts)

    def embed_query(self, text: str) -> list[float]:
        """Return the embedding that was prepared."""
        return self.embed_documents([text])[0]
