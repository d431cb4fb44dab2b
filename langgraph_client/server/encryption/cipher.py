"""Call the handlers of an application's `Encryption`, and mark encrypted data.

Encrypted data has a mark with its encryption context: a key of a JSON object, or a prefix of bytes.
Data without a mark was stored without encryption, and is returned unchanged.
"""

from __future__ import annotations

import logging
import re
import struct
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeAlias, TypeGuard, TypeVar

from langgraph_client.encryption.types import EncryptionContext
from langgraph_client.models.fields import JsonMapping, JsonObject
from langgraph_client.server.encoding import decode, encode
from langgraph_client.server.encryption.fields import NESTED, stays_plain
from langgraph_client.server.errors import Invalid, StartError, Unavailable
from langgraph_client.server.graphs.scripted import ScriptedGraph
from langgraph_client.server.options import StoreOptions

logger = logging.getLogger("langgraph_client.server")

_T = TypeVar("_T")

MARK = "__encryption_context__"
"""The key of an encrypted JSON object that holds the context's metadata."""
_MARK_KEY = re.compile(f"{MARK}_*")
_ALONE = "__encrypted_value__"
"""The key under which a value that is not an object is encrypted."""
_MAGIC = b"\x00lgenc\x01"
_HANDLERS = {
    "encrypt.json": "_json_encryptor",
    "decrypt.json": "_json_decryptor",
    "encrypt.blob": "_blob_encryptor",
    "decrypt.blob": "_blob_decryptor",
    "context": "_context_handler",
}
"""The attributes with the handlers, the same for our `Encryption` and for langgraph_sdk's."""

Context: TypeAlias = JsonMapping


class Cipher:
    """Encrypts and decrypts with an application's handlers.

    Any error of a handler becomes `Unavailable`, like a failure of the database, because the keys
    are often in another service.

    Args:
        encryption: An `Encryption`, of this package or of langgraph_sdk.

    Raises:
        StartError: The object is not an `Encryption`, or has no handlers, or only one of a pair.
    """

    def __init__(self, encryption: object) -> None:
        if not all(hasattr(encryption, place) for place in _HANDLERS.values()):
            raise StartError(
                f"encryption must be a langgraph_client.encryption.Encryption, not {encryption!r}"
            )
        self._handlers: dict[str, Callable[..., Awaitable[object]]] = {
            name: handler
            for name, place in _HANDLERS.items()
            if (handler := getattr(encryption, place)) is not None
        }
        for kind in ("json", "blob"):
            pair = [f"encrypt.{kind}", f"decrypt.{kind}"]
            missing = [name for name in pair if name not in self._handlers]
            if len(missing) == 1:
                raise StartError(f"the Encryption has one handler of {kind}, and no {missing[0]}")
        if not (self.has_json or self.has_blob):
            raise StartError("the Encryption has no handlers")
        if not self.has_json:
            logger.warning(
                "the Encryption has no encrypt.json: metadata, values, configs, inputs and the"
                " store's items are stored in plain text"
            )
        if not self.has_blob:
            logger.warning(
                "the Encryption has no encrypt.blob: checkpoints and events are stored in"
                " plain text"
            )

    def check(self, graphs: Iterable[object], store: StoreOptions | None) -> None:
        """Refuse settings with which data would be stored in plain text despite the handlers.

        Raises:
            StartError: There is a scripted graph, or an index of the store.
        """
        if any(isinstance(graph, ScriptedGraph) for graph in graphs):
            raise StartError("the states of a ScriptedGraph cannot be encrypted")
        if self.has_json and store is not None and store.index is not None:
            raise StartError(
                "the store cannot have an index of encrypted values, which would also reveal their"
                " meaning: leave out either the index or encrypt.json"
            )

    @property
    def has_json(self) -> bool:
        """Whether there are handlers of JSON objects."""
        return "encrypt.json" in self._handlers

    @property
    def has_blob(self) -> bool:
        """Whether there are handlers of bytes."""
        return "encrypt.blob" in self._handlers

    async def context_of(self, user: object, header_metadata: Context) -> Context:
        """Return the metadata of the contexts of one request.

        Args:
            user: The user who sends it.
            header_metadata: The context from its header.

        Raises:
            Unavailable: The handler raises, or returns no dict.
        """
        handler = self._handlers.get("context")
        if handler is None:
            return header_metadata
        metadata = await _called(
            "context", handler(user, EncryptionContext(metadata=dict(header_metadata)))
        )
        return _checked("context", metadata, dict)

    # JSON.

    async def encrypted(self, model: str, field: str, value: object, context: Context) -> Any:
        """Return a field of a document in its stored form.

        Raises:
            Unavailable: A handler raises, or adds or removes keys.
        """
        if not self.has_json or value is None or value == {}:
            return value
        return await self._encrypted(model, field, value, context, f"{model}.{field}")

    async def _encrypted(
        self, model: str, field: str, value: object, context: Context, path: str
    ) -> dict[str, object]:
        # An object with this only key, which a client may write, is wrapped too, so that it is not
        # taken for a wrapped value.
        if not isinstance(value, dict) or value.keys() == {_ALONE}:
            value = {_ALONE: value}
        value = {_escaped(name): inner for name, inner in value.items()}
        apart = {
            name: value[name]
            for name in NESTED.get((model, field), ())
            if isinstance(value.get(name), dict) and value[name]
        }
        plain = {name: value[name] for name in value if stays_plain(path, name)}
        secret = {name: value[name] for name in value if name not in plain and name not in apart}
        ctx = EncryptionContext(model, dict(context), field)
        encrypted: dict[str, object] = {}
        if secret:
            call = self._handlers["encrypt.json"](ctx, dict(secret))
            encrypted = _checked("encrypt.json", await _called("encrypt.json", call), dict)
        if encrypted.keys() != secret.keys():
            added = sorted(encrypted.keys() - secret.keys())
            removed = sorted(secret.keys() - encrypted.keys())
            raise Unavailable(
                "encrypt.json must leave the keys of an object as they are; of"
                f" {model}.{field} it added {added} and removed {removed}"
            )
        inner = {
            name: await self._encrypted(model, name, apart[name], context, f"{path}.{name}")
            for name in apart
        }
        return {**plain, **encrypted, **inner, MARK: dict(context)}

    async def decrypted(self, model: str, field: str, value: object) -> Any:
        """Return a field of a document from its stored form.

        Raises:
            Unavailable: A handler raises, or returns no dict.
        """
        if not _is_marked(value) or not self.has_json:
            return value
        ctx = EncryptionContext(model, dict(value[MARK]), field)
        path = f"{model}.{field}"
        apart = {
            name: value[name]
            for name in NESTED.get((model, field), ())
            if _is_marked(value.get(name))
        }
        fields = {name: value[name] for name in value if name != MARK and name not in apart}
        plain = {name: fields.pop(name) for name in [*fields] if stays_plain(path, name)}
        decrypted: JsonObject = {}
        if fields:
            call = self._handlers["decrypt.json"](ctx, fields)
            decrypted = _checked("decrypt.json", _plain(await _called("decrypt.json", call)), dict)
        inner = {name: await self.decrypted(model, name, apart[name]) for name in apart}
        whole = {_unescaped(name): inner for name, inner in {**plain, **decrypted, **inner}.items()}
        return whole[_ALONE] if whole.keys() == {_ALONE} else whole

    # Bytes.

    async def sealed(self, model: str, field: str, data: bytes, context: Context) -> bytes:
        """Return bytes in their stored form.

        Raises:
            Unavailable: The handler raises, or returns no bytes.
        """
        if not self.has_blob:
            return data
        ctx = EncryptionContext(model, dict(context), field)
        call = self._handlers["encrypt.blob"](ctx, data)
        encrypted = _checked("encrypt.blob", await _called("encrypt.blob", call), bytes)
        head = encode(dict(context))
        return _MAGIC + struct.pack(">I", len(head)) + head + encrypted

    async def unsealed(self, model: str, field: str, data: bytes) -> bytes:
        """Return bytes from their stored form.

        Raises:
            Unavailable: The handler raises, or returns no bytes.
        """
        if not self.has_blob or not is_sealed(data):
            return data
        begin = len(_MAGIC) + 4
        (length,) = struct.unpack(">I", data[len(_MAGIC) : begin])
        ctx = EncryptionContext(model, decode(data[begin : begin + length]), field)
        call = self._handlers["decrypt.blob"](ctx, data[begin + length :])
        return _checked("decrypt.blob", _plain(await _called("decrypt.blob", call)), bytes)


def _is_marked(value: object) -> TypeGuard[dict[str, Any]]:
    # Data from before the encryption may have the key, with any value.
    return isinstance(value, dict) and isinstance(value.get(MARK), dict)


def _escaped(name: str) -> str:
    """Return the stored form of a key: the mark itself may be a key of the user's object."""
    return f"{name}_" if _MARK_KEY.fullmatch(name) else name


def _unescaped(name: str) -> str:
    return name.removesuffix("_") if _MARK_KEY.fullmatch(name) else name


def is_sealed(data: object) -> TypeGuard[bytes]:
    """Return whether a value is bytes that a cipher has encrypted."""
    return isinstance(data, bytes) and data.startswith(_MAGIC)


def header_context(header: str | None) -> dict[str, object]:
    """Return the context in a request's `X-Encryption-Context`, a JSON object in base64.

    Raises:
        Invalid: The header contains something else.
    """
    if not header:
        return {}
    import base64

    try:
        context = decode(base64.b64decode(header, validate=True))
    except ValueError as error:
        raise Invalid(f"Invalid X-Encryption-Context header: {error}") from None
    if not isinstance(context, dict):
        raise Invalid("Invalid X-Encryption-Context header: expected base64-encoded JSON object")
    return context


async def _called(name: str, call: Awaitable[object]) -> object:
    try:
        return await call
    except Exception as error:  # whatever the application's handler raises
        detail = f"{name} of the Encryption: {type(error).__name__}"
        raise Unavailable(detail, str(error)) from error


def _checked(name: str, result: object, kind: type[_T]) -> _T:
    if not isinstance(result, kind):
        raise Unavailable(
            f"{name} of the Encryption returned a {type(result).__name__}, not a {kind.__name__}"
        )
    return result


def _plain(result: object) -> object:
    """Return the data that a decryption handler returned, also from a `DecryptResult`."""
    return result if isinstance(result, (dict, bytes)) else getattr(result, "plaintext", result)
