"""Format the traceback of a failed run for the application's developer."""

from __future__ import annotations

import sysconfig
import traceback
from pathlib import Path

_MAX_CHARS = 20_000
"""The most characters of a traceback. From a longer one, the middle is removed."""
_HOME = str(Path(__file__).parents[2])
_PACKAGES = tuple(
    f"{sysconfig.get_paths()[kind]}/{package}/"
    for kind in ("purelib", "platlib")
    for package in ("langgraph", "langchain_core", "langgraph_sdk")
)
_LIBRARY = tuple(
    f"{sysconfig.get_paths()['stdlib']}/{part}" for part in ("asyncio/", "concurrent/")
)


def traceback_text(error: BaseException) -> str:
    """Return a traceback without the frames between the server and the application's code.

    If no other frames are left, all are shown.
    """
    try:
        trace = traceback.TracebackException.from_exception(error)
        _trim(trace)
        text = "".join(trace.format())
    except Exception as raised:  # An exception's own `__str__` is user code, which may raise.
        return f"the traceback cannot be shown: {type(raised).__name__}"
    if len(text) <= _MAX_CHARS:
        return text
    half = _MAX_CHARS // 2
    return f"{text[:half]}\n[…]\n{text[-half:]}"


def _trim(trace: traceback.TracebackException) -> None:
    # By a list and not by recursion: a loop that tries again may link a thousand exceptions.
    links: list[traceback.TracebackException | None] = [trace]
    seen: set[int] = set()
    while links:
        link = links.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        frames = [frame for frame in link.stack if not _is_between(frame.filename)]
        if frames:
            link.stack = traceback.StackSummary.from_list(frames)
        links += [link.__cause__, link.__context__, *(link.exceptions or ())]


def _is_between(filename: str) -> bool:
    return filename.startswith((_HOME, *_PACKAGES, *_LIBRARY))
