"""The pytest plugin: a server for each test, and clients of it.

    @pytest.mark.langgraph(graphs={"agent": graph})
    def test_agent(remote_graph):
        assert remote_graph("agent").invoke({"question": "?"}) == {"answer": "!"}

Without the marker, the graphs are those of the fixture `langgraph_graphs`, which a conftest may
override. Nothing is loaded until a fixture is used.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from collections.abc import Callable, Coroutine, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from langgraph_client import LangGraphClient, RemoteGraph, SyncLangGraphClient
    from langgraph_client.testing.server import TestServer

_MARKER = (
    "langgraph(graphs=None, path=None, clock=None, **options): what `langgraph_server` hosts: "
    "`graphs` by name, or a function that returns them; `path` is a file for its data, relative to "
    "the test's tmp_path; a TestClock is reset before each test; `options` are those of TestServer"
)
_FIXTURES = frozenset({"langgraph_server", "langgraph_session_server"})
_SERVERS = pytest.StashKey[list["TestServer"]]()
"""The servers of a test, in its stash."""
_TEARDOWN_TIMEOUT = 2.0
"""How many seconds the end of a test waits for runs that are at work."""
_CLOSE_TIMEOUT = 30.0
"""How many seconds closing a client may take."""


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


def pytest_collection_finish(session: pytest.Session) -> None:
    """Load the kit before a test can freeze the time, if freezegun is in use.

    A module that is imported while the time is frozen keeps freezegun's datetime class for good.
    """
    if "freezegun" not in sys.modules:
        return
    for item in session.items:
        if isinstance(item, pytest.Function) and _FIXTURES.intersection(item.fixturenames):
            _require("starlette")
            for module in ("langgraph_client.testing.server", "langgraph_client.remote.graph"):
                importlib.import_module(module)
            return


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the graph's traceback with the exception of a test that a graph's failure has caused.

    The failure counts as expected then: it is reported already, or `xfail` expects it.
    """
    report = yield
    # Read after the other hooks: of a `unittest` case, pytest's own hook puts the exception there.
    if call.excinfo is None or call.excinfo.errisinstance(pytest.skip.Exception):
        return report
    error = call.excinfo.value
    for server in item.stash.get(_SERVERS, ()):
        for failure in server.unexpected_errors:
            if failure.caused(error):
                report.sections.append(("Exception of a hosted graph", str(failure)))
        server.expect_caught(error)  # Also for the check at the end of the server's fixture.
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Forget the servers of a test that is over: the session keeps its tests to the end."""
    try:
        return (yield)
    finally:
        item.stash.get(_SERVERS, []).clear()


@pytest.fixture
def langgraph_graphs() -> Mapping[str, object]:
    """Graphs by name, for tests without graphs in their markers. Override it in a conftest."""
    return {}


@pytest.fixture
def langgraph_server(request: pytest.FixtureRequest) -> Iterator[TestServer]:
    """A new in-process `TestServer` with the test's graphs.

    At the end of the test it waits for runs that are at work, and fails the test if a hosted graph
    raised an exception that the test expected neither by `server.expect_error()` nor by
    `pytest.raises`, `pytest.RaisesGroup` or `assertRaises`, with the graph's traceback. A test that
    fails with that very exception is reported once.
    """
    url = request.config.getoption("--langgraph-url")
    if url:
        yield _live_server(url)
        return
    _require("starlette")
    from langgraph_client.testing.server import TestServer

    graphs, options = _marked(request)
    with TestServer(graphs, **options) as server, _checking(server, request.node):
        yield server


@pytest.fixture(scope="session")
def langgraph_session_graphs() -> Mapping[str, object]:
    """Graphs by name of `langgraph_session_server`. Override it in a conftest."""
    return {}


@pytest.fixture(scope="session")
def _langgraph_session(
    request: pytest.FixtureRequest, langgraph_session_graphs: Mapping[str, object]
) -> Iterator[TestServer]:
    url = request.config.getoption("--langgraph-url")
    if url:
        yield _live_server(url)
        return
    _require("starlette")
    from langgraph_client.testing.server import TestServer

    with TestServer(langgraph_session_graphs) as server:
        yield server


@pytest.fixture
def langgraph_session_server(
    request: pytest.FixtureRequest, _langgraph_session: TestServer
) -> Iterator[TestServer]:
    """One `TestServer` for the whole session, reset before each test that uses it.

    It hosts the graphs of the fixture `langgraph_session_graphs` and ignores markers. A test ends
    as with `langgraph_server`. To have the other fixtures use it, override that one:

        @pytest.fixture
        def langgraph_server(langgraph_session_server):
            return langgraph_session_server
    """
    server = _langgraph_session
    if request.config.getoption("--langgraph-url"):
        yield server
        return
    server.reset()
    with _checking(server, request.node):
        yield server


@pytest.fixture
def langgraph_client(langgraph_server: TestServer) -> Iterator[LangGraphClient]:
    """An async client of `langgraph_server`, for any event loop."""
    client = langgraph_server.client()
    yield client
    _run_in_thread(client.aclose)


@pytest.fixture
def sync_langgraph_client(langgraph_server: TestServer) -> Iterator[SyncLangGraphClient]:
    """A blocking client of `langgraph_server`."""
    with langgraph_server.sync_client() as client:
        yield client


@pytest.fixture
def remote_graph(langgraph_server: TestServer) -> Iterator[Callable[..., RemoteGraph]]:
    """A function that returns a `RemoteGraph` for a graph of `langgraph_server` by its name."""
    graphs: list[RemoteGraph] = []

    def graph_named(name: str, /, **options: object) -> RemoteGraph:
        graphs.append(langgraph_server.remote_graph(name, **options))
        return graphs[-1]

    yield graph_named
    for graph in graphs:
        _run_in_thread(graph.aclose)


def _live_server(url: str) -> Any:
    from langgraph_client.testing.live import LiveServer

    return LiveServer(url)


@contextmanager
def _checking(server: TestServer, test: pytest.Item) -> Iterator[None]:
    """Fail at the end if a graph raised an exception that the test did not expect."""
    from langgraph_client.testing.caught_errors import watch_caught

    # For the report: a failed test shows the requests of its servers.
    test.stash.setdefault(_SERVERS, []).append(server)
    with watch_caught(server.expect_caught):
        yield
    with suppress(TimeoutError):  # A run that the test left on purpose; it ends with the server.
        server.wait_idle(timeout=_TEARDOWN_TIMEOUT)
    if failures := server.unexpected_errors:
        listed = "\n".join(str(failure) for failure in failures)
        pytest.fail(
            "a hosted graph raised an exception that the test did not expect; if it should, wrap "
            "the call in `with pytest.raises(...)` or `with langgraph_server.expect_error():`"
            f"\n\n{listed}",
            pytrace=False,
        )


def _marked(request: pytest.FixtureRequest) -> tuple[Mapping[str, object], dict[str, Any]]:
    """Return the graphs and the other options of a test's markers."""
    graphs: dict[str, object] | None = None
    options: dict[str, Any] = {}
    # The farthest first, so that a test's own marker overrides its module's.
    for marker in reversed(list(request.node.iter_markers("langgraph"))):
        if marker.args:
            raise pytest.UsageError("@pytest.mark.langgraph takes keywords only: graphs=, path= …")
        options.update(marker.kwargs)
        if marker.kwargs.get("graphs") is not None:
            graphs = {**(graphs or {}), **_graphs_by_name(marker.kwargs["graphs"])}
    options.pop("graphs", None)
    if graphs is None:
        graphs = _graphs_by_name(request.getfixturevalue("langgraph_graphs"))
    if options.get("path") is not None:
        _check_path(options["path"])
        options["path"] = request.getfixturevalue("tmp_path") / options["path"]
    if options.get("clock") is not None:
        from langgraph_client.testing.clock import TestClock

        if isinstance(options["clock"], TestClock):
            options["clock"].reset()  # The marker's clock is one object for all its tests.
    return graphs, options


def _check_path(path: str | PurePath) -> None:
    is_below = "://" not in str(path) and not PurePath(path).is_absolute()
    if not is_below or ".." in PurePath(path).parts:
        raise pytest.UsageError(
            f"langgraph: path is a file below the test's tmp_path, such as path='data.db', not "
            f"{str(path)!r}; for another place or a database make a TestServer(path=…) of your own"
        )


def _graphs_by_name(graphs: object) -> dict[str, object]:
    if callable(graphs):
        graphs = graphs()
    if not isinstance(graphs, Mapping):
        raise pytest.UsageError(
            f"langgraph: graphs must be a mapping of names to graphs, not {type(graphs).__name__}"
        )
    return dict(graphs)


def _require(package: str) -> None:
    if importlib.util.find_spec(package) is None:
        pytest.fail(
            f"langgraph_server needs {package}: pip install 'langgraph-client[testing]'",
            pytrace=False,
        )


def _run_in_thread(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine to its end in a thread of its own.

    `asyncio.run` in this thread would leave it without a current event loop, and would fail where
    one is running.
    """
    import asyncio

    errors: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="langgraph-close", daemon=True)
    thread.start()
    thread.join(_CLOSE_TIMEOUT)
    if thread.is_alive():
        raise TimeoutError(f"a client could not be closed within {_CLOSE_TIMEOUT:g} s")
    if errors:
        raise errors[0]
