"""Run the tests that LangGraph, its SDK and its agents ship, against this package.

    python tests/upstream/run.py                    every suite, beside differences.toml
    python tests/upstream/run.py graphs             one suite
    python tests/upstream/run.py graphs --test 'tests/test_runtime.py::test_drain*'
                                                    some tests of it, with what pytest prints

    UPSTREAM_ADAPTER=official python tests/upstream/run.py graphs
                                                    LangGraph's own RemoteGraph and `langgraph dev`

Ends with 1 if a test fails that `differences.toml` does not name, or if a pattern there names only
tests that pass.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

from upstream import agents, differences, graphs, multi_agent, sdk  # noqa: E402
from upstream.behaviours import compare  # noqa: E402
from upstream.environment import cache, version  # noqa: E402
from upstream.outcomes import Outcome  # noqa: E402

Suite = Callable[[Path, list[str] | None], dict[str, Outcome]]
"""Runs the tests that fit the patterns, or all, and keeps the results in a file."""

SUITES: dict[str, Suite] = {
    "graphs": graphs.suite,
    "agents": agents.suite,
    "multi_agent": multi_agent.suite,
    "behaviours": compare.suite,
    "remote": sdk.remote_graph_suite,
    "client": sdk.client_suite,
    "integration": sdk.integration_suite,
}
INTEROP: dict[str, Suite] = {
    "their-client": sdk.their_client_suite,
    "their-server": sdk.their_server_suite,
}
"""With one half of LangGraph's: as above, but only when they are named."""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "suites", nargs="*", choices=[*SUITES, *INTEROP, []], help="all but their-* without it"
    )
    parser.add_argument("--test", action="append", metavar="ID", help="`*` stands for any text")
    given = parser.parse_args()
    print(f"langgraph {version('langgraph')}, langgraph-sdk {version('langgraph-sdk')}")
    folder = cache() / "results"
    known = differences.read()
    rows, is_good = [], True
    for name in given.suites or SUITES:
        begun = time.monotonic()
        results = folder / f"{name}-{graphs.ADAPTER}.jsonl"
        run_suite = {**SUITES, **INTEROP}[name]
        outcomes = run_suite(results, given.test)
        if given.test:
            print(results.with_suffix(".log").read_text("utf-8"))
            continue
        comparison = differences.compare(name, outcomes, known)
        # Once more, alone: some upstream tests depend on the clock, and pass or fail on a busy
        # machine only.
        if again := comparison.in_doubt(outcomes):
            second = results.with_stem(f"{results.stem}-again")
            outcomes |= run_suite(second, again)
            comparison = differences.compare(name, outcomes, known)
        _explain(name, comparison)
        is_good = is_good and not comparison.unknown and not comparison.stale
        counts = [len(outcomes), comparison.passed, *comparison.failed.values()]
        rows.append([name, *map(str, counts), f"{time.monotonic() - begun:.0f} s"])
    if rows:
        print(f"| suite | tests | passed | {' | '.join(differences.KINDS)} | time |")
        print(f"|---|{'--:|' * (len(rows[0]) - 1)}")
        for row in rows:
            print(f"| {' | '.join(row)} |")
    return 0 if is_good else 1


def _explain(suite: str, comparison: differences.Comparison) -> None:
    for difference, outcomes in comparison.known.items():
        print(f"{suite}: {len(outcomes)} {difference.kind}: {difference.cause}")
    for outcome in comparison.unknown:
        print(f"{suite}: no line in differences.toml: {outcome.test} ({outcome.reason})")
    for pattern in comparison.stale:
        print(f"{suite}: in differences.toml, but passes: {pattern}")


if __name__ == "__main__":
    sys.exit(main())
