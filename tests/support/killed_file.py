"""Copy the database file of a server as a kill would leave it."""

from __future__ import annotations

import shutil
from pathlib import Path


def killed_copy(file: Path) -> Path:
    """Return a copy of a server's file as a kill at this moment would leave it."""
    image = file.parent / f"{len(list(file.parent.iterdir()))}" / file.name
    image.parent.mkdir()
    for part in file.parent.glob(f"{file.name}*"):
        if part.is_file() and not part.name.endswith("-shm"):
            shutil.copy(part, image.parent / part.name)
    return image
