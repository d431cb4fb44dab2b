"""Compare each behaviour of a local graph with that of ours on a server; write what differs.

Run in the environment of the graph tests, by `run.py`. The results are those of the plugin
`results`: one JSON object for each behaviour.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from upstream.behaviours import graphs
from upstream.behaviours.registry import BEHAVIOURS, Graph
from upstream.environment import graph_environment
from upstream.outcomes import Outcome, run_program, variables_for
from upstream.patterns import fits

_OURS = "langgraph_client"
#: What is new in every run, and how it is shown.
_MASKS = [
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "<hash>"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(\+00:00)?"), "<time>"),
    (re.compile(r"0x[0-9a-f]+"), "<address>"),
    (re.compile(r"(run|chunk)--<uuid>(-\d+)?"), "<message>"),
]


def suite(results: Path, patterns: list[str] | None) -> dict[str, Outcome]:
    """Compare the behaviours that fit the patterns, or all."""
    command = [str(graph_environment()), "-W", "ignore", "-m", __name__, *(patterns or ["*"])]
    here = Path(__file__).parent
    return run_program(command, here, variables_for(here, results), results)


def main(patterns: list[str]) -> None:
    from upstream.adapters import ours

    for module in ("results", "streams", "states", "others"):
        importlib.import_module(f"upstream.behaviours.{module}")
    with open(os.environ["UPSTREAM_RESULTS"], "w", encoding="utf-8") as output:
        for behaviour in BEHAVIOURS:
            if not any(fits(pattern, behaviour.name) for pattern in patterns):
                continue
            local = _shown(behaviour.show, behaviour.build())
            there = ours.make_remote(behaviour.build(), vars(graphs).values())
            remote = _shown(behaviour.show, there)
            ours.end_test()
            row = {
                "test": behaviour.name,
                "outcome": "passed" if local == remote else "failed",
                "error": "" if local == remote else "local",
                "message": "" if local == remote else f"{local} remote: {remote}",
            }
            output.write(json.dumps(row) + "\n")
            output.flush()
            print(f"{row['outcome']} {behaviour.name}", flush=True)
            if local != remote:
                print(f"    local  {local}\n    remote {remote}", flush=True)


def _shown(show: Any, graph: Graph) -> str:
    try:
        return _text(show(graph))
    except Exception as error:
        # What a program can catch it as; classes of our own are more exact ones of these.
        kind = next(c for c in type(error).__mro__ if not c.__module__.startswith(_OURS))
        return f"raises {kind.__module__}.{kind.__name__}: {_text(str(error))[:300]}"


def _text(value: Any) -> str:
    text = repr(_ordered(value))
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text


def _ordered(value: Any) -> Any:
    """`value` with the keys of its dicts sorted: in what order they were filled does not count."""
    if type(value) is dict:
        return {key: _ordered(value[key]) for key in sorted(value, key=repr)}
    if type(value) is list:
        return [_ordered(item) for item in value]
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return tuple(map(_ordered, value))
    return value


if __name__ == "__main__":
    main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(0)  # Nodes of a test of cancelling may still be asleep.
