"""Embeddings of what a store is given, computed before the store is locked."""

from __future__ import annotations

import asyncio
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
    """What computes the embeddings gave what is none."""


def embeddings_of(index: StoreIndex) -> Embeddings:
    """Return what computes the embeddings of an index.

    Raises:
        StartError: There is no such model, or no package for it.
    """
    try:
        return ensure_embeddings(index.embed)
    except Exception as error:  # whatever the provider's package raises, such as no key
        raise StartError(
            f"the embeddings {index.embed!r} of the store: {type(error).__name__}: {error}"
        ) from error


class PreparedEmbeddings(Embeddings):
    """Embeddings that are looked up, having been computed before.

    langgraph's stores compute them while they hold their lock and, where they are called by the
    loop, on the loop: a model behind a network would hold up every other request. `prepare` and
    `aprepare` compute those that operations need; within them a store finds them here.

    Args:
        index: What computes them, and of which fields.

    Raises:
        StartError: There is no such model, or no package for it.
    """

    def __init__(self, index: StoreIndex) -> None:
        self._inner = embeddings_of(index)
        self._is_async = asyncio.iscoroutinefunction(index.embed)
        self._dims = index.dims
        self._fields = index.fields
        self._ready: ContextVar[dict[str, list[float]] | None] = ContextVar("ready", default=None)

    def texts(self, operations: Iterable[Op]) -> list[str]:
        """Return the texts whose embeddings operations need, each once."""
        found: dict[str, None] = {}
        for operation in operations:
            if isinstance(operation, SearchOp) and operation.query:
                found[operation.query] = None
            elif isinstance(operation, PutOp) and operation.value is not None:
                fields: Sequence[str] = ()
                if operation.index is not False:
                    fields = self._fields if operation.index is None else operation.index
                for field in fields:
                    path: Any = field if field == "$" else tokenize_path(field)
                    found.update(dict.fromkeys(get_text_at_path(operation.value, path)))
        return list(found)

    @contextmanager
    def prepared(self, texts: Sequence[str], vectors: Sequence[Sequence[float]]) -> Iterator[None]:
        """Let the store find the embeddings of these texts.

        Raises:
            EmbeddingError: They are not as many, or not as long, as they have to be.
        """
        if len(vectors) != len(texts):
            raise EmbeddingError(f"{len(texts)} texts have {len(vectors)} embeddings")
        for vector in vectors:
            if len(vector) != self._dims:
                raise EmbeddingError(
                    f"an embedding has {len(vector)} numbers, and the index has {self._dims} (dims)"
                )
            if not all(map(math.isfinite, vector)):
                raise EmbeddingError("an embedding has a number that is none")
        ready = {text: list(vector) for text, vector in zip(texts, vectors, strict=True)}
        token = self._ready.set(ready)
        try:
            yield
        finally:
            self._ready.reset(token)

    def compute(self, texts: list[str]) -> list[list[float]]:
        """Return embeddings, from a thread that is not the loop's, or for a blocking function.

        Raises:
            RuntimeError: They are computed by an async function, and this is a loop's thread.
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
            "the store's embeddings are computed by an async function: call its async methods"
        )

    async def acompute(self, texts: list[str]) -> list[list[float]]:
        """Return embeddings, without holding up the loop."""
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
