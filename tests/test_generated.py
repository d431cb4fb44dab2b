"""The blocking client is what its source makes it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_blocking_twin_is_up_to_date() -> None:
    """Every generated file equals, as a whole, what the async source makes of it."""
    done = subprocess.run(
        [sys.executable, str(ROOT / ".ci" / "unasync.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
