"""The short version of `chaos.py`: real processes, killed and stopped, their database restarted."""

from __future__ import annotations

import pytest
from cluster.chaos import Chaos
from support.postgres import binaries


def test_three_servers_under_faults_lose_nothing() -> None:
    """Each result is the local graph's, and each stream told what was kept, once."""
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    chaos = Chaos(seed=11, runs=60, seconds=30, at_once=4, pause=(0.5, 1.5))
    report = chaos(faults=("kill", "restart", "database"))
    print(report)
    assert report.is_good, str(report)
    assert sum(report.faults.values()) >= 2
