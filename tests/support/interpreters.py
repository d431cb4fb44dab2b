"""Other versions of Python on this machine, for what must be seen on them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path


def interpreter(version: str) -> str | None:
    """Return an interpreter of this version: on the path, or one of pyenv's."""
    found = shutil.which(f"python{version}")
    if found is not None and _is_usable(found):
        return found
    root = os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv"
    for candidate in sorted(Path(root).glob(f"versions/{version}.*/bin/python"), reverse=True):
        if _is_usable(str(candidate)):
            return str(candidate)
    return None


def _is_usable(command: str) -> bool:
    # A shim of pyenv's is on the path for versions that are not switched on.
    return subprocess.run([command, "-c", "import venv"], capture_output=True).returncode == 0
