"""The Python on the pages of the documentation runs as it stands.

The blocks of a page run in their order, in one process, beside a server with the two graphs of the
quick start. Blocks of tests are run by pytest, as their readers do.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from langgraph_client import Server
from tests.docs.run_page import ROOT, blocks, is_test
from tests.support.strict import STRICT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
WITH_CODE = [page for page in PAGES if blocks(page)]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server with the graphs of the quick start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "examples" / "agent")
        from agent import agent, orders
    with Server({"agent": agent, "orders": orders}) as server:
        yield server.listen()


def test_the_quick_start_shows_its_files() -> None:
    """The page has the text of the files, which readers of the repository do not see included."""
    page = (ROOT / "docs" / "quickstart.md").read_text()
    for name, language in (("agent.py", "python"), ("langgraph.json", "json")):
        text = (ROOT / "examples" / "agent" / name).read_text()
        assert f"```{language}\n{text}```\n" in page, name


def passes(*command: str, where: Path) -> None:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=where,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.stem)
def test_the_blocks_of_a_page_run(page: Path, url: str, tmp_path: Path) -> None:
    """Each block runs after the ones above it."""
    passes(str(ROOT / "tests" / "docs" / "run_page.py"), str(page), url, where=tmp_path)
    tests = [block for block in blocks(page) if is_test(block)]
    for number, block in enumerate(tests):
        (tmp_path / f"test_{number}.py").write_text(block)
    if tests:
        passes("-m", "pytest", "-q", "-p", "no:asyncio", *STRICT, where=tmp_path)
