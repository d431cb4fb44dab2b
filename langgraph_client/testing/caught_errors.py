"""Which exceptions a test caught with `pytest.raises`, `pytest.RaisesGroup` or `assertRaises`."""

from __future__ import annotations

import sys
import threading
import unittest
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

_LOCK = threading.Lock()
_watchers: list[Callable[[BaseException], None]] = []
_originals: list[tuple[Any, Any]] = []


@contextmanager
def watch_caught(caught: Callable[[BaseException], None]) -> Iterator[None]:
    """Report what pytest's and `unittest`'s context managers for exceptions catch in the `with`.

    A failure of a run counts as expected when the test caught it. Neither library has a hook for
    that, so the context managers' classes get another `__exit__` for as long as a test uses a
    server or a cassette.

    Args:
        caught: Called with each exception that one of them has caught.
    """
    # Watches may overlap in any order, so that none may put back what it found.
    with _LOCK:
        _watchers.append(caught)
        if len(_watchers) == 1:
            _originals.extend((kind, kind.__exit__) for kind in _kinds())
            for kind, original in _originals:
                kind.__exit__ = _reporting(original)
    try:
        yield
    finally:
        with _LOCK:
            _watchers.remove(caught)
            if not _watchers:
                for kind, original in _originals:
                    kind.__exit__ = original
                _originals.clear()


def _kinds() -> Iterator[Any]:
    """Yield the classes of the context managers."""
    yield type(unittest.TestCase().assertRaises(Exception))  # noqa: PT027
    # A program that records without tests need not wait for the import of pytest.
    if pytest := sys.modules.get("pytest"):
        yield type(pytest.raises(Exception))
        yield pytest.RaisesGroup


def _reporting(original: Callable[..., bool]) -> Callable[..., bool]:
    def leave(
        self: object,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        # After the original: it decides whether the exception is the expected one.
        is_caught = original(self, kind, error, trace)
        if is_caught and error is not None:
            for caught in list(_watchers):
                caught(error)
        return is_caught

    return leave
