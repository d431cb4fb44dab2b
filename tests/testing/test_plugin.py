"""The pytest plugin, used by suites of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress

import pytest

from langgraph_client.testing import ScriptedGraph, TestServer
from langgraph_client.testing.live import LiveServer
from tests.support.strict import STRICT

AGENT = """
import pytest
from langgraph_client.testing import Ask, Fail, Say, ScriptedGraph

AGENT = ScriptedGraph([Say("hi"), {"done": True}])
BROKEN = ScriptedGraph([Fail(KeyError("lost"))])
"""


def run(pytester: pytest.Pytester, source: str, *args: str) -> pytest.RunResult:
    if "no:asyncio" not in args:
        scope = "asyncio_default_fixture_loop_scope = function"
        pytester.makeini(f"[pytest]\nasyncio_mode = auto\n{scope}")
    pytester.makepyfile(AGENT + source)
    return pytester.runpytest("-p", "no:cacheprovider", *STRICT, *args)


def test_each_test_has_a_server_of_its_own(pytester: pytest.Pytester) -> None:
    """Named by a marker; sync tests, asyncio tests, anyio tests."""
    result = run(
        pytester,
        """
pytestmark = pytest.mark.langgraph(graphs={"agent": AGENT})

def test_sync(sync_langgraph_client):
    assert sync_langgraph_client.threads.search() == []
    sync_langgraph_client.threads.create()

def test_sync_again(sync_langgraph_client, langgraph_server):
    assert sync_langgraph_client.threads.search() == []
    assert len(langgraph_server.requests) == 1

async def test_asyncio(langgraph_client):
    assert (await langgraph_client.runs.wait(None, "agent", input={}))["done"]

def test_graph(remote_graph):
    assert remote_graph("agent").invoke({})["done"]

async def test_async_graph(remote_graph):
    assert (await remote_graph("agent").ainvoke({}))["done"]
""",
    )
    result.assert_outcomes(passed=5)


def test_anyio_tests_too(pytester: pytest.Pytester) -> None:
    """Without pytest-asyncio."""
    result = run(
        pytester,
        """
@pytest.mark.anyio
@pytest.mark.langgraph(graphs=lambda: {"agent": AGENT})
async def test_it(langgraph_client, anyio_backend):
    assert (await langgraph_client.runs.wait(None, "agent", input={}))["done"]

@pytest.fixture
def anyio_backend():
    return "asyncio"
""",
        "-p",
        "no:asyncio",
    )
    result.assert_outcomes(passed=1)


def test_graphs_of_a_fixture_and_a_file_of_the_test(pytester: pytest.Pytester) -> None:
    """`langgraph_graphs` where no marker names any; the test's marker adds to the module's."""
    result = run(
        pytester,
        """
pytestmark = pytest.mark.langgraph(max_runs=1)

@pytest.fixture
def langgraph_graphs():
    return {"agent": AGENT}

@pytest.mark.langgraph(path="state.db")
def test_it(remote_graph, tmp_path):
    remote_graph("agent").invoke({}, {"configurable": {"thread_id": "1"}})
    assert (tmp_path / "state.db").exists()
""",
    )
    result.assert_outcomes(passed=1)


def test_an_error_that_nobody_expected_fails_the_test(pytester: pytest.Pytester) -> None:
    """At its end, with the graph's traceback; `expect_error` allows it."""
    result = run(
        pytester,
        """
pytestmark = pytest.mark.langgraph(graphs={"agent": BROKEN})

def test_swallowed(sync_langgraph_client):
    sync_langgraph_client.runs.wait(None, "agent", input={}, raise_error=False)

def test_expected(sync_langgraph_client, langgraph_server):
    with langgraph_server.expect_error(KeyError, match="lost"):
        sync_langgraph_client.runs.wait(None, "agent", input={}, raise_error=False)
""",
    )
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*graph 'agent', run *", "*KeyError: 'lost'*"])


def test_an_error_in_a_group_that_is_caught_is_expected(pytester: pytest.Pytester) -> None:
    """By `RaisesGroup`, and by `raises` of a group."""
    result = run(
        pytester,
        """
import asyncio

pytestmark = pytest.mark.langgraph(graphs={"agent": BROKEN})

async def in_a_group(client):
    async with asyncio.TaskGroup() as group:
        group.create_task(client.runs.wait(None, "agent", input={}))

async def test_raises_group(langgraph_client):
    with pytest.RaisesGroup(Exception):
        await in_a_group(langgraph_client)

async def test_raises(langgraph_client):
    with pytest.raises(ExceptionGroup):
        await in_a_group(langgraph_client)
""",
    )
    result.assert_outcomes(passed=2)


def test_an_error_that_xfail_expects_is_expected(pytester: pytest.Pytester) -> None:
    """With `raises=`, which the failure at a test's end would not match, and without."""
    result = run(
        pytester,
        """
pytestmark = pytest.mark.langgraph(graphs={"agent": BROKEN})

@pytest.mark.xfail(raises=Exception, strict=True)
def test_raised(remote_graph):
    remote_graph("agent").invoke({})

@pytest.mark.xfail(strict=True)
def test_raised_too(remote_graph):
    remote_graph("agent").invoke({})
""",
    )
    result.assert_outcomes(xfailed=2)


def test_an_error_that_fails_the_test_is_reported_once(pytester: pytest.Pytester) -> None:
    """With the graph's traceback: of the test, of a fixture, of a session's server.

    A skip hides nothing.
    """
    result = run(
        pytester,
        """
pytestmark = pytest.mark.langgraph(graphs={"agent": BROKEN})

@pytest.fixture(scope="session")
def langgraph_session_graphs():
    return {"agent": BROKEN}

@pytest.fixture
def answer(remote_graph):
    return remote_graph("agent").invoke({})

def test_itself(remote_graph):
    remote_graph("agent").invoke({})

def test_fixture(answer): ...

def test_session(langgraph_session_server):
    langgraph_session_server.remote_graph("agent").invoke({})

def test_skipped(remote_graph):
    try:
        remote_graph("agent").invoke({})
    except Exception:
        pytest.skip("it is broken")
""",
    )
    result.assert_outcomes(failed=2, skipped=1, errors=2)
    text = result.stdout.str()
    assert text.count("- Exception of a hosted graph -") == 3
    assert text.count("KeyError: 'lost'\n") >= 3


def test_a_test_may_close_its_server(pytester: pytest.Pytester) -> None:
    """Its end has nothing to wait for; what a graph raised before is reported as ever."""
    result = run(
        pytester,
        """
pytestmark = pytest.mark.langgraph(graphs={"agent": BROKEN})

def test_closed(langgraph_server, sync_langgraph_client, langgraph_client):
    langgraph_server.close()

def test_closed_after_a_failure(langgraph_server, sync_langgraph_client):
    sync_langgraph_client.runs.wait(None, "agent", input={}, raise_error=False)
    langgraph_server.close()

def test_nothing_is_done_on_a_closed_server(langgraph_server):
    langgraph_server.close()
    with pytest.raises(RuntimeError, match="not running"):
        langgraph_server.dump()
""",
    )
    result.assert_outcomes(passed=3, errors=1)
    result.stdout.fnmatch_lines(["*that the test did not expect*", "*KeyError: 'lost'*"])
    assert "never awaited" not in result.stdout.str()


def test_a_failure_before_a_load_fails_the_test(pytester: pytest.Pytester) -> None:
    """A dump that is loaded replaces data only."""
    result = run(
        pytester,
        """
@pytest.mark.langgraph(graphs={"agent": BROKEN})
def test_overlooked(langgraph_server, sync_langgraph_client):
    dump = langgraph_server.dump()
    sync_langgraph_client.runs.wait(None, "agent", input={}, raise_error=False)
    langgraph_server.load(dump)
""",
    )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*KeyError: 'lost'*"])


def test_nothing_is_kept_of_a_test_that_is_over(pytester: pytest.Pytester) -> None:
    """A suite of thousands does not keep all of their servers and graphs."""
    result = run(
        pytester,
        """
import gc, weakref

SERVERS = []

@pytest.mark.langgraph(graphs={"agent": AGENT})
@pytest.mark.parametrize("number", range(3))
def test_it(langgraph_server, remote_graph, number):
    assert remote_graph("agent").invoke({})["done"]
    SERVERS.append(weakref.ref(langgraph_server))

def test_later():
    gc.collect()
    assert [server() for server in SERVERS] == [None] * 3
""",
    )
    result.assert_outcomes(passed=4)


def test_a_wrong_marker_says_what_is_wrong(pytester: pytest.Pytester) -> None:
    """Positional arguments, graphs that are none."""
    result = run(
        pytester,
        """
@pytest.mark.langgraph({"agent": AGENT})
def test_positional(langgraph_server): ...

@pytest.mark.langgraph(graphs=[AGENT])
def test_list(langgraph_server): ...
""",
    )
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*takes keywords only*", "*mapping of names to graphs, not list*"])


@pytest.fixture
def deployment() -> Iterator[str]:
    with TestServer({"agent": ScriptedGraph([{"done": "there"}])}) as server:
        yield server.listen()


@pytest.mark.parametrize("path", ["postgresql://u@h/db", "/tmp/data.db", "../data.db"])
def test_a_path_outside_of_the_test_s_folder_is_refused(
    pytester: pytest.Pytester, path: str
) -> None:
    """It would outlive the test, or be a file with the name of a database."""
    marked = f"""
@pytest.mark.langgraph(graphs={{}}, path={path!r})
def test_it(langgraph_server): ...
"""
    result = run(pytester, marked)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*path is a file below the test's tmp_path*not '{path}'*"])


def test_a_deployment_has_or_skips_all_that_a_test_server_has() -> None:
    """No test fails on a deployment by a name that is missing."""
    live = LiveServer("http://deployment.example")
    with TestServer({}) as server:
        names = [name for name in dir(server) if not name.startswith("_")]
    assert {"pull", "services", "loop", "start", "close", "faults"} <= set(names)
    for name in names:
        with suppress(pytest.skip.Exception):
            getattr(live, name)


def test_the_same_tests_on_a_deployment(pytester: pytest.Pytester, deployment: str) -> None:
    """`--langgraph-url`: what cannot be there is skipped, with the reason."""
    result = run(
        pytester,
        """
pytestmark = pytest.mark.langgraph(graphs={"agent": AGENT})

def test_there(remote_graph, sync_langgraph_client, langgraph_client):
    assert remote_graph("agent").invoke({})["done"] == "there"
    assert sync_langgraph_client.assistants.search()[0].graph_id == "agent"

def test_faults(langgraph_server):
    with langgraph_server.faults.refuse(): ...

def test_time(langgraph_server):
    langgraph_server.clock.advance(1)

def test_seed(langgraph_server):
    langgraph_server.seed_thread("agent")

def test_typo(langgraph_server):
    langgraph_server.clint()
""",
        f"--langgraph-url={deployment}",
        "-rs",
    )
    result.assert_outcomes(passed=1, skipped=3, failed=1)
    result.stdout.fnmatch_lines(["*a deployment's time cannot be moved*"])


def test_the_plugin_costs_nothing_where_it_is_not_used() -> None:
    """Loading it loads no client, no server, no langgraph."""
    program = (
        "import pytest, sys; import langgraph_client.testing.plugin; "
        "print([n for n in ('httpx', 'pydantic', 'starlette', 'langgraph') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
