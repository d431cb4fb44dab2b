"""LangGraph's own tests, with every graph of theirs remote."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from upstream.environment import graph_environment, official_environment, sources
from upstream.outcomes import Outcome, counted, run_pytest
from upstream.staging import stage

ADAPTER = os.environ.get("UPSTREAM_ADAPTER", "ours")
"""What graphs go to, see `adapters`."""

_OPTIONS = """\
[pytest]
addopts = --snapshot-warn-unused -p no:cacheprovider -q
verbosity_assertions = 2
"""
_SECONDS = 25
"""How long a test may take."""


def run(
    adapter: str,
    results: Path,
    *,
    only: Iterable[str] | None = None,
    processes: int = 2,
    arguments: Iterable[str] = ("tests",),
) -> dict[str, Outcome]:
    """Run the tests with the remote graphs of `adapter`."""
    with tempfile.TemporaryDirectory(prefix="upstream-graphs-") as scratch:
        tests = stage(sources("langgraph") / "tests", Path(scratch))
        (Path(scratch) / "pytest.ini").write_text(_OPTIONS, "utf-8")
        options = ["-p", "upstream.plugins.routing", "-n", str(processes), f"--timeout={_SECONDS}"]
        return run_pytest(
            official_environment() if adapter == "official" else graph_environment(),
            tests,
            [*options, *arguments],
            environment={"UPSTREAM_ADAPTER": adapter},
            only=only,
            results=results,
        )


def suite(results: Path, patterns: list[str] | None) -> dict[str, Outcome]:
    """Run the tests on remote graphs of ours, or those that fit the patterns."""
    if patterns is None:
        return counted(run(ADAPTER, results))
    files = {pattern.partition("::")[0] for pattern in patterns}
    if any("*" in file for file in files):
        files = {"tests"}
    return run(ADAPTER, results, only=patterns, processes=0, arguments=sorted(files))
