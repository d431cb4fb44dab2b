"""A program of the SDK, unchanged but for the import, on our server and on a real one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from langgraph_client import Server
from tests.support.graphs import shared_graphs

PROGRAM = Path(__file__).with_name("program.py")
ROOT = Path(__file__).parents[2]


def held(text: str, url: str, where: Path) -> dict[str, str]:
    """What a program's checks come to, by name."""
    script = where / "program.py"
    script.write_text(text)
    command = [sys.executable, str(script), url]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "", "LANGSMITH_TRACING": "false"}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=240, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    seen: dict[str, str] = json.loads(done.stdout)
    return seen


@pytest.mark.parametrize("package", ["langgraph_client", "langgraph_sdk"])
def test_all_checks_hold(
    package: str, subject: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Thirty of thirty: with the program's own package, and with ours in its place."""
    text = PROGRAM.read_text().replace("langgraph_sdk", package)
    seen: Any
    if subject == "real":
        seen = held(text, request.getfixturevalue("real_url"), tmp_path)
    else:
        with Server(shared_graphs()) as server:
            seen = held(text, server.listen(), tmp_path)
    assert {name: said for name, said in seen.items() if said != "held"} == {}
    assert len(seen) == 30
