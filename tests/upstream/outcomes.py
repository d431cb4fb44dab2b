"""Run pytest on staged tests, and read what became of each."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from upstream.environment import ROOT, cache, version

HERE = Path(__file__).resolve().parent

_HARNESS = ("adapters/identity.py", "plugins/*.py", "standins/*.py", "staging.py")
"""What the outcomes of LangGraph's own classes depend on, beside the packages."""


@dataclass(frozen=True)
class Outcome:
    """What became of a test.

    Attributes:
        test: Its id.
        outcome: `passed`, `failed` or `skipped`.
        calls: How often it reached what is measured.
        error: The class of the exception that it failed with; empty if it did not.
        message: The text of that exception.
        line: Where in the tests it was raised.
    """

    test: str
    outcome: str
    calls: int = 0
    error: str = ""
    message: str = ""
    line: str = ""

    @property
    def is_passed(self) -> bool:
        """Whether it passed."""
        return self.outcome == "passed"

    @property
    def reason(self) -> str:
        """The failure in one line."""
        return " ".join(f"{self.error or self.outcome}: {self.message}".split())[:200]


def run_pytest(
    python: Path,
    tests: Path,
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    only: Iterable[str] | None = None,
    results: Path,
) -> dict[str, Outcome]:
    """Run pytest on the staged `tests`, in the folder that holds them.

    Args:
        python: The interpreter.
        tests: The staged tests.
        arguments: For pytest.
        environment: Variables to set.
        only: The ids of the tests to run, in which `*` stands for any text; all without it.
        results: The file that takes what became of each test, for looking at later.

    Raises:
        RuntimeError: pytest ended without a result, or before its end.
    """
    scratch = tests.parent
    variables = {**variables_for(tests, results), **(environment or {})}
    if only is not None:
        selection = scratch / "only.txt"
        selection.write_text("\n".join(only), "utf-8")
        variables["UPSTREAM_ONLY"] = str(selection)
    # The interpreter's own tracebacks: pytest's can crash Python 3.11 after a time limit.
    options = ["-p", "upstream.plugins.results", "--tb=native", "-W", "ignore"]
    command = [str(python), "-m", "pytest", *options, *arguments]
    return run_program(command, scratch, variables, results, ends_with=(0, 1))


def variables_for(tests: Path, results: Path) -> dict[str, str]:
    """The environment variables of a process that tests what is in `tests`."""
    return {
        **os.environ,
        "LANGSMITH_TRACING": "false",
        "NO_DOCKER": "true",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join([str(HERE.parent), str(ROOT)]),
        "UPSTREAM_RESULTS": str(results),
        "UPSTREAM_TESTS": str(tests),
    }


def run_program(
    command: Sequence[str],
    folder: Path,
    variables: Mapping[str, str],
    results: Path,
    *,
    ends_with: Sequence[int] = (0,),
) -> dict[str, Outcome]:
    """Run what writes outcomes to `results`, with a log beside them.

    Args:
        command: The program and its arguments.
        folder: Where it runs.
        variables: All of its environment.
        results: The file that it writes.
        ends_with: The statuses that say that it came to its end. With any other, the tests that
            are missing in the results would not be missed.

    Raises:
        RuntimeError: It ended without a result, or before its end.
    """
    results.parent.mkdir(parents=True, exist_ok=True)
    results.unlink(missing_ok=True)
    log = results.with_suffix(".log")
    with log.open("wb") as output:
        ended = subprocess.run(
            command,
            cwd=folder,
            env=variables,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if not results.exists() or ended.returncode not in ends_with:
        text = log.read_text("utf-8")[-4000:]
        raise RuntimeError(f"the tests ended early, with {ended.returncode}:\n{text}")
    return read(results)


def counted(outcomes: Mapping[str, Outcome]) -> dict[str, Outcome]:
    """Those of `outcomes` that count: the tests that reached what is measured, and all failures.

    A test that needs no remote graph would pass with any. One that fails for another reason than
    ours is to be named in `differences.toml` as upstream's own.
    """
    return {
        test: outcome
        for test, outcome in outcomes.items()
        if outcome.outcome == "failed" or (outcome.calls and outcome.is_passed)
    }


def read(results: Path) -> dict[str, Outcome]:
    """The outcomes in a file of results; a failure counts, whatever else the test did."""
    outcomes: dict[str, Outcome] = {}
    for line in results.read_text("utf-8").splitlines():
        outcome = Outcome(**json.loads(line))
        earlier = outcomes.get(outcome.test)
        if earlier is None or earlier.outcome != "failed":
            outcomes[outcome.test] = outcome
    return outcomes


def kept(name: str, run: Callable[[Path], dict[str, Outcome]]) -> dict[str, Outcome]:
    """The outcomes of tests that use nothing of ours, from the first time that they ran."""
    files = [path for pattern in _HARNESS for path in sorted(HERE.glob(pattern))]
    content = [path.read_bytes() for path in files]
    digest = hashlib.sha256(b"".join(content)).hexdigest()[:12]
    versions = f"{version('langgraph')}-{version('langgraph-sdk')}"
    path = cache() / "results" / f"{name}-theirs-{versions}-{digest}.jsonl"
    if not path.exists():
        unfinished = path.with_name(f"{path.stem}-unfinished.jsonl")
        run(unfinished)
        unfinished.rename(path)
    return read(path)
