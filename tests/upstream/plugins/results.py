"""pytest plugin: run only the tests that are named, and write what became of each.

Environment:
    UPSTREAM_TESTS: The folder of the staged tests.
    UPSTREAM_ONLY: A file with the ids of tests, one on each line, in which `*` stands for any
        text; all others are left out.
    UPSTREAM_RESULTS: The file that takes one JSON object on each line, one per test.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any, TextIO

import pytest
from upstream.patterns import fits

TESTS = os.path.realpath(os.environ["UPSTREAM_TESTS"])

_LIMIT = 6000
"""Characters of an error's text that are kept."""

_output: TextIO | None = None


def pytest_configure(config: pytest.Config) -> None:
    global _output
    path = os.environ.get("UPSTREAM_RESULTS")
    if path and not hasattr(config, "workerinput"):
        _output = open(path, "w", encoding="utf-8")  # noqa: SIM115 - for the whole session


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    path = os.environ.get("UPSTREAM_ONLY")
    if path:
        lines = Path(path).read_text("utf-8").splitlines()
        ids, patterns = set(lines), [line for line in lines if "*" in line]

        def is_wanted(item: pytest.Item) -> bool:
            return item.nodeid in ids or any(fits(line, item.nodeid) for line in patterns)

        config.hook.pytest_deselected(items=[item for item in items if not is_wanted(item)])
        items[:] = [item for item in items if is_wanted(item)]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, None]:
    report = (yield).get_result()
    if call.excinfo is not None and report.outcome == "failed":
        error = call.excinfo.value
        report.user_properties = [
            *report.user_properties,
            ("error", type(error).__name__),
            ("message", str(error)[:_LIMIT]),
            ("line", _line_of_the_test(call.excinfo)),
        ]


def _line_of_the_test(failure: pytest.ExceptionInfo[BaseException]) -> str:
    """The innermost line of the tests that the exception went through."""
    for entry in reversed(failure.traceback):
        if str(entry.path).startswith(TESTS):
            return f"{Path(entry.path).name}:{entry.lineno + 1}"
    return ""


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" or report.outcome != "passed":
        _write(report.nodeid, report.outcome, dict(report.user_properties))


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed:
        lines = str(report.longrepr).strip().splitlines() or [""]
        _write(report.nodeid, "failed", {"error": "CollectError", "message": lines[-1]})


def _write(test: str, outcome: str, found: dict[str, Any]) -> None:
    if _output is not None:
        row = {
            "test": test,
            "outcome": outcome,
            "calls": found.get("calls", 0),
            "error": found.get("error", ""),
            "message": found.get("message", ""),
            "line": found.get("line", ""),
        }
        _output.write(json.dumps(row) + "\n")
        _output.flush()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    # A test that left a thread behind must not hold up the process for ever.
    last = threading.Timer(10, os._exit, args=(1,))
    last.daemon = True
    last.start()
