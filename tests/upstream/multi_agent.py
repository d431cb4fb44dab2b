"""The tests of LangGraph's prebuilt agents, supervisors and swarms, with remote graphs.

Each test of a supervisor or a swarm runs three times: the whole graph is remote, or the agents in
it, or both.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from upstream.environment import multi_agent_environment, sources
from upstream.graphs import ADAPTER
from upstream.outcomes import Outcome, counted, run_pytest
from upstream.staging import stage

_OPTIONS = """\
[pytest]
asyncio_mode = auto
addopts = --snapshot-warn-unused -p no:cacheprovider -q
"""
_SECONDS = 25
"""How long a test may take."""

_SWARM = "0.1.0"
"""The release of langgraph-swarm, which is installed only where its tests run."""


def run(
    adapter: str, results: Path, *, only: Iterable[str] | None = None, processes: int = 2
) -> dict[str, Outcome]:
    """Run the tests with the remote graphs of `adapter`."""
    python = multi_agent_environment(
        ["langchain", "langgraph-supervisor", f"langgraph-swarm=={_SWARM}"]
    )
    with tempfile.TemporaryDirectory(prefix="upstream-multi-agent-") as scratch:
        tests = Path(scratch) / "tests"
        tests.mkdir()
        (tests / "__init__.py").touch()
        for name, folder in {
            "prebuilt": sources("langgraph-prebuilt"),
            "supervisor": sources("langgraph-supervisor"),
            "swarm": sources("langgraph-swarm", _SWARM),
        }.items():
            copy = stage(folder / "tests", Path(scratch) / name, {"tests": f"tests.{name}"})
            copy.rename(tests / name)
        (Path(scratch) / "pytest.ini").write_text(_OPTIONS, "utf-8")
        plugins = ["-p", "upstream.plugins.routing", "-p", "upstream.plugins.members"]
        return run_pytest(
            python,
            tests,
            [*plugins, "-n", str(processes), f"--timeout={_SECONDS}", "tests"],
            environment={"UPSTREAM_ADAPTER": adapter},
            only=only,
            results=results,
        )


def suite(results: Path, patterns: list[str] | None) -> dict[str, Outcome]:
    """Run the tests on remote graphs of ours, or those that fit the patterns."""
    if patterns is None:
        return counted(run(ADAPTER, results))
    return run(ADAPTER, results, only=patterns, processes=0)
