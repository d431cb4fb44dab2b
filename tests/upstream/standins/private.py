"""Stands in for private modules of the SDK: anything can be imported from it, nothing used.

So a file that mixes tests of public and of private things can be collected; a test that uses one
of the latter fails with `PrivateNameError`, also with the SDK itself, and does not count.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Sequence
from typing import Any, NoReturn


class PrivateNameError(Exception):
    """The test uses something private."""


def placeholder(name: str) -> type:
    """A class of this name that can be imported and annotated with, and raises when called."""

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise PrivateNameError(name)

    return type(name, (), {"__new__": refuse})


class _Module(types.ModuleType):
    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return placeholder(name)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.startswith(f"{__name__}."):
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing to run."""


sys.meta_path.insert(0, _Finder())
__path__: list[str] = []
