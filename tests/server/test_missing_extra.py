"""The commands say what to install, where the extra `server` is not installed."""

from __future__ import annotations

import subprocess
import sys

import pytest

# An entry of None in sys.modules makes an import fail as if the package were not installed.
_WITHOUT = """
import runpy, sys
sys.modules[sys.argv.pop(1)] = None
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize("package", ["starlette", "uvicorn"])
@pytest.mark.parametrize(
    "command", [["langgraph_client.server"], ["langgraph_client.terminal", "serve"]]
)
def test_the_server_names_its_extra(package: str, command: list[str]) -> None:
    """In one line, which can be pasted; no traceback."""
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT, package, *command],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert 'pip install "langgraph-client[server]"' in done.stderr
    assert f"({package} is missing)" in done.stderr
