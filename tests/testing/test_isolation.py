"""No test disturbs another: event loops, clocks, frozen time, runs that go on, session servers."""

from __future__ import annotations

import textwrap

import pytest

from tests.support.strict import STRICT

PRELUDE = """
import asyncio, datetime, unittest
import pytest
from langgraph_client import RemoteException
from langgraph_client.testing import Fail, ScriptedGraph, TestClock, TestServer, Wait

AGENT = ScriptedGraph([{"done": True}])
BROKEN = ScriptedGraph([Fail(KeyError("lost"))])
LATE = ScriptedGraph([Wait(0.05), Fail(KeyError("late"))])
GRAPHS = {"agent": AGENT, "broken": BROKEN, "late": LATE}
pytestmark = pytest.mark.langgraph(graphs=GRAPHS)
"""


def run(pytester: pytest.Pytester, source: str, *args: str) -> pytest.RunResult:
    pytester.makepyfile(PRELUDE + textwrap.dedent(source))
    return pytester.runpytest("-p", "no:cacheprovider", "-p", "no:asyncio", *STRICT, *args)


def test_fixtures_leave_the_current_event_loop_alone(pytester: pytest.Pytester) -> None:
    """Code that uses `asyncio.get_event_loop()` works in a test after one with our fixtures."""
    result = run(
        pytester,
        """
        @pytest.fixture(scope="module", autouse=True)
        def loop():
            loop = asyncio.new_event_loop()
            asyncio.set_event_loop(loop)
            yield
            loop.close()

        def legacy():
            return asyncio.get_event_loop().run_until_complete(asyncio.sleep(0, 5))

        def test_before():
            assert legacy() == 5

        def test_agent(remote_graph, langgraph_client):
            assert remote_graph("agent").invoke({})["done"]

        def test_after():
            assert legacy() == 5
        """,
    )
    result.assert_outcomes(passed=3)


def test_fixtures_are_closed_where_a_loop_is_running(pytester: pytest.Pytester) -> None:
    """A plugin may tear tests down inside of a running event loop."""
    result = run(
        pytester,
        """
        def test_agent(request, langgraph_server):
            async def body():
                client = request.getfixturevalue("langgraph_client")
                await client.threads.create()
            asyncio.run(body())
        """,
    )
    result.assert_outcomes(passed=1)


def test_the_clock_of_a_marker_starts_again_for_each_test(pytester: pytest.Pytester) -> None:
    """Time and ids are those of the start."""
    result = run(
        pytester,
        """
        CLOCK = TestClock(seed=7)
        IDS = set()

        @pytest.mark.langgraph(clock=CLOCK)
        @pytest.mark.parametrize("number", range(3))
        def test_starts_at_new_year(langgraph_server, sync_langgraph_client, number):
            assert CLOCK.now() == datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
            IDS.add(sync_langgraph_client.threads.create().thread_id)
            assert len(IDS) == 1
            CLOCK.advance(days=1)
        """,
    )
    result.assert_outcomes(passed=3)


def test_time_frozen_by_another_test_does_not_reach_the_kit(pytester: pytest.Pytester) -> None:
    """freezegun reads every name of every module, and replaces classes in what loads meanwhile."""
    result = pytester.runpytest_subprocess(
        "-p",
        "no:cacheprovider",
        "-p",
        "no:asyncio",
        pytester.makepyfile(
            PRELUDE
            + textwrap.dedent(
                """
                from freezegun import freeze_time

                def test_unrelated():
                    with freeze_time("2026-01-01"):
                        assert datetime.date.today().year == 2026

                def test_frozen_itself(sync_langgraph_client):
                    with freeze_time("2026-01-01"):
                        sync_langgraph_client.runs.create(
                            sync_langgraph_client.threads.create().thread_id, "agent", input={}
                        )

                def test_later(sync_langgraph_client, remote_graph):
                    thread = sync_langgraph_client.threads.create()
                    assert type(thread.created_at) is datetime.datetime
                    assert remote_graph("agent").invoke({})["done"]
                """
            )
        ),
    )
    result.assert_outcomes(passed=3)


def test_a_model_that_loads_while_time_is_frozen_reads_times_later(
    pytester: pytest.Pytester,
) -> None:
    """Names are loaded on first use, which may be inside of a frozen test."""
    script = pytester.makepyfile(
        script="""
        import datetime
        from freezegun import freeze_time
        import langgraph_client

        with freeze_time("2026-01-01"):
            from langgraph_client.models import threads
            threads.Thread({"created_at": "2026-01-01T00:00:00Z"}).created_at
        read = threads.Thread({"created_at": "2026-01-01T00:00:00Z"}).created_at
        assert type(read) is datetime.datetime, type(read)
        """
    )
    assert pytester.runpython(script).ret == 0


def test_a_run_that_fails_after_the_test_fails_the_test(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of a test waits for runs that were only started."""
    # On a busy machine, the run may take longer than the end of a test usually waits.
    monkeypatch.setattr("langgraph_client.testing.plugin._TEARDOWN_TIMEOUT", 60.0)
    result = run(
        pytester,
        """
        def start(client):
            client.runs.create(client.threads.create().thread_id, "late", input={})

        def test_overlooked(sync_langgraph_client):
            start(sync_langgraph_client)

        def test_expected(sync_langgraph_client, langgraph_server):
            with langgraph_server.expect_error(KeyError, match="late"):
                start(sync_langgraph_client)

        @pytest.mark.langgraph(clock=TestClock())
        def test_waits_for_a_clock_that_nobody_moves(sync_langgraph_client):
            start(sync_langgraph_client)
        """,
        "--durations=0",
    )
    result.assert_outcomes(passed=3, errors=1)
    result.stdout.fnmatch_lines(["*KeyError: 'late'*"])


def test_what_pytest_raises_catches_is_expected(pytester: pytest.Pytester) -> None:
    """Directly, through other code, or later than the failure; what the code swallows is not."""
    result = run(
        pytester,
        """
        def test_direct(remote_graph):
            with pytest.raises(RemoteException, match="lost"):
                remote_graph("broken").invoke({})

        def test_wrapped(remote_graph):
            def code():
                try:
                    remote_graph("broken").invoke({})
                except RemoteException as error:
                    raise RuntimeError("no refund") from error
            with pytest.raises(RuntimeError):
                code()

        def test_joined_later(sync_langgraph_client, langgraph_server):
            client = sync_langgraph_client
            thread_id = client.threads.create().thread_id
            run = client.runs.create(thread_id, "broken", input={})
            langgraph_server.wait_idle()
            with pytest.raises(RemoteException):
                client.runs.wait(thread_id, "broken", input={})
            with pytest.raises(RemoteException):
                raise RemoteException("KeyError", "'lost'", run_id=run.run_id)

        def test_swallowed(remote_graph):
            try:
                remote_graph("broken").invoke({})
            except RemoteException:
                pass

        def test_caught_something_else(remote_graph, langgraph_server):
            with pytest.raises(ZeroDivisionError):
                try:
                    remote_graph("broken").invoke({})
                except RemoteException:
                    pass
                1 / 0
        """,
    )
    result.assert_outcomes(passed=5, errors=2)


def test_graphs_and_options_of_several_markers_add_up(pytester: pytest.Pytester) -> None:
    """The module's graphs, the class's graphs, and the test's clock."""
    result = run(
        pytester,
        """
        @pytest.mark.langgraph(graphs=lambda: {"second": ScriptedGraph([{"second": True}])})
        class TestBoth:
            @pytest.mark.langgraph(clock=TestClock(), remember_requests=1)
            def test_it(self, remote_graph, langgraph_server):
                assert remote_graph("agent").invoke({})["done"]
                assert remote_graph("second").invoke({})["second"]
                assert len(langgraph_server.requests) == 1
                langgraph_server.clock.advance(1)
        """,
    )
    result.assert_outcomes(passed=1)


def test_a_server_for_the_session_is_reset_for_each_test(pytester: pytest.Pytester) -> None:
    """One server; no threads, requests or failures of the test before."""
    pytester.makeconftest(
        """
        import pytest
        from langgraph_client.testing import Fail, ScriptedGraph

        @pytest.fixture(scope="session")
        def langgraph_session_graphs():
            broken = ScriptedGraph([Fail(KeyError())])
            return {"agent": ScriptedGraph([{"done": True}]), "broken": broken}

        @pytest.fixture
        def langgraph_server(langgraph_session_server):
            return langgraph_session_server
        """
    )
    result = run(
        pytester,
        """
        SERVERS = []

        @pytest.mark.parametrize("number", range(3))
        def test_fresh(langgraph_server, sync_langgraph_client, number):
            SERVERS.append(langgraph_server)
            assert SERVERS[0] is langgraph_server
            assert len(langgraph_server.requests) == 0
            assert sync_langgraph_client.threads.search() == []
            sync_langgraph_client.threads.create()

        def test_overlooked(sync_langgraph_client):
            sync_langgraph_client.runs.wait(None, "broken", input={}, raise_error=False)

        def test_not_by_the_next(sync_langgraph_client, langgraph_server):
            assert langgraph_server.errors == []
        """,
    )
    result.assert_outcomes(passed=5, errors=1)


def test_unittest_cases_use_the_kit(pytester: pytest.Pytester) -> None:
    """By a fixture, or by a server of their own; `assertRaises` is enough for a failure."""
    result = run(
        pytester,
        """
        class WithFixture(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def _server(self, langgraph_server):
                self.server = langgraph_server

            def test_answer(self):
                self.assertTrue(self.server.remote_graph("agent").invoke({})["done"])

            def test_failure(self):
                with self.assertRaises(RemoteException):
                    self.server.remote_graph("broken").invoke({})

        class OnItsOwn(unittest.TestCase):
            def setUp(self):
                self.server = self.enterContext(TestServer(GRAPHS))

            def test_answer(self):
                self.assertTrue(self.server.remote_graph("agent").invoke({})["done"])

        class Async(unittest.IsolatedAsyncioTestCase):
            async def asyncSetUp(self):
                self.server = await self.enterAsyncContext(TestServer(GRAPHS))

            async def test_answer(self):
                async with self.server.client() as client:
                    self.assertTrue((await client.runs.wait(None, "agent", input={}))["done"])
        """,
    )
    result.assert_outcomes(passed=4)


def test_anyio_tests_use_the_kit(pytester: pytest.Pytester) -> None:
    """With the marker of anyio in place of pytest-asyncio."""
    result = run(
        pytester,
        """
        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.mark.anyio
        async def test_client(langgraph_client):
            assert (await langgraph_client.runs.wait(None, "agent", input={}))["done"]

        @pytest.mark.anyio
        async def test_expected(langgraph_client, langgraph_server):
            thread = await langgraph_client.threads.create()
            async with langgraph_server.expect_error(KeyError) as failures:
                await langgraph_client.runs.create(thread.thread_id, "late", input={})
            assert len(failures) == 1
        """,
    )
    result.assert_outcomes(passed=2)


def test_a_suite_is_split_over_processes(pytester: pytest.Pytester) -> None:
    """With pytest-xdist, `pytest -n 2`."""
    result = run(
        pytester,
        """
        @pytest.mark.parametrize("number", range(6))
        def test_fresh(sync_langgraph_client, number):
            assert sync_langgraph_client.threads.search() == []
            sync_langgraph_client.threads.create()
        """,
        "-n",
        "2",
    )
    result.assert_outcomes(passed=6)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_suite_runs_in_any_order(pytester: pytest.Pytester, seed: int) -> None:
    """Clocks, session servers, failures, holds and faults of one test do not reach another."""
    pytester.makeconftest(
        f"""
        import random
        import pytest
        from langgraph_client.testing import ScriptedGraph

        @pytest.fixture(scope="session")
        def langgraph_session_graphs():
            return {{"agent": ScriptedGraph([{{"done": True}}])}}

        def pytest_collection_modifyitems(items):
            random.Random({seed}).shuffle(items)
        """
    )
    result = run(
        pytester,
        """
        CLOCK = TestClock()

        def test_fault_left_behind(langgraph_session_server):
            langgraph_session_server.faults.refuse(status=503)

        def test_hold_left_behind(langgraph_session_server):
            client = langgraph_session_server.sync_client()
            hold = langgraph_session_server.hold(status="running")
            client.runs.create(client.threads.create().thread_id, "agent", input={})
            hold.wait()

        @pytest.mark.parametrize("number", range(2))
        def test_session(langgraph_session_server, number):
            client = langgraph_session_server.sync_client()
            assert client.runs.wait(None, "agent", input={})["done"]
            assert client.threads.search() == []

        @pytest.mark.langgraph(clock=CLOCK)
        @pytest.mark.parametrize("number", range(2))
        def test_cron(sync_langgraph_client, number):
            thread_id = sync_langgraph_client.threads.create().thread_id
            sync_langgraph_client.crons.create_for_thread(
                thread_id, "agent", schedule="0 * * * *", input={}
            )
            CLOCK.advance(hours=3)
            assert len(sync_langgraph_client.runs.list(thread_id)) == 3

        def test_failure(remote_graph):
            with pytest.raises(RemoteException):
                remote_graph("broken").invoke({})

        def test_loop(remote_graph):
            assert asyncio.run(remote_graph("agent").ainvoke({}))["done"]
        """,
    )
    result.assert_outcomes(passed=8)
