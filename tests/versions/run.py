"""Run what must hold on other versions of langgraph and of Python, in environments of their own.

    python tests/versions/run.py            everything
    python tests/versions/run.py client     RemoteGraph beside the oldest langgraph that it supports
    python tests/versions/run.py server     tests/remote and tests/server on the server's oldest
    python tests/versions/run.py pythons    the fast part of the suite on the newer Pythons

The oldest versions are the lower bounds in `pyproject.toml`. A Python that is not installed is
left out, with a note. The environments lie in the cache of `make upstream`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from langgraph_client import Server  # noqa: E402
from tests.support.graphs import shared_graphs  # noqa: E402
from tests.support.interpreters import interpreter  # noqa: E402
from tests.upstream.environment import made  # noqa: E402

PYTHONS = ("3.12", "3.13", "3.14")
FAST = (
    "tests/core",
    "tests/_async/test_scenarios.py",
    "tests/_sync/test_scenarios.py",
    "tests/remote/test_congruence.py",
)


def main() -> int:
    parts: dict[str, Callable[[], bool]] = {
        "client": oldest_for_the_client,
        "server": oldest_for_the_server,
        "pythons": newer_pythons,
    }
    chosen = sys.argv[1:] or list(parts)
    results = {name: parts[name]() for name in chosen}
    return 0 if all(results.values()) else 1


def oldest_for_the_client() -> bool:
    """RemoteGraph works beside the oldest langgraph, over the bundled server."""
    oldest = _oldest("langgraph")
    requirements = [*_project()["dependencies"], oldest]
    python = made("oldest-client", requirements)
    program = Path(__file__).with_name("beside_langgraph.py")
    with Server(shared_graphs()) as server:
        return _run(
            [str(python), "-W", "ignore", str(program), server.listen()],
            f"RemoteGraph beside {oldest}",
        )


def oldest_for_the_server() -> bool:
    """The tests of RemoteGraph and of the server pass on the server's oldest langgraph."""
    oldest = _oldest("server")
    python = made("oldest-server", [*_development(), oldest])
    tests = ["tests/remote", "tests/server"]
    return _pytest(python, tests, f"{' and '.join(tests)} on {oldest}")


def newer_pythons() -> bool:
    """The fast part of the suite passes on each Python that is there."""
    results = []
    for version in PYTHONS:
        found = interpreter(version)
        if found is None:
            print(f"Python {version} is not installed: left out")
        else:
            python = made(f"python{version}", _development(), found)
            results.append(_pytest(python, FAST, f"the fast part on Python {version}"))
    return all(results)


def _pytest(python: Path, tests: tuple[str, ...] | list[str], what: str) -> bool:
    return _run([str(python), "-m", "pytest", "-q", "-n", "2", *tests], what)


def _run(command: list[str], what: str) -> bool:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    is_good = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == 0
    print(f"{what}: {'passed' if is_good else 'FAILED'}", flush=True)
    return is_good


def _project() -> dict[str, list[str]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras: dict[str, list[str]] = project["optional-dependencies"]
    return {"dependencies": project["dependencies"], **extras}


def _development() -> list[str]:
    """Everything that the tests need, the extras of our own package unfolded."""
    project = _project()
    found, waiting = [*project["dependencies"]], ["dev"]
    while waiting:
        for requirement in project[waiting.pop()]:
            own = re.fullmatch(r"langgraph-client\[(.*)\]", requirement)
            if own is None:
                found.append(requirement)
            else:
                waiting += own[1].split(",")
    return found


def _oldest(extra: str) -> str:
    """The lower bound of langgraph in an extra, as a requirement."""
    (bound,) = (item for item in _project()[extra] if re.match(r"langgraph[<>=]", item))
    match = re.search(r">=([\d.]+)", bound)
    assert match is not None
    return f"langgraph=={match[1]}"


if __name__ == "__main__":
    sys.exit(main())
