"""How a request differs from those that were recorded."""

from __future__ import annotations

import difflib
import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from langgraph_client.models.fields import JsonMapping

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def difference(request: JsonMapping, recorded: Sequence[JsonMapping], path: Path) -> str:
    """Return a text with the difference, and what to do about it.

    Args:
        request: The request, in the form that is compared.
        recorded: The requests that are left to replay.
        path: The file.
    """
    head = f"{request['method']} {request['path']} was not recorded like this in {path}"
    advice = "Delete the file to record again"
    if not recorded:
        return f"{head}: nothing is left to replay. {advice}"
    place = (request["method"], request["path"])
    same_place = [r for r in recorded if (r["method"], r["path"]) == place]
    # The one that shares the most lines; of the same path if there is any.
    after = _lines(request)
    before = max(map(_lines, same_place or recorded), key=lambda lines: _shared(lines, after))
    if _without_ids(before) == _without_ids(after):
        advice = (
            "Only ids differ: one that is made anew each time cannot be replayed. Pass an id "
            "that stays the same, such as `thread_id=` of `threads.stream`"
        )
    lines = difflib.unified_diff(before, after, "recorded", "sent", lineterm="")
    return f"{head}. {advice}.\n" + "\n".join(lines)


def _lines(request: JsonMapping) -> list[str]:
    return json.dumps(request, indent=1, sort_keys=True).splitlines()


def _without_ids(lines: list[str]) -> list[str]:
    return [_UUID.sub("", line) for line in lines]


def _shared(lines: list[str], others: list[str]) -> int:
    return (Counter(lines) & Counter(others)).total()
