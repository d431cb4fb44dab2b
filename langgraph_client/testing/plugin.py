"""The pytest plugin: a server for each test, and clients of it. Off until a fixture is used.

    @pytest.mark.langgraph(graphs={"agent": graph})
    def test_agent(remote_graph):
        assert remote_graph("agent").invoke({"question": "?"}) == {"answer": "!"}

Without the marker the graphs are those of a fixture `langgraph_graphs`, which a conftest may have.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from langgraph_client import LangGraphClient, RemoteGraph, SyncLangGraphClient
    from langgraph_client.testing.server import TestServer

_MARKER = (
    "langgraph(graphs=None, path=None, **options): what `langgraph_server` hosts: `graphs` by "
    "name, or a function that makes them; `path` is a file for its data, relative to the test's "
    "tmp_path; `options` are those of TestServer"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--langgraph-url`."""
    parser.getgroup("langgraph").addoption(
        "--langgraph-url",
        metavar="URL",
        help="run tests that use langgraph_server against this deployment instead",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture
def langgraph_graphs() -> Mapping[str, Any]:
    """The graphs of tests whose marker names none; to be overridden."""
    return {}


@pytest.fixture
def langgraph_server(request: pytest.FixtureRequest) -> Iterator[TestServer]:
    """A fresh in-process server with the test's graphs.

    When the test is over it fails if a hosted graph raised an exception that the test did not
    expect (`server.expect_error()`), with the graph's traceback.
    """
    url = request.config.getoption("--langgraph-url")
    if url:
        from langgraph_client.testing.live import LiveServer

        live: Any = LiveServer(url)
        yield live
        return
    _need("starlette")
    from langgraph_client.testing.server import TestServer

    graphs, options = _asked_for(request)
    with TestServer(graphs, **options) as server:
        yield server
        unexpected = server.unexpected_errors
    if unexpected:
        told = "\n".join(str(failure) for failure in unexpected)
        pytest.fail(
            "a hosted graph raised what the test did not expect; if it should, wrap the call in "
            f"`with langgraph_server.expect_error():`\n\n{told}",
            pytrace=False,
        )


@pytest.fixture
def langgraph_client(langgraph_server: TestServer) -> Iterator[LangGraphClient]:
    """An async client of `langgraph_server`, for any event loop."""
    made = langgraph_server.client()
    yield made
    _close(made.aclose)


@pytest.fixture
def sync_langgraph_client(langgraph_server: TestServer) -> Iterator[SyncLangGraphClient]:
    """A blocking client of `langgraph_server`."""
    with langgraph_server.sync_client() as made:
        yield made


@pytest.fixture
def remote_graph(langgraph_server: TestServer) -> Iterator[Callable[..., RemoteGraph]]:
    """Gives a `RemoteGraph` of a graph of `langgraph_server` by its name."""
    made: list[RemoteGraph] = []

    def of(name: str, /, **options: Any) -> RemoteGraph:
        made.append(langgraph_server.remote_graph(name, **options))
        return made[-1]

    yield of
    for graph in made:
        _close(graph.aclose)


def _asked_for(request: pytest.FixtureRequest) -> tuple[Mapping[str, Any], dict[str, Any]]:
    graphs: Any = None
    options: dict[str, Any] = {}
    # The farthest first, so that a test's own marker wins over its module's.
    for marker in reversed(list(request.node.iter_markers("langgraph"))):
        if marker.args:
            raise pytest.UsageError("@pytest.mark.langgraph takes keywords only: graphs=, path= …")
        options.update(marker.kwargs)
    graphs = options.pop("graphs", None)
    if graphs is None:
        graphs = request.getfixturevalue("langgraph_graphs")
    if callable(graphs):
        graphs = graphs()
    if not isinstance(graphs, Mapping):
        raise pytest.UsageError(
            f"langgraph: graphs must be a mapping of names to graphs, not {type(graphs).__name__}"
        )
    if options.get("path") is not None:
        options["path"] = request.getfixturevalue("tmp_path") / options["path"]
    return graphs, options


def _need(package: str) -> None:
    if importlib.util.find_spec(package) is None:
        pytest.fail(
            f"langgraph_server needs {package}: pip install 'langgraph-client[testing]'",
            pytrace=False,
        )


def _close(aclose: Callable[[], Any]) -> None:
    """Close an async client from code that has no event loop."""
    import asyncio

    asyncio.run(aclose())
