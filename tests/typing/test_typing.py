"""Type checkers accept what is right, and reject what is wrong."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
# Apart from this folder, which the checkers are to find clean.
WRONG = HERE.parent / "rejected" / "calls.py"
RIGHT = HERE / "right.py"
CHECKERS = {
    "mypy": [sys.executable, "-m", "mypy"],
    "pyright": [sys.executable, "-m", "pyright"],
}


@pytest.mark.parametrize("checker", CHECKERS)
def test_wrong_lines_are_rejected_and_no_others(checker: str) -> None:
    """Programs as users write them have no type errors, and the types that they assert.

    Of a program with mistakes, each line that is wrong is an error; no other line is.
    """
    # A cache of its own: mypy may be running elsewhere at this moment, also in `make types`. It
    # begins with what that has found out about the package.
    cache, made = ROOT / ".mypy_cache" / "users", f"{sys.version_info[0]}.{sys.version_info[1]}"
    if checker == "mypy" and not cache.exists() and (cache.parent / made).exists():
        shutil.copytree(cache.parent / made, cache / made)
    done = subprocess.run(
        [*CHECKERS[checker], str(RIGHT), str(WRONG)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"MYPY_CACHE_DIR": str(cache)},
        check=False,
    )
    found = {
        (name, int(line))
        for name, line in re.findall(r"(\w+\.py):(\d+)(?::\d+)?(?: - |: )error", done.stdout)
    }
    lines = WRONG.read_text().splitlines()
    wrong = {(WRONG.name, n) for n, line in enumerate(lines, 1) if line.endswith("# wrong")}
    assert found == wrong, done.stdout + done.stderr
