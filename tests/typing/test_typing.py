"""Type checkers accept what is right, and reject what is wrong."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
# Apart from this folder, which the checkers are to find clean.
WRONG = HERE.parent / "rejected" / "calls.py"
CHECKERS = {
    "mypy": [sys.executable, "-m", "mypy"],
    "pyright": [sys.executable, "-m", "pyright"],
}


def run(checker: str, path: Path) -> str:
    # A cache for each program: mypy may be running elsewhere at this moment, also in `make types`.
    cache = {"MYPY_CACHE_DIR": str(ROOT / ".mypy_cache" / path.stem)}
    done = subprocess.run(
        [*CHECKERS[checker], str(path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | cache,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("checker", CHECKERS)
def test_right_programs_are_accepted(checker: str) -> None:
    """Programs as users write them have no type errors, and the types that they assert."""
    said = run(checker, HERE / "right.py")
    assert re.search(r"no issues found|0 errors", said), said


@pytest.mark.parametrize("checker", CHECKERS)
def test_wrong_programs_are_rejected(checker: str) -> None:
    """Each line that is wrong is an error; no other line is."""
    said = run(checker, WRONG)
    found = {int(line) for line in re.findall(r"calls\.py:(\d+)(?::\d+)?(?: - |: )error", said)}
    lines = WRONG.read_text().splitlines()
    assert found == {n for n, line in enumerate(lines, 1) if line.endswith("# wrong")}, said
