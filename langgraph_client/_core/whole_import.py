"""Import a module as a whole or not at all. No I/O of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def whole_import(name: str) -> Iterator[None]:
    """Forget what an interrupted import, in this block, has loaded of a package.

    After Ctrl-C in the middle of an import, Python forgets the package, but keeps those of its
    modules that were complete. The next import then finds modules that lack their siblings, and
    every later one fails (CPython 3.11 to 3.13).

    Args:
        name: The package.
    """
    before = set(sys.modules)
    try:
        yield
    except BaseException:
        # A package that was there before is whole, or another thread is importing it.
        if name not in before:
            for module in set(sys.modules) - before:
                if module.partition(".")[0] == name:
                    del sys.modules[module]
        raise
