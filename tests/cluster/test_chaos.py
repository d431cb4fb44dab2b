"""The short version of `chaos.py`: real processes, killed and stopped, their database restarted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.postgres import binaries

CHAOS = Path(__file__).with_name("chaos.py")


@pytest.mark.skipif(binaries() is None, reason="PostgreSQL is not installed")
def test_three_servers_under_faults_lose_nothing() -> None:
    """Each result is the local graph's, and each stream told what was kept, once."""
    options = [
        "--seed",
        "11",
        "--seconds",
        "0",
        "--runs",
        "24",
        "--at-once",
        "4",
        "--faults",
        "pause,kill,restart,database",
    ]
    done = subprocess.run(
        [sys.executable, str(CHAOS), *options],
        capture_output=True,
        text=True,
        timeout=540,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "lost 0, repeated 0" in done.stdout
