"""LangGraph's own tests, with every graph of theirs remote."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from upstream.environment import graph_environment, official_environment, sources
from upstream.outcomes import Outcome, kept, run_pytest
from upstream.patterns import fits
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


def feasible() -> dict[str, Outcome]:
    """The tests that ask something of a graph, as they end when the graph is local."""
    return {
        test: outcome
        for test, outcome in kept("graphs", lambda path: run("identity", path)).items()
        if outcome.calls and outcome.outcome != "skipped"
    }


def suite(results: Path, patterns: list[str] | None) -> dict[str, Outcome]:
    """Run the tests that count on remote graphs of ours."""
    local = feasible()
    if patterns is not None:
        wanted = [test for test in local if any(fits(pattern, test) for pattern in patterns)]
        files = sorted({test.partition("::")[0] for test in wanted}) or ["tests"]
        return run(ADAPTER, results, only=wanted, processes=0, arguments=files)
    outcomes = run(ADAPTER, results, only=local)
    # What fails with a local graph has failed; so has what ended with the process it ran in.
    broken = {test: outcome for test, outcome in local.items() if not outcome.is_passed}
    lost = {test: Outcome(test, "lost") for test in local if test not in outcomes}
    return {**outcomes, **lost, **broken}
