"""Encrypt a server's stored data with handlers of an application, registered on an `Encryption`.

    from langgraph_client.encryption import Encryption, EncryptionContext

    encryption = Encryption()

    @encryption.encrypt.json
    async def encrypt(ctx: EncryptionContext, data: dict) -> dict: ...

Name it in `langgraph.json` as `{"encryption": {"path": "./encryption.py:encryption"}}`, or give it
to `Server(encryption=...)`. The names are those of `langgraph_sdk.encryption`, and servers take
objects of either.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from langgraph_client.encryption import types
from langgraph_client.encryption.types import DecryptResult, EncryptionContext

_Handler = TypeVar("_Handler", bound=Callable[..., Any])


class LangGraphBetaWarning(UserWarning):
    """The warning of langgraph_sdk's `Encryption`, for filters that name it; never issued here."""


class DuplicateHandlerError(Exception):
    """There is a handler of this kind already."""


class _Decorators:
    """Registers the handlers of one direction; `action` is `encrypt` or `decrypt`."""

    def __init__(self, parent: Encryption, action: str) -> None:
        self._parent = parent
        self._action = action

    def blob(self, fn: _Handler) -> _Handler:
        """Register the handler of bytes, such as the values of checkpoints, and return it.

        Args:
            fn: An async function of an `EncryptionContext` and bytes, which returns bytes.

        Raises:
            DuplicateHandlerError: There is one.
            TypeError: It is no async function of two parameters.
        """
        return self._register(fn, "blob")

    def json(self, fn: _Handler) -> _Handler:
        """Register the handler of JSON objects, such as metadata, and return it.

        Args:
            fn: An async function of an `EncryptionContext` and a dict, which returns a dict with
                the same keys.

        Raises:
            DuplicateHandlerError: There is one.
            TypeError: It is no async function of two parameters.
        """
        return self._register(fn, "json")

    def _register(self, fn: _Handler, kind: str) -> _Handler:
        name = f"_{kind}_{self._action}or"
        shown = f"{self._action}.{kind}"
        if getattr(self._parent, name) is not None:
            raise DuplicateHandlerError(f"there is a handler for {shown} already")
        if not inspect.iscoroutinefunction(fn):
            raise TypeError(f"{shown} needs an async function, not {fn!r}")
        positional = (
            inspect.Parameter.POSITIONAL_ONLY,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
        )
        parameters = inspect.signature(fn).parameters.values()
        if sum(one.kind in positional for one in parameters) != 2:
            raise TypeError(f"{shown} needs a function of two parameters, the context and the data")
        setattr(self._parent, name, fn)
        return fn


class Encryption:
    """The functions that encrypt and decrypt a server's stored data.

    - `@encryption.encrypt.json` and `@encryption.decrypt.json` take JSON objects: metadata, values,
      configs, contexts and inputs of assistants, threads, runs and crons, the metadata of
      checkpoints, and the values of the store. They change values and leave the keys.
    - `@encryption.encrypt.blob` and `@encryption.decrypt.blob` take bytes: the values and writes of
      checkpoints, and the stored events.
    - `@encryption.context` makes the contexts' metadata from the user of a request.

    Searches do not find encrypted values. Do not encrypt fields by which you filter, such as
    `owner`.
    """

    __slots__ = (
        "_blob_decryptor",
        "_blob_encryptor",
        "_context_handler",
        "_json_decryptor",
        "_json_encryptor",
        "decrypt",
        "encrypt",
    )

    types = types
    """The types; see `langgraph_client.encryption.types`."""

    def __init__(self) -> None:
        self.encrypt = _Decorators(self, "encrypt")
        self.decrypt = _Decorators(self, "decrypt")
        # Servers read these attributes, which langgraph_sdk's class has as well.
        self._blob_encryptor: types.BlobEncryptor | None = None
        self._blob_decryptor: types.BlobDecryptor | None = None
        self._json_encryptor: types.JsonEncryptor | None = None
        self._json_decryptor: types.JsonDecryptor | None = None
        self._context_handler: types.ContextHandler | None = None

    def context(self, fn: _Handler) -> _Handler:
        """Register the function that returns the metadata of contexts, and return the function.

        Args:
            fn: An async function, called once for each request. Its parameters are the user from
                the `Auth`, and a context with the values of the request's `X-Encryption-Context`.
                It returns a dict.

        Raises:
            TypeError: It is no async function.
        """
        if not inspect.iscoroutinefunction(fn):
            raise TypeError(f"context needs an async function, not {fn!r}")
        self._context_handler = fn
        return fn

    def get_json_encryptor(self, _model: str | None = None) -> types.JsonEncryptor | None:
        """Return the handler of `encrypt.json`; None if there is none. `_model` is ignored."""
        return self._json_encryptor

    def get_json_decryptor(self, _model: str | None = None) -> types.JsonDecryptor | None:
        """Return the handler of `decrypt.json`; None if there is none. `_model` is ignored."""
        return self._json_decryptor

    def __repr__(self) -> str:
        names = [
            f"{action}.{kind}"
            for kind in ("blob", "json")
            for action in ("encrypt", "decrypt")
            if getattr(self, f"_{kind}_{action}or") is not None
        ]
        if self._context_handler is not None:
            names.append("context")
        return f"Encryption({', '.join(names)})"


__all__ = ["DecryptResult", "DuplicateHandlerError", "Encryption", "EncryptionContext", "types"]
