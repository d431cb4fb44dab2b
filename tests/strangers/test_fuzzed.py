"""schemathesis against our own OpenAPI document: no 500, nothing that the document does not say.

With --interop; it is installed on demand, into an environment of its own.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from langgraph_client import Server
from tests.interop.real import ENVIRONMENT
from tests.support.graphs import graphs
from tests.support.installing import install

_HOME = ENVIRONMENT / "schemathesis"
_ALL = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance"
)
#: Wrong labels of the store are answered in plain text without a content type, as recorded.
_OF_STORE = "not_a_server_error,status_code_conformance"


@pytest.fixture(scope="module")
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    if not request.config.getoption("--interop"):
        pytest.skip("needs schemathesis: run with --interop (make interop)")
    hosted = {name: graph for name, graph in graphs().items() if name != "slow"}
    with Server(hosted, show_errors=False) as server:
        yield server.listen()


@pytest.fixture(scope="module")
def program() -> str:
    done = _HOME / ".installed"
    if not done.exists():
        subprocess.run([sys.executable, "-m", "venv", str(_HOME)], check=True)
        install(_HOME / "bin" / "python", "schemathesis>=4,<5")
        done.touch()
    return str(_HOME / "bin" / "schemathesis")


@pytest.mark.parametrize(
    ("paths", "checks"),
    [
        # Streams and joins may last as long as a run does.
        (["--exclude-path-regex", "stream|/join|^/store"], _ALL),
        (["--include-path-regex", "^/store"], _OF_STORE),
    ],
    ids=["all but the store", "the store"],
)
def test_nothing_but_what_the_document_says(
    url: str, program: str, paths: list[str], checks: str, tmp_path: Path
) -> None:
    """Thousands of requests that fit the document, and that nearly fit."""
    command = [
        program,
        "run",
        f"{url}/openapi.json",
        *paths,
        "--checks",
        checks,
        "--max-examples",
        "20",
        "--request-timeout",
        "10",
        "--generation-deterministic",
        "--suppress-health-check",
        "all",
        "--no-color",
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=480, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout[-6000:]
