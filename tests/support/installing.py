"""Install packages into another environment, for tests that need some of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def install(python: str | Path, *arguments: str) -> None:
    """Install packages: with uv, which takes a tenth of pip's time, and if that fails with pip.

    Args:
        python: The interpreter of the environment.
        arguments: Requirements, and options that both know.

    Raises:
        subprocess.CalledProcessError: pip cannot install them either.
    """
    uv = Path(sys.executable).with_name("uv")
    if uv.exists():
        command = [str(uv), "pip", "install", "--quiet", "--python", str(python), *arguments]
        if subprocess.run(command, env=os.environ | {"UV_NATIVE_TLS": "1"}).returncode == 0:
            return
        print("uv cannot install this: pip tries it", flush=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "-qq", "install"]
    subprocess.run([*pip, *arguments], check=True)
