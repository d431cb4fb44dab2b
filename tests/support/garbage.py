"""Collect garbage for certain."""

from __future__ import annotations

import gc
import threading
from typing import Any


def collect() -> None:
    """Collect all garbage, as `gc.collect` does unless another thread is collecting just then."""
    here, begun = threading.get_ident(), False

    def note(phase: str, told: dict[str, Any]) -> None:
        nonlocal begun
        begun |= told["generation"] == 2 and threading.get_ident() == here

    gc.callbacks.append(note)
    try:
        while not begun:
            gc.collect()
    finally:
        gc.callbacks.remove(note)
