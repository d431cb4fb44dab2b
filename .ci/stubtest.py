"""Compare `stubs/` with the installed langgraph and langchain-core.

A stub names only what we import, so what it leaves out is not an error; what it says must be so.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def packages() -> list[str]:
    """The stubbed packages; their modules are found by walking them."""
    return sorted(path.name for path in (ROOT / "stubs").iterdir() if path.is_dir())


def main() -> int:
    command = [
        sys.executable,
        "-m",
        "mypy.stubtest",
        "--ignore-missing-stub",
        "--allowlist",
        str(ROOT / ".ci" / "stubtest_allowlist.txt"),
        "--concise",
        *packages(),
    ]
    # Outside the checkout, whose mypy settings name stubs/ a second time.
    with tempfile.TemporaryDirectory() as elsewhere:
        environment = {**os.environ, "MYPYPATH": str(ROOT / "stubs")}
        return subprocess.run(command, cwd=elsewhere, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
