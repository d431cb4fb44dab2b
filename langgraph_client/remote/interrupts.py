"""Interrupts in the output of a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from langgraph_client.remote.aliases import Foreign, GraphValue, Reply
from langgraph_client.remote.compat import Interrupt

_FIELDS = ("value", "id", "response_schema")


class OutputInterrupt(Interrupt):  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
    """An interrupt that can be read as a dict, too.

    A local graph returns an `Interrupt`, langgraph's RemoteGraph the dict of the wire. So code
    exists that reads `interrupt.value`, and code that reads `interrupt["value"]`. It is equal to an
    `Interrupt` with the same fields.
    """

    __slots__ = ()
    # orjson takes an object for a dataclass only if its class has the fields itself.
    __dataclass_fields__: ClassVar[Foreign] = vars(Interrupt)["__dataclass_fields__"]

    def __getitem__(self, key: str) -> GraphValue:
        if key not in self.keys():
            raise KeyError(key)
        return getattr(self, key)

    def __contains__(self, key: object) -> bool:
        return key in self.keys()

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def keys(self) -> tuple[str, ...]:
        """Return the keys of the interrupt on the wire."""
        return _FIELDS if getattr(self, "response_schema", None) is not None else _FIELDS[:2]

    def get(self, key: str, default: GraphValue = None) -> GraphValue:
        """Return the value of a key, or `default`."""
        return getattr(self, key) if key in self.keys() else default

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Interrupt):
            return NotImplemented
        return all(getattr(self, f, None) == getattr(other, f, None) for f in _FIELDS)

    # It is mutable and compared by value, as its base class.
    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[object, ...]:
        return interrupt_from, ({key: self[key] for key in self.keys()},)


# A checkpoint stores the class's name: it must be langgraph's, which exists without this package.
OutputInterrupt.__module__ = Interrupt.__module__
OutputInterrupt.__name__ = OutputInterrupt.__qualname__ = Interrupt.__qualname__


def interrupt_from(document: Reply) -> Interrupt:
    """Return the interrupt in an event or a state: `id`, `value` and optional `response_schema`."""
    schema = document.get("response_schema")
    made = OutputInterrupt(value=document.get("value"), id=document.get("id") or "")
    if schema is not None:
        made.response_schema = schema
    return made
