"""Runs the Python of a page of the documentation: python run_page.py PAGE URL."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
ADDRESS = "http://localhost:2024"  # What the pages name.
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
_TEST = re.compile(r"^(async )?def test_|^@pytest", re.MULTILINE)


def blocks(page: Path) -> list[str]:
    """All blocks of Python of a page; what needs a world of its own is marked `py`, and not run."""
    return _BLOCK.findall(page.read_text())


def is_test(block: str) -> bool:
    """Whether a block is for pytest."""
    return _TEST.search(block) is not None


def main(page: Path, url: str) -> None:
    """Run the blocks one after the other, in one namespace; they may await."""
    sys.path.insert(0, str(ROOT / "examples" / "agent"))
    namespace: dict[str, object] = {"__name__": "__main__"}
    with asyncio.Runner() as runner:
        for number, block in enumerate(blocks(page), start=1):
            if is_test(block):
                continue
            code = compile(
                block.replace(ADDRESS, url),
                f"{page.name}, block {number}",
                "exec",
                flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
            )
            result = eval(code, namespace)
            if inspect.iscoroutine(result):
                runner.run(result)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
