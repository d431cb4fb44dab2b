"""The serializer of values in checkpoints, for every database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

_FORMATS = ("msgpack", "null", "bytes", "bytearray")


class Serializer(JsonPlusSerializer):
    """langgraph's serializer, limited to the formats that it writes.

    langgraph's own also reads an older format, which creates langchain's objects from class names
    in JSON. For security, that format is refused.
    """

    def loads_typed(self, data: tuple[str, bytes]) -> object:
        """Return a value."""
        if data[0] not in _FORMATS:
            raise ValueError(f"a checkpoint has a value in the unsupported format {data[0]!r}")
        return super().loads_typed(data)


def names_of(classes: Iterable[type]) -> set[tuple[str, str]]:
    """Return the modules and names by which a serializer knows classes, for its allowlist.

    A factory may define its classes anew at each call, and the classes themselves would pile up.
    """
    return {(each.__module__, each.__name__) for each in classes}


def serializer(*, strict: bool) -> Serializer:
    """Return a serializer without pickle.

    Args:
        strict: Whether to create only objects of allowed classes from stored values.
    """
    known: Literal[True] | None = None if strict else True
    return Serializer(pickle_fallback=False, allowed_msgpack_modules=known)
