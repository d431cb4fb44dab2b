"""Each example runs by itself and prints what it promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.strict import STRICT

EXAMPLES = Path(__file__).parent.parent / "examples"

PROMISED = {
    "quickstart.py": [
        "Hello Bob!",
        "Your name is Bob.",
        "I don't know your name.",
        "Thread '1' has 6 checkpoints; the latest holds 4 messages.",
    ],
    "stateless.py": ["{'text': 'HELLO'}", "threads left behind: 0", "needs a thread"],
    "script_thread.py": [
        "result: {'log': ['asked', 'planned', 'worked']}",
        "next: ()",
        "has a checkpoint: True",
        "has a parent: True",
        "step 2 next () ['asked', 'planned', 'worked']",
        "step -1 next ('__start__',) []",
    ],
    "thread_ids.py": [
        "both calls used one thread: ['a', 'call 1', 'b', 'call 3']",
        "the id given comes back: user-1",
        "and keeps the given id: user-1",
    ],
    "counter.py": [
        "first call:  {'count': 1}",
        "second call: {'count': 2}",
        "reopened:    {'count': 3}",
    ],
    "loop.py": [
        "result: {'step': 3, 'message': 'Process complete'}",
        "steps: ['start', 'decide', 'start', 'decide', 'start', 'decide']",
    ],
    "functional.py": [
        "thread 'a', 10: {'doubled': 20, 'total': 22}",
        "thread 'b', 5: {'doubled': 10, 'total': 10}",
    ],
    "authentication.py": [
        "ann: {'text': 'hello ann'}",
        "bob: 404",
        "threads: 1 0",
        "nobody: who are you?",
    ],
    "fastapi_proxy.py": [
        "before the connection is lost: [0, 1]",
        "after it: [2, 3, 4, 5]",
        "left for good: interrupted",
    ],
    "pull_thread.py": [
        "copied: 7 checkpoints, missing: []",
        "there the count was: 2",
        "run again: {'count': 5}",
    ],
    "pause_and_fault.py": [
        "paused: {'question': 'Pay 40?'}",
        "next: ('approve',)",
        "resumed: {'amount': 40, 'approved': True}",
        "failed: ValueError | payment of 90 was refused",
        "run and thread are known: True order-2",
    ],
}


def test_each_example_is_tested() -> None:
    """A new example brings its promises along."""
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(PROMISED)


@pytest.mark.parametrize("name", sorted(PROMISED))
def test_example(name: str) -> None:
    """It exits cleanly, warns of nothing, and prints its promises in their order."""
    done = subprocess.run(
        [sys.executable, *STRICT, str(EXAMPLES / name)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # The server logs a run that fails, which some of them let happen on purpose.
    assert [line for line in done.stderr.splitlines() if " ended: error " not in line] == []
    position = 0
    for promised in PROMISED[name]:
        found = done.stdout.find(promised, position)
        assert found >= 0, f"{promised!r} is not in:\n{done.stdout[position:]}"
        position = found


def test_the_examples_of_tests_pass() -> None:
    """`examples/testing` is a suite as users write it."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:asyncio"],
        cwd=EXAMPLES / "testing",
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout
