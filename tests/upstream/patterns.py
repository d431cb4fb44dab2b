"""Patterns of test ids."""

from __future__ import annotations

import re


def fits(pattern: str, test: str) -> bool:
    """Whether the id of a test fits a pattern, in which `*` stands for any text."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), test) is not None
