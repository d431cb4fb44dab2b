"""How values in checkpoints become bytes, in every database."""

from __future__ import annotations

from typing import Any, Literal

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

_FORMATS = ("msgpack", "null", "bytes", "bytearray")


class Serializer(JsonPlusSerializer):
    """langgraph's serializer, which reads only the formats that it writes.

    It could also read an older one that makes objects of langchain by name, from JSON.
    """

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """Return a value."""
        if data[0] not in _FORMATS:
            raise ValueError(f"a checkpoint has a value in the format {data[0]!r}")
        return super().loads_typed(data)


def serializer(*, strict: bool) -> Serializer:
    """Return a serializer that pickles nothing.

    Args:
        strict: Make only classes that are allowed out of what is stored.
    """
    known: Literal[True] | None = None if strict else True
    return Serializer(pickle_fallback=False, allowed_msgpack_modules=known)
