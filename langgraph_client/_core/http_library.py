"""Find the HTTP library of a client, transport or proxy: httpx, or one with the same API."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import httpx

_NAMES = ("HTTPError", "InvalidURL", "Limits", "StreamError", "Timeout", "USE_CLIENT_DEFAULT")


class HttpLibrary:
    """The names that this package uses of httpx, or of a library with the same API, as httpx2.

    Args:
        module: The library.
    """

    def __init__(self, module: ModuleType) -> None:
        names = vars(module)
        self._names = names
        self.is_httpx = module is httpx
        self.errors: tuple[type[Exception], ...] = (
            names["HTTPError"],
            names["StreamError"],
            names["InvalidURL"],
        )
        self.request_error: type[Exception] = names["RequestError"]
        self.default_auth: Any = names["USE_CLIENT_DEFAULT"]

    def __getitem__(self, name: str) -> Callable[..., Any]:
        """Return one of the library's classes, by its name."""
        found: Callable[..., Any] = self._names[name]
        return found


def library_of(*brought: object) -> HttpLibrary:
    """Return the library that one of these objects comes from; httpx if none is of another.

    Nothing is imported: an object exists only if its library has been imported already.
    """
    for item in brought:
        for kind in type(item).__mro__:
            module = sys.modules.get(kind.__module__.partition(".")[0])
            if module is not None and all(hasattr(module, name) for name in _NAMES):
                return HttpLibrary(module)
    return HttpLibrary(httpx)
