"""LangChain's own coding agent starts our server instead of `langgraph dev`. With --interop."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.installing import install
from tests.support.interpreters import interpreter

ROOT = Path(__file__).parents[2]
ENVIRONMENT = ROOT / ".acceptance"
PROGRAM = Path(__file__).with_name("deepagents_code_program.py")


@pytest.fixture(scope="module")
def python(request: pytest.FixtureRequest) -> Path:
    """The Python of an environment with deepagents-code and this package, made on demand."""
    if not request.config.getoption("--interop"):
        pytest.skip("needs deepagents-code: run with --interop (make interop)")
    done = ENVIRONMENT / ".installed"
    if not done.exists():
        base = interpreter("3.12") or interpreter("3.13")
        if base is None:
            pytest.skip("deepagents-code needs Python 3.12 or newer")
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        subprocess.run([base, "-m", "venv", str(ENVIRONMENT)], check=True)
        python = ENVIRONMENT / "bin" / "python"
        install(python, "deepagents-code>=0.1.88,<0.2", "--editable", f"{ROOT}[server]")
        done.touch()
    return ENVIRONMENT / "bin" / "python"


def test_a_conversation_with_a_tool_call_and_an_approval(python: Path) -> None:
    """Its server process starts with its own `langgraph.json` (`http.app`, headers, a checkpointer
    of its own); a tool call waits for an approval, is carried out after it, and the thread is
    over."""
    environment = {name: os.environ[name] for name in os.environ if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(python), str(PROGRAM)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=environment,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    seen = json.loads(done.stdout.splitlines()[-1])
    assert {"messages", "updates"} <= set(seen.pop("modes"))
    assert seen == {
        "asked": "write_file",
        "written before": False,
        "written": "auto-approved",
        "last": "done",
        "next": [],
        "messages": 4,
    }
