"""Options by which a Python that a test starts takes warnings for errors, as pytest does here."""

from __future__ import annotations

#: Libraries call what Python 3.14 warns of, while they are imported.
STRICT = (
    "-W",
    "error",
    "-W",
    "ignore:'asyncio.iscoroutinefunction' is deprecated:DeprecationWarning",
)
