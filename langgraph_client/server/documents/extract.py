"""`extract` of a search for threads: values at paths, in addition to the documents."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from langgraph_client.server.errors import Invalid

_ROOTS = ("config", "interrupts", "metadata", "values")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(-?[0-9]{1,9})\]")  # Python reads no number of any length.
Path = list[str | int]


def parse(paths_by_alias: Mapping[str, str], reserved_names: Collection[str]) -> dict[str, Path]:
    """Return the paths of an `extract`, each as its keys and indexes.

    Raises:
        Invalid: An alias or a path is invalid.
    """
    reserved = [alias for alias in paths_by_alias if alias in reserved_names]
    if reserved:
        raise Invalid(f"Extract keys cannot use reserved field names: {reserved}")
    paths: dict[str, Path] = {}
    for alias, text in paths_by_alias.items():
        if not re.fullmatch(r"[A-Za-z_]\w*", alias, re.ASCII):
            text = f"Extract key '{alias}' must be a valid identifier"
            raise Invalid(f"{text} (letters, digits, underscores)")
        if not isinstance(text, str) or not text:
            raise Invalid(f"Extract path for '{alias}' must be a non-empty string")
        root = re.split(r"[.\[]", text, maxsplit=1)[0]
        rest = text.removeprefix(root)
        if root not in _ROOTS:
            listed = ", ".join(_ROOTS)
            raise Invalid(f"Extract path '{text}' must start with one of: {listed}")
        if "".join(match[0] for match in _STEP.finditer(rest)) != rest:
            raise Invalid(f"Extract path '{text}' is not a path")
        paths[alias] = [root, *(_step(match) for match in _STEP.finditer(rest))]
    return paths


def _step(match: re.Match[str]) -> str | int:
    return match[1] if match[1] is not None else int(match[2])


def follow(value: object, path: Path) -> object:
    """Return the value of a document at a path; None if there is none."""
    for step in path:
        if isinstance(step, int):
            if not isinstance(value, list) or not -len(value) <= step < len(value):
                return None
            value = value[step]
        elif isinstance(value, dict) and not step.startswith("_"):
            value = value.get(step)
        else:
            return None
    return value
