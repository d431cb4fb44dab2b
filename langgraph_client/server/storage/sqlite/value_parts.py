"""Split channel values into parts that are identified by a digest, and store equal parts once.

A conversation grows by one or two messages with each step. If each version were stored as a whole,
the space would grow with the square of its length. So a long list or dict is split into parts of
about a kilobyte. A version is a list of digests, most of which the previous version has too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol

_INLINE_BYTES = 256
_PART_BYTES = 1024
_SHORT_TEXT = 64
_MAX_ITEMS = 100_000
_DIGEST_BYTES = 16
_COUNT_BYTES = 4
_WHOLE, _LIST, _DICT = "part", "list of parts", "dict of parts"
_HEADERS = {_LIST: b"\xdd", _DICT: b"\xdf"}  # array 32 and map 32 of MessagePack


class Serializer(Protocol):
    """langgraph's serializer of values."""

    def dumps_typed(self, obj: object) -> tuple[str, bytes]:
        """Return a value as the name of a format, and bytes in it."""
        ...

    def loads_typed(self, data: tuple[str, bytes]) -> object:
        """Return the value."""
        ...


class Part(NamedTuple):
    """Bytes that are stored once, under their digest."""

    digest: bytes
    type: str
    data: bytes


class Packed(NamedTuple):
    """A value: in place if it is small, or by its parts."""

    type: str
    data: bytes
    parts: list[Part]


def pack(value: object, serde: Serializer) -> Packed:
    """Return the content of a value's row, and the parts that must be stored besides.

    Raises:
        Exception: The serializer cannot encode the value.
    """
    if (items := _items(value, serde)) is not None:
        size = sum(map(len, items))
        kind = _LIST if type(value) is list else _DICT
        if size >= 2 * _PART_BYTES:
            parts = [_part("msgpack", data) for data in _groups(items)]
            count = len(items).to_bytes(_COUNT_BYTES, "big")
            return Packed(kind, count + b"".join(part.digest for part in parts), parts)
        form, data = "msgpack", _joined(kind, len(items), items)
    else:
        form, data = serde.dumps_typed(value)
    if len(data) <= _INLINE_BYTES:
        return Packed(form, data, [])
    part = _part(form, data)
    return Packed(_WHOLE, part.digest, [part])


def unpack(
    form: str,
    data: bytes,
    serde: Serializer,
    find: Callable[[list[bytes]], list[tuple[str, bytes]]],
) -> object:
    """Return the value of a row.

    Args:
        form: The type in the row.
        data: The data in the row.
        serde: The serializer of the value.
        find: Returns the type and the data of the parts with these digests, in their order.
    """
    names = digests(form, data)
    if form == _WHOLE:
        return serde.loads_typed(find(names)[0])
    if form in _HEADERS:
        count = int.from_bytes(data[:_COUNT_BYTES], "big")
        whole = _joined(form, count, [part for _, part in find(names)])
        return serde.loads_typed(("msgpack", whole))
    return serde.loads_typed((form, data))


def digests(form: str, data: bytes) -> list[bytes]:
    """Return the digests of the parts that a row refers to."""
    if form == _WHOLE:
        return [data]
    if form not in _HEADERS:
        return []
    starts = range(_COUNT_BYTES, len(data), _DIGEST_BYTES)
    return [data[start : start + _DIGEST_BYTES] for start in starts]


def _items(value: Any, serde: Serializer) -> list[bytes] | None:
    """Return the serialized items of a list or dict; None if it is better stored as a whole."""
    if type(value) not in (list, dict) or not 0 < len(value) <= _MAX_ITEMS:
        return None
    if type(value) is dict:
        if any(type(key) is not str for key in value) or _is_short(next(iter(value.values()))):
            return None
        pairs: Iterable[tuple[object, ...]] = value.items()
    else:
        if _is_short(value[0]):
            return None
        pairs = ((item,) for item in value)
    items = []
    for pair in pairs:
        forms = [serde.dumps_typed(item) for item in pair]
        if any(form != "msgpack" for form, _ in forms):
            return None  # None and bytes have formats of their own outside of containers.
        items.append(b"".join(data for _, data in forms))
    return items


def _is_short(item: object) -> bool:
    """Return whether an item is so short that a call for each one costs more than it saves."""
    return (
        item is None
        or isinstance(item, (int, float))
        or (isinstance(item, str) and len(item) < _SHORT_TEXT)
    )


def _groups(items: Iterable[bytes]) -> Iterator[bytes]:
    """Join items from the front, so that appended items change only the last group."""
    group: list[bytes] = []
    size = 0
    for item in items:
        group.append(item)
        size += len(item)
        if size >= _PART_BYTES:
            yield b"".join(group)
            group, size = [], 0
    if group:
        yield b"".join(group)


def _joined(kind: str, count: int, items: Iterable[bytes]) -> bytes:
    return _HEADERS[kind] + count.to_bytes(_COUNT_BYTES, "big") + b"".join(items)


def _part(form: str, data: bytes) -> Part:
    digest = hashlib.blake2b(data, digest_size=_DIGEST_BYTES, key=form.encode()).digest()
    return Part(digest, form, data)
