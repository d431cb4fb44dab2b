"""LangChain's own tests of its agents, with every graph of theirs remote."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from upstream.environment import agent_environment, sources, version
from upstream.graphs import ADAPTER
from upstream.outcomes import Outcome, kept, run_pytest
from upstream.patterns import fits
from upstream.staging import stage

_OPTIONS = """\
[pytest]
asyncio_mode = auto
addopts = --snapshot-warn-unused -p no:cacheprovider -q
markers =
    requires: needs a package
"""
_FOLDER = "tests/unit_tests/agents"
_SECONDS = 25
"""How long a test may take."""


def run(
    adapter: str,
    results: Path,
    *,
    only: Iterable[str] | None = None,
    processes: int = 2,
    arguments: Iterable[str] = (_FOLDER,),
) -> dict[str, Outcome]:
    """Run the tests with the remote graphs of `adapter`."""
    with tempfile.TemporaryDirectory(prefix="upstream-agents-") as scratch:
        tests = stage(sources("langchain") / "tests", Path(scratch))
        (Path(scratch) / "pytest.ini").write_text(_OPTIONS, "utf-8")
        plugins = [f"-pupstream.plugins.{name}" for name in ("routing", "blocking", "middleware")]
        options = [*plugins, "-n", str(processes), f"--timeout={_SECONDS}"]
        return run_pytest(
            agent_environment(),
            tests,
            [*options, *arguments],
            environment={"UPSTREAM_ADAPTER": adapter},
            only=only,
            results=results,
        )


def feasible() -> dict[str, Outcome]:
    """The tests that ask something of an agent and pass when its graph is local."""
    name = f"agents-{version('langchain')}"
    return {
        test: outcome
        for test, outcome in kept(name, lambda path: run("identity", path)).items()
        if outcome.calls and outcome.is_passed
    }


def suite(results: Path, patterns: list[str] | None) -> dict[str, Outcome]:
    """Run the tests that count on remote graphs of ours."""
    local = feasible()
    if patterns is not None:
        wanted = [test for test in local if any(fits(pattern, test) for pattern in patterns)]
        files = sorted({test.partition("::")[0] for test in wanted}) or [_FOLDER]
        return run(ADAPTER, results, only=wanted, processes=0, arguments=files)
    outcomes = run(ADAPTER, results, only=local)
    # What has ended with the process that it ran in.
    lost = {test: Outcome(test, "lost") for test in local if test not in outcomes}
    return {**outcomes, **lost}
