"""The ids of interrupts, as keys of answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeGuard

_INTERRUPT_ID = re.compile(r"[0-9a-f]{32}")


def has_interrupt_ids(resume: object) -> TypeGuard[Mapping[str, object]]:
    """Return whether a command's answers are by interrupt id, by langgraph's rule."""
    return isinstance(resume, Mapping) and all(_INTERRUPT_ID.fullmatch(str(key)) for key in resume)
