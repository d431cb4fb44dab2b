"""Fixtures, named for what they give."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from langgraph_client import LangGraphClient, SyncLangGraphClient
from langgraph_client.testing import TestServer
from tests.interop.real import langgraph_dev
from tests.support.calling_threads import calls_end
from tests.support.graphs import fresh_graph, shared_graphs


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--interop",
        action="store_true",
        help="run the interop scenarios on a langgraph dev, not on the bundled server",
    )
    parser.addoption(
        "--storage",
        choices=["sqlite", "postgres"],
        default="sqlite",
        help="what in-process servers keep everything in, where a test does not say",
    )
    parser.addoption(
        "--shuffle", type=int, metavar="SEED", help="run the tests in the random order of this seed"
    )


def pytest_configure(config: pytest.Config) -> None:
    # A shell that runs the tests in the background has Ctrl-C ignored, and so would the programs
    # that tests start and end by it.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # A loaded machine may stop a test at any place for a second or two.
    settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("here")


def pytest_report_header(config: pytest.Config) -> str | None:
    seed = config.getoption("--shuffle")
    return None if seed is None else f"random order: --shuffle={seed}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # One seed for all processes of xdist, which have to collect in the same order.
    seed = config.getoption("--shuffle")
    if seed is not None:
        # The tests of a file stay together: they share fixtures that take long to make.
        files: dict[Path, list[pytest.Item]] = {}
        for item in items:
            files.setdefault(item.path, []).append(item)
        order = random.Random(seed)
        shuffled = list(files.values())
        order.shuffle(shuffled)
        for tests in shuffled:
            order.shuffle(tests)
        items[:] = [item for tests in shuffled for item in tests]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    # Scenarios that hold against any server say `subject`, or use a fixture that does.
    if "subject" in metafunc.fixturenames:
        subject = "real" if metafunc.config.getoption("--interop") else "ours"
        metafunc.parametrize("subject", [subject], scope="session")


@pytest.fixture(autouse=True)
def _calls_end() -> Iterator[None]:
    with calls_end():
        yield


@pytest.fixture(autouse=True)
def _storage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """With `--storage postgres`, give each server of a test a database instead of SQLite."""
    if request.config.getoption("--storage") == "sqlite":
        yield
        return
    if request.node.get_closest_marker("sqlite") is not None:
        pytest.skip("about SQLite")
    from tests.support.postgres import binaries, cluster

    if binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    if request.node.get_closest_marker("vector") is not None and not cluster().execute(
        "SELECT 1 FROM pg_available_extensions WHERE name = 'vector'"
    ):
        pytest.skip("PostgreSQL does not have the extension vector")
    from langgraph_client.server import server as module
    from langgraph_client.server.storage.opening import is_postgres, open_storage

    urls: dict[str, str] = {}

    async def opened(path: Any, **options: Any) -> Any:
        if not is_postgres(path):
            name = str(path) if path is not None else f"memory {len(urls)}"
            if name not in urls:
                urls[name] = await asyncio.to_thread(lambda: cluster().fresh())
            path = urls[name]
        return await open_storage(path, **options)

    monkeypatch.setattr(module, "open_storage", opened)
    yield
    for url in urls.values():
        cluster().drop(url)


@pytest.fixture
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL database of the test's own, with the schema."""
    from tests.support.postgres import binaries, cluster

    if binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    url = cluster().fresh()
    yield url
    cluster().drop(url)


@pytest.fixture(params=["sqlite", "postgres"])
def path(request: pytest.FixtureRequest) -> Any:
    """Where a server keeps its data, in turn: None for memory, or a database's URL."""
    return None if request.param == "sqlite" else request.getfixturevalue("postgres")


@pytest.fixture(params=["sqlite", "postgres"])
def kept_path(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Where a server keeps its data beyond its end, in turn: a file, or a database's URL."""
    if request.param == "sqlite":
        if request.config.getoption("--storage") != "sqlite":
            pytest.skip("about SQLite")
        return tmp_path / "state.db"
    return request.getfixturevalue("postgres")


@pytest.fixture(scope="session")
def real_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a `langgraph dev` that hosts the graphs of `support.graphs`."""
    with langgraph_dev(tmp_path_factory.mktemp("real")) as url:
        yield url


@pytest.fixture
def server() -> Iterator[TestServer]:
    """An in-process server with the graphs of `support.graphs`, in memory."""
    with TestServer(shared_graphs()) as running:
        yield running


@pytest.fixture
async def client(server: TestServer) -> AsyncIterator[LangGraphClient]:
    """An async client of `server`."""
    async with server.client() as made:
        yield made


@pytest.fixture
def sync_client(server: TestServer) -> Iterator[SyncLangGraphClient]:
    """A blocking client of `server`."""
    with server.sync_client() as made:
        yield made


@pytest.fixture(params=["local", "remote"])
def graph_named(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Gives a graph by name: compiled locally with a checkpointer, or on a server, in turn."""
    if request.param == "local":
        from langgraph.checkpoint.memory import InMemorySaver

        yield cache(lambda name: fresh_graph(name).copy({"checkpointer": InMemorySaver()}))
    else:
        with TestServer(shared_graphs()) as running:
            yield running.remote_graph
