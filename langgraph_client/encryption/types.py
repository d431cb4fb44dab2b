"""What the handlers of an `Encryption` are given, and what they return."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

Json: TypeAlias = dict[str, Any]
"""A JSON object."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DecryptResult(Generic[T]):
    """What a decryption handler may return in place of the data alone.

    Attributes:
        plaintext: The decrypted data.
        replacement: The same data, encrypted again, as with a new key. The bundled server does not
            write it: what is written next is encrypted by the present handler anyway.
    """

    plaintext: T
    replacement: T | None = None


class EncryptionContext:
    """What a handler learns about the data beside the data.

    Attributes:
        model: What the data belongs to: `assistant`, `thread`, `run`, `cron`, `checkpoint`,
            `store`.
        field: Which part of it: `metadata`, `values`, `kwargs` and so on.
        metadata: What the request said in `X-Encryption-Context`, or what the context handler
            returned. It is stored beside the data, in plain text, and given again to decrypt it.
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
"""Encrypts values of a JSON object; the keys stay."""
JsonDecryptor: TypeAlias = Callable[
    [EncryptionContext, Json], Awaitable["Json | DecryptResult[Json]"]
]
"""Decrypts them."""
ContextHandler: TypeAlias = Callable[[Any, EncryptionContext], Awaitable[Json]]
"""Returns what `metadata` of the contexts of a request's data is: of the user, and of a context
with what the header said.
"""
