"""Which exceptions a test caught with `pytest.raises`, `pytest.RaisesGroup` or `assertRaises`."""

from __future__ import annotations

import unittest
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import pytest


@contextmanager
def watch_caught(caught: Callable[[BaseException], None]) -> Iterator[None]:
    """Report what pytest's and `unittest`'s context managers for exceptions catch in the `with`.

    A failure of a run counts as expected when the test caught it. Neither library has a hook for
    that, so the context managers' classes get another `__exit__` for as long as a test uses a
    server.

    Args:
        caught: Called with each exception that one of them has caught.
    """
    kinds: list[Any] = [
        type(pytest.raises(Exception)),  # noqa: PT011
        type(unittest.TestCase().assertRaises(Exception)),  # noqa: PT027
    ]
    if hasattr(pytest, "RaisesGroup"):  # Since pytest 8.4.
        kinds.append(pytest.RaisesGroup)
    originals = [(kind, kind.__exit__) for kind in kinds]
    for kind, original in originals:
        kind.__exit__ = _reporting(original, caught)
    try:
        yield
    finally:
        for kind, original in originals:
            kind.__exit__ = original


def _reporting(
    original: Callable[..., bool], caught: Callable[[BaseException], None]
) -> Callable[..., bool]:
    def leave(
        self: object,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        # After the original: it decides whether the exception is the expected one.
        is_caught = original(self, kind, error, trace)
        if is_caught and error is not None:
            caught(error)
        return is_caught

    return leave
