"""The parameters and the results of the handlers of an `Encryption`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

Json: TypeAlias = dict[str, Any]
"""A JSON object."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DecryptResult(Generic[T]):
    """A result that a decryption handler may return instead of only the data.

    Attributes:
        plaintext: The decrypted data.
        replacement: The same data, encrypted again, for example with a new key. The bundled server
            ignores it: the next write of the data is encrypted by the current handler anyway.
    """

    plaintext: T
    replacement: T | None = None


class EncryptionContext:
    """Information for a handler about the data.

    Attributes:
        model: The kind of document that contains the data: `assistant`, `thread`, `run`, `cron`,
            `checkpoint`, `store`.
        field: The field of the document: `metadata`, `values`, `kwargs` and so on.
        metadata: The context in the request's `X-Encryption-Context`, or the dict that the context
            handler returned. It is stored with the data, in plain text, and passed again for the
            decryption.
    """

    __slots__ = ("field", "metadata", "model")

    def __init__(
        self,
        model: str | None = None,
        metadata: dict[str, Any] | None = None,
        field: str | None = None,
    ) -> None:
        self.model = model
        self.field = field
        self.metadata = metadata or {}

    def __repr__(self) -> str:
        return (
            f"EncryptionContext(model={self.model!r}, field={self.field!r},"
            f" metadata={self.metadata!r})"
        )


BlobEncryptor: TypeAlias = Callable[[EncryptionContext, bytes], Awaitable[bytes]]
"""Encrypts bytes: the values of checkpoints, and events."""
BlobDecryptor: TypeAlias = Callable[
    [EncryptionContext, bytes], Awaitable["bytes | DecryptResult[bytes]"]
]
"""Decrypts them."""
JsonEncryptor: TypeAlias = Callable[[EncryptionContext, Json], Awaitable[Json]]
"""Encrypts values of a JSON object; the keys must stay the same."""
JsonDecryptor: TypeAlias = Callable[
    [EncryptionContext, Json], Awaitable["Json | DecryptResult[Json]"]
]
"""Decrypts them."""
ContextHandler: TypeAlias = Callable[[Any, EncryptionContext], Awaitable[Json]]
"""Returns the `metadata` for the contexts of a request, from the user and a context with the values
of the header.
"""
