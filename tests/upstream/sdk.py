"""The SDK's own tests and those of RemoteGraph, with this package in place of theirs."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from upstream.environment import graph_environment, server_environment, sources
from upstream.outcomes import Outcome, kept, run_pytest
from upstream.patterns import fits
from upstream.selection import private_tests, reasons
from upstream.servers import Server, langgraph_dev, our_server
from upstream.staging import stage

OURS = "langgraph_client"
THEIRS = "langgraph_sdk"
THEIR_REMOTE = "langgraph.pregel.remote"

_SDK = "upstream.standins.sdk"
_PRIVATE = "upstream.standins.private"
_REMOTE_NAMES = {
    "langgraph.pregel.remote": "upstream.standins.remote",
    "langgraph.pregel._remote_run_stream": f"{_PRIVATE}.remote_run_stream",
}
_SDK_NAMES = {
    "langgraph_sdk": _SDK,
    **{
        f"langgraph_sdk.{module}": _SDK
        for module in ("client", "errors", "schema", "stream", "stream.errors")
    },
    **{
        f"langgraph_sdk.{colour}.{module}": _SDK
        for colour in ("_async", "_sync")
        for module in ("assistants", "cron", "http", "runs", "store", "stream", "threads")
    },
    # Private, or not of a client.
    **{
        f"langgraph_sdk.{module}": f"{_PRIVATE}.{module}"
        for module in (
            "_shared",
            "cache",
            "encryption",
            "priority",
            "sse",
            "stream.controller",
            "stream.decoders",
            "stream.multi_cursor_buffer",
            "stream.subscription",
            "stream.sync_controller",
            "stream.transport",
        )
    },
}
_GRAPH_OPTIONS = """\
[pytest]
addopts = --snapshot-warn-unused -p no:cacheprovider -q
"""
_SDK_OPTIONS = """\
[pytest]
asyncio_mode = auto
pythonpath = tests
addopts = -p no:cacheprovider -q
markers =
    integration: needs a running server
"""
_REACH = ("-p", "upstream.plugins.reach")
_DEFAULT_URL = "http://localhost:2024"
"""Where the tests look for a server."""


@dataclass(frozen=True)
class Packages:
    """What is tested: the package of the client, and the module of RemoteGraph."""

    client: str = OURS
    remote: str = OURS


THEIR_PACKAGES = Packages(THEIRS, THEIR_REMOTE)


def client_tests(results: Path, packages: Packages, only: list[str] | None) -> dict[str, Outcome]:
    """Run the unit tests of the SDK, over a loopback wire where they have a transport."""
    with _scratch() as scratch:
        tests = stage(sources("langgraph-sdk") / "tests", scratch, _SDK_NAMES)
        (scratch / "pytest.ini").write_text(_SDK_OPTIONS, "utf-8")
        options = [
            *_REACH,
            "-n",
            "2",
            "--timeout=8",
            "-m",
            "not integration",
        ]
        options += ["--ignore=tests/integration", "--continue-on-collection-errors", "tests"]
        environment = {"UPSTREAM_CLIENT": packages.client}
        return run_pytest(
            graph_environment(),
            tests,
            options,
            environment=environment,
            only=only,
            results=results,
        )


def remote_graph_tests(
    results: Path, packages: Packages, only: list[str] | None, url: str = _DEFAULT_URL
) -> dict[str, Outcome]:
    """Run the unit tests of RemoteGraph; two of them need the server of `url`."""
    with _scratch() as scratch:
        tests = stage(sources("langgraph") / "tests", scratch, _REMOTE_NAMES, {_DEFAULT_URL: url})
        (scratch / "pytest.ini").write_text(_GRAPH_OPTIONS, "utf-8")
        files = ["tests/test_remote_graph.py", "tests/test_remote_graph_v3.py"]
        return run_pytest(
            graph_environment(),
            tests,
            ["--timeout=60", *files],
            environment={"UPSTREAM_REMOTE": packages.remote, "NO_DOCKER": "false"},
            only=only,
            results=results,
        )


def integration_tests(
    results: Path, packages: Packages, server: Server, only: list[str] | None
) -> dict[str, Outcome]:
    """Run the integration tests of the SDK on a server that hosts their graphs."""
    python = server_environment()
    names = {**_SDK_NAMES, **_REMOTE_NAMES}
    with _scratch() as scratch:
        graphs = stage(sources("langgraph-sdk") / "integration", scratch / "server")
        with server(python, graphs / "langgraph.json", graphs) as url:
            folder = sources("langgraph-sdk") / "tests"
            tests = stage(folder, scratch, names, {_DEFAULT_URL: url})
            (scratch / "pytest.ini").write_text(_SDK_OPTIONS, "utf-8")
            environment = {
                "LANGGRAPH_INTEGRATION_URL": url,
                "UPSTREAM_CLIENT": packages.client,
                "UPSTREAM_REMOTE": packages.remote,
            }
            return run_pytest(
                graph_environment(),
                tests,
                [
                    *_REACH,
                    "--timeout=60",
                    "-m",
                    "integration",
                    "tests/integration",
                ],
                environment=environment,
                only=only,
                results=results,
            )


def client_suite(results: Path, patterns: list[str] | None) -> dict[str, Outcome]:
    """Run those unit tests of the SDK that count, on our client."""
    theirs = kept("client", lambda path: client_tests(path, THEIR_PACKAGES, None))
    out = reasons(sources("langgraph-sdk") / "tests", theirs, needs_a_client=True)
    return client_tests(results, Packages(), _wanted(theirs, out, patterns))


def remote_graph_suite(results: Path, patterns: list[str] | None) -> dict[str, Outcome]:
    """Run those unit tests of RemoteGraph that count, on ours."""
    theirs = kept("remote", lambda path: remote_graph_tests(path, THEIR_PACKAGES, None))
    out = reasons(sources("langgraph") / "tests", theirs, needs_a_client=False)
    wanted = _wanted(theirs, out, patterns)
    with _scratch() as scratch:
        hosted = stage(sources("langgraph") / "tests", scratch / "server")
        # Its paths are from here on.
        config = Path(shutil.copy(hosted / "example_app" / "langgraph.json", hosted.parent))
        with our_server(graph_environment(), config, hosted.parent) as url:
            return remote_graph_tests(results, Packages(), wanted, url)


def integration_suite(results: Path, patterns: list[str] | None) -> dict[str, Outcome]:
    """Run the integration tests with our client on our server."""
    return _public(integration_tests(results, Packages(), our_server, patterns))


def their_client_suite(results: Path, patterns: list[str] | None) -> dict[str, Outcome]:
    """Run the integration tests with the SDK's client on our server."""
    return _public(integration_tests(results, THEIR_PACKAGES, our_server, patterns))


def their_server_suite(results: Path, patterns: list[str] | None) -> dict[str, Outcome]:
    """Run the integration tests with our client on `langgraph dev`."""
    return _public(integration_tests(results, Packages(), langgraph_dev, patterns))


def _public(outcomes: dict[str, Outcome]) -> dict[str, Outcome]:
    """Those of the tests that touch nothing private."""
    private = private_tests(sources("langgraph-sdk") / "tests")
    return {
        test: outcome
        for test, outcome in outcomes.items()
        if test.partition("[")[0] not in private and outcome.error != "PrivateNameError"
    }


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="upstream-sdk-") as folder:
        (Path(folder) / "server").mkdir()
        yield Path(folder)


def _wanted(
    theirs: dict[str, Outcome], out: dict[str, str], patterns: list[str] | None
) -> list[str]:
    return [
        test
        for test in theirs
        if test not in out
        and (patterns is None or any(fits(pattern, test) for pattern in patterns))
    ]
